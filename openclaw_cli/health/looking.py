"""What can be known of a home without a value and without asking anybody.

A store that cannot be opened is looked at as far as it goes.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from openclaw_cli.audit.trail import FILE as TRAIL
from openclaw_cli.errors import LockedError, OpenclawError, UnrecordedError
from openclaw_cli.files import Directory
from openclaw_cli.health import lately
from openclaw_cli.store.directory import Directory as Catalogue
from openclaw_cli.store.header import MAX_HEADER, Header
from openclaw_cli.store.header import decode as decode_header
from openclaw_cli.store.reader import FILE as STORE

if TYPE_CHECKING:
    from openclaw_cli.audit.head import Head
    from openclaw_cli.home import Home
    from openclaw_cli.service import Secrets
    from openclaw_cli.store.directory import Entry

BUNDLE = "bundle"
"""What opened it, where the secrets are those of a bundle."""


@dataclass(slots=True)
class Look:
    """What there is. `opened_by` is empty where the store is locked, absent or broken.

    `trouble` is the error that stopped the look; a locked store is none. Sizes are in bytes,
    `changed` in seconds since 1970.
    """

    store: str
    trail: str
    environment: str = ""
    there: bool = False
    header: Header | None = None
    size: int = 0
    changed: float = 0
    opened_by: str = ""
    locked: str = ""
    trouble: OpenclawError | None = None
    directory: Catalogue = field(default_factory=Catalogue)
    entries: list[Entry] = field(default_factory=list)
    head: Head | None = None
    trail_size: int = 0
    verified: bool = False

    @property
    def alive(self) -> list[Entry]:
        """The secrets that are not deleted."""
        return [each for each in self.entries if not each.deleted]

    @property
    def deleted(self) -> list[Entry]:
        """Those that can still be restored."""
        return [each for each in self.entries if each.deleted]


def look(home: Home, secrets: Secrets) -> Look:
    """Look at a home; `secrets` must be one that asks nobody. Nothing is made or changed."""
    seen = Look(secrets.file, home.audit, home.environment)
    try:
        _look_at_header(seen, home)
        _look_inside(seen, secrets)
    except LockedError as locked:
        seen.locked = locked.hint
    except OpenclawError as trouble:
        seen.trouble = trouble
    seen.trail_size = sum(map(lately.size, lately.segments(home.audit)))
    return seen


def _look_at_header(seen: Look, home: Home) -> None:
    try:
        folder = Directory(home.secrets)
    except FileNotFoundError:
        return
    try:
        fd = folder.open(STORE)
    except FileNotFoundError:
        return
    finally:
        folder.close()
    try:
        found = os.fstat(fd)
        seen.there, seen.size, seen.changed = True, found.st_size, found.st_mtime
        seen.header, _ = decode_header(os.pread(fd, MAX_HEADER + 64, 0))
    finally:
        os.close(fd)


def _look_inside(seen: Look, secrets: Secrets) -> None:
    raw = secrets.trail.read_head()
    snapshot = secrets.open()
    if snapshot is None:
        return
    try:
        seen.there, seen.header, seen.opened_by = True, snapshot.header, snapshot.unlocked_by
        found = os.fstat(snapshot.fd)
        seen.size, seen.changed = found.st_size, found.st_mtime
        seen.head = secrets.trail.known(raw)
        seen.directory = snapshot.directory()
        seen.entries = list(seen.directory.entries.values())
    finally:
        snapshot.close()
    if os.path.lexists(f"{secrets.trail.path}/{TRAIL}"):
        try:
            seen.head = secrets.trail.tip()
        except UnrecordedError:
            return  # what cannot be written can still be shown, as far as it was known
    seen.verified = True
