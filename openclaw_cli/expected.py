"""What is expected of the readings of a secret: from where, by whom, at which hours.

A reading that was not expected says so in its record; where `enforce` is set it is refused. The
settings have it by the secret's name (`[expected."NAME"]`, and `expected-from` and the like where
the name is configured). Pure, and only loaded where something is expected. Lean.
"""

from __future__ import annotations

import os

from openclaw_cli.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from time import struct_time
    from typing import Any

LOCAL = "local"
WAYS = ("terminal", "cron", "ci", "program")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LISTS = ("from", "readers", "hours")
KEYS = (*LISTS, "scope", "enforce")

_HOUR = 60  # minutes
_DAY = 24 * _HOUR
_LONGEST = 200
_MOST = 50


def checked(said: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is expected as we keep it; raises `UsageError` for what is not understood."""
    found: dict[str, Any] = {}
    for key in LISTS:
        given = said.get(key)
        words = [given] if isinstance(given, str) else given
        if words is None:
            continue
        if not isinstance(words, list) or len(words) > _MOST or not all(map(_is_word, words)):
            raise UsageError(f"{key} takes texts", hint=_EXAMPLES[key])
        check = _CHECKS[key]
        kept = [check(word.strip()) for word in words]
        if kept:
            found[key] = kept
    scope = said.get("scope")
    if scope is not None:
        if not _is_word(scope):
            raise UsageError("scope takes a text", hint="--scope model.request")
        found["scope"] = scope
    if said.get("enforce") is True:
        found["enforce"] = True
    elif said.get("enforce") not in (None, False):
        raise UsageError("enforce takes true or false", hint="enforce = true")
    return found


def unexpected(wanted: Mapping[str, Any], actor: Mapping[str, Any], now: struct_time) -> str:
    """Return why a reading is not what was expected, "" when it is; `now` in local time."""
    places = wanted.get("from")
    if places and not any(_comes_from(each, actor) for each in places):
        return f"from {_origin(actor)}, expected from {', '.join(places)}"
    readers = wanted.get("readers")
    if readers and not any(each in _names(actor) for each in readers):
        return f"by {_reader(actor)}, expected by {', '.join(readers)}"
    hours = wanted.get("hours")
    if hours and not any(_is_within(each, now) for each in hours):
        shown = f"{DAYS[now.tm_wday]} {now.tm_hour:02}:{now.tm_min:02}"
        return f"at {shown}, expected at {', '.join(hours)}"
    return ""


def described(wanted: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what is expected, for people: a word and a text each."""
    facts = [(key, ", ".join(wanted[key])) for key in LISTS if key in wanted]
    if "scope" in wanted:
        facts.append(("scope", wanted["scope"]))
    if any(key in wanted for key in LISTS):
        refused = "it is refused" if wanted.get("enforce") else "the trail says so"
        facts.append(("otherwise", refused))
    return facts


def _is_word(word: object) -> bool:
    return isinstance(word, str) and 0 < len(word.strip()) <= _LONGEST and word.isprintable()


def _place(word: str) -> str:
    if word in (LOCAL, *WAYS):
        return word
    from ipaddress import ip_network

    try:
        return str(ip_network(word))
    except ValueError:
        raise UsageError(
            "that is neither a network nor a word for a place", hint=_EXAMPLES["from"]
        ) from None


def _comes_from(place: str, actor: Mapping[str, Any]) -> bool:
    address = actor.get("address", "")
    if place == LOCAL:
        return not address
    if place in WAYS:
        return bool(actor.get("via") == place)
    if not address:
        return False
    from ipaddress import ip_address, ip_network

    try:
        return ip_address(address) in ip_network(place)
    except ValueError:
        return False


def _origin(actor: Mapping[str, Any]) -> str:
    return str(actor.get("address") or f"this machine ({actor.get('via', 'unknown')})")


def _names(actor: Mapping[str, Any]) -> tuple[str, ...]:
    """Return every word that a reader can be expected by."""
    program = str(actor.get("program", ""))
    uid = int(actor.get("uid", -1))
    words = [program, os.path.basename(program), str(uid), _user(uid)]
    agent = actor.get("agent")
    return (*words, agent, f"agent:{agent}") if agent else tuple(words)


def _reader(actor: Mapping[str, Any]) -> str:
    if actor.get("agent"):
        return f"agent {actor['agent']}"
    program = os.path.basename(str(actor.get("program", "")))
    return f"{_user(int(actor.get('uid', -1)))} ({program})"


def _user(uid: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except (KeyError, OverflowError):
        return f"uid {uid}"


def _hours(word: str) -> str:
    """Check "mon-fri 09:00-17:30", "9-17" or "22:00-06:00" and write it in full."""
    days, _, times = word.lower().rpartition(" ")
    start, dash, end = times.partition("-")
    if not dash:
        raise _no_hours()
    first, last = _minutes(start), _minutes(end)
    if first == last:
        raise _no_hours()
    prefix = ""
    if days.strip():
        opening, _, closing = days.strip().partition("-")
        if opening not in DAYS or (closing or opening) not in DAYS:
            raise _no_hours()
        prefix = f"{opening}-{closing} " if closing else f"{opening} "
    return f"{prefix}{_clock(first)}-{_clock(last)}"


def _is_within(hours: str, now: struct_time) -> bool:
    days, _, times = hours.rpartition(" ")
    start, _, end = times.partition("-")
    first, last = _minutes(start), _minutes(end)
    minute, day = now.tm_hour * _HOUR + now.tm_min, now.tm_wday
    if first < last:
        return first <= minute < last and _is_day(days, day)
    if minute >= first:
        return _is_day(days, day)
    # After midnight it is still the evening that began the day before.
    return minute < last and _is_day(days, (day - 1) % len(DAYS))


def _is_day(days: str, day: int) -> bool:
    if not days:
        return True
    opening, _, closing = days.partition("-")
    first, last = DAYS.index(opening), DAYS.index(closing or opening)
    return first <= day <= last if first <= last else day >= first or day <= last


def _minutes(text: str) -> int:
    hour, colon, minute = text.strip().partition(":")
    if not (hour.isascii() and hour.isdigit() and len(hour) <= 2):  # noqa: PLR2004
        raise _no_hours()
    if colon and not (minute.isascii() and minute.isdigit() and len(minute) == 2):  # noqa: PLR2004
        raise _no_hours()
    found = int(hour) * _HOUR + int(minute or "0")
    if found > _DAY or int(minute or "0") >= _HOUR:
        raise _no_hours()
    return found


def _clock(minutes: int) -> str:
    return f"{minutes // _HOUR:02}:{minutes % _HOUR:02}"


def _no_hours() -> UsageError:
    return UsageError("those are not hours of a day", hint=_EXAMPLES["hours"])


_CHECKS: dict[str, Callable[[str], str]] = {"from": _place, "readers": str, "hours": _hours}
_EXAMPLES = {
    "from": "--from 10.0.0.0/8, --from local, --from cron, ci, terminal or program",
    "readers": "--reader python3, --reader agent:mailer, --reader ada",
    "hours": '--hours "mon-fri 09:00-17:30", --hours 22:00-06:00',
}
