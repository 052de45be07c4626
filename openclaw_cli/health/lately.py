"""What the end of the trail says: who read what last, when something was last done."""

from __future__ import annotations

import os
from calendar import timegm
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from openclaw_cli import duration
from openclaw_cli.audit import chain
from openclaw_cli.audit.trail import FILE as TRAIL
from openclaw_cli.audit.trail import REVEAL
from openclaw_cli.health.finding import Finding, some

if TYPE_CHECKING:
    from openclaw_cli.audit.event import Event
    from openclaw_cli.audit.readings import Read

RECENT_BYTES = 2 * 1024 * 1024  # of the trail, for who read what last

SCAN = "scan"
"""The purpose of a reading that only looks for copies of the value."""

_BACKUP = "store_backup"
_UNEXPECTED = b'"unexpected":"'


@dataclass(slots=True)
class LastRead:
    """When a secret was last read, as the trail writes it, and by whom.

    `readers` are all who read it lately, `scanned` is when copies of it were last looked for.
    """

    at: str = ""
    who: str = ""
    scanned: str = ""
    readers: set[str] = field(default_factory=set)


def last_reads(trail: str) -> dict[str, LastRead]:
    """Return who read each secret last, from the last two mebibytes of the trail in a folder."""
    from openclaw_cli.audit.event import read  # the quickest for many lines, and slow to import

    events = map(read, _recent(trail, REVEAL))
    return _latest(event for event in events if event is not None and not event.failed)


def last_read(trail: str, name: str) -> LastRead:
    """Return who read one secret last, from the same part of the trail."""
    from openclaw_cli.audit.readings import of_line

    needle = f'"name":"{name}"'.encode()
    reads = (of_line(line) for line in _recent(trail, REVEAL) if needle in line)
    return _latest(read for read in reads if read is not None).get(name, LastRead())


def _latest(reads: Iterable[Event | Read]) -> dict[str, LastRead]:
    from openclaw_cli.audit.telling import user_name, who

    found: dict[str, LastRead] = {}
    for each in reads:
        seen = found.setdefault(each.name, LastRead())
        if each.purpose == SCAN:
            seen.scanned = seen.scanned or each.at
            continue
        by = who(each.actor, user_name)
        seen.readers.add(by)
        if not seen.at:
            seen.at, seen.who = each.at, by
    return found


def last_backup(trail: str) -> str:
    """Return when the store was last backed up, as the trail writes it; "" for not recently."""
    return last_of(trail, _BACKUP)


def last_of(trail: str, kind: str) -> str:
    """Return when something was last done with success; "" for not recently."""
    for line in _recent(trail, kind):
        record = _record(line)
        if record.get("outcome") == "ok":
            return str(record.get("at", ""))
    return ""


def when(at: str) -> float:
    """Return the seconds since 1970 of a time as the trail writes it, 0 for what is none."""
    try:  # by hand: `strptime` costs as much as a whole start of Python
        day, clock = at[:10].split("-"), at[11:19].split(":")
        return timegm((*map(int, day), *map(int, clock)))
    except (ValueError, IndexError):
        return 0.0


def of_unexpected(trail: str, now: float) -> list[Finding]:
    """Find readings of the last day that were not as expected."""
    names = set()
    for line in _recent(trail, REVEAL):
        if _UNEXPECTED not in line:
            continue
        record = _record(line)
        if when(str(record.get("at", ""))) > now - duration.DAY:
            names.add(str(record.get("name", "")))
    if not names:
        return []
    what = "1 secret was" if len(names) == 1 else f"{len(names)} secrets were"
    return [
        Finding(
            "unexpected",
            "trail",
            f"{what} asked for in the last day as it is not expected: {some(names)}",
            f"openclaw secrets audit --name {min(names)}",
        )
    ]


def _record(line: bytes) -> dict[str, Any]:
    """Return the fields of a line of the trail, none for one that is damaged."""
    try:
        return chain.parse(line)
    except ValueError:
        return {}


def _recent(trail: str, kind: str) -> Iterator[bytes]:
    """Give the last lines of one kind, the newest first."""
    needle = f'"kind":"{kind}"'.encode()
    left = RECENT_BYTES
    for path in reversed(segments(trail)):
        data = _tail(path, left)
        if needle in data:
            yield from (line for line in reversed(data.splitlines(True)) if needle in line)
        left -= size(path)
        if left <= 0:
            return


def _tail(path: str, most: int) -> bytes:
    """Return the last lines of a file, `most` bytes of it; nothing where it cannot be read."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return b""
    try:
        size = os.fstat(fd).st_size
        data = os.pread(fd, most, max(0, size - most))
    except OSError:
        return b""
    finally:
        os.close(fd)
    return data if size <= most else data.partition(b"\n")[2]


def segments(trail: str) -> list[str]:
    """Return the paths of the trail's files, the newest last."""
    closed = [name for name in listed(trail) if name.startswith("trail-")]
    return [f"{trail}/{name}" for name in [*sorted(closed), TRAIL]]


def size(path: str) -> int:
    """Return how large a file is, 0 for one that is not there."""
    try:
        return os.lstat(path).st_size
    except OSError:
        return 0


def listed(folder: str) -> list[str]:
    """Return what is in a folder; nothing where it cannot be looked into."""
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []
