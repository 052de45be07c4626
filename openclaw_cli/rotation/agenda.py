"""When each secret needs rotation's attention, all in one place of the sealed directory.

So `rotate --due` opens the directory's first line and no secret's entry, and a commit that changes
a state changes the time beside it. Lean: the fast road asks whether anything is due.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from openclaw_cli.settings import Settings
    from openclaw_cli.store.directory import Directory

KEY = "rotation"
DATA_KEY = "*"
"""Stands for the store's data key among the names."""
GROUP = "&"
"""Stands for the group of API keys, whose members are looked for anew once a day."""
GATEWAY = "@"
"""Stands for the OpenClaw gateway, which is to take up new values."""

SLACK = 60  # seconds; as `schedule.SLACK`, a test compares
REGRESSION = 300  # seconds that a clock may go back without a word


def times(directory: Directory) -> dict[str, float]:
    """Return by name when each secret needs attention, in seconds since 1970."""
    found: dict[str, float] = _kept(directory).get("due", {})
    return found


def due(directory: Directory, now: float) -> list[str]:
    """Return the names whose time has come, the longest overdue first."""
    found = [(at, name) for name, at in times(directory).items() if at <= now + SLACK]
    return [name for _, name in sorted(found)]


def seen(directory: Directory) -> float:
    """Return the latest time by which anything was rotated."""
    found: float = _kept(directory).get("seen", 0)
    return found


def went_back(directory: Directory, now: float) -> bool:
    """Tell whether the clock shows a time that is long past."""
    return now < seen(directory) - REGRESSION


def wishes(directory: Directory) -> dict[str, str]:
    """Return the schedules of the settings that were taken over, by name."""
    found: dict[str, str] = _kept(directory).get("wishes", {})
    return found


def wished(settings: Settings) -> dict[str, str]:
    """Return the schedules that the settings have, by name; "*" is the store's data key."""
    found = {name: each["rotation"] for name, each in settings.names.items() if "rotation" in each}
    if "rotation" in settings.encryption:
        found[DATA_KEY] = settings.encryption["rotation"]
    return found


def note(directory: Directory, name: str, at: float | None) -> None:
    """Note when a secret needs attention next; None for never."""
    kept = directory.extra.setdefault(KEY, {})
    table = kept.setdefault("due", {})
    if at is None:
        table.pop(name, None)
    else:
        table[name] = round(at, 3)


def note_seen(directory: Directory, now: float) -> None:
    """Note that it was so late."""
    directory.extra.setdefault(KEY, {})["seen"] = round(max(now, seen(directory)), 3)


def _kept(directory: Directory) -> dict[str, Any]:
    found: dict[str, Any] = directory.extra.get(KEY, {})
    return found
