"""What the configuration says of names that are not the store's: for lists and for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openclaw_cli import providers, states
from openclaw_cli.cli import listing
from openclaw_cli.names import parse
from openclaw_cli.service import API_KEYS, CONFIG

if TYPE_CHECKING:
    from openclaw_cli.cli.session import Session
    from openclaw_cli.store.directory import Directory, Entry


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
    """Return the variable that the configuration gives a name, or the usual one."""
    given: str = session.settings.names.get(name, {}).get("variable", "")
    return given or providers.variable_for(name)


def variables(session: Session, entries: list[Entry]) -> dict[str, str]:
    """Return the variable of each secret of the store, and of each that the configuration has."""
    found = {entry.name: listing.variable_of(entry) for entry in entries}
    return found | {name: variable(session, name) for name in all_names(session)}


def known(session: Session, name: str) -> dict[str, str | int] | None:
    """Return what the configuration says of a name that is not the store's; None for nothing."""
    leads = session.settings.names.get(name)
    plain = session.settings.plaintext.get(name)
    if leads is None and (plain is None or name in session.secrets.catalogue().entries):
        return None
    found = leads or plain or {}
    reference = found.get("reference", f"{CONFIG}://{name}")
    return {
        "name": name,
        "state": states.OK if leads else states.PLAINTEXT,
        "backend": parse(reference).backend,
        "reference": reference,
        "variable": variable(session, name),
        "rotation": found.get("rotation", ""),
        "cache_seconds": found.get("cache", session.settings["cache.seconds"]),
        "named_in": found["origin"],
    }
