"""A program is found by PATH, and never where we are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from openclaw_cli.which import folders, which

TRAPS = ("git", "node", "systemctl", "crontab", "flock", "vi", "openclaw")


@pytest.fixture(autouse=True)
def _in_a_hostile_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bin").mkdir()
    for name in TRAPS:
        for place in (tmp_path, tmp_path / "bin"):
            (place / name).write_text("#!/bin/sh\n")
            (place / name).chmod(0o755)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("path", ["", ".", ":", "./bin", "bin", ":/nowhere:", ".:/nowhere"])
def test_what_lies_where_we_are_is_no_program(path: str) -> None:
    assert [name for name in TRAPS if which(name, path)] == []
    assert all(each == "/nowhere" for each in folders(path))


def test_the_first_folder_that_is_named_whole_counts(tmp_path: Path) -> None:
    path = f".::bin:/nowhere:{tmp_path}/bin:/usr/bin"
    assert which("git", path) == f"{tmp_path}/bin/git"


def test_the_path_of_the_environment_is_meant_where_none_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f":{tmp_path}/bin")
    assert which("git") == f"{tmp_path}/bin/git"
    monkeypatch.setenv("PATH", ":.")
    assert which("git") is None


def test_nothing_looks_for_programs_in_another_way() -> None:
    package = Path(__file__).parents[2] / "openclaw_cli"
    found = [
        str(each.relative_to(package))
        for each in package.rglob("*.py")
        if "shutil.which" in each.read_text(encoding="utf-8")
    ]
    assert found == ["which.py"]
    assert os.path.isfile(package / "which.py")
