"""The trail as it grows."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from openclaw_cli.audit.follow import Place, end, follow, start
from openclaw_cli.audit.reading import Reading
from tests.unit.audit.scribe import NOON, Scribe


class NothingNewError(Exception):
    """Raised instead of waiting."""


class Following:
    """Follows a trail; tells what is new."""

    def __init__(self, scribe: Scribe, place: Place) -> None:
        self._lines = follow(scribe.folder, place, self._wait)

    def _wait(self) -> None:
        self._act()

    def run(self, *acts: object) -> list[int]:
        """Do one thing each time that there is nothing new; return the numbers seen."""
        remaining = iter(acts)

        def act() -> None:
            try:
                following = next(remaining)
            except StopIteration:
                raise NothingNewError from None
            assert callable(following)
            following()

        self._act = act
        return list(self._until_nothing_is_new())

    def _until_nothing_is_new(self) -> Iterator[int]:
        with suppress(NothingNewError):
            for line in self._lines:
                yield json.loads(line)["seq"]


def place(scribe: Scribe, count: int) -> Place:
    with Reading(scribe.folder) as reading:
        return start(reading, reading.tail(count)) if count else end(reading)


def test_new_records_come_once_and_in_order_across_files(scribe: Scribe) -> None:
    scribe.read(NOON)

    def some() -> None:
        scribe.read(NOON)
        scribe.read(NOON)

    def many_files() -> None:
        for _ in range(3):
            scribe.read(NOON)
            scribe.rotate()

    seen = Following(scribe, place(scribe, 0)).run(some, scribe.rotate, many_files, some)
    assert seen == list(range(2, scribe.head.seq + 1))


def test_the_newest_records_come_first(scribe: Scribe) -> None:
    for _ in range(20):
        scribe.read(NOON)
    assert Following(scribe, place(scribe, 3)).run() == [18, 19, 20]


def test_an_unfinished_line_is_left_until_it_is_whole(scribe: Scribe) -> None:
    scribe.read(NOON)
    here = place(scribe, 0)
    scribe.read(NOON)
    path = Path(scribe.path())
    whole = path.read_bytes()

    def write(data: bytes) -> None:
        path.write_bytes(data)

    half = whole[: len(whole) - 30]
    acts = [lambda: write(half), lambda: write(whole)]
    write(half[:-10])
    assert Following(scribe, here).run(*acts) == [2]


def test_a_trail_that_begins_later_is_followed_from_its_first_record(scribe: Scribe) -> None:
    assert Following(scribe, (0, 0)).run(lambda: scribe.read(NOON)) == [1]


def test_another_trail_in_its_place_is_followed_from_its_first_record(scribe: Scribe) -> None:
    for _ in range(3):
        scribe.read(NOON)
        scribe.rotate()

    def anew() -> None:
        for name in os.listdir(scribe.folder):
            os.unlink(scribe.path(name))
        Scribe(scribe.folder).read(NOON)

    assert Following(scribe, place(scribe, 0)).run(anew) == [1]
