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
    }
