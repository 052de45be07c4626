"""The settings as the program uses them, and how the fast road gets them without reading TOML.

`config.py` reads every source, checks it and writes the result to `compiled`; here it is taken up
again while its sources are the same files (inode, time, size) that were read.
"""

from __future__ import annotations

import os

from openclaw_cli.errors import OpenclawError
from openclaw_cli.files import Directory
from openclaw_cli.leanjson import loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from openclaw_cli.home import Home

FILE = "settings.toml"
COMPILED = "compiled"
_LIMIT = 1024 * 1024  # bytes

MIB = 1024 * 1024

DEFAULTS: dict[str, Any] = {
    "backend": "local",
    "store.versions": 10,
    "store.deleted-days": 30,
    "store.anchor": "",
    "audit.segment-bytes": 10 * MIB,
    "run.mask": True,
    "clipboard.seconds": 45,
    "unlock.seconds": 8 * 3600,
}
"""Every setting by its full name, with the value that is used when nobody set it."""


class Settings:
    """Values by full name; `origin` says where each one that is not a default came from."""

    __slots__ = ("origin", "values")

    def __init__(self, values: dict[str, Any], origin: dict[str, str]) -> None:
        self.values = values
        self.origin = origin

    def __getitem__(self, name: str) -> Any:
        """Return a setting's value, its default when it was not set."""
        return self.values[name] if name in self.values else DEFAULTS[name]


def sources(home: Home, environ: Mapping[str, str]) -> list[str]:
    """Return the files that settings are read from, the strongest first, there or not."""
    shared = environ.get("OPENCLAW_CONFIG_PATH") or f"{home.root}/openclaw.json"
    return [f"{home.root}/{FILE}", os.path.abspath(shared)]


def stamps(paths: list[str]) -> list[list[Any]]:
    """Return what tells a file from a changed one: path, inode, time in ns, size; zeros for none."""
    found = []
    for path in paths:
        try:
            now = os.stat(path)
            found.append([path, now.st_ino, now.st_mtime_ns, now.st_size])
        except OSError:
            found.append([path, 0, 0, 0])
    return found


def quick(home: Home, environ: Mapping[str, str]) -> Settings | None:
    """Return the settings without reading their sources, or None when those must be read."""
    now = stamps(sources(home, environ))
    if not any(inode for _, inode, _, _ in now):
        return with_environment(Settings({}, {}), environ)
    try:
        folder = Directory(home.root)
    except (OSError, OpenclawError):
        return None  # the folder may be the gateway's, 0755: `config.py` knows what to make of it
    try:
        compiled = loads(folder.read(COMPILED, _LIMIT))
    except (OSError, OpenclawError, ValueError):
        return None
    finally:
        folder.close()
    if compiled.get("stamps") != now:
        return None
    return with_environment(Settings(compiled["values"], compiled["origin"]), environ)


def with_environment(settings: Settings, environ: Mapping[str, str]) -> Settings:
    """Put the environment's word over the files': `OPENCLAW_BACKEND`."""
    backend = environ.get("OPENCLAW_BACKEND")
    if backend:
        settings.values["backend"] = backend
        settings.origin["backend"] = "OPENCLAW_BACKEND"
    return settings
