"""Reading the trail again: oldest to newest, and by time without reading it all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_cli.audit.reading import Reading, Segment
from openclaw_cli.errors import DeniedError
from tests.unit.audit.scribe import DAY, HOUR, NOON, Scribe


def numbers(lines: Iterator[bytes]) -> list[int]:
    return [json.loads(line)["seq"] for line in lines]


class Counting(Reading):
    """Counts the lines that are looked at."""

    looked = 0

    def lines(
        self, segment: Segment, low: int = 0, high: int | None = None, *, buffer: int = 1 << 20
    ) -> Iterator[bytes]:
        for line in super().lines(segment, low, high, buffer=buffer):
            self.looked += 1
            yield line


def test_a_folder_that_is_not_there_has_no_records(tmp_path: Path) -> None:
    with Reading(str(tmp_path / "none")) as reading:
        assert reading.segments == []
        assert reading.spans(0, NOON) == []


def test_segments_come_from_the_oldest_to_the_newest(scribe: Scribe) -> None:
    for hour in range(4):
        scribe.read(NOON + hour * HOUR)
        scribe.rotate()
    with Reading(scribe.folder) as reading:
        assert [each.number for each in reading.segments] == [1, 2, 3, 4, 5]
        assert [each.newest for each in reading.segments] == [False] * 4 + [True]
        found = numbers(reading.in_spans(reading.spans(0, float("inf"))))
    assert found == list(range(1, scribe.head.seq + 1))


def test_other_files_in_the_folder_are_not_taken_for_segments(scribe: Scribe) -> None:
    scribe.read(NOON)
    for name in ("trail-1.jsonl", "trail-000001.jsonl.bak", "trail-0000001.jsonl", "notes"):
        Path(scribe.path(name)).write_text("{}\n")
    with Reading(scribe.folder) as reading:
        assert [each.name for each in reading.segments] == ["trail.jsonl"]


def test_a_link_in_place_of_the_trail_is_refused(scribe: Scribe, tmp_path: Path) -> None:
    (tmp_path / "other").write_text("{}\n")
    Path(scribe.path()).symlink_to(tmp_path / "other")
    with pytest.raises(DeniedError, match="symbolic link"):
        Reading(scribe.folder)


@given(
    steps=st.lists(st.tuples(st.integers(-90, 200), st.booleans()), max_size=60),
    start=st.integers(-100, 4000),
    length=st.integers(0, 4000),
)
def test_a_period_has_exactly_the_records_that_reading_everything_would_find(
    steps: list[tuple[int, bool]], start: int, length: int
) -> None:
    with TemporaryDirectory() as folder:
        _compare(Scribe(folder), steps, start, length)


def _compare(scribe: Scribe, steps: list[tuple[int, bool]], start: int, length: int) -> None:
    clock = 0
    inside = []
    for step, border in steps:
        clock += step
        seq = scribe.read(NOON + clock, name="x" * 200)
        at = max(scribe.head.at, "")
        first, last = NOON + start, NOON + start + length
        by_at = first <= _seconds(at) < last
        if by_at or first <= NOON + clock < last:
            inside.append(seq)
        if border:
            scribe.rotate()
    with Reading(scribe.folder) as reading:
        first, last = NOON + start, NOON + start + length
        found = list(reading.in_spans(reading.spans(first, last)))
        found += reading.stray(first, last)
    seen = [json.loads(line) for line in found]
    assert [each["seq"] for each in seen if each["kind"] == "secret_reveal"] == inside


def _seconds(at: str) -> float:
    from openclaw_cli.audit.telling import seconds

    return seconds(at)


def test_a_time_is_found_without_reading_what_is_not_of_it(scribe: Scribe) -> None:
    for minute in range(4000):
        scribe.read(NOON + minute * 60)
        if minute % 1000 == 999:
            scribe.rotate()
    with Counting(scribe.folder) as reading:
        spans = reading.spans(NOON + 1500 * 60, NOON + 1510 * 60)
        assert len(list(reading.in_spans(spans))) == 10
        # 64 KiB are read line by line at the end of a bisection: some 230 lines, twice.
        assert reading.looked < 600
    with Reading(scribe.folder) as reading:
        assert len(numbers(reading.in_spans(reading.spans(0, float("inf"))))) == 4008


def test_records_that_a_clock_put_back_into_the_period_are_found(scribe: Scribe) -> None:
    scribe.read(NOON)
    scribe.read(NOON + 30 * DAY)  # the clock was a month ahead
    late = scribe.read(NOON + HOUR)
    scribe.rotate()
    later = scribe.read(NOON + 2 * HOUR)
    with Reading(scribe.folder) as reading:
        period = (NOON + HOUR, NOON + 3 * HOUR)
        assert reading.spans(*period) == []
        assert numbers(reading.stray(*period)) == [late, later]


def test_what_is_oldest_is_left_out_where_too_much_would_be_read(scribe: Scribe) -> None:
    for hour in range(100):
        scribe.read(NOON + hour * HOUR)
        if hour % 30 == 29:
            scribe.rotate()
    with Reading(scribe.folder) as reading:
        whole = reading.spans(0, float("inf"))
        kept = reading.cut(whole, 5000)
        assert 4000 < sum(span.size for span in kept) <= 5000
        found = numbers(reading.in_spans(kept))
        assert found == list(range(found[0], scribe.head.seq + 1))
        assert reading.cut(whole, 1 << 30) == whole


def test_the_newest_lines_are_found_across_segments(scribe: Scribe) -> None:
    for hour in range(10):
        scribe.read(NOON + hour * HOUR)
    scribe.rotate()
    scribe.read(NOON + DAY)
    with Reading(scribe.folder) as reading:
        assert numbers(reading.in_spans(reading.tail(4))) == [10, 11, 12, 13]
        assert len(numbers(reading.in_spans(reading.tail(1000)))) == 13


def test_an_unfinished_last_line_is_not_the_last_record(scribe: Scribe) -> None:
    scribe.read(NOON)
    with Path(scribe.path()).open("ab") as file:
        file.write(b'{"seq":2,"at"')
    with Reading(scribe.folder) as reading:
        assert json.loads(reading.last_line(reading.segments[0]))["seq"] == 1
