"""A change outside of the store: announced in the trail, made, and how it ended recorded.

Of the store's own changes its header tells how they ended; see `committing.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from openclaw_cli.audit.trail import INTENT
from openclaw_cli.errors import OpenclawError, UnrecordedError

if TYPE_CHECKING:
    from openclaw_cli.audit.trail import Trail

UNKNOWN = "unknown"
"""The outcome of a change that was sent and not answered."""


@contextmanager
def announced(trail: Trail, event: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Announce an event before the block, and record its outcome after it, with what is added.

    The store must have been opened. Raises `UnrecordedError` where it cannot be announced: then
    nothing is done. What was done and cannot be recorded any more is not called failed.
    """
    number = trail.append([{**event, "outcome": INTENT}])[0].seq
    ending: dict[str, Any] = {"announced": number}
    try:
        yield ending
        ending.setdefault("outcome", "ok")
    except OpenclawError as refused:
        ending.setdefault("outcome", refused.kind)
        raise
    finally:
        ending.setdefault("outcome", UNKNOWN)
        with suppress(UnrecordedError):
            trail.append([{**event, **ending}])
