"""Whether a project's own settings file is used: only while it says what its user has trusted.

What it may say is in `project_rules.py`; how what it said is used afterwards, in `project.py`.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from openclaw_cli import __version__, newfile, project
from openclaw_cli.document import content
from openclaw_cli.errors import DeniedError, OpenclawError, StorageError
from openclaw_cli.leanjson import dumps
from openclaw_cli.project_rules import said
from openclaw_cli.sanitize import safe
from openclaw_cli.settings import check_writers, stamps
from openclaw_cli.source import Mistake, Source

if TYPE_CHECKING:
    from openclaw_cli.home import Home
    from openclaw_cli.settings import Settings


def settled(home: Home, settings: Settings, path: str) -> tuple[Settings, OpenclawError | None]:
    """Return the settings with what a project's file says; without it, and why, unless trusted.

    Raises `ConfigError` when a trusted file says what none may say.
    """
    ready = project.quick(home, settings, path)
    if ready is not None:
        return ready, None
    try:
        data = _content(path)
        known = project.records(home).get(path, {}).get("digest")
        if known != _digest(data):
            raise untrusted(path, changed=known is not None)
    except OpenclawError as refused:
        return settings, refused
    record = _record(path, data)
    with suppress(OSError, OpenclawError):  # it is made again by the next command
        _keep(home, path, record)
    return project.over(settings, record), None


def untrusted(path: str, *, changed: bool) -> DeniedError:
    """Return what is said of a file that is not used."""
    why = "has changed since it was trusted" if changed else "is not trusted"
    return DeniedError(f"{safe(path)} {why}, so it is not used", hint="openclaw config trust")


def is_trusted(home: Home, path: str) -> bool:
    """Tell whether a file is used as it is now."""
    try:
        return project.records(home).get(path, {}).get("digest") == _digest(_content(path))
    except OpenclawError:
        return False


def trust(home: Home, path: str, read: Source) -> None:
    """Use a file from now on, for as long as it says what was read.

    Raises `ConfigError` for what none may say, `DeniedError` where others can write it, where it
    says something else by now, or where it cannot be kept, `StorageError` as `newfile` does.
    """
    data = _content(path)
    record = _record(path, data)
    if record["values"] != read.believed().values:
        raise untrusted(path, changed=True)
    _kept(home, path, record)


def forget(home: Home, path: str) -> bool:
    """Use a file no longer; tell whether it was trusted. Raises as `trust` does."""
    if path not in project.records(home):
        return False
    _kept(home, path, None)
    return True


def _record(path: str, data: bytes) -> dict[str, Any]:
    before = stamps([path])[0]
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise Mistake(path, 1, "", "this is not UTF-8", "save it as UTF-8").error(0) from None
    found = said(path, text).believed()
    return {
        "program": __version__,
        "stamp": before if _digest(_content(path)) == _digest(data) else [],
        "digest": _digest(data),
        "values": found.values,
        "origin": {name: f"{path}:{line}" for name, line in found.lines.items()},
    }


def _content(path: str) -> bytes:
    opened = content(path)
    if opened is None:
        raise DeniedError(f"{path} is gone", hint=f"ls -l {path}")
    check_writers(opened[1], path)
    return opened[0]


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _kept(home: Home, path: str, record: dict[str, Any] | None) -> None:
    try:
        _keep(home, path, record)
    except StorageError:
        raise  # it may be in place: the message says so
    except (OSError, OpenclawError):
        raise DeniedError(f"{home.base} cannot be written", hint=f"ls -ld {home.base}") from None


def _keep(home: Home, path: str, record: dict[str, Any] | None) -> None:
    """Replace what is known of a file."""
    os.makedirs(home.base, 0o700, exist_ok=True)
    with newfile.alone(home.base):
        known = project.records(home)
        known.pop(path, None)
        if record:
            known[path] = record
        newfile.replace(f"{home.base}/{project.TRUSTED}", dumps(known).encode() + b"\n")
