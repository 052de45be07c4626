"""Changing the store: a whole new file, announced in the trail, put in place by one rename.

Whatever is interrupted, the store is the old one or the new one. The order is section by section
in `docs/store-format.md`, "How a change is committed".
"""

from __future__ import annotations

import os

from openclaw_cli.errors import ConflictError, StorageError
from openclaw_cli.model import CURRENT
from openclaw_cli.store import header as head
from openclaw_cli.store.directory import Directory, Row, encode
from openclaw_cli.store.index import (
    HASH,
    Index,
    Place,
    changed,
    count,
    entry,
    hash_of,
    seal_index,
    sealed_length,
)
from openclaw_cli.store.reader import FILE
from openclaw_cli.store.record import (
    RANDOM,
    bound_to_version,
    open_record,
    seal_directory,
    seal_record,
)
from openclaw_cli.store.seal import SALT, TAG

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from openclaw_cli.files import Directory as Folder
    from openclaw_cli.store.header import Header
    from openclaw_cli.store.index import Entries
    from openclaw_cli.store.reader import Snapshot

LOCK = "lock"
MAX_SECRETS = 10_000
MAX_BYTES = 32 * 1024 * 1024

_NOWHERE = Place(0, 0, b"")


class Draft:
    """A changed state on its way to the disk.

    Versions that the change does not touch are copied as they lie, with their tags: a writer can
    neither mend nor hide damage.
    """

    __slots__ = (
        "audit_key",
        "before",
        "data_key",
        "directory",
        "entries",
        "header",
        "name_key",
        "records",
        "tag",
    )

    before: Snapshot  # the state before, where there was one

    def __init__(self, header: Header, data_key: bytes, audit_key: bytes, name_key: bytes) -> None:
        self.header = header
        self.data_key = data_key
        self.audit_key = audit_key
        self.name_key = name_key
        self.directory = Directory()
        self.entries: Entries = b""  # of the index
        self.records = 0  # how many bytes the state before has of them
        self.tag = b""  # what tells this state from others of its generation, when it is encoded

    def new_row(self, name: str, number: int, value: bytes, now: int, origin: str) -> Row:
        """Seal a value as a version; `now` in milliseconds since 1970."""
        row = Row(number, CURRENT, now, now, origin, _NOWHERE)
        self.seal(name, row, value)
        return row

    def seal(self, name: str, row: Row, value: bytes) -> None:
        """Seal the value of a version with the present data key."""
        bound = bound_to_version(self.header, name, row.number)
        row.sealed = seal_record(self.data_key, bound, value, os.urandom(RANDOM))

    def value(self, name: str, row: Row) -> bytes:
        """Return the value of a version that has its place; raises `IntegrityError`."""
        bound = bound_to_version(self.header, name, row.number)
        sealed = row.sealed or self.before.read(row.place)
        what = f"version {row.number} of {name}"
        return open_record(self.data_key, bound, sealed, row.place.tag, what)

    def encode(self) -> Iterator[bytes]:
        """Return the new file in pieces: header, sealed index, records, sealed directory.

        Raises `ConflictError` past the store's limits.
        """
        before = self.directory.entries.before()
        records = self._lay(before)
        self.entries = self._index_entries(before)
        if count(self.entries) > MAX_SECRETS:
            raise _full(f"{MAX_SECRETS} secrets")
        header = self.header
        header.index_length = sealed_length(self.entries)
        salt, directory = seal_directory(self.data_key, header, encode(self.directory))
        place = Place(sum(map(len, records)), len(salt) + len(directory), directory[-TAG:])
        size = len(header.encode()) + header.index_length + place.offset + place.length
        if size > MAX_BYTES:
            raise _full(f"{MAX_BYTES // 1024 // 1024} MiB")
        index = Index(self.audit_key, self.name_key, place, size, self.entries)
        sealed = seal_index(self.data_key, header, index)
        self.tag = sealed[-TAG:]
        return self._pieces(header.encode(), sealed, *records, salt, directory)

    def _pieces(self, *parts: bytes | range) -> Iterator[bytes]:
        """Go through the parts; a range is of the records before, which are copied as they lie."""
        for part in parts:
            if isinstance(part, bytes):
                yield part
            elif part:
                yield from self.before.copied(part)

    def _lay(self, before: dict[str, list[Place]]) -> list[bytes | range]:
        """Give each new version its place; return all records, as `_pieces` takes them.

        A new record takes the place of one of its length that is gone, or goes to the end. Where a
        gap would be left, everything is laid anew.
        """
        rows = [row for each in self.directory.entries.touched().values() for row in each.rows]
        kept = {row.place.offset for row in rows if not row.sealed}
        gone: dict[int, list[Place]] = {}
        for places in before.values():
            for place in places:
                if place.offset not in kept:
                    gone.setdefault(place.length, []).append(place)
        new: dict[int, bytes] = {}
        end = self.records
        for row in rows:
            size = len(row.sealed)
            if not size:
                continue
            free = gone.get(size)
            start = free.pop().offset if free else end
            end = max(end, start + size)
            row.place = Place(start, size, row.sealed[-TAG:])
            new[start] = row.sealed
        return [self._closed_up()] if any(gone.values()) else self._between(new)

    def _between(self, new: dict[int, bytes]) -> list[bytes | range]:
        """Return new records, by where they begin, with those before around them."""
        parts: list[bytes | range] = []
        at = 0
        for start, sealed in sorted(new.items()):
            parts += [range(at, start), sealed]
            at = start + len(sealed)
        return [*parts, range(at, self.records)]

    def _closed_up(self) -> bytes:
        """Return the records without gaps, every secret's places made right."""
        old = b"".join(self._pieces(range(self.records)))
        records = bytearray()
        for each in self.directory.entries.values():
            for row in each.rows:
                there = row.place
                row.place = Place(len(records), there.length, there.tag)
                records += row.sealed or old[there.offset : there.offset + there.length]
        return bytes(records)

    def _index_entries(self, before: Iterable[str]) -> bytes:
        """Return the index's entries, those of the state before where nothing changed."""
        changes = {hash_of(self.name_key, name): b"" for name in before}
        for name, each in self.directory.entries.touched().items():
            row = each.current()
            if row is not None:
                line = entry(self.name_key, name, row.number, row.place)
                changes[line[:HASH]] = line
        return changed(self.entries, changes)


