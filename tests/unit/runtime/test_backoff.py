"""How an agent that crashes is left alone, and tried again."""

from __future__ import annotations

from openclaw_cli.runtime.backoff import LONGEST, Backoff


def crashed(times: int, *, at: float = 0.0) -> Backoff:
    made = Backoff(most=5, period=10)
    for _ in range(times):
        made.crash(at)
    return made


def test_five_crashes_are_borne_and_the_sixth_is_not() -> None:
    assert crashed(5).wait(0) == 0
    assert crashed(6).wait(0) == 1


def test_crashes_long_ago_do_not_count() -> None:
    backoff = crashed(5)
    backoff.crash(10)
    assert backoff.wait(10) == 0


def test_after_a_rest_one_may_try_and_the_others_wait() -> None:
    backoff = crashed(6)
    assert backoff.wait(1) == 0
    assert backoff.wait(1) == 1
    assert backoff.resting(1)


def test_each_failed_try_doubles_the_rest_up_to_a_minute() -> None:
    backoff, now, rests = crashed(6), 0.0, []
    for _ in range(8):
        rests.append(backoff.wait(now))
        now = backoff.until
        assert backoff.wait(now) == 0
        backoff.crash(now)
    assert rests == [1, 2, 4, 8, 16, 32, LONGEST, LONGEST]


def test_a_try_that_ends_well_forgets_all() -> None:
    backoff = crashed(6)
    backoff.wait(1)
    backoff.well()
    assert (backoff.wait(1), backoff.times) == (0, 0)


def test_what_ends_well_beside_a_rest_changes_nothing() -> None:
    backoff = crashed(6)
    backoff.well()
    assert backoff.wait(0) == 1


def test_a_restart_forgets_all() -> None:
    backoff = crashed(6)
    backoff.reset()
    assert backoff.wait(0) == 0
