"""One secret in a run of rotations: what is asked, what the store has, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from openclaw_cli.missing import absent
from openclaw_cli.rotation import policy
from openclaw_cli.rotation.policy import Policy

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openclaw_cli.errors import OpenclawError
    from openclaw_cli.service import Secrets
    from openclaw_cli.store.directory import Entry


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asks of one rotation; without `telling` consumers are told later."""

    wanted: bool = False
    hurry: bool = False
    compromised: bool = False
    telling: bool = True


@dataclass(slots=True)
class View:
    """One secret as the store has it at a moment."""

    entry: Entry
    policy: Policy
    store: bytes

    @property
    def name(self) -> str:
        return self.entry.name

    @property
    def current(self) -> int:
        row = self.entry.current()
        return row.number if row else 0


@dataclass(slots=True)
class Result:
    """What became of one secret: its new version, and what was done, in order.

    `uncertain` is what went wrong although the secret has its new value.
    """

    name: str
    version: int = 0
    steps: list[str] = field(default_factory=list)
    uncertain: OpenclawError | None = None


def look(secrets: Secrets, name: str) -> View:
    """Look at a secret; raises `NotFoundError`."""
    found = views(secrets, [name])
    if not found:
        raise absent(secrets.catalogue(), name)
    return found[0]


def views(secrets: Secrets, names: Iterable[str]) -> list[View]:
    """Look at many secrets at once, as far as they are there."""
    wanted = list(names)
    snapshot = secrets.open() if wanted else None
    if snapshot is None:
        return []
    try:
        entries = snapshot.directory().entries
        found = [entry for name in wanted if (entry := entries.get(name)) and not entry.deleted]
        store = snapshot.header.store
        return [View(entry, policy.read(entry.policy), store) for entry in found]
    finally:
        snapshot.close()
