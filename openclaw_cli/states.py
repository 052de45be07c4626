"""What is said of a secret in a word: ok, old, deleted, plain text. Lean: a piped list says it."""

from __future__ import annotations

from openclaw_cli.duration import DAY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from openclaw_cli.store.directory import Entry

OK = "ok"
OLD = "old"
DELETED = "deleted"
PLAINTEXT = "plain text"
DUE = "due"
OVERDUE = "overdue"
FAILED = "failed"
PENDING = "pending"

OVERDUE_AFTER = DAY
"""So long may a secret be due: runs by cron are up to a day apart."""


def age(entry: Entry, now: float) -> float:
    """Return the age of a secret's current value in seconds, 0 where there is none."""
    current = entry.current()
    return max(0.0, now - current.created / 1000) if current else 0.0


def state(entry: Entry, now: float, old_days: int) -> str:
    """Return the word for a secret at a time, in seconds since 1970."""
    return word(bool(entry.deleted), age(entry, now), old_days, entry.policy, now)


def word(deleted: bool, seconds: float, old_days: int, policy: dict[str, Any], now: float) -> str:
    """Return the word for a secret whose current value is that old.

    A value with a schedule is not called old: it is due, or overdue.
    """
    if deleted:
        return DELETED
    if policy:
        rotating = of_rotation(policy, now)
        if rotating or policy.get("schedule"):
            return rotating or OK
    return OLD if seconds > old_days * DAY else OK


def of_rotation(policy: dict[str, Any], now: float) -> str:
    """Return the word for how a rotation is, "" where nothing is to be said."""
    if policy.get("failures"):
        return FAILED
    late = now - policy["next_due"] if policy.get("next_due") else 0
    if late > OVERDUE_AFTER:
        return OVERDUE
    if policy.get("run"):
        return PENDING
    return DUE if late > 0 else ""
