"""What the configuration says of names that are not the store's: for lists and for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openclaw_cli import states
from openclaw_cli.names import parse
from openclaw_cli.service import API_KEYS, CONFIG

if TYPE_CHECKING:
    from openclaw_cli.cli.session import Session
    from openclaw_cli.store.directory import Directory


def rows(session: Session, directory: Directory) -> list[list[str]]:
    """Return the rows of names that lead elsewhere, and of what stands in plain text alone."""
    found = []
    for name, entry in sorted(session.settings.names.items()):
        if name != API_KEYS:
            backend = parse(entry["reference"]).backend
            found.append([name, "", backend, "", "", entry.get("rotation", ""), states.OK])
    for name in sorted(session.settings.plaintext):
        kept = directory.entries.get(name)
        if kept is None or kept.deleted:
            found.append([name, "", CONFIG, "", "", "", states.PLAINTEXT])
    return found


def all_names(session: Session) -> list[str]:
    """Return the names that the configuration has."""
    names = (*session.settings.names, *session.settings.plaintext)
    return sorted(name for name in names if name != API_KEYS)


def variable(session: Session, name: str) -> str:
    """Return the variable that the configuration gives a name, "" for none."""
    found: str = session.settings.names.get(name, {}).get("variable", "")
    return found
