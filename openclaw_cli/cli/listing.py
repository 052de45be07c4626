"""The rows of `secrets list`, made without anything but the store's directory.

Lean: a piped list is answered on the fast road.
"""

from __future__ import annotations

from openclaw_cli import duration
from openclaw_cli.sanitize import safe
from openclaw_cli.states import word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from openclaw_cli.store.directory import Directory, Entry, Glance

TITLES = ("NAME", "PROVIDER", "BACKEND", "VERSION", "AGE", "NEXT ROTATION", "STATE")


def entries(directory: Directory, *, deleted: bool = False) -> list[Entry]:
    """Return the secrets there are, or with `deleted` those that can be restored, by name."""
    found = [each for each in directory.entries.values() if bool(each.deleted) is deleted]
    return sorted(found, key=lambda entry: entry.name)


def glance(entry: Entry) -> Glance:
    """Return what a list shows of an entry."""
    current = entry.current()
    if current is None:
        return entry.name, entry.provider, "", entry.deleted, entry.policy, entry.deleted
    return entry.name, entry.provider, str(current.number), current.created, entry.policy, 0


def rows(shown: Iterable[Glance], now: float, old_days: int) -> list[list[str]]:
    """Return a row for each secret, in the order of `TITLES`; `now` in seconds since 1970.

    A value of more than `old_days` is called old.
    """
    found = []
    for name, provider, version, since, policy, deleted in shown:
        age = max(0.0, now - since / 1000)
        state = word(bool(deleted), age, old_days, policy, now)
        when = "" if deleted else upcoming(policy, now)
        old = duration.compact(age)
        found.append([name, safe(provider), "local", version, old, when, state])
    return found


def upcoming(policy: dict[str, Any], now: float) -> str:
    """Return when a secret is rotated next: "in 5 hours", "now", or nothing."""
    due = policy.get("next_due", 0)
    if not due:
        return ""
    return duration.relative(due - now) if due > now else "now"


def latest(entry: Entry, now: float) -> str:
    """Return when a secret was rotated last: "2 days ago", or nothing for one that never was."""
    current, last = entry.current(), entry.policy.get("last_ok", 0)
    rotated = last and current is not None and current.number > 1
    return duration.relative(min(last - now, 0)) if rotated else ""


def variable_of(entry: Entry) -> str:
    """Return the variable that a program expects a secret in: its label's, or its provider's."""
    from openclaw_cli import providers

    return entry.labels.get("variable") or providers.variable_for(entry.name, entry.provider)
