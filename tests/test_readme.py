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
