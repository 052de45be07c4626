"""Sessions end when they are idle, old or in the way, and never under a turn."""

from __future__ import annotations

import pytest

from openclaw_cli.runtime.request import Refused
from openclaw_cli.runtime.session import REMEMBERED, Session, Sessions


def sessions(ended: list[tuple[str, str]], *, most: int = 2) -> Sessions:
    return Sessions("a", most, 60, 600, lambda session, why: ended.append((session.key, why)))


def test_a_thread_keeps_its_session() -> None:
    kept = sessions([])
    assert kept.get("x", 0) is kept.get("x", 10)


def test_idle_and_old_ones_end() -> None:
    ended: list[tuple[str, str]] = []
    kept = sessions(ended)
    kept.get("x", 0)
    assert kept.sweep(60) == []
    assert kept.sweep(61) == ["x"]
    first = kept.get("y", 0)
    first.used = 650
    assert kept.get("y", 650) is not first
    assert ended == [("x", "idle"), ("y", "max-age")]


def test_cleanup_may_ask_for_less_patience() -> None:
    kept = sessions([])
    kept.get("x", 0)
    assert kept.sweep(10, idle=5) == ["x"]


def test_the_longest_idle_one_makes_room() -> None:
    ended: list[tuple[str, str]] = []
    kept = sessions(ended)
    kept.get("x", 0).used = 5
    kept.get("y", 0).used = 3
    kept.get("z", 10)
    assert ended == [("y", "made room")]


def test_busy_ones_stay_and_another_is_refused() -> None:
    kept = sessions([])
    for key in ("x", "y"):
        kept.get(key, 0).waiting = 1
    assert kept.sweep(10_000) == []
    with pytest.raises(Refused):
        kept.get("z", 0)


def test_a_long_line_of_one_thread_is_refused() -> None:
    kept = sessions([])
    kept.get("x", 0).waiting = 16
    with pytest.raises(Refused):
        kept.get("x", 0)


def test_a_session_remembers_the_last_of_what_was_said() -> None:
    session = Session("a", "x", 0, 0)
    for number in range(REMEMBERED + 5):
        session.remember(number, "yes")
    assert len(session.transcript) == REMEMBERED
    assert session.transcript[-1] == {"input": REMEMBERED + 4, "output": "yes"}
