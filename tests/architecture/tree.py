"""The tree as these tests see it: its sources, its pages, and who imports what."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "openclaw_cli"


@cache
def tracked() -> tuple[Path, ...]:
    """Return the files that are in the repository, or all of a source archive's."""
    done = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        left_out = {".venv", ".build", "__pycache__", ".git"}
        every = (path for path in ROOT.rglob("*") if not left_out & set(path.parts))
        return tuple(path for path in every if path.is_file())
    named = (ROOT / name for name in done.stdout.split("\0") if name)
    return tuple(path for path in named if path.is_file())


def modules() -> list[Path]:
    return sorted(path for path in tracked() if path.suffix == ".py" and PACKAGE in path.parents)


def pages() -> list[Path]:
    return sorted(path for path in tracked() if path.suffix == ".md")


def imported(path: Path) -> Iterator[str]:
    """Yield the modules that a file imports anywhere, inside functions too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def inside(path: Path) -> str:
    return str(path.relative_to(ROOT))
