"""What is expected of a reading, and why one is not: places, readers, hours."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_cli.errors import UsageError
from openclaw_cli.expected import DAYS, checked, described, unexpected

FRIDAY_NOON = time.struct_time((2026, 11, 20, 12, 0, 0, 4, 324, 0))
HERE = {"uid": 0, "via": "terminal", "program": "/usr/bin/bash"}
AFAR = {**HERE, "address": "192.0.2.7"}
AGENT = {**HERE, "agent": "mailer"}


def at(day: str, clock: str) -> time.struct_time:
    hour, minute = map(int, clock.split(":"))
    return time.struct_time((2026, 11, 20, hour, minute, 0, DAYS.index(day), 324, 0))


def judged(
    actor: dict[str, Any], wanted: dict[str, Any], now: time.struct_time = FRIDAY_NOON
) -> str:
    return unexpected(checked(wanted), actor, now)


@pytest.mark.parametrize(
    ("actor", "places", "expected"),
    [
        (HERE, ["local"], True),
        (AFAR, ["local"], False),
        (AFAR, ["192.0.2.0/24"], True),
        (AFAR, ["192.0.2.7"], True),
        (AFAR, ["10.0.0.0/8"], False),
        (AFAR, ["10.0.0.0/8", "192.0.2.0/24"], True),
        (AFAR, ["2001:db8::/32"], False),
        ({**HERE, "address": "2001:db8::1"}, ["2001:db8::/32"], True),
        ({**HERE, "address": "not an address"}, ["0.0.0.0/0"], False),
        (HERE, ["0.0.0.0/0"], False),
        (HERE, ["terminal"], True),
        (HERE, ["cron"], False),
        (AFAR, ["terminal"], True),
    ],
)
def test_places(actor: dict[str, Any], places: list[str], expected: bool) -> None:
    assert (judged(actor, {"from": places}) == "") is expected


@pytest.mark.parametrize(
    ("actor", "readers", "expected"),
    [
        (HERE, ["bash"], True),
        (HERE, ["/usr/bin/bash"], True),
        (HERE, ["root"], True),
        (HERE, ["0"], True),
        (HERE, ["python3"], False),
        (HERE, ["mailer"], False),
        (AGENT, ["mailer"], True),
        (AGENT, ["agent:mailer"], True),
        (AGENT, ["agent:other"], False),
    ],
)
def test_readers(actor: dict[str, Any], readers: list[str], expected: bool) -> None:
    assert (judged(actor, {"readers": readers}) == "") is expected


@pytest.mark.parametrize(
    ("hours", "now", "expected"),
    [
        ("9-17", at("fri", "09:00"), True),
        ("9-17", at("fri", "16:59"), True),
        ("9-17", at("fri", "17:00"), False),
        ("09:30-17", at("fri", "09:29"), False),
        ("0-24", at("sun", "23:59"), True),
        ("mon-fri 9-17", at("sat", "12:00"), False),
        ("mon-fri 9-17", at("mon", "12:00"), True),
        ("sat 9-17", at("sat", "12:00"), True),
        ("fri-mon 9-17", at("sun", "12:00"), True),
        ("fri-mon 9-17", at("wed", "12:00"), False),
        ("22:00-06:00", at("wed", "23:00"), True),
        ("22:00-06:00", at("wed", "05:59"), True),
        ("22:00-06:00", at("wed", "12:00"), False),
        ("fri 22:00-06:00", at("sat", "05:00"), True),
        ("fri 22:00-06:00", at("fri", "05:00"), False),
        ("fri 22:00-06:00", at("sat", "23:00"), False),
    ],
)
def test_hours(hours: str, now: time.struct_time, expected: bool) -> None:
    assert (judged(HERE, {"hours": [hours]}, now) == "") is expected


def test_the_reason_says_what_was_and_what_was_expected() -> None:
    assert judged(AFAR, {"from": ["10.0.0.0/8"]}) == "from 192.0.2.7, expected from 10.0.0.0/8"
    assert judged(AGENT, {"readers": ["ada"]}) == "by agent mailer, expected by ada"
    said = judged(HERE, {"hours": ["9-10", "mon 8-9"]})
    assert said == "at fri 12:00, expected at 09:00-10:00, mon 08:00-09:00"


def test_nothing_expected_is_never_unexpected() -> None:
    assert judged(AFAR, {}) == ""
    assert judged(AFAR, {"scope": "model.request"}) == ""


@pytest.mark.parametrize(
    "said",
    [
        {"from": ["example.com"]},
        {"from": ["10.0.0.1/8"]},
        {"from": 7},
        {"from": [7]},
        {"from": [""]},
        {"from": ["x"] * 51},
        {"hours": ["soon"]},
        {"hours": ["9"]},
        {"hours": ["9-9"]},
        {"hours": ["9-25"]},
        {"hours": ["9:5-10"]},
        {"hours": ["9:60-10"]},
        {"hours": ["xyz 9-17"]},
        {"hours": ["mon-xyz 9-17"]},
        {"hours": ["-5-7"]},
        {"readers": ["a\nb"]},
        {"scope": ""},
        {"scope": ["x"]},
        {"enforce": "yes"},
    ],
)
def test_what_is_not_understood_is_refused(said: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        checked(said)


@given(
    st.dictionaries(
        st.sampled_from(["from", "readers", "hours", "scope", "enforce"]),
        st.one_of(st.text(), st.booleans(), st.lists(st.text(max_size=20), max_size=3)),
    ),
    st.integers(0, 23),
    st.integers(0, 6),
)
def test_anything_written_is_understood_or_refused(
    said: dict[str, Any], hour: int, day: int
) -> None:
    try:
        wanted = checked(said)
    except UsageError:
        return
    assert checked(wanted) == wanted
    described(wanted)
    now = time.struct_time((2026, 11, 20, hour, 0, 0, day, 324, 0))
    for actor in (HERE, AFAR, AGENT, {}):
        assert isinstance(unexpected(wanted, actor, now), str)
