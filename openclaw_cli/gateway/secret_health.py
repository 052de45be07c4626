"""The health of each secret as the gateway shows it: age, reads, rotation, exposure. No value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openclaw_cli import health, states
from openclaw_cli.exposure import exposure
from openclaw_cli.rotation import policy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openclaw_cli.service import Secrets
    from openclaw_cli.settings import Settings
    from openclaw_cli.store.directory import Entry

MOST = 1000
"""Secrets that are shown; each is a row of the page and some lines of `/metrics`."""

STATES = ("ok", "due", "overdue", "failed", "none")
LATE = 24 * 3600.0


def rows(secrets: Secrets, settings: Settings, now: float) -> list[dict[str, Any]]:
    """Return a row for each secret of the store; raises what opening it raises."""
    reads = health.last_reads(secrets.home.audit)
    directory = secrets.catalogue()
    alive = [each for each in directory.entries.values() if not each.deleted]
    return [
        _row(each, reads.get(each.name, health.LastRead()), directory.extra, settings, now)
        for each in sorted(alive, key=lambda entry: entry.name)[:MOST]
    ]


def rotation_state(found: policy.Policy, now: float) -> str:
    """Return how a rotation stands, in one of `STATES`."""
    if found.failures:
        return "failed"
    if not found.next_due:
        return "none" if not found.schedule else "ok"
    if found.next_due + LATE < now:
        return "overdue"
    return "due" if found.next_due <= now else "ok"


def _row(
    entry: Entry,
    read: health.LastRead,
    extra: Mapping[str, Any],
    settings: Settings,
    now: float,
) -> dict[str, Any]:
    current = entry.current()
    found = policy.read(entry.policy)
    return {
        "name": entry.name,
        "provider": entry.provider or None,
        "version": str(current.number) if current else None,
        "age_seconds": int(states.age(entry, now)) if current else None,
        "changed": current.since / 1000 if current else None,
        "state": states.state(entry, now, settings["status.old-days"]),
        "rotation": rotation_state(found, now),
        "next_due": found.next_due or None,
        "overdue_seconds": max(0, int(now - found.next_due)) if found.next_due else 0,
        "rotation_failures": found.failed,
        "last_read": read.at or None,
        "last_read_by": read.who or None,
        "risk": exposure(entry, read, extra, settings, now).score,
    }
