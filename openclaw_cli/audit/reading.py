"""Reading the trail again: its files from the oldest to the newest, and the way to a time in them.

Nothing here needs the key, and nothing is verified; `verify.py` does that. Memory stays flat: lines
are handed on one by one, and a time is found by looking at some of them.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple, Self

from openclaw_cli.audit.chain import MAX_LINE, written
from openclaw_cli.audit.trail import FILE, archived
from openclaw_cli.errors import StorageError
from openclaw_cli.files import Directory, failure

if TYPE_CHECKING:
    from typing_extensions import Buffer

_CLOSED = re.compile(r"trail-([0-9]{6,})\.jsonl")
_BEGINNING = re.compile(rb'\{"seq":[0-9]+,"at":"([0-9TZ:.-]{27})"')
_BORDER = re.compile(rb'"kind":"trail_start","segment":([0-9]+)[,}]')
_CLOCK = b'","clock":"'
_BUFFER = 1 << 20
_SHORT = 4096
_YEAR_10000 = 253_402_300_800


class _Part(io.RawIOBase):
    """A part of an open file, read without moving the position that others share."""

    def __init__(self, fd: int, low: int, high: int) -> None:
        self._fd, self._low, self._high = fd, low, high

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer, /) -> int:
        view = memoryview(buffer)
        found = os.pread(self._fd, min(len(view), max(0, self._high - self._low)), self._low)
        view[: len(found)] = found
        self._low += len(found)
        return len(found)


class Segment(NamedTuple):
    """One file of the trail, `size` bytes of it: the newest one grows while it is read."""

    number: int
    name: str
    size: int
    newest: bool = False


class Span(NamedTuple):
    """A part of a segment that begins and ends with a line, in bytes."""

    segment: Segment
    low: int
    high: int

    @property
    def size(self) -> int:
        """Return how many bytes it has."""
        return self.high - self.low


class Reading:
    """The trail as it was when this was made. Close it, or use it in a `with` block."""

    def __init__(self, path: str) -> None:
        """Look at a folder; one that is not there has no segments.

        Raises `DeniedError` and `StorageError`.
        """
        self.path = path
        self._newest = -1
        self._folder: Directory | None = None
        self.segments: list[Segment] = []
        try:
            self._folder = Directory(path)
        except FileNotFoundError:
            return
        try:
            self._look(self._folder)
        except OSError as refused:
            self.close()
            raise failure("read", path, refused) from None
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        """Use it for a block."""
        return self

    def __exit__(self, *_exception: object) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Close the files."""
        if self._newest >= 0:
            os.close(self._newest)
        if self._folder is not None:
            self._folder.close()
        self._newest, self._folder = -1, None

    def lines(
        self, segment: Segment, low: int = 0, high: int | None = None, *, buffer: int = _BUFFER
    ) -> Iterator[bytes]:
        """Return the lines of a segment between two offsets, newlines included.

        The last one has no newline when it is still being written, or was cut. A segment that was
        pruned meanwhile has no lines.
        """
        try:
            fd = self._open(segment)
        except FileNotFoundError:
            return
        part = _Part(fd, low, segment.size if high is None else high)
        try:
            with io.BufferedReader(part, buffer) as file:
                yield from file
        except OSError as refused:
            raise failure("read", f"{self.path}/{segment.name}", refused) from None
        finally:
            if not segment.newest:
                os.close(fd)

    def spans(self, start: float, end: float) -> list[Span]:
        """Return where the records of a time lie, both in seconds since 1970, the end excluded.

        By `at`, which never decreases; `stray` has those that only a clock put there.
        """
        first, last = _instant(start), _instant(end)
        found = []
        for segment, begins, ends in self._times():
            if begins >= last or ends < first:
                continue
            low = 0 if begins >= first else self._offset(segment, first)
            high = segment.size if ends < last else self._offset(segment, last)
            if low < high:
                found.append(Span(segment, low, high))
        return found

    def stray(self, start: float, end: float) -> Iterator[bytes]:
        """Return the records from `end` on that a clock which went back puts into the time."""
        first, last = _instant(start), _instant(end)
        for span in self.spans(end, float("inf")):
            for line in self.lines(span.segment, span.low, span.high):
                at = line.find(_CLOCK, 0, 128)
                if at >= 0 and first <= line[at + len(_CLOCK) :][:27] < last:
                    yield line

    def in_spans(self, spans: Iterable[Span]) -> Iterator[bytes]:
        """Return the lines of several spans."""
        for span in spans:
            yield from self.lines(span.segment, span.low, span.high)

    def cut(self, spans: list[Span], most: int) -> list[Span]:
        """Leave out what is oldest until at most that many bytes are left."""
        kept: list[Span] = []
        for span in reversed(spans):
            if span.size <= most:
                kept.append(span)
                most -= span.size
                continue
            low = self._line_after(span.segment, span.high - most)
            if low < span.high:
                kept.append(Span(span.segment, low, span.high))
            break
        return kept[::-1]

    def first_line(self, segment: Segment) -> bytes:
        """Return a segment's first line, empty where there is none."""
        return next(self.lines(segment, buffer=_SHORT), b"")

    def last_line(self, segment: Segment) -> bytes:
        """Return a segment's last finished line; empty where it is not in the last 64 KiB."""
        low = self._line_after(segment, segment.size - MAX_LINE)
        last = b""
        for line in self.lines(segment, low, buffer=MAX_LINE):
            last = line if line.endswith(b"\n") else last
        return last

    def tail(self, count: int) -> list[Span]:
        """Return where the newest `count` lines lie, all where there are fewer."""
        kept: list[Span] = []
        for segment in reversed(self.segments):
            starts = [0]
            for line in self.lines(segment):
                starts.append(starts[-1] + len(line))
            lines = len(starts) - 1
            low = starts[max(0, lines - count)]
            kept.append(Span(segment, low, segment.size))
            count -= lines
            if count <= 0:
                break
        return kept[::-1]

    def _look(self, folder: Directory) -> None:
        # The newest file is opened before the others are listed: if it is closed in between, it is
        # in the list, too, and is known by its inode. So may be some that were begun after it:
        # they are not of the trail as it was.
        try:
            self._newest = folder.open(FILE)
        except FileNotFoundError:
            inode = -1
        else:
            inode = os.fstat(self._newest).st_ino
        for name in _names(folder):
            matched = _CLOSED.fullmatch(name)
            if matched is None or archived(int(matched[1])) != name:
                continue
            try:
                found = os.stat(name, dir_fd=folder.fd, follow_symlinks=False)
            except FileNotFoundError:
                continue  # pruned meanwhile
            if found.st_ino != inode:
                self.segments.append(Segment(int(matched[1]), name, found.st_size))
        self.segments.sort(key=lambda segment: segment.number)
        if inode >= 0:
            present = self._present()
            before = [each for each in self.segments if each.number < present.number]
            self.segments = [*before, present]

    def _present(self) -> Segment:
        """Return the newest file, numbered by its first record, which says it after the first."""
        start = os.pread(self._newest, MAX_LINE, 0).partition(b"\n")[0]
        border = _BORDER.search(start)
        number = int(border[1]) if border else 1
        if not start and self.segments:
            number = self.segments[-1].number + 1
        return Segment(number, FILE, os.fstat(self._newest).st_size, newest=True)

    def _open(self, segment: Segment) -> int:
        if segment.newest:
            return self._newest
        if self._folder is None:
            raise StorageError(f"{self.path} is closed")
        return self._folder.open(segment.name)

    def _times(self) -> Iterator[tuple[Segment, bytes, bytes]]:
        """Return each segment with the time it begins at and one that it does not pass."""
        segments = [segment for segment in self.segments if segment.size]
        starts = [_at(self.first_line(segment)) for segment in segments]
        ends = [*starts[1:], b"~"][: len(starts)]
        yield from zip(segments, starts, ends, strict=True)

    def _offset(self, segment: Segment, bound: bytes) -> int:
        """Return where the first line lies whose time is not before `bound`, by bisection."""
        low, high = 0, segment.size
        while high - low > MAX_LINE:
            middle = (low + high) // 2
            start = self._line_after(segment, middle)
            line = next(self.lines(segment, start, buffer=MAX_LINE), b"")
            if start >= high or _at(line) >= bound:
                high = middle
            else:
                low = start
        for line in self.lines(segment, low):
            if _at(line) >= bound:
                break
            low += len(line)
        return low

    def _line_after(self, segment: Segment, offset: int) -> int:
        """Return where the first line begins that lies at `offset` or after it."""
        if offset <= 0:
            return 0
        for line in self.lines(segment, offset - 1, buffer=MAX_LINE):
            return min(offset - 1 + len(line), segment.size)
        return segment.size


def _names(folder: Directory) -> list[str]:
    try:
        return os.listdir(folder.fd)
    except OSError as refused:
        raise failure("list", folder.path, refused) from None


def _at(line: bytes) -> bytes:
    matched = _BEGINNING.match(line)
    return matched[1] if matched else b""


def _instant(when: float) -> bytes:
    if when >= _YEAR_10000:
        return b"~"  # after every digit
    return written(max(0, int(when * 1_000_000))).encode()
