"""Paths by a pattern: the same as the standard library finds."""

from __future__ import annotations

import glob
from pathlib import Path

import pytest

from openclaw_cli.agents import wildcards

PATTERNS = ("lib/ld-*.so*", "lib/*/ld-*.so*", "dev/nvidia*", "*", "*a*a", "lib", "none/*", "gone")


@pytest.mark.parametrize("pattern", PATTERNS)
def test_it_finds_what_glob_finds(pattern: str, tmp_path: Path) -> None:
    for name in (
        *("lib/ld-linux.so.2", "lib/ld-.so", "lib/ld-linux.s", "lib/x86/ld-2.so", "lib/.x/ld-2.so"),
        *("dev/nvidia", "dev/nvidia0", "dev/nvidi", "a", "aa", "aba", ".a", "ld-a.so"),
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    found = wildcards.paths(f"{tmp_path}/{pattern}")
    assert sorted(found) == sorted(glob.glob(f"{tmp_path}/{pattern}"))
