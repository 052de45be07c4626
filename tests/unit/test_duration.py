"""Lengths of time, times and periods: what is accepted, what is refused, how they are shown."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from openclaw_cli.duration import (
    DAY,
    HOUR,
    LONGEST,
    WEEK,
    YEAR,
    absolute,
    compact,
    exact,
    parse,
    period,
    relative,
)
from openclaw_cli.errors import ConfigError, UsageError

MANY = settings(max_examples=max(2_000, settings().max_examples))
NOON = 1_795_176_000.0  # 2026-11-20T12:00:00Z


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        *(("30s", 30), ("5m", 300), ("24h", DAY), ("7d", WEEK), ("2w", 2 * WEEK), ("0", 0)),
        *(
            ("1h30m", 5400),
            ("1w2d3h4m5s", 788_645),
            ("90", 90),
            ("007s", 7),
            ("3153600000", LONGEST),
        ),
        *((300, 300), (1.5, 1.5), (0, 0)),
    ],
)
def test_usual_spellings_are_understood(text: str | float, seconds: float) -> None:
    assert parse(text) == seconds
    assert type(parse(text)) is type(seconds)


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "5 m", "5m ", "-5m", "+5m", "m", "5x", "5M", "1.5h", "1e3", "1_000", "0x10"),
        *(
            "1h30",
            "30m1h",
            "1h1h",
            "h1",
            "٣h",
            "\uff15m",
            "²s",
            "1h\n",
            "five minutes",
            "daily",
            "inf",
        ),
        *("99999999999s", "9" * 5000, "5250w", "1h\x00", "\udc80", "5mm", "1d-1h"),
    ],
)
def test_anything_else_is_refused_with_examples(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse(text)
    assert "30s, 5m, 24h" in refused.value.hint
    assert len(refused.value.message) < 120
    assert refused.value.message.isprintable()


@pytest.mark.parametrize("number", [-1, -0.5, math.nan, math.inf, -math.inf, 1e300, 10**400, True])
def test_numbers_that_are_no_length_of_time_are_refused(number: float) -> None:
    with pytest.raises(ConfigError, match="timeout"):
        parse(number, name="timeout", error=ConfigError)


@MANY
@given(st.text(st.sampled_from("0123456789smhdw.-+ \u0663\uff15x")) | st.text())
@example("9" * 4301 + "s")
def test_no_text_gives_more_than_a_length_or_a_usage_error(text: str) -> None:
    try:
        seconds = parse(text)
    except UsageError:
        return
    assert 0 <= seconds <= LONGEST
    assert text.isascii()


@MANY
@given(st.integers(0, LONGEST))
def test_what_is_written_is_read_back(seconds: int) -> None:
    assert parse(exact(seconds)) == seconds


@pytest.mark.parametrize(
    ("seconds", "short", "long"),
    [
        (0, "0s", "now"),
        (-0.4, "0s", "now"),
        (-1, "1s", "1 second ago"),
        (-59.9, "59s", "59 seconds ago"),
        (-200, "3m", "3 minutes ago"),
        (36 * HOUR, "36h", "in 36 hours"),
        (2 * DAY, "2d", "in 2 days"),
        (-120 * DAY, "120d", "120 days ago"),
        (-2 * YEAR, "2y", "2 years ago"),
    ],
)
def test_times_are_shown_relative_to_now(seconds: float, short: str, long: str) -> None:
    assert (compact(seconds), relative(seconds)) == (short, long)


@given(st.floats(-1e12, 1e12))
def test_a_compact_time_fits_a_narrow_column(seconds: float) -> None:
    assert len(compact(seconds)) <= 6


def test_times_are_shown_in_utc() -> None:
    assert absolute(NOON) == "2026-11-20T12:00:00Z"
    assert absolute(NOON + 0.9) == "2026-11-20T12:00:00Z"
    assert [absolute(when) for when in (-1, 1e18, math.nan)] == ["unknown"] * 3


def stamp(month: int, day: int, hour: int = 0, minute: int = 0) -> float:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("24h", NOON - DAY, NOON),
        ("1h30m", NOON - 5400, NOON),
        ("today", stamp(11, 20), stamp(11, 21)),
        ("yesterday", stamp(11, 19), stamp(11, 20)),
        ("2026-11-01", stamp(11, 1), stamp(11, 2)),
        ("2026-11-01..2026-11-20", stamp(11, 1), stamp(11, 21)),
        ("2026-11-01..", stamp(11, 1), NOON),
        ("..yesterday", 0, stamp(11, 20)),
        ("yesterday..today", stamp(11, 19), stamp(11, 21)),
        (
            "2026-11-01T08:00:00Z..2026-11-01T09:30:00Z",
            stamp(11, 1, 8),
            stamp(11, 1, 9, 30),
        ),
    ],
)
def test_a_period_has_a_start_and_an_end(text: str, start: float, end: float) -> None:
    assert period(text, NOON, zone=UTC) == (start, end)


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Set the machine's clock to Berlin's rules, spelt out: a bare machine has no zone files."""
    with monkeypatch.context() as patched:
        patched.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("berlin")
def test_a_day_is_the_day_of_the_clock_on_the_wall() -> None:
    start, end = period("today", stamp(11, 19, 23, 30))
    assert absolute(start) == "2026-11-19T23:00:00Z"
    assert end - start == DAY


@pytest.mark.usefixtures("berlin")
def test_the_day_when_the_clock_is_set_back_has_25_hours() -> None:
    start, end = period("2026-10-25", NOON)
    assert end - start == 25 * HOUR


@pytest.mark.parametrize(
    "text",
    [
        *("", "..", "...", "tomorrow..today", "2026-11-20..2026-11-01", "2026-13-01", "20261101"),
        *("-24h", "90", "0s", "2026-W44-1", "24h..", "last week", "\uff12026-11-01", "2026-11-01T"),
        *("9999-12-31", "24h\x1b", "2026-11-01..2026-11-02..2026-11-03", "5250w"),
        *("2026-11-01T00:00:00+99:00..", "2026-11-01T08:00:00Z", "\udc80"),
    ],
)
def test_other_periods_are_refused_with_examples(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        period(text, NOON, zone=UTC)
    assert "24h" in refused.value.hint
    assert refused.value.message.isprintable()


@MANY
@given(st.text(st.sampled_from("0123456789-.:TZ+hd today")) | st.text())
def test_no_text_gives_more_than_a_period_or_a_usage_error(text: str) -> None:
    for zone in (UTC, None):
        try:
            start, end = period(text, NOON, zone=zone)
        except UsageError:
            continue
        assert start < end
