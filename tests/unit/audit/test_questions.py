"""What looks wrong: each rule with what it must notice, and what it must leave alone."""

from __future__ import annotations

from typing import Any

import pytest

from openclaw_cli.audit import event as events
from openclaw_cli.audit import telling
from openclaw_cli.audit.event import Actor, Event
from openclaw_cli.audit.questions import Answer, Filter, Finding, Watch
from openclaw_cli.audit.trail import REVEAL
from tests.unit.audit.scribe import DAY, HOUR, NOON, instant

MINUTE = 60
ADA = Actor(uid=1000, via="terminal", tty="/dev/pts/1", program="/usr/bin/bash")
BOT = Actor(uid=1001, via="program", program="/usr/bin/node", agent="mailer")


def user(uid: int) -> str:
    return {1000: "ada"}.get(uid, f"uid {uid}")


def who(event: Event) -> str:
    return telling.who(event.actor, user)


def utc_hour(at: str) -> int:
    return int(at[11:13])


class Days:
    """Events one after another, seen by a watch."""

    def __init__(self) -> None:
        self.watch = Watch(who, utc_hour)
        self.seq = 0

    def event(self, when: float, kind: str, **fields: Any) -> int:  # noqa: ANN401
        self.seq += 1
        tell = fields.pop("tell", True)
        known = {"name": "key", "actor": ADA, "outcome": "ok", **fields}
        self.watch.see(Event(self.seq, instant(when), kind, **known), tell=tell)
        return self.seq

    def read(self, when: float, **fields: Any) -> int:  # noqa: ANN401
        return self.event(when, REVEAL, **{"version": "1", **fields})

    def rules(self) -> list[str]:
        return [finding.rule for finding in self.watch.findings()]

    def only(self) -> Finding:
        (finding,) = self.watch.findings()
        return finding


@pytest.fixture
def days() -> Days:
    return Days()


def test_readings_and_changes_as_every_day_look_right(days: Days) -> None:
    for day in range(40):
        days.read(NOON + day * DAY)
        days.event(NOON + day * DAY, "secret_set", version=str(day))
    assert days.rules() == []


# A new reader


def test_a_reader_that_was_never_seen_for_a_known_secret_is_new(days: Days) -> None:
    for day in range(5):
        days.read(NOON + day * DAY, tell=False)
    days.read(NOON + 5 * DAY, actor=BOT)
    days.read(NOON + 5 * DAY + MINUTE, actor=BOT)
    found = days.only()
    assert (found.rule, found.who, found.count) == ("new-reader", "agent mailer", 1)
    assert found.what == "a new reader of key"
    assert found.first == instant(NOON + 5 * DAY)
    assert found.hint == "openclaw secrets audit --period 30d --name key"


def test_the_first_readers_of_a_young_secret_are_not_news(days: Days) -> None:
    for _ in range(4):
        days.read(NOON, tell=False)
    days.read(NOON, actor=BOT)
    assert days.rules() == []


def test_a_reader_that_was_seen_before_the_period_is_not_new(days: Days) -> None:
    for day in range(5):
        days.read(NOON + day * DAY, tell=False)
    days.read(NOON + 5 * DAY, actor=BOT, tell=False)
    days.read(NOON + 6 * DAY, actor=BOT)
    assert days.rules() == []


def test_the_same_program_of_another_user_is_another_reader(days: Days) -> None:
    for _ in range(5):
        days.read(NOON)
    days.read(NOON, actor=Actor(uid=0, program="/usr/bin/bash"))
    assert days.rules() == ["new-reader"]


# A new address


def test_a_known_reader_at_a_new_address_is_noticed(days: Days) -> None:
    for _ in range(5):
        days.read(NOON, actor=Actor(uid=1000, program="/usr/bin/bash", address="10.0.0.1"))
    days.read(NOON + HOUR, actor=Actor(uid=1000, program="/usr/bin/bash", address="6.6.6.6"))
    found = days.only()
    assert (found.rule, found.what) == (
        "new-address",
        "key was read from a new address, 6.6.6.6",
    )


def test_no_address_is_not_a_new_one(days: Days) -> None:
    for _ in range(5):
        days.read(NOON, actor=Actor(uid=1000, program="/usr/bin/bash", address="10.0.0.1"))
    days.read(NOON + HOUR, actor=Actor(uid=1000, program="/usr/bin/bash"))
    assert days.rules() == []


# An odd hour


def test_an_hour_that_a_much_read_secret_was_never_read_at_is_odd(days: Days) -> None:
    for day in range(10):
        for minute in range(6):
            days.read(NOON + day * DAY + minute * MINUTE, tell=False)
    days.read(NOON + 10 * DAY + 15 * HOUR)
    found = days.only()
    assert (found.rule, found.what) == ("odd-hour", "key was read at an odd hour, 3:00")


