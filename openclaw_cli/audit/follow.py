"""The trail as it grows: each record once, in its order, across the change from file to file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

from openclaw_cli.audit.reading import Reading, Span
from openclaw_cli.audit.trail import FILE

Place = tuple[int, int]
"""A segment's number, and how many bytes of it have been seen."""


def follow(path: str, place: Place, wait: Callable[[], None]) -> Iterator[bytes]:
    """Return the lines after a place, and then each that is added, without end.

    `wait` is called when there is nothing new, and ends it by raising. A line is left until it is
    whole.
    """
    seen: tuple[int, int] | None = None
    while True:
        now = _state(path)
        if now == seen:
            wait()
            continue
        for line, after in lines_after(path, place):
            place = after
            yield line
        seen = now


def lines_after(path: str, place: Place) -> Iterator[tuple[bytes, Place]]:
    """Give each whole line after a place as the trail is now, with the place after it."""
    with Reading(path) as reading:
        for span in _after(reading, place):
            place = (span.segment.number, span.low)
            for line in reading.lines(span.segment, span.low):
                if line.endswith(b"\n"):
                    place = (place[0], place[1] + len(line))
                    yield line, place


def end(reading: Reading) -> Place:
    """Return the place after the last whole record."""
    spans = reading.tail(1)
    if not spans:
        return (0, 0)
    span = spans[-1]
    whole = sum(len(line) for line in reading.lines(span.segment, span.low) if line.endswith(b"\n"))
    return (span.segment.number, span.low + whole)


def start(reading: Reading, spans: list[Span]) -> Place:
    """Return where the first of some spans begins, the end where there is none."""
    if not spans:
        return end(reading)
    return (spans[0].segment.number, spans[0].low)


def _state(path: str) -> tuple[int, int] | None:
    """Return what changes with every record: the newest file and its size."""
    try:
        found = os.stat(f"{path}/{FILE}", follow_symlinks=False)
    except OSError:
        return (0, 0)
    return (found.st_ino, found.st_size)


def _after(reading: Reading, place: Place) -> list[Span]:
    number, offset = place
    present = {segment.number: segment.size for segment in reading.segments}
    if present and (max(present) < number or present.get(number, offset) < offset):
        number, offset = 0, 0  # another trail took the place of the one that was followed
    return [
        Span(segment, offset if segment.number == number else 0, segment.size)
        for segment in reading.segments
        if segment.number >= number
    ]
