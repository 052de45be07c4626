"""Who read which version of one secret, and when last: for its history and its status.

Read without `event.py`, whose decoder of whole trails costs two starts of Python to import.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from openclaw_cli.audit.chain import parse
from openclaw_cli.audit.reading import Reading
from openclaw_cli.audit.telling import seconds
from openclaw_cli.audit.trail import REVEAL

ROTATION = "rotate"
"""The purpose of what a rotation reads to sign in."""

_GOOD = ("", "ok")

K = TypeVar("K")


class Asker(NamedTuple):
    """Who asked, in the fields that `audit.actor` writes."""

    uid: int = -1
    via: str = ""
    tty: str = ""
    address: str = ""
    program: str = ""
    agent: str = ""


class Read(NamedTuple):
    """One successful reading: its record's number, when by the clock of the moment, and by whom."""

    seq: int
    at: str
    name: str
    version: str
    purpose: str
    actor: Asker


@dataclass(slots=True)
class Reads:
    """How often a version was read, and the newest of these readings."""

    count: int
    last: Read


def of_secret(path: str, name: str) -> dict[str, Reads]:
    """Return the successful readings of a secret by version, from all that the trail still has.

    `path` is the trail's folder. Nothing is verified: `audit verify` does that. What a rotation
    reads for itself is nobody's reading.
    """
    found: dict[str, Reads] = {}
    for read in each_of(path, name):
        if read.purpose != ROTATION:
            _count(found, read.version, read)
    return found


def of_agents(path: str) -> dict[tuple[str, str], Reads]:
    """Return the successful readings by agents, by agent and secret."""
    found: dict[tuple[str, str], Reads] = {}
    for read in _holding(path, b'"agent":"'):
        if read.actor.agent:
            _count(found, (read.actor.agent, read.name), read)
    return found


def each_of(path: str, name: str) -> Iterator[Read]:
    """Give the successful readings of a secret, the oldest first."""
    return (read for read in _holding(path, f'"name":"{name}"'.encode()) if read.name == name)


def _holding(path: str, needle: bytes) -> Iterator[Read]:
    with Reading(path) as reading:
        for segment in reading.segments:
            for line in reading.lines(segment):
                read = of_line(line) if needle in line else None
                if read is not None:
                    yield read


def _count(found: dict[K, Reads], key: K, read: Read) -> None:
    seen = found.get(key)
    found[key] = Reads(seen.count + 1 if seen else 1, read)


def of_line(line: bytes) -> Read | None:
    """Return a line's reading; None for one that failed, and for what is none."""
    try:
        record = parse(line)
        if record["kind"] != REVEAL:
            return None
        at = record.get("clock") or record["at"]
        seconds(at)
        actor = _asker(record.get("actor", {}))
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
        return None
    if record.get("outcome", "") not in _GOOD:
        return None
    name, version, purpose = (str(record.get(key, "")) for key in ("name", "version", "purpose"))
    return Read(record["seq"], at, name, version, purpose, actor)


def _asker(given: dict[str, Any]) -> Asker:
    uid = given.get("uid")
    words = [str(given.get(key, "")) for key in Asker._fields[1:]]
    return Asker(uid if isinstance(uid, int) else -1, *words)