def test_the_hour_beside_a_usual_one_is_not_odd(days: Days) -> None:
    for day in range(10):
        for minute in range(6):
            days.read(NOON + day * DAY + minute * MINUTE, tell=False)
    days.read(NOON + 10 * DAY + HOUR)
    days.read(NOON + 11 * DAY - HOUR)
    assert days.rules() == []


@pytest.mark.parametrize(("each", "count"), [(7, 7), (60, 3)], ids=["few readings", "few days"])
def test_no_hour_is_odd_without_enough_history(days: Days, each: int, count: int) -> None:
    for day in range(count):
        for minute in range(each):
            days.read(NOON + day * DAY + minute, tell=False)
    days.read(NOON + count * DAY + 15 * HOUR)
    assert days.rules() == []


# Failed and denied


def test_three_failed_readings_in_a_row_are_noticed_once_with_their_number(days: Days) -> None:
    for at in range(5):
        days.read(NOON + at, outcome="not_found", version="")
    found = days.only()
    assert (found.rule, found.count) == ("failures", 5)
    assert found.what == "readings failed one after another, key: not found"


def test_failures_between_good_readings_are_not_in_a_row(days: Days) -> None:
    for at in range(10):
        days.read(NOON + at, outcome="not_found" if at % 3 else "ok")
    assert days.rules() == []


def test_failures_of_several_actors_are_not_one_row(days: Days) -> None:
    for at in range(4):
        days.read(NOON + at, outcome="not_found", actor=ADA if at % 2 else BOT)
    assert days.rules() == []


def test_one_denied_reading_is_enough(days: Days) -> None:
    days.read(NOON, outcome="denied", actor=BOT)
    assert days.only().what == "the reading of key was denied"


def test_what_is_done_elsewhere_and_did_not_end_is_noticed(days: Days) -> None:
    reload = days.event(NOON, "gateway_reload", outcome="intent")
    days.event(NOON + 1, "gateway_reload", announced=reload)
    days.event(NOON + 2, "secret_set", outcome="intent", backend="vault")
    days.watch.note_open(NOON + 1000, lambda _: True)
    assert days.only().rule == "interrupted"
    assert days.only().hint.startswith("do it again")


def test_a_denied_change_is_noticed_and_a_failed_one_is_not(days: Days) -> None:
    days.event(NOON, "secret_set", outcome="conflict")
    days.event(NOON, "secret_set", outcome="denied")
    assert days.only().what == "the change set of key was denied"


# After the end


def test_a_secret_that_is_asked_for_after_its_deletion_is_noticed(days: Days) -> None:
    days.read(NOON)
    days.event(NOON + 1, "secret_delete")
    days.read(NOON + 2, outcome="not_found", version="")
    assert days.only().what == "key was asked for after it was deleted"


@pytest.mark.parametrize("kind", ["secret_restore", "secret_create", "secret_set"])
def test_a_secret_that_came_back_may_be_read(days: Days, kind: str) -> None:
    days.event(NOON, "secret_delete")
    days.event(NOON + 1, kind)
    days.read(NOON + 2)
    assert days.rules() == []


def test_a_deletion_that_failed_ends_nothing(days: Days) -> None:
    days.event(NOON, "secret_delete", outcome="io")
    days.read(NOON + 2)
    assert days.rules() == []


def test_a_version_that_is_read_after_it_was_rolled_back_is_noticed(days: Days) -> None:
    days.event(NOON, "secret_set", version="2")
    days.event(NOON + 1, "secret_rollback", version="1")
    days.read(NOON + 2, version="1")
    days.read(NOON + 3, version="2")
    found = days.only()
    assert found.rule == "after-withdrawal"
    assert found.what == "version 2 of key was read after it was rolled back"


def test_a_version_that_is_current_again_may_be_read(days: Days) -> None:
    days.event(NOON, "secret_set", version="2")
    days.event(NOON + 1, "secret_rollback", version="1")
    days.event(NOON + 2, "secret_rollback", version="2")
    days.read(NOON + 3, version="2")
    assert days.rules() == []


def test_a_version_that_is_read_after_its_revocation_is_noticed(days: Days) -> None:
    days.event(NOON, "secret_revoke", version="1")
    days.read(NOON + 1, version="2")
    days.read(NOON + 2, version="1")
    assert days.only().what == "version 1 of key was read after it was revoked"


# The clock


