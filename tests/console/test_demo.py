"""`make demo`: it checks what it shows, and leaves nothing behind."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "demo.sh"


def demo(places: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    places.mkdir(exist_ok=True)
    return subprocess.run(
        ["bash", SCRIPT],
        env={**os.environ, "TMPDIR": str(places), **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


@pytest.mark.slow
def test_the_demo_does_all_it_says_and_leaves_nothing_behind(tmp_path: Path) -> None:
    done = demo(tmp_path / "places")
    assert done.returncode == 0, done.stdout + done.stderr
    for shown in (
        "text, PEM and binary: identical",
        "and is [openclaw:openai-api-key]",
        "nothing looks wrong",
        "verified: records 1 to",
        "nothing else was touched",
    ):
        assert shown in done.stdout
    assert list((tmp_path / "places").iterdir()) == []
    assert not (tmp_path / "state").exists()


@pytest.mark.slow
def test_the_demo_fails_where_a_value_comes_back_changed(tmp_path: Path) -> None:
    liar = tmp_path / "bin"
    liar.mkdir()
    (liar / "openclaw").write_text(
        '#!/bin/bash\nPATH=${PATH#*:}\nopenclaw "$@" | sed "s/^sk-proj-/sk-prod-/"\n'
    )
    (liar / "openclaw").chmod(0o700)
    done = demo(tmp_path / "places", PATH=f"{liar}:{os.environ['PATH']}")
    assert done.returncode != 0
    assert "the text came back changed" in done.stderr
    assert list((tmp_path / "places").iterdir()) == []
