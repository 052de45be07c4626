"""What is said of a secret in a word: ok, old, deleted, plain text. Lean: a piped list says it."""

from __future__ import annotations

from openclaw_cli.duration import DAY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openclaw_cli.store.directory import Entry

OK = "ok"
OLD = "old"
DELETED = "deleted"
PLAINTEXT = "plain text"


def age(entry: Entry, now: float) -> float:
    """Return the age of a secret's current value in seconds, 0 where there is none."""
    current = entry.current()
    return max(0.0, now - current.created / 1000) if current else 0.0


def state(entry: Entry, now: float, old_days: int) -> str:
    """Return the word for a secret at a time, in seconds since 1970."""
    return word(bool(entry.deleted), age(entry, now), old_days)


def word(deleted: bool, seconds: float, old_days: int) -> str:
    """Return the word for a secret whose current value is that old."""
    if deleted:
        return DELETED
    return OLD if seconds > old_days * DAY else OK
