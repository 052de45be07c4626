"""The proof of the whole trail: every record's MAC, its number, every border, both ends.

What it holds the trail against: its head, which is never ahead of what was synced; the store's
header, which names the record that announced its present state; an anchor elsewhere, if there is
one; and for a beginning that was pruned, the checkpoint that the pruning left in the chain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from openclaw_cli.audit import event as events
from openclaw_cli.audit.chain import START, SUFFIX, mac_of, suffix
from openclaw_cli.audit.trail import BEGIN, SEAL, archived
from openclaw_cli.errors import IntegrityError
from openclaw_cli.store.seal import same

if TYPE_CHECKING:
    from openclaw_cli.audit.event import Event
    from openclaw_cli.audit.head import Head
    from openclaw_cli.audit.reading import Reading, Segment
    from openclaw_cli.store.header import Header

_TOLD_EVERY = 50_000  # records

Tell = Callable[[str], None]


class Mark(Struct, frozen=True):
    """A place in the chain that something outside the trail knows."""

    seq: int
    mac: bytes
    known_by: str


class Verified(Struct, frozen=True):
    """What was proved. Times are as they stand in a record, empty where there is none.

    `leftover` counts segments that a pruning was interrupted in removing; `unfinished` is the size
    of a last line that a crash left, or that is just being written.
    """

    records: int
    segments: int
    first: int
    last: int
    begins: str
    ends: str
    leftover: int
    unfinished: int


class Place(Struct, frozen=True):
    """Where a record ends, in bytes from the beginning of its segment."""

    segment: Segment
    seq: int
    end: int


class Link(Protocol):
    """Return the MAC of a record's bytes after the MAC before it."""

    def __call__(self, before: bytes, body: bytes) -> bytes: ...


def verify(
    reading: Reading,
    header: Header,
    key: bytes,
    head: Head,
    *,
    anchors: Iterable[Mark] = (),
    tell: Tell | None = None,
) -> Verified:
    """Verify every record that is there; raises `IntegrityError` at the first that is wrong.

    The head must have been read before the trail was looked at.
    """
    marks = [
        Mark(header.floor_seq, header.floor_mac, "the store"),
        Mark(head.seq, head.mac, "the head"),
        *anchors,
    ]
    walk = _Walk(reading, head, link(key), [mark for mark in marks if mark.seq], tell)
    return walk.all()


def link(key: bytes) -> Link:
    """Return the HMAC of a key; it is set up once, which is half the cost of a record."""
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.hmac import HMAC

    start = HMAC(key, SHA256())

    def mac(before: bytes, body: bytes) -> bytes:
        each = start.copy()
        each.update(before)
        each.update(body)
        return each.finalize()

    return mac


class Chain:
    """Follows a part of the trail, where what went before it is taken as it is."""

    def __init__(self, key: bytes, before: bytes) -> None:
        """Begin after a record's MAC; `before` is empty where it is not known."""
        self._mac = link(key)
        self._before = before

    def broken(self, text: bytes) -> bool:
        """Tell whether a line does not follow the one before it."""
        before = self._before
        if before:
            self._before = self._mac(before, text[:-SUFFIX])
            if text[-SUFFIX:] == suffix(self._before):
                return False
        try:
            self._before = mac_of(text)
        except ValueError:
            self._before = b""
        return bool(before)


