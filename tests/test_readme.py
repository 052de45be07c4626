"""The README: its first screen and its commands."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
CHINESE = (ROOT / "README.zh-TW.md").read_text()
SCREEN = 40  # lines


def test_the_first_screen_says_what_it_is_and_shows_it() -> None:
    screen = README.splitlines()[:SCREEN]
    assert screen[0] == "# openclaw-cli"
    assert any(line.startswith("$ openclaw secrets run") for line in screen)
    assert any(line.startswith("$ openclaw secrets audit") for line in screen)
    assert "```" in screen  # the session is over


def test_it_shows_no_image_and_no_badge() -> None:
    assert "![" not in README
    assert "<img" not in README


def parts(pattern: str, text: str) -> list[str]:
    return re.findall(pattern, text, flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(
    "pattern",
    [r"^```.*?^```$", r"`(?:tests|docs)/[^`]+`", r"^(##) "],
    ids=["sessions", "proofs", "headings"],
)
def test_both_languages_say_the_same(pattern: str) -> None:
    assert parts(pattern, README)
    assert parts(pattern, CHINESE) == parts(pattern, README)


def test_both_languages_lead_to_the_same_places_and_to_each_other() -> None:
    link = r"\]\(([^)]+)\)"
    ours = set(parts(link, README)) - {"README.zh-TW.md"}
    theirs = set(parts(link, CHINESE)) - {"README.md"}
    assert ours == theirs
    assert "README.zh-TW.md" in README
    assert "README.md" in CHINESE
    assert all((ROOT / each.partition("#")[0]).exists() for each in theirs)


def test_the_chinese_one_is_in_traditional_characters() -> None:
    simplified = (
        "个为们从会体关务发变员国图坏实对导应开当录总态执护报担择换据损无时显权来构样档检没测点状"
        "现环电码离种确积称稳签简类约纪级纯线组细终经结给统继续维综编缓缘网联节获虽见规觉计订认让"
        "训议讯记许论设访证识诉词译试话该详语误说请读课谁调谢资软输过运还这进远连选适递逻遗释钥钱"
        "链锁错键长门问间队阶际险随难静须预频题颜额风验黄齐"
    )
    assert not set(simplified) & set(CHINESE)
    assert set("個為們從會") - set(simplified)


@pytest.mark.parametrize("target", re.findall(r"^make (\w+)", README, flags=re.MULTILINE))
def test_each_make_target_is_there(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)


@pytest.mark.slow
def test_it_installs_from_a_checkout_and_all_three_programs_start(tmp_path: Path) -> None:
    target = tmp_path / "installed"
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps"),
            *("--no-build-isolation", "--target", target, ROOT),
        ],
        check=True,
        capture_output=True,
    )
    environment = {**os.environ, "PYTHONPATH": str(target)}
    for name, arguments, begins in (
        ("openclaw", ["--version"], b"openclaw-cli "),
        ("openclaw-cli", ["--version"], b"openclaw-cli "),
        ("openclaw", ["completion", "bash"], b"#"),
    ):
        done = subprocess.run(
            [target / "bin" / name, *arguments],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            check=True,
        )
        assert done.stdout.startswith(begins)
    resolver = subprocess.run(
        [target / "bin" / "openclaw-resolver"],
        env=environment,
        cwd=tmp_path,
        input=b'{"protocolVersion":1,"ids":[]}',
        capture_output=True,
        check=True,
    )
    assert resolver.stdout.startswith(b'{"protocolVersion":1')
