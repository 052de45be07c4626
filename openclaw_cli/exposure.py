"""How exposed a secret is, from what the store, the trail and the settings know of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openclaw_cli import duration, health, leaks, risk, states

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openclaw_cli.settings import Settings
    from openclaw_cli.store.directory import Entry


def exposure(
    entry: Entry,
    read: health.LastRead,
    extra: Mapping[str, Any],
    settings: Settings,
    now: float,
) -> risk.Risk:
    """Return how exposed a secret is; `extra` is what the store's directory has beside entries."""
    current = entry.current()
    found = leaks.count(extra, entry.name, current.since / 1000, now) if current else 0
    longest = _interval(entry) or settings["status.old-days"] * duration.DAY
    known = risk.Known(
        entry.name,
        age=states.age(entry, now),
        longest=longest,
        readers=len(read.readers),
        copies=found + (entry.name in settings.plaintext),
        scanned=now - health.when(read.scanned) if read.scanned else None,
        scope=settings.expected.get(entry.name, {}).get("scope", ""),
    )
    return risk.of(known)


def _interval(entry: Entry) -> float:
    if not entry.policy:
        return 0
    from openclaw_cli.rotation import policy

    times = policy.read(entry.policy).times
    return times.interval if times else 0
