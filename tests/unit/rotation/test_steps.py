"""The rules of a rotation, as values in and values out."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from openclaw_cli.duration import DAY, HOUR, MINUTE
from openclaw_cli.errors import IntegrityError, RefusedError, TemporaryError
from openclaw_cli.rotation import policy, steps
from openclaw_cli.rotation.policy import EITHER, GRACE, READ, Old, Policy, Run

NOW = 1_795_000_000.0
STORE = bytes(16)
TOKEN = "0" * 32
DAILY = Policy(rotator="acme", schedule="every:24h", since=NOW - 9 * DAY, next_due=NOW)
RUN = Run(TOKEN, NOW, steps.SET, of=3, due=NOW, pending=4)
OLD = Old(3, TOKEN, NOW, promoted=NOW, at=NOW + HOUR)


def step(found: Policy, now: float = NOW, **more: bool) -> str:
    return steps.next_step(found, now, current=3, **more)


def test_nothing_is_done_before_it_is_due() -> None:
    assert step(DAILY, NOW - HOUR) == ""
    assert step(DAILY) == steps.BEGIN


def test_what_has_no_schedule_is_rotated_when_somebody_asks() -> None:
    once = Policy(rotator="acme")
    assert step(once) == ""
    assert step(once, wanted=True) == steps.BEGIN


def test_what_is_under_way_goes_on_whatever_is_asked() -> None:
    for name in (steps.CREATE, steps.SET, steps.TEST, steps.UNDO):
        under_way = replace(DAILY, run=replace(RUN, step=name))
        assert step(under_way) == step(under_way, wanted=True) == name


def test_what_somebody_else_replaced_meanwhile_is_undone() -> None:
    overtaken = replace(DAILY, run=replace(RUN, of=2))
    assert step(overtaken) == steps.UNDO


def test_nothing_begins_while_the_version_before_is_still_accepted() -> None:
    waiting = replace(DAILY, old=OLD)
    assert step(waiting, wanted=True) == ""
    assert step(waiting, wanted=True, hurry=True) == steps.REVOKE
    assert step(waiting, NOW + HOUR) == steps.REVOKE


@pytest.mark.parametrize(
    ("until", "read_by_all", "over", "revoked"),
    [
        (GRACE, True, False, False),
        (GRACE, False, True, True),
        (READ, True, False, True),
        (READ, False, True, False),
        (EITHER, True, False, True),
        (EITHER, False, True, True),
        (EITHER, False, False, False),
    ],
)
def test_the_policy_says_what_ends_the_old_value(
    until: str, read_by_all: bool, over: bool, revoked: bool
) -> None:
    waiting = replace(DAILY, old=OLD, until=until, next_due=NOW + DAY)
    now = OLD.at if over else NOW
    assert (step(waiting, now, read_by_all=read_by_all) == steps.REVOKE) is revoked


def test_a_leaked_value_waits_for_nobody() -> None:
    leaked = replace(DAILY, until=READ, old=replace(OLD, at=NOW, compromised=True))
    assert step(leaked) == steps.REVOKE


def test_a_promotion_makes_the_next_time_and_the_grace_time() -> None:
    run = replace(RUN, due=NOW)
    after = steps.promoted(
        replace(DAILY, run=run, tell=["agent:a"]), run, "a", STORE, NOW + 5, overlap=True
    )
    assert after.run is None
    assert after.next_due == NOW + DAY
    assert after.old == Old(3, TOKEN, NOW, promoted=NOW + 5, at=NOW + 5 + DAY / 2)
    assert after.telling == ["agent:a"]


def test_what_the_service_forgets_at_once_needs_no_revoking() -> None:
    after = steps.promoted(replace(DAILY, run=RUN), RUN, "a", STORE, NOW, overlap=False)
    assert after.old is None


def test_the_grace_time_is_at_most_half_of_the_time_to_the_next() -> None:
    short = replace(DAILY, schedule="every:10m", run=RUN)
    after = steps.promoted(short, RUN, "a", STORE, NOW, overlap=True)
    assert after.old
    assert after.old.at == NOW + 5 * MINUTE


def test_missed_runs_are_caught_up_with_once() -> None:
    late = NOW + 5 * DAY
    begun = steps.begun(DAILY, TOKEN, late, 3, compromised=False)
    assert begun.run
    after = steps.promoted(begun, begun.run, "a", STORE, late, overlap=False)
    assert after.next_due == late + DAY
    assert step(after, late) == ""


def test_what_is_refused_again_and_again_is_given_up_and_begins_anew_later() -> None:
    found = replace(DAILY, run=replace(RUN, step=steps.TEST))
    for _ in range(steps.MOST_TRIES):
        assert found.run
        assert found.run.step == steps.TEST
        found = steps.failed(found, steps.TEST, RefusedError("no"), NOW)
    assert step(found) == steps.UNDO
    after = steps.given_up(found)
    assert step(after) == steps.BEGIN
    assert steps.attention(after) == NOW + 20 * MINUTE


def test_a_service_that_is_away_is_no_reason_to_give_up() -> None:
    found = replace(DAILY, run=RUN)
    for _ in range(20):
        found = steps.failed(found, steps.SET, TemporaryError("away"), NOW)
    assert step(found) == steps.SET
    assert steps.attention(found) == NOW
    assert found.failures == found.failed == 20


def test_a_failed_test_is_not_a_reason_to_set_the_value_again() -> None:
    found = steps.failed(replace(DAILY, run=RUN), steps.TEST, TemporaryError("away"), NOW)
    assert found.run
    assert found.run.step == steps.TEST


def test_a_new_value_by_hand_is_a_renewal() -> None:
    failing = steps.failed(DAILY, steps.BEGIN, RefusedError("no"), NOW)
    after = steps.renewed(failing, "a", STORE, NOW)
    assert (after.failure, after.failures, after.failed) == (None, 0, 1)
    assert after.next_due == NOW + DAY


def test_attention_is_needed_when_the_first_thing_is_to_be_done() -> None:
    assert steps.attention(Policy()) is None
    assert steps.attention(DAILY) == NOW
    assert steps.attention(replace(DAILY, next_due=NOW + DAY, old=OLD)) == OLD.at
    assert steps.attention(replace(DAILY, next_due=NOW + DAY, old=OLD, until=READ)) == NOW


def test_a_policy_is_read_as_it_was_written() -> None:
    full = replace(DAILY, run=RUN, old=OLD, handles={"4": "AKIA"}, tell=["agent:a"])
    full = steps.failed(full, steps.SET, TemporaryError("away", hint="wait"), NOW)
    assert policy.read(policy.write(full)) == full
    assert policy.write(Policy()) == {}


def test_a_malformed_policy_is_said_to_be_one() -> None:
    with pytest.raises(IntegrityError):
        policy.read({"schedule": 5})
