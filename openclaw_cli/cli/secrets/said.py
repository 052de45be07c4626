"""What is said of a secret in JSON, by `list` and by `status`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from openclaw_cli import states
from openclaw_cli.cli.session import Session

if TYPE_CHECKING:
    from openclaw_cli.store.directory import Entry


def state(session: Session, entry: Entry) -> str:
    return states.state(entry, time.time(), session.settings["status.old-days"])


def plain(session: Session, entry: Entry) -> dict[str, object]:
    current = entry.current()
    return {
        "name": entry.name,
        "provider": entry.provider or None,
        "backend": "local",
        "version": str(current.number) if current else None,
        "created": entry.created / 1000,
        "changed": current.created / 1000 if current else None,
        "labels": entry.labels,
        "deleted": entry.deleted / 1000 if entry.deleted else None,
        "state": state(session, entry),
        "rotation": rotation(entry),
    }


def rotation(entry: Entry) -> dict[str, object] | None:
    """Return how a secret is rotated, and how that is going; None where nothing is known."""
    if not entry.policy:
        return None
    from openclaw_cli.rotation import policy

    found = policy.read(entry.policy)
    run, old, failure = found.run, found.old, found.failure
    return {
        "with": found.rotator or None,
        "schedule": found.schedule or None,
        "zone": found.zone or None,
        "next": found.next_due or None,
        "last": found.last_ok or None,
        "step": run.step if run else None,
        "revoking": str(old.version) if old else None,
        "revoke_at": old.at if old else None,
        "tell": found.tell,
        "untold": found.telling,
        "failures": found.failures,
        "failed": found.failed,
        "error": failure.message or None if failure else None,
    }