class _Walk:
    """One way through the trail, from its beginning to its end."""

    def __init__(
        self, reading: Reading, head: Head, mac: Link, marks: list[Mark], tell: Tell | None
    ) -> None:
        self._reading = reading
        self._head = head
        self._mac = mac
        self._marks = marks
        self._marked = {mark.seq for mark in marks}
        self._tell = tell
        self._seq = 0
        self._before = START
        self._unfinished = 0
        self._segments: list[Segment] = []

    def all(self) -> Verified:
        self._begin()
        first = self._seq + 1
        begins = ends = ""
        for segment in self._segments:
            self._follow(segment)
            opened = self._opened(segment)
            begins = begins or opened
            ends = self._closed(segment) or ends
        self._reached(first)
        self._check_head()
        return Verified(
            records=self._seq + 1 - first,
            segments=len(self._segments),
            first=first,
            last=self._seq,
            begins=begins,
            ends=ends,
            leftover=len(self._reading.segments) - len(self._segments),
            unfinished=self._unfinished,
        )

    def _begin(self) -> None:
        """Find the first segment: number 1, or the one after a pruning that the chain holds."""
        segments = self._reading.segments
        expected = 1
        if segments and segments[0].number != expected:
            checkpoint = self._checkpoint()
            expected = checkpoint.through + 1
            segments = [segment for segment in segments if segment.number >= expected]
            self._seq, self._before = checkpoint.last, bytes.fromhex(checkpoint.last_mac)
        for segment in segments:
            if segment.number != expected:
                raise self._changed(f"{archived(expected)} is missing")
            expected += 1
        self._segments = segments

    def _checkpoint(self) -> Event:
        """Return the record of the furthest pruning; it is verified like every other, later.

        One that lies in a segment it speaks of would not be: it is not believed.
        """
        found = [
            event
            for segment in self._reading.segments
            for event in checkpoints(self._reading, segment)
            if event.through < segment.number and is_mac(event.last_mac)
        ]
        if not found:
            raise self._changed(f"what came before {self._reading.segments[0].name} is missing")
        return max(found, key=lambda event: event.through)

    def _follow(self, segment: Segment) -> None:
        """Verify every line of a segment."""
        mac, before, seq, offset = self._mac, self._before, self._seq, 0
        for text in self._reading.lines(segment):
            before = mac(before, text[:-SUFFIX])
            if text[-SUFFIX:] != suffix(before):
                if segment.newest and text[-1:] != b"\n" and seq >= self._head.seq:
                    self._unfinished = len(text)  # which proves nothing
                    return
                raise self._changed(f"record {seq + 1}, in {segment.name}, is not what it was")
            seq += 1
            offset += len(text)
            if not text.startswith(b'{"seq":%d,' % seq):
                raise self._changed(f"record {seq} is missing in {segment.name}")
            if seq in self._marked:
                self._check_marks(Place(segment, seq, offset), before)
            if self._tell is not None and seq % _TOLD_EVERY == 0:
                self._tell(f"record {seq}")
            self._before, self._seq = before, seq

    def _check_marks(self, place: Place, mac: bytes) -> None:
        for mark in self._marks:
            if mark.seq == place.seq and not same(mark.mac, mac):
                raise self._changed(f"record {mark.seq} is not the one {mark.known_by} knows")
        if place.seq == self._head.seq:
            self._check_place(place)

    def _check_place(self, place: Place) -> None:
        head = self._head
        found = (place.segment.number, place.end)
        # Between two segments the head says where the next one begins.
        following = (place.segment.number + 1, 0)
        if (head.segment, head.offset) not in (found, following):
            raise self._changed(f"record {head.seq} is not where the head says")

    def _opened(self, segment: Segment) -> str:
        """Check that a segment says which one it is; return the time of its first record."""
        event = events.read(self._reading.first_line(segment))
        if segment.number > 1 and event and (event.kind, event.segment) != (BEGIN, segment.number):
            raise self._changed(f"{segment.name} is not segment {segment.number}")
        return event.at if event else ""

    def _closed(self, segment: Segment) -> str:
        """Check that a closed segment ends as one; return the time of its last record."""
        event = events.read(self._reading.last_line(segment))
        if segment.newest:
            return event.at if event else ""
        if event is None or (event.kind, event.segment) != (SEAL, segment.number):
            raise self._changed(f"the end of {segment.name} is missing")
        return event.at

    def _reached(self, first: int) -> None:
        for mark in self._marks:
            if mark.seq > self._seq and self._seq < first:
                raise self._changed(f"it is missing, and {mark.known_by} knows record {mark.seq}")
            if mark.seq > self._seq:
                raise self._changed(
                    f"it ends at record {self._seq}, and {mark.known_by} knows record {mark.seq}"
                )

    def _check_head(self) -> None:
        """Check that the head is of the newest segment: an older one is synced before that begins.

        The head may have been read before the last segment was closed: then it has changed since.
        """
        newest = self._segments[-1] if self._segments else None
        if newest and newest.newest and self._head.segment < newest.number:
            raise self._changed(
                f"its head is of segment {self._head.segment}, before {newest.name}"
            )

    def _changed(self, what: str) -> IntegrityError:
        return IntegrityError(
            f"the trail in {self._reading.path} was changed: {what}",
            hint="keep a copy of that folder, and compare it with what was exported or shipped",
        )


def checkpoints(reading: Reading, segment: Segment) -> Iterator[Event]:
    """Return the records of prunings that a segment holds, not verified."""
    needle = f'"kind":"{events.PRUNE}"'.encode()
    for line in reading.lines(segment):
        if needle in line:
            event = events.read(line)
            if event is not None and event.kind == events.PRUNE:
                yield event


def is_mac(text: str) -> bool:
    """Tell whether a text is a MAC as it stands in a record."""
    try:
        return len(bytes.fromhex(text)) == len(START)
    except ValueError:
        return False
