"""How often values were found in plain text: what is added up, and what is forgotten."""

from __future__ import annotations

from typing import Any

from openclaw_cli import duration, leaks

NOW = 1_800_000_000.0
HERE, THERE = leaks.places(["/a", "/b"]), leaks.places(["/c"])


def noted(**found: int) -> dict[str, Any]:
    extra: dict[str, Any] = {}
    leaks.note(extra, HERE, found, NOW)
    return extra


def test_places_are_the_same_in_any_order() -> None:
    assert leaks.places(["/b", "/a", "/b"]) == HERE != THERE


def test_scans_of_different_places_add_up_and_the_next_one_of_the_same_takes_its_place() -> None:
    extra = noted(db=2)
    leaks.note(extra, THERE, {"db": 1}, NOW)
    assert leaks.count(extra, "db", 0, NOW) == 3
    leaks.note(extra, HERE, {}, NOW)
    assert leaks.count(extra, "db", 0, NOW) == 1
    assert leaks.known(extra, HERE) == {}


def test_a_value_that_is_newer_was_not_found() -> None:
    assert leaks.count(noted(db=2), "db", NOW + 1, NOW + 2) == 0


def test_what_is_long_ago_does_not_count_and_is_forgotten() -> None:
    extra = noted(db=2)
    later = NOW + 31 * duration.DAY
    assert leaks.count(extra, "db", 0, later) == 0
    leaks.note(extra, THERE, {"db": 1}, later)
    assert list(extra[leaks.KEY]) == [THERE]


def test_the_table_stays_small() -> None:
    extra: dict[str, Any] = {}
    for number in range(100):
        leaks.note(extra, leaks.places([str(number)]), {"db": 1}, NOW + number)
    assert leaks.count(extra, "db", 0, NOW + 100) == 32
