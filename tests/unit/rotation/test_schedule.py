"""When a secret is due: calendars, zones, changes of the clock, expressions nobody can meet."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_cli.duration import DAY, HOUR, MINUTE
from openclaw_cli.errors import UsageError
from openclaw_cli.rotation import agenda, schedule
from openclaw_cli.rotation.schedule import Schedule, following, is_due, jitter, parse

STORE = bytes(16)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp()
TEXTS = ("daily", "weekly", "monthly", "every:12h", "cron:0 3 * * *", "cron:*/7 1 * * 1")


def at(text: str, zone: str = "UTC") -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


def shown(instant: float, zone: str = "UTC") -> str:
    return datetime.fromtimestamp(instant, ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M")


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("daily", "daily"),
        (" Weekly ", "weekly"),
        ("12h", "every:12h"),
        ("every:90m", "every:1h30m"),
        ("cron:0 3 * * *", "cron:0 3 * * *"),
        ("0  3 * * MON-FRI", "cron:0 3 * * MON-FRI"),
        ("cron:0 0 29 2 *", "cron:0 0 29 2 *"),
    ],
)
def test_a_schedule_is_read_as_people_write_it(written: str, kept: str) -> None:
    assert parse(written).text == kept
    assert parse(kept).text == kept


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("", "not understood"),
        ("sometimes", "not understood"),
        ("@daily", "not understood"),
        ("every:1m", "5 minutes"),
        ("cron:* * * * *", "5 minutes"),
        ("cron:0,1 3 * * *", "5 minutes"),
        ("cron:0 3 * *", "five fields"),
        ("cron:61 3 * * *", "never comes, or cannot be read"),
        ("cron:0 0 31 2 *", "never comes, or cannot be read"),
        ("cron:0 0 30 2 *", "never comes, or cannot be read"),
        ("every:", "not understood"),
        ("every:-1h", "not understood"),
        ("every:200y", "not understood"),
    ],
)
def test_what_cannot_be_met_is_refused(written: str, why: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse(written)
    assert why in refused.value.message
    assert refused.value.hint


def test_a_zone_that_is_not_there_is_refused() -> None:
    for zone in ("Mars/Olympus", "../../etc/passwd", "x" * 300):
        with pytest.raises(UsageError, match="no time zone"):
            parse("daily", zone)


def test_daily_is_at_midnight_of_its_zone() -> None:
    assert following(Schedule("daily"), NOON, since=0) == at("2026-11-21")
    tokyo = Schedule("daily", "Asia/Tokyo")
    assert shown(following(tokyo, NOON, since=0), "Asia/Tokyo") == "2026-11-21 00:00"


def test_weekly_is_on_the_weekday_it_was_begun() -> None:
    friday = NOON
    assert following(Schedule("weekly"), friday, since=friday) == at("2026-11-27")
    assert following(Schedule("weekly"), friday + 3 * DAY, since=friday) == at("2026-11-27")


def test_monthly_on_the_31st_is_the_last_day_of_a_shorter_month() -> None:
    since = at("2026-01-31")
    found, times = since, []
    for _ in range(5):
        found = following(Schedule("monthly"), found, since=since)
        times.append(shown(found)[:10])
    assert times == ["2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31", "2026-06-30"]


def test_a_day_is_23_hours_long_when_the_clock_is_put_forward() -> None:
    rome = Schedule("daily", "Europe/Rome")
    first = following(rome, at("2026-03-28T12:00"), since=0)
    assert following(rome, first, since=0) - first == 23 * HOUR


def test_a_midnight_that_is_left_out_is_the_first_instant_after_it() -> None:
    cairo = Schedule("daily", "Africa/Cairo")  # 2026-04-24 begins at one o'clock
    found = following(cairo, at("2026-04-23T12:00"), since=0)
    assert shown(found, "Africa/Cairo") == "2026-04-24 01:00"
    assert shown(following(cairo, found, since=0), "Africa/Cairo") == "2026-04-25 00:00"


def test_a_cron_time_that_is_left_out_comes_once_and_one_that_comes_twice_too() -> None:
    rome = Schedule("cron:30 2 * * *", "Europe/Rome")
    spring = following(rome, at("2026-03-28T12:00"), since=0)
    assert shown(spring, "Europe/Rome") == "2026-03-29 03:00"
    assert shown(following(rome, spring, since=0), "Europe/Rome") == "2026-03-30 02:30"
    autumn = following(rome, at("2026-10-24T12:00"), since=0)
    assert autumn == at("2026-10-25T00:30")  # in summer time still
    assert shown(following(rome, autumn, since=0), "Europe/Rome") == "2026-10-26 02:30"


def test_every_keeps_its_rhythm_when_it_is_met_in_time() -> None:
    twice = Schedule("every:12h")
    assert following(twice, NOON + 30, since=0, due=NOON) == NOON + 12 * HOUR
    assert following(twice, NOON - 30, since=0, due=NOON) == NOON + 12 * HOUR


def test_every_begins_anew_after_missed_runs() -> None:
    late = NOON + 5 * DAY
    assert following(Schedule("every:12h"), late, since=0, due=NOON) == late + 12 * HOUR


def test_jitter_is_always_the_same_for_one_secret_and_another_one_for_the_next() -> None:
    daily = Schedule("daily")
    found = {jitter(daily, STORE, f"name-{number}") for number in range(50)}
    assert len(found) > 40
    assert all(0 <= each < HOUR for each in found)
    assert jitter(daily, STORE, "a") == jitter(daily, STORE, "a")
    assert jitter(daily, bytes(15) + b"x", "a") != jitter(daily, STORE, "a")


def test_a_time_that_somebody_chose_has_no_jitter() -> None:
    for text in ("cron:0 3 * * *", "every:12h"):
        assert jitter(Schedule(text), STORE, "a") == 0


def test_a_run_a_little_early_is_on_time() -> None:
    assert is_due(NOON, NOON - 59)
    assert not is_due(NOON, NOON - 61)
    assert agenda.SLACK == schedule.SLACK == MINUTE


@given(st.sampled_from(TEXTS), st.integers(0, 4_000_000_000), st.integers(0, 4_000_000_000))
def test_the_next_time_is_later_and_not_more_than_a_month_and_a_day(
    text: str, after: int, since: int
) -> None:
    found = following(Schedule(text), after, since=since)
    assert after < found <= after + timedelta(days=32).total_seconds()


@given(st.sampled_from(["Europe/Rome", "Africa/Cairo", "America/Sao_Paulo", "Australia/Lord_Howe"]))
def test_each_day_of_a_zone_comes_once(zone: str) -> None:
    found, days = at("2010-01-01"), []
    for _ in range(1000):
        found = following(Schedule("daily", zone), found, since=0)
        days.append(datetime.fromtimestamp(found, ZoneInfo(zone)).date())
    assert [after - before for before, after in pairwise(days)] == [timedelta(days=1)] * 999


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("dayly", "did you mean daily?"),
        ("@Weekly", "did you mean weekly?"),
        ("0 3 * *", "five fields"),
        ("now and then and again", "five fields|never comes"),
        ("soon", "use daily, weekly"),
    ],
)
def test_what_is_no_schedule_is_said_with_what_may_be_meant(text: str, hint: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse(text)
    assert re.search(hint, f"{refused.value.message} {refused.value.hint}")