def continued(before: Snapshot) -> Draft:
    """Begin a change of an opened state, which is closed after the draft was put in place."""
    header = before.header.copy()
    header.generation += 1
    draft = Draft(header, before.data_key, before.index.audit_key, before.index.name_key)
    draft.directory = before.directory()
    draft.entries = before.index.entries
    draft.before = before
    draft.records = before.index.directory.offset
    return draft


def founded(store: bytes, data_key: bytes) -> Draft:
    """Begin a new, empty store; its key slots are still to be added."""
    header = head.Header()
    header.store = store
    header.epoch = 1
    header.generation = 1
    header.commitment = head.commitment(data_key, store, 1)
    header.floor_seq = 0
    header.floor_mac = bytes(32)
    header.index_salt = bytes(SALT)  # both are set anew whenever the file is written
    header.index_length = 0
    header.slots = []
    return Draft(header, data_key, os.urandom(32), os.urandom(32))


def put_in_place(folder: Folder, pieces: Iterable[bytes]) -> bool:
    """Make the pieces the store: write aside, sync, rename, sync the folder.

    Raises `StorageError` while nothing is committed. Returns whether the commit is durable: false
    when the last sync failed, so that the change is in force and a power cut may undo it.
    """
    aside = FILE + ".new"
    folder.write_aside(aside, pieces)
    try:
        folder.rename(aside, FILE)
    except StorageError:
        folder.unlink(aside)
        raise
    try:
        folder.sync()
    except OSError:
        return False
    return True


class UnknownDurabilityError(StorageError):
    """Committed, durability unknown: never to be reported as a failed change."""

    kind = "committed_durability_unknown"

    def __init__(self, path: str) -> None:
        super().__init__(
            f"the change was made, but {path} could not be synced: a power cut may undo it",
            hint="openclaw store check",
        )


def _full(limit: str) -> ConflictError:
    return ConflictError(
        f"the local store is full: it holds up to {limit}",
        hint="openclaw secrets export, or openclaw secrets copy --all --to vault",
    )
