"""Who uses a secret, as the trail knows it: who read which version, and who has the new one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openclaw_cli.audit.event import read as read_event
from openclaw_cli.audit.reading import Reading
from openclaw_cli.audit.readings import ROTATION, each_of
from openclaw_cli.audit.telling import seconds, user_name, who
from openclaw_cli.model import RETIRED
from openclaw_cli.rotation.chosen import ALONE
from openclaw_cli.rotation.policy import Old
from openclaw_cli.rotation.policy import read as read_policy

if TYPE_CHECKING:
    from openclaw_cli.store.directory import Entry

REVOKED = "secret_revoke"
_OURS = (ROTATION, "refresh", "copy", "edit")
"""Purposes of readings that use no value: they make nobody a consumer."""


def readers(path: str, name: str) -> dict[str, dict[str, float]]:
    """Return by version who read it, and when last; `path` is the trail's folder."""
    found: dict[str, dict[str, float]] = {}
    for read in each_of(path, name):
        if read.purpose not in _OURS:
            found.setdefault(read.version, {})[who(read.actor, user_name)] = seconds(read.at)
    return found


def revocations(path: str, name: str) -> dict[str, float]:
    """Return by version when it was revoked at its service."""
    found = {}
    needle = f'"kind":"{REVOKED}"'.encode()
    with Reading(path) as reading:
        for segment in reading.segments:
            for line in reading.lines(segment):
                event = read_event(line) if needle in line else None
                if event is None or event.failed or event.name != name:
                    continue
                if event.version:
                    found[event.version] = seconds(event.happened)
    return found


def revocation(path: str, entry: Entry, version: int) -> float | None:
    """Return when a version was revoked, 0 for at some time; None for one that was not.

    Where a service has one value at a time, each but the last ended as its successor was set.
    """
    at = revocations(path, entry.name).get(str(version))
    if at is not None:
        return at
    row = entry.version(version)
    alone = read_policy(entry.policy).rotator in ("", *ALONE)
    return 0.0 if row is not None and row.stage == RETIRED and not alone else None


def waiting(path: str, name: str, old: Old) -> list[str]:
    """Return who read the old version and not yet its successor."""
    found = readers(path, name)
    newer = {
        each
        for version, times in found.items()
        if version.isdecimal() and int(version) > old.version
        for each in times
    }
    return sorted(set(found.get(str(old.version), {})) - newer)


def all_have(path: str, name: str, old: Old) -> bool:
    """Tell whether every consumer of the old version has read a newer one."""
    return not waiting(path, name, old)
