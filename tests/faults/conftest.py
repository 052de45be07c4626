"""A place for state directories where a sync costs nothing, and a ready one of each kind."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.faults import prepared

MEMORY = Path("/dev/shm")


@pytest.fixture(autouse=True)
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Give a directory in memory, where thousands of runs are quick; sessions are there, too."""
    made = tempfile.mkdtemp(dir=MEMORY if MEMORY.is_dir() else None, prefix="openclaw-faults-")
    monkeypatch.setenv("XDG_RUNTIME_DIR", made)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
def template(place: str) -> Callable[[str], str]:
    """Return a prepared state directory, made once; see `prepared.prepare`."""

    @cache
    def made(before: str) -> str:
        root = f"{place}/template-{before}"
        prepared.prepare(root, before)
        return root

    return made
