"""A project's own settings file: found from the working directory upward, and used when trusted.

Whoever clones a repository has its file, and with it somebody else's choice of which secret a name
means. So a file is used only after its user has looked at it: `trusting.py` then keeps what it said
in `trusted`, beside the store, and here that is put over the settings while the file is the same.
Lean: the hot road imports it, where there is such a file.
"""

from __future__ import annotations

from openclaw_cli import __version__
from openclaw_cli.errors import OpenclawError
from openclaw_cli.files import read_private
from openclaw_cli.leanjson import loads
from openclaw_cli.settings import BACKENDS, LIMIT, Settings, stamps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from openclaw_cli.home import Home

TRUSTED = "trusted"
"""The file beside the store that holds which projects' files are trusted, and what they said."""

NAMES = "names"
_KEYS = {"program", "stamp", "digest", "values", "origin"}


def records(home: Home) -> dict[str, dict[str, Any]]:
    """Return what is known of each trusted file, by its path; nothing where that is not ours."""
    try:
        found = loads(read_private(f"{home.base}/{TRUSTED}", LIMIT))
        return {path: each for path, each in found.items() if each.keys() >= _KEYS}
    except (OSError, OpenclawError, ValueError, AttributeError):
        return {}


def quick(home: Home, settings: Settings, path: str) -> Settings | None:
    """Return the settings with what a project's file said, or None when it must be read first."""
    record = records(home).get(path)
    if record is None or record.get("program") != __version__:
        return None
    return over(settings, record) if record.get("stamp") == stamps([path])[0] else None


def over(settings: Settings, record: dict[str, Any]) -> Settings:
    """Put what a project's file said over the settings.

    The environment's word stays above it, and no name that the user's own settings have is led
    elsewhere.
    """
    said, origin = record["values"], record["origin"]
    values, origins = {**settings.values}, {**settings.origin}
    for name, value in said.items():
        if name == NAMES:
            values[name] = {**value, **settings.names}
        elif name.startswith(BACKENDS):
            values[name] = {**values.get(name, {}), **value}
            origins[name] = origin[name]
        elif not origins.get(name, "").startswith("OPENCLAW_"):
            values[name] = value
            origins[name] = origin[name]
    return Settings(values, origins)
