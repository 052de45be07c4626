"""How secrets are written in files that other tools read: one module a format, one line here.

A module has `read(data) -> dict[str, bytes]` and `write(values) -> bytes`. Names are those of the
file; nested tables are joined with `/`. What a format cannot hold exactly is refused with a
`UsageError`, never changed, and a message names the key or the line, never what stands there.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from importlib import import_module
from typing import Protocol, cast

from openclaw_cli.errors import UsageError

# The module's name, and what its files are called.
FORMATS: dict[str, tuple[str, ...]] = {
    "dotenv": (".env", ".env.*", "*.env"),
    "json": ("*.json",),
    "yaml": ("*.yaml", "*.yml"),
    "toml": ("*.toml",),
    "shell": ("*.sh", ".envrc"),
    "github": (),
    "kubernetes": (),
}

_SECRET_MANIFEST = re.compile(rb"""^[ \t]*["']?kind["']?:[ \t]*["']?Secret\b""", re.MULTILINE)


class Format(Protocol):
    """What a module of this package offers."""

    def read(self, data: bytes) -> dict[str, bytes]: ...

    def write(self, values: Mapping[str, bytes]) -> bytes: ...


def get(name: str) -> Format:
    """Return the format called `name`, or raise `UsageError` with those that there are.

    Only now is its module imported, and with it the library that it needs.
    """
    if name not in FORMATS:
        close = difflib.get_close_matches(name, FORMATS, 1)
        meant = f"did you mean {close[0]}? " if close else ""
        raise UsageError(f"no format is called {name}", hint=f"{meant}known: {', '.join(FORMATS)}")
    return cast("Format", import_module(f"{__name__}.{name}"))


def guess(filename: str, data: bytes) -> str | None:
    """Name the format of a file by its name, or by what only one format looks like."""
    base = filename.rpartition("/")[2].lower()
    named = next(
        (name for name in FORMATS if any(fnmatchcase(base, p) for p in FORMATS[name])), None
    )
    if named in (None, "json", "yaml") and _SECRET_MANIFEST.search(data):
        return "kubernetes"
    if named is None and data.lstrip().startswith(b"{"):
        return "json"
    return named
