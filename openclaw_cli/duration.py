"""Lengths of time, times of day and periods, as people write them and as we show them.

Seconds everywhere: a length is a number of seconds, a time is seconds since 1970 (UTC). `now` comes
in as an argument. Light enough for the hot road; `datetime` is imported only for calendar days.
"""

from __future__ import annotations

import time

from openclaw_cli.errors import OpenclawError, UsageError
from openclaw_cli.sanitize import safe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import date, tzinfo

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR
WEEK = 7 * DAY
YEAR = 365 * DAY
LONGEST = 100 * YEAR

_UNITS = {"w": WEEK, "d": DAY, "h": HOUR, "m": MINUTE, "s": 1}
_DIGITS = "0123456789"
_MOST_DIGITS = 10  # of LONGEST, in seconds; also keeps int() away from huge strings
_YEAR_10000 = 253_402_300_800
_SHOWN = 40  # characters of what was typed that a message repeats

EXAMPLES = "for example 30s, 5m, 24h, 7d, 2w, 1h30m, or a number of seconds"
PERIOD_EXAMPLES = "for example 24h, 7d, today, yesterday, 2026-11-01..2026-11-20"


def parse(
    value: str | float, *, name: str = "duration", error: type[OpenclawError] = UsageError
) -> float:
    """Give the seconds in "30s", "1h30m", "2w", "90" or a number from a settings file.

    Whole numbers stay `int`. Units go from large to small, each once. Zero is allowed, a hundred
    years is the most. Raises `error` with `name` in its message.
    """
    seconds = _sum(value) if isinstance(value, str) else value
    if seconds is None or isinstance(seconds, bool):
        raise error(f"the {name} {_quoted(value)} is not a length of time", hint=EXAMPLES)
    if not 0 <= seconds <= LONGEST:  # false for NaN as well
        raise error(f"the {name} {_quoted(value)} is not between 0 and 100 years", hint=EXAMPLES)
    return seconds


def exact(seconds: int) -> str:
    """Write whole seconds so that `parse` gives them back: 5400 is "1h30m"."""
    parts = []
    for unit, size in _UNITS.items():
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def compact(seconds: float) -> str:
    """Write a length for a table, its sign dropped: "45s", "3m", "36h", "120d", "2y"."""
    count, unit = _rounded(seconds)
    return f"{count}{unit[0]}"


def relative(seconds: float) -> str:
    """Write how far a time is from now: -180 is "3 minutes ago", 172800 "in 2 days"."""
    count, unit = _rounded(seconds)
    if count == 0:
        return "now"
    length = f"{count} {unit}" if count == 1 else f"{count} {unit}s"
    return f"{length} ago" if seconds < 0 else f"in {length}"


def absolute(when: float) -> str:
    """Write a time as "2026-11-20T08:13:03Z"; "unknown" outside the years 1970 to 9999."""
    if not 0 <= when < _YEAR_10000:
        return "unknown"
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(when))


def period(text: str, now: float, *, zone: tzinfo | None = None) -> tuple[float, float]:
    """Give the start (in it) and end (not in it) of a period, as `audit --period` takes it.

    A length ends now and has a unit. "today", "yesterday", "2026-11-01" and
    "2026-11-01..2026-11-20" are whole days of `zone`, the machine's own when None; the last day is
    included. One side of ".." may be left out, and either may be an exact time such as
    "2026-11-01T08:00:00Z". Raises UsageError.
    """
    first, dots, last = text.partition("..")
    length = _sum(text) if text[-1:] not in _DIGITS else None
    try:
        if length is not None:
            start, end = now - parse(text, name="period"), now
        elif dots:
            start = _edge(first, now, zone, end=False) if first else 0.0
            end = _edge(last, now, zone, end=True) if last else now
        else:
            start, end = (_edge(text, now, zone, end=end) for end in (False, True))
    except (ValueError, OverflowError, OSError):
        raise UsageError(
            f"the period {_quoted(text)} is not understood", hint=PERIOD_EXAMPLES
        ) from None
    if text == ".." or start >= end:
        raise UsageError(f"the period {_quoted(text)} has nothing in it", hint=PERIOD_EXAMPLES)
    return start, end


def _sum(text: str) -> int | None:
    if not text:
        return None
    if all(letter in _DIGITS for letter in text):
        text += "s"
    total, digits, smaller = 0, "", list(_UNITS)
    for letter in text:
        if letter in _DIGITS:
            digits += letter
            continue
        if letter not in smaller or not 0 < len(digits) <= _MOST_DIGITS:
            return None
        total += int(digits) * _UNITS[letter]
        smaller, digits = smaller[smaller.index(letter) + 1 :], ""
    return None if digits else total


def _rounded(seconds: float) -> tuple[int, str]:
    """Round down to one unit; hours up to two days and days up to two years say more."""
    length = int(abs(seconds))
    if length < MINUTE:
        return length, "second"
    if length < HOUR:
        return length // MINUTE, "minute"
    if length < 2 * DAY:
        return length // HOUR, "hour"
    if length < 2 * YEAR:
        return length // DAY, "day"
    return length // YEAR, "year"


def _edge(text: str, now: float, zone: tzinfo | None, *, end: bool) -> float:
    from datetime import UTC, datetime, timedelta

    if not text.isascii():  # fromisoformat takes other scripts' digits
        raise ValueError
    if "T" in text:
        exact_time = datetime.fromisoformat(text)
        if exact_time.tzinfo is None:
            exact_time = exact_time.replace(tzinfo=zone).astimezone(UTC)
        return exact_time.timestamp()
    day = _day(text, datetime.fromtimestamp(now, zone).date())
    day += timedelta(days=1 if end else 0)
    # Built from the date, not by adding 86,400 s: a day with a clock change has 23 or 25 hours.
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC).timestamp()


def _day(text: str, today: date) -> date:
    from datetime import timedelta

    if text == "today":
        return today
    if text == "yesterday":
        return today - timedelta(days=1)
    # fromisoformat also takes "2026-W44-1" and "20261101".
    if [len(part) for part in text.split("-")] != [4, 2, 2]:
        raise ValueError
    return type(today).fromisoformat(text)


def _quoted(value: object) -> str:
    shown = safe(str(value))
    return f'"{shown}"' if len(shown) <= _SHOWN else f'"{shown[:_SHOWN]}..."'
