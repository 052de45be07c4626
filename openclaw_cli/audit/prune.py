"""Removing the oldest segments of the trail, with a record in the chain of what was removed.

The record comes first and names the last removed record's number and MAC, from which the rest is
verified. Interrupted anywhere, the trail verifies: segments that it speaks of and that are still
there are no part of the trail any more, and the next pruning removes them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from openclaw_cli.audit import event as events
from openclaw_cli.audit.chain import mac_of, written
from openclaw_cli.audit.verify import checkpoints
from openclaw_cli.files import Directory, failure

if TYPE_CHECKING:
    from openclaw_cli.audit.reading import Reading, Segment
    from openclaw_cli.audit.trail import Trail


class Plan(Struct, frozen=True):
    """What a pruning would remove: the segments, and the last record in them.

    Without a last record the chain says already that they are gone.
    """

    segments: list[Segment]
    last: int = 0
    last_mac: str = ""
    ends: str = ""

    @property
    def bytes(self) -> int:
        """How much room they take."""
        return sum(segment.size for segment in self.segments)


def plan(reading: Reading, before: float) -> Plan:
    """Find the closed segments whose every record is older than `before`, in seconds since 1970.

    The newest segment stays. The trail must have been verified: what is removed cannot be again.
    """
    bound = written(int(before * 1_000_000))
    gone = _gone(reading)
    chosen = []
    last = b""
    for segment in reading.segments:
        if segment.newest:
            break
        if segment.number > gone:
            line = reading.last_line(segment)
            event = events.read(line)
            if event is None or event.at >= bound:
                break
            last = line
        chosen.append(segment)
    event = events.read(last)
    if event is None:
        return Plan(chosen)
    return Plan(chosen, event.seq, mac_of(last).hex(), event.at)


def carry_out(trail: Trail, found: Plan, actor: dict[str, Any]) -> None:
    """Record the pruning, then remove the segments, the oldest first.

    Raises `UnrecordedError` while nothing is removed, and `StorageError`.
    """
    if found.last:
        checkpoint = {
            "kind": events.PRUNE,
            "through": found.segments[-1].number,
            "last": found.last,
            "last_mac": found.last_mac,
            "outcome": "ok",
            "actor": actor,
        }
        trail.append([checkpoint])
    folder = Directory(trail.path)
    try:
        for segment in found.segments:
            folder.unlink(segment.name)
        folder.sync()
    except OSError as refused:
        raise failure("sync", trail.path, refused) from None
    finally:
        folder.close()


def _gone(reading: Reading) -> int:
    """Return the number of the last segment that the chain says was removed, 0 for none."""
    found = [
        event.through
        for segment in reading.segments
        for event in checkpoints(reading, segment)
        if event.through < segment.number
    ]
    return max(found, default=0)