def test_a_clock_that_went_back_is_noticed_once(days: Days) -> None:
    days.read(NOON)
    for at in range(3):
        days.read(NOON, clock=instant(NOON - HOUR + at))
    found = days.only()
    assert (found.rule, found.what) == ("clock-back", "the clock went back by 1h")
    days.read(NOON + 1)
    days.read(NOON + 1, clock=instant(NOON))
    assert days.only().count == 2


def test_a_clock_that_goes_on_is_not_noticed(days: Days) -> None:
    for at in range(10):
        days.read(NOON + at * DAY)
    assert days.rules() == []


# Interrupted changes


def announced(days: Days, when: float, **fields: Any) -> int:  # noqa: ANN401
    return days.event(when, "secret_set", phase="intent", outcome="", **fields)


def test_a_change_that_was_settled_later_was_interrupted(days: Days) -> None:
    intent = announced(days, NOON)
    days.event(NOON + HOUR, events.SETTLED, of=intent, outcome="abandoned", name="")
    found = days.only()
    assert found.rule == "interrupted"
    assert found.what == "the change set of key was interrupted: it did not happen"
    assert found.first == instant(NOON)


def test_an_interrupted_change_that_was_committed_is_in_force(days: Days) -> None:
    intent = announced(days, NOON, name="", names=["a", "b", "c"])
    days.event(NOON + HOUR, events.SETTLED, of=intent, outcome="committed", name="")
    what = "the change set of a and 2 more was interrupted: it is in force"
    assert days.only().what == what


def test_a_change_with_its_outcome_is_complete(days: Days) -> None:
    intent = announced(days, NOON)
    days.event(NOON, "secret_set", of=intent)
    days.watch.note_open(NOON + DAY, lambda _event: True)
    assert days.rules() == []


def test_a_change_that_stays_open_for_a_minute_was_interrupted(days: Days) -> None:
    announced(days, NOON)
    days.watch.note_open(NOON + 59, lambda _event: True)
    assert days.rules() == []
    days.watch.note_open(NOON + 61, lambda _event: True)
    assert days.only().what == "the change set of key was announced and did not end"


# The anchor


def test_an_anchor_that_is_made_again_was_lost(days: Days) -> None:
    days.event(NOON, "anchor_made", name="")
    assert days.rules() == []
    days.event(NOON, "anchor_made", name="", reason="lost")
    assert days.rules() == ["anchor-lost"]


# Totals


def test_totals_count_readings_changes_and_failures_of_each_secret() -> None:
    answer = Answer()
    for outcome, kind, name in [
        ("ok", REVEAL, "a"),
        ("ok", REVEAL, "a"),
        ("not_found", REVEAL, "b"),
        ("ok", "secret_set", "a"),
        ("ok", "store_init", ""),
        ("ok", "gateway_reload", ""),
    ]:
        answer.count(Event(1, instant(NOON), kind, name=name, outcome=outcome), "ada")
    a, b = answer.by_name["a"], answer.by_name["b"]
    assert (a.reads, a.changes, a.failed, a.readers) == (2, 1, 0, {"ada"})
    assert (b.reads, b.changes, b.failed, b.readers) == (0, 0, 1, set())
    assert answer.events == 6
    assert answer.by_action == {"read": 3, "set": 1, "store init": 1, "gateway reload": 1}
    assert answer.by_outcome == {"ok": 5, "not_found": 1}


# What is asked for

READ = Event(1, instant(NOON), REVEAL, name="prod/key", purpose="run", actor=BOT)


@pytest.mark.parametrize(
    "wanted",
    [
        Filter(),
        Filter(name="prod/key"),
        Filter(name="prod/*"),
        Filter(actor="1001"),
        Filter(actor="uid 1001"),
        Filter(actor="mailer"),
        Filter(actor="node"),
        Filter(actor="/usr/bin/node"),
        Filter(actor="program"),
        Filter(action="read"),
        Filter(action="run"),
        Filter(action="secret_reveal"),
        Filter(action="secret"),
    ],
)
def test_an_event_is_found_by_every_word_for_it(wanted: Filter) -> None:
    assert wanted.takes(READ, user)


@pytest.mark.parametrize(
    "wanted",
    [
        Filter(name="prod"),
        Filter(name="key"),
        Filter(actor="100"),
        Filter(actor="nod"),
        Filter(action="get"),
        Filter(action="store"),
        Filter(name="prod/key", action="set"),
    ],
)
def test_an_event_is_not_found_by_another_word(wanted: Filter) -> None:
    assert not wanted.takes(READ, user)


def test_nobody_is_not_found_by_an_empty_field() -> None:
    event = Event(1, instant(NOON), "store_init")
    assert not Filter(actor="root").takes(event, user)
    assert not Filter(name="*").takes(event, user)
