"""The sealed index: where each secret's current value lies, found without parsing the rest.

Entries have a fixed width and are sorted by a keyed hash of the name, so one bisection finds a
secret among ten thousand. Each holds its record's authentication tag: opening the index
authenticates the set of records, and a swapped, removed or old one is refused.
"""

from __future__ import annotations

from _struct import Struct  # the C part of struct: importing the rest costs as much again

from openclaw_cli.errors import IntegrityError
from openclaw_cli.store.seal import (
    KEY,
    SALT,
    TAG,
    hmac,
    open_large,
    parts,
    salt_for,
    seal_large,
    subkey,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openclaw_cli.store.header import Header

    Entries = bytes | memoryview

HASH = 16

_FIXED = Struct(f">{KEY}s{KEY}sQQI{TAG}sI")
_ENTRY = Struct(f">{HASH}sIQI{TAG}s")


class Place:
    """Where a sealed record lies, and the tag it must end with.

    Offset and length are in bytes; offsets count from the end of the index, so that they stay when
    header or index grow.
    """

    __slots__ = ("length", "offset", "tag")

    def __init__(self, offset: int, length: int, tag: bytes) -> None:
        self.offset = offset
        self.length = length
        self.tag = tag


class Index:
    """What the sealed index holds: two keys of the trail and names, and the places of records."""

    __slots__ = ("audit_key", "directory", "entries", "file_size", "name_key")

    def __init__(
        self, audit_key: bytes, name_key: bytes, directory: Place, file_size: int, entries: Entries
    ) -> None:
        self.audit_key = audit_key
        self.name_key = name_key
        self.directory = directory
        self.file_size = file_size
        self.entries = entries

    def __len__(self) -> int:
        """Return how many secrets have a current value."""
        return count(self.entries)

    def find(self, name: str) -> tuple[int, Place] | None:
        """Return the current version's number and place, or None when there is no such secret."""
        wanted = hash_of(self.name_key, name)
        start = _place(self.entries, wanted)
        if self.entries[start : start + HASH] != wanted:
            return None
        _, version, offset, length, tag = _ENTRY.unpack_from(self.entries, start)
        return version, Place(offset, length, tag)

    def encode(self) -> bytes:
        """Return the plain index."""
        fixed = _FIXED.pack(
            self.audit_key,
            self.name_key,
            self.file_size,
            self.directory.offset,
            self.directory.length,
            self.directory.tag,
            len(self),
        )
        return fixed + self.entries


def hash_of(name_key: bytes, name: str) -> bytes:
    """Return the 16 bytes a name is sorted by; without the key they tell nothing."""
    return hmac(name_key, name.encode(), often=True)[:HASH]


def entry(name_key: bytes, name: str, version: int, place: Place) -> bytes:
    """Return one encoded entry; sort them before joining."""
    return _ENTRY.pack(hash_of(name_key, name), version, place.offset, place.length, place.tag)


def changed(entries: Entries, changes: dict[bytes, bytes]) -> bytes:
    """Return encoded entries with others in their place, by hash; an empty one takes it out."""
    width, pieces, at = _ENTRY.size, [], 0
    for wanted, line in sorted(changes.items()):
        start = _place(entries, wanted)
        pieces += [entries[at:start], line]
        at = start + width if entries[start : start + HASH] == wanted else start
    return b"".join([*pieces, entries[at:]])


def _place(entries: Entries, wanted: bytes) -> int:
    """Return where the entry of a hash begins, or would."""
    low, high = 0, count(entries)
    while low < high:
        middle = (low + high) // 2
        start = middle * _ENTRY.size
        if bytes(entries[start : start + HASH]) < wanted:
            low = middle + 1
        else:
            high = middle
    return low * _ENTRY.size


def sealed_length(entries: Entries) -> int:
    """Return the size in bytes of a sealed index of these entries."""
    return _FIXED.size + len(entries) + TAG


def count(entries: Entries) -> int:
    """Return how many entries these are."""
    return len(entries) // _ENTRY.size


def seal_index(data_key: bytes, header: Header, index: Index) -> bytes:
    """Seal the index and bind the whole header to it, which gets the salt of the index's key."""
    plain = index.encode()
    header.index_salt = bytes(SALT)
    salting = subkey(data_key, b"openclaw/v1/salt")
    header.index_salt = salt_for(salting, plain, _bound(header.encode()))
    key = subkey(data_key, b"openclaw/v1/index", header.index_salt)
    return seal_large(key, plain, _bound(header.encode()))


def open_index(data_key: bytes, header: Header, before: bytes, sealed: bytes) -> Index:
    """Open the index; `before` are the file's bytes in front of it.

    Raises `IntegrityError` when either was changed.
    """
    key = subkey(data_key, b"openclaw/v1/index", header.index_salt)
    plain = open_large(key, sealed, _bound(before), "the index of the store")
    if len(plain) < _FIXED.size:
        raise IntegrityError("the index of the store is too short", hint="openclaw store check")
    audit_key, name_key, size, offset, length, tag, count = _FIXED.unpack_from(plain)
    entries = memoryview(plain)[_FIXED.size :]  # of 10,000 secrets it is half a megabyte
    if len(entries) != count * _ENTRY.size:
        raise IntegrityError("the index of the store is malformed", hint="openclaw store check")
    return Index(audit_key, name_key, Place(offset, length, tag), size, entries)


def _bound(before: bytes) -> bytes:
    return parts(b"openclaw/v1/index", before)
