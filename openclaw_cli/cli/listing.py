"""The rows of `secrets list`, made without anything but the store's directory.

Lean: a piped list is answered on the fast road.
"""

from __future__ import annotations

from openclaw_cli import duration
from openclaw_cli.sanitize import safe
from openclaw_cli.states import state

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from openclaw_cli.store.directory import Directory, Entry

TITLES = ("NAME", "PROVIDER", "BACKEND", "VERSION", "AGE", "NEXT ROTATION", "STATE")


def entries(directory: Directory, *, deleted: bool = False) -> list[Entry]:
    """Return the secrets there are, or with `deleted` those that can be restored, by name."""
    found = [each for each in directory.entries.values() if bool(each.deleted) is deleted]
    return sorted(found, key=lambda entry: entry.name)


def rows(shown: Iterable[Entry], now: float, old_days: int) -> list[list[str]]:
    """Return a row for each secret, in the order of `TITLES`; `now` in seconds since 1970.

    A value of more than `old_days` is called old.
    """
    return [_row(entry, now, old_days) for entry in shown]


def _row(entry: Entry, now: float, old_days: int) -> list[str]:
    current = entry.current()
    number = str(current.number) if current else ""
    since = current.created if current else entry.deleted
    age = duration.compact(max(0.0, now - since / 1000))
    return [
        entry.name,
        safe(entry.provider),
        "local",
        number,
        age,
        "",
        state(entry, now, old_days),
    ]
