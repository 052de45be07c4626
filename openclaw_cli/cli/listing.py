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
        return entry.name, entry.provider, "", entry.deleted, entry.deleted
    return entry.name, entry.provider, str(current.number), current.created, 0


def rows(shown: Iterable[Glance], now: float, old_days: int) -> list[list[str]]:
    """Return a row for each secret, in the order of `TITLES`; `now` in seconds since 1970.

    A value of more than `old_days` is called old.
    """
    found = []
    for name, provider, version, since, deleted in shown:
        age = max(0.0, now - since / 1000)
        state = word(bool(deleted), age, old_days)
        found.append([name, safe(provider), "local", version, duration.compact(age), "", state])
    return found


def variable_of(entry: Entry) -> str:
    """Return the variable that a program expects a secret in: its label's, or its provider's."""
    from openclaw_cli import providers

    return entry.labels.get("variable") or providers.variable_for(entry.name, entry.provider)
