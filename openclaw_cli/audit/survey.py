"""One way through a period of the trail, for everything that is asked about it at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from functools import lru_cache
from time import localtime
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from openclaw_cli.audit import event as events
from openclaw_cli.audit import telling
from openclaw_cli.audit.chain import START, mac_of
from openclaw_cli.audit.questions import (
    LOOK_BACK,
    LOOK_BACK_BYTES,
    Answer,
    Filter,
    Finding,
    Watch,
)
from openclaw_cli.audit.verify import Chain

if TYPE_CHECKING:
    from openclaw_cli.audit.event import Event
    from openclaw_cli.audit.head import Head
    from openclaw_cli.audit.reading import Reading, Span

CHECKED_BYTES = 64 * 1024 * 1024  # of a period; `audit verify` is for more

_VERIFY = "openclaw secrets audit verify"


class Period(Struct, frozen=True):
    """From when to when, in seconds since 1970, the end excluded; and when it is asked."""

    start: float
    end: float
    now: float


class Survey(Struct):
    """What was found: the answer, the newest events of it, and whether their chain was checked."""

    answer: Answer
    events: deque[tuple[Event, bytes]]
    checked: bool


def survey(
    reading: Reading,
    period: Period,
    wanted: Filter,
    *,
    key: bytes = b"",
    head: Head | None = None,
    limit: int = 0,
    user: Callable[[int], str] = telling.user_name,
) -> Survey:
    """Answer what is asked about a period; keep its newest `limit` events, all for 0.

    With the key the chain of the period is followed; without it nothing is verified.
    """
    watch = Watch(lambda event: telling.who(event.actor, user), local_hour)
    walk = _Walk(reading, period, wanted, watch, user)
    walk.shown = deque(maxlen=limit or None)
    spans = reading.spans(period.start, period.end)
    before = walk.learn()
    checked = bool(key) and sum(span.size for span in spans) <= CHECKED_BYTES
    walk.take(spans, Chain(key, before or _start(spans)) if checked else None)
    if period.end >= period.now:
        watch.note_open(period.now, walk.takes)
    walk.answer.findings = [*watch.findings(), *walk.damage()]
    if checked and head is not None:
        walk.answer.findings.extend(_cut(reading, head))
    return Survey(walk.answer, walk.shown, checked)


@lru_cache(maxsize=4096)
def _hour(text: str) -> int:
    return localtime(telling.seconds(f"{text}:00:00.000000Z")).tm_hour


def local_hour(instant: str) -> int:
    """Return the hour of the day, on this machine's clock, of an instant of a record."""
    return _hour(instant[:13])


class _Walk:
    """The lines of a period, each taken in once."""

    shown: deque[tuple[Event, bytes]]

    def __init__(
        self,
        reading: Reading,
        period: Period,
        wanted: Filter,
        watch: Watch,
        user: Callable[[int], str],
    ) -> None:
        self.answer = Answer()
        self._reading = reading
        self._period = period
        self._wanted = wanted
        self._needles = wanted.needles()
        self._watch = watch
        self._user = user
        self._broken: Finding | None = None
        self._unreadable = 0

    def takes(self, event: Event) -> bool:
        """Tell whether the event is asked for."""
        return self._wanted.takes(event, self._user)

    def learn(self) -> bytes:
        """Look at what went before the period; return the MAC of its last record."""
        start = self._period.start
        spans = self._reading.spans(max(0, start - LOOK_BACK), start)
        line = b""
        for line in self._reading.in_spans(self._reading.cut(spans, LOOK_BACK_BYTES)):
            event = events.read(line) if self._may_matter(line) else None
            if event is not None:
                self._watch.see(event, tell=False)
        try:
            return mac_of(line)
        except ValueError:
            return b""

    def take(self, spans: list[Span], chain: Chain | None) -> None:
        """Look at the period, and at what a clock that went back put into it."""
        for line in self._reading.in_spans(spans):
            if not line.endswith(b"\n"):
                continue  # it is being written
            if chain is not None and chain.broken(line):
                self._note_broken(line)
            self._one(line)
        for line in self._reading.stray(self._period.start, self._period.end):
            self._one(line)

    def damage(self) -> Iterator[Finding]:
        """Return what was wrong with the lines themselves."""
        if self._broken is not None:
            yield self._broken
        if self._unreadable:
            what = "lines of the trail cannot be read"
            yield Finding("unreadable", what, "", "", hint=_VERIFY, count=self._unreadable)

    def _may_matter(self, line: bytes) -> bool:
        return not self._needles or any(needle in line for needle in self._needles)

    def _one(self, line: bytes) -> None:
        if not self._may_matter(line):
            return
        event = events.read(line)
        if event is None:
            self._unreadable += 1
            return
        if event.kind == events.SETTLED:
            intent = self._watch.announced(event.of)
            if intent is not None:
                event = msgspec.structs.replace(event, name=intent.name, names=intent.names)
        takes = self.takes(event)
        self._watch.see(event, tell=takes)
        if not takes or event.is_announced:
            return
        if event.kind in events.BOOKKEEPING and not self._wanted.action:
            return
        self.answer.count(event, telling.who(event.actor, self._user))
        self.shown.append((event, line))

    def _note_broken(self, line: bytes) -> None:
        if self._broken is not None:
            self._broken.count += 1
            return
        event = events.read(line)
        place = f"record {event.seq}" if event else "a record"
        self._broken = Finding(
            "broken-chain",
            f"the chain is broken at {place}: it, or the one before it, was changed",
            "",
            event.at if event else "",
            hint=_VERIFY,
        )


def _start(spans: list[Span]) -> bytes:
    """Return the MAC before the very first record, where the period begins with that one."""
    return START if spans and (spans[0].segment.number, spans[0].low) == (1, 0) else b""


def _cut(reading: Reading, head: Head) -> Iterator[Finding]:
    """Return what is wrong where the trail ends before the record that its head knows."""
    last = reading.last_line(reading.segments[-1]) if reading.segments else b""
    event = events.read(last) if last else None
    if head.seq and (not reading.segments or (event is not None and event.seq < head.seq)):
        ends = f"ends at record {event.seq}" if event else "is missing"
        what = f"the trail {ends}, and its head knows record {head.seq}"
        yield Finding("broken-chain", what, "", head.at, hint=_VERIFY)
