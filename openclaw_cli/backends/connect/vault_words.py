"""What Vault's key-value engine answers, in our words; a server that answers otherwise is none."""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeGuard

from openclaw_cli.backends.protocols import UncertainError
from openclaw_cli.model import CURRENT, PREVIOUS, RETIRED, Version

if TYPE_CHECKING:
    from openclaw_cli.backends.connect.vault_http import Rejected


def object_of(found: object) -> dict[str, Any]:
    """Return what should be an object; raises `TemporaryError` for a server that is not Vault."""
    if isinstance(found, dict):
        return found
    raise UncertainError("what answers does not answer as vault's key-value engine does")


def texts_of(found: object) -> set[str]:
    return {one for one in found if isinstance(one, str)} if isinstance(found, list) else set()


def deleted_of(rejected: Rejected) -> dict[str, Any]:
    """Return what Vault says of a version that is gone: it comes with the status 404."""
    data = rejected.body.get("data")
    found = data.get("metadata") if isinstance(data, dict) else None
    return found if isinstance(found, dict) else {}


def version_of(metadata: object) -> Version:
    found = object_of(metadata)
    number = found.get("version")
    if not isinstance(number, int):
        raise UncertainError("what answers does not answer as vault's key-value engine does")
    return Version(str(number), created=seconds_of(found.get("created_time")))


def stage_of(number: int, newest: object) -> str:
    if number == newest:
        return CURRENT
    return PREVIOUS if number + 1 == newest else RETIRED


def is_readable(version: object) -> TypeGuard[dict[str, Any]]:
    if not isinstance(version, dict) or "created_time" not in version or version.get("destroyed"):
        return False
    ends = version.get("deletion_time")
    return not ends or seconds_of(ends) > time.time()


def seconds_of(text: object) -> float:
    """Return seconds since 1970 of Vault's times, or 0."""
    try:
        return datetime.fromisoformat(str(text)).timestamp()
    except (ValueError, OverflowError):
        return 0


def text_bytes(found: object) -> bytes:
    """Return a text's bytes; nothing for what is no text, and for half a surrogate pair."""
    try:
        return found.encode() if isinstance(found, str) else b""
    except UnicodeEncodeError:
        return b""
