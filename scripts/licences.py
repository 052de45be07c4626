"""The page of licences: of everything that is locked."""

from __future__ import annotations

from collections.abc import Iterable

from scripts import locked
from scripts.locked import Locked

_HEAD = """# Licences

<!-- Written by scripts/generate.py: `make docs`. -->

openclaw-cli is under the MIT licence. It brings no code of others along: what it needs is installed
beside it, each package at the version locked in `requirements/` and under its own licence, as its
metadata has it.

## With the program
"""
_REST = """
## With an extra, or for development

An install without extras brings none of these. psycopg, under the LGPL, comes with `[postgres]` and
is used as a library. Some of those that only tests use are wrappings of programs with licences of
their own: OpenBao is under the MPL-2.0, ShellCheck under the GPL-3.0.
"""


def page() -> str:
    """Return docs/reference/licences.md."""
    runtime = locked.read("runtime")
    names = {each.name for each in runtime}
    rest = [each for each in locked.read("dev") if each.name not in names]
    return "\n".join([_HEAD, *_table(runtime), _REST, *_table(rest)]) + "\n"


def _table(packages: Iterable[Locked]) -> list[str]:
    versions: dict[str, list[str]] = {}
    for each in packages:  # one that is locked for each range of Pythons has several
        versions.setdefault(each.name, []).append(each.version)
    rows = [
        f"| {name} | {', '.join(found)} | {locked.licence(name)} |"
        for name, found in sorted(versions.items())
    ]
    return ["| Package | Version | Licence |", "| --- | --- | --- |", *rows]
