"""When a secret is due: pure, and in instants of UTC alone (seconds since 1970).

`daily`, `weekly` and `monthly` are at midnight of the zone, on the weekday and the day of the month
that the schedule was begun (the 31st is the last day of a shorter month), and a little later by a
number of seconds that is always the same for one secret, so that not all of them are due at once.
`every:12h` counts from the last rotation. `cron:0 3 * * *` is to the minute, read as Debian's cron
reads it. A local time that a change of the clock leaves out is the first instant after it; one that
comes twice is the first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from itertools import islice, pairwise

from openclaw_cli import duration
from openclaw_cli.duration import DAY, HOUR, MINUTE, WEEK
from openclaw_cli.errors import OpenclawError, UsageError

SHORTEST = 5 * MINUTE
SLACK = MINUTE
"""A run this much too early is on time: two runs of cron are never exactly a day apart."""

EXAMPLES = "daily, weekly, monthly, every:12h, or cron:0 3 * * *"

_DAILY, _WEEKLY, _MONTHLY = "daily", "weekly", "monthly"
_LENGTHS = {_DAILY: DAY, _WEEKLY: WEEK, _MONTHLY: 28 * DAY}
_EVERY, _CRON = "every:", "cron:"
_MOST_JITTER = HOUR
_CRON_FIELDS = 5
_LOOKED_AT = 100  # times of a cron expression whose distance is looked at


@dataclass(frozen=True, slots=True)
class Schedule:
    """A schedule as it is kept; `zone` is a name of the time zone database, "" for UTC."""

    text: str
    zone: str = ""

    @property
    def interval(self) -> float:
        """About how long it is from one time to the next, in seconds; never longer."""
        if self.text.startswith(_EVERY):
            return duration.parse(self.text[len(_EVERY) :])
        if self.text.startswith(_CRON):
            return _shortest_gap(self.text[len(_CRON) :])
        return _LENGTHS[self.text]

    def __str__(self) -> str:
        """Write it for people."""
        return f"{self.text} {self.zone}".rstrip()


def parse(text: str, zone: str = "") -> Schedule:
    """Read a schedule as people write it.

    Raises `UsageError` for what cannot be understood, never comes, or comes too often.
    """
    _zone(zone)
    words = text.split()
    plain = " ".join(words)
    if plain.lower() in _LENGTHS:
        return Schedule(plain.lower(), zone)
    expression = plain.removeprefix(_CRON).strip()
    if plain.startswith(_CRON) or len(words) == _CRON_FIELDS:
        return Schedule(_CRON + _checked_cron(expression), zone)
    try:
        seconds = int(duration.parse(plain.lower().removeprefix(_EVERY).strip()))
    except OpenclawError:
        raise UsageError(
            f'the schedule "{plain[:40]}" is not understood', hint=_meant(plain)
        ) from None
    if seconds < SHORTEST:
        raise _too_often()
    return Schedule(f"{_EVERY}{duration.exact(seconds)}", zone)


def following(schedule: Schedule, after: float, *, since: float, due: float = 0) -> float:
    """Return the first time after `after`, without jitter.

    `since` is when the schedule was begun. `due` is the time that was just met, 0 for none: who
    meets an `every:` in time keeps its rhythm, who is late begins a new one.
    """
    if schedule.text.startswith(_EVERY):
        interval = schedule.interval
        in_time = 0 < due <= after + SLACK and after - due < interval / 10
        return (due if in_time else after) + interval
    if schedule.text.startswith(_CRON):
        times = _cron(schedule.text[len(_CRON) :], _moment(after, _zone(schedule.zone)))
        return next(times)
    return _calendar(schedule.text, _zone(schedule.zone), after, since)


def jitter(schedule: Schedule, store: bytes, name: str) -> float:
    """Return how much later than the schedule says a secret is due: always the same."""
    if schedule.text not in _LENGTHS:
        return 0
    most = min(schedule.interval / 10, _MOST_JITTER)
    import hmac  # with OpenSSL behind it, which no listing of schedules needs

    digest = hmac.digest(store, b"openclaw/v1/jitter\0" + name.encode(), "sha256")
    return int.from_bytes(digest[:8], "big") % int(most)


def is_due(due: float, now: float) -> bool:
    """Tell whether a time has come."""
    return now + SLACK >= due


def _calendar(text: str, zone: tzinfo, after: float, since: float) -> float:
    begun = _moment(since, zone).date()
    day = _moment(after, zone).date() - timedelta(days=1)
    while True:
        if _falls_on(text, day, begun):
            instant = _midnight(day, zone)
            if instant > after:
                return instant
        day += timedelta(days=1)


def _falls_on(text: str, day: date, begun: date) -> bool:
    if text == _DAILY:
        return True
    if text == _WEEKLY:
        return day.weekday() == begun.weekday()
    last = (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    return day.day == min(begun.day, last.day)


def _midnight(day: date, zone: tzinfo) -> float:
    """Return when a day begins: some begin at one o'clock, when the clock is put forward."""
    local = datetime(day.year, day.month, day.day, tzinfo=zone)
    instant = local.timestamp()
    if _moment(instant, zone).replace(tzinfo=None) == local.replace(tzinfo=None):
        return instant
    # Midnight was left out. The offset before the change puts it after it, the one after before.
    early, late = int(local.replace(fold=1).timestamp()), int(instant)
    before = _moment(early, zone).utcoffset()
    while late - early > 1:
        middle = (early + late) // 2
        if _moment(middle, zone).utcoffset() == before:
            early = middle
        else:
            late = middle
    return late


def _checked_cron(expression: str) -> str:
    from cronsim import CronSimError

    if len(expression.split()) != _CRON_FIELDS:
        raise UsageError(
            f'"{expression[:40]}" is not a cron expression of five fields',
            hint="minute hour day month weekday, for example cron:0 3 * * *",
        )
    try:
        gap = _shortest_gap(expression)
    except (CronSimError, StopIteration):
        raise UsageError(
            f'the cron expression "{expression[:40]}" never comes, or cannot be read',
            hint="minute hour day month weekday, for example cron:0 3 * * *",
        ) from None
    if gap < SHORTEST:
        raise _too_often()
    return expression


@lru_cache(maxsize=256)
def _shortest_gap(expression: str) -> float:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    times = list(islice(_cron(expression, start), _LOOKED_AT))
    return min(after - before for before, after in pairwise(times))


def _cron(expression: str, after: datetime) -> Iterator[float]:
    from cronsim import CronSim

    for each in CronSim(expression, after):
        yield each.timestamp()


def _moment(instant: float, zone: tzinfo) -> datetime:
    return datetime.fromtimestamp(instant, zone)


@lru_cache(maxsize=64)
def _zone(name: str) -> tzinfo:
    if not name or name == "UTC":
        return UTC
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise UsageError(
            f'no time zone is called "{name[:40]}"', hint="for example Europe/Rome, or UTC"
        ) from None


def _meant(text: str) -> str:
    """Return what may have been meant by what is no schedule."""
    if len(text.split()) > 2:  # noqa: PLR2004 - nothing else has so many words
        return "a cron expression has five fields: minute hour day month weekday"
    from difflib import get_close_matches

    close = get_close_matches(text.lower().lstrip("@"), _LENGTHS, n=1)
    return f"did you mean {close[0]}? use {EXAMPLES}" if close else f"use {EXAMPLES}"


def _too_often() -> UsageError:
    return UsageError("the shortest time between two rotations is 5 minutes", hint=EXAMPLES)
