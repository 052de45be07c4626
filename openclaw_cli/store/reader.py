"""Reading the store: one consistent state of it, opened once, verified as far as it is used."""

from __future__ import annotations

import os

from openclaw_cli.errors import IntegrityError
from openclaw_cli.files import failure
from openclaw_cli.store import header as head
from openclaw_cli.store.index import Place, open_index
from openclaw_cli.store.record import bound_to_version, open_directory, open_record
from openclaw_cli.store.seal import TAG

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from openclaw_cli.files import Directory as Folder
    from openclaw_cli.store.directory import Directory
    from openclaw_cli.store.header import Header
    from openclaw_cli.store.index import Index

FILE = "store.oc"
_PIECE = 64 * 1024  # bytes
_FIRST_READ = head.MAX_HEADER + 64  # bytes: the whole header, and mostly the whole file


class Snapshot:
    """One state of the store.

    The file is never changed in place, so an open descriptor keeps showing the state it was
    opened at, whatever is committed meanwhile.
    """

    __slots__ = (
        "data_key",
        "fd",
        "header",
        "index",
        "path",
        "prefix",
        "start",
        "tag",
        "unlocked_by",
    )

    def __init__(self, fd: int, path: str) -> None:
        self.fd = fd
        self.path = path
        self.data_key = b""
        self.tag = b""
        self.prefix = b""
        self.start = 0  # where the records begin, in bytes
        self.unlocked_by = ""
        self.header: Header
        self.index: Index

    def replaced(self) -> bool:
        """Tell whether a newer state has been committed since this one was opened."""
        try:
            now = os.stat(self.path, follow_symlinks=False)
        except OSError:
            return True
        mine = os.fstat(self.fd)
        return (now.st_ino, now.st_dev) != (mine.st_ino, mine.st_dev)

    def current(self, name: str) -> tuple[int, bytes] | None:
        """Return the current version's number and its value, or None when there is none."""
        found = self.index.find(name)
        if found is None:
            return None
        version, place = found
        return version, self.value(name, version, place)

    def value(self, name: str, version: int, place: Place) -> bytes:
        """Return the value of one version; raises `IntegrityError` when it was touched."""
        record = self.read(place)
        bound = bound_to_version(self.header, name, version)
        return open_record(self.data_key, bound, record, place.tag, f"version {version} of {name}")

    def directory(self) -> Directory:
        """Open and return the directory of all secrets."""
        from openclaw_cli.store.directory import decode

        place = self.index.directory
        return decode(open_directory(self.data_key, self.header, self.read(place), place.tag))

    def read(self, place: Place) -> bytes:
        """Return a sealed part as it lies there."""
        return self._read(self.start + place.offset, place.length)

    def copied(self, records: range) -> Iterator[bytes]:
        """Go through sealed records as they lie there, in pieces of some size."""
        for offset in records[::_PIECE]:
            yield self._read(self.start + offset, min(_PIECE, records.stop - offset))

    def whole(self) -> bytes:
        """Return the whole file as it lies there."""
        return self._read(0, self.index.file_size)

    def close(self) -> None:
        """Close the file."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def load(self, unlock: Callable[[Header], tuple[bytes, str]]) -> Snapshot:
        """Read and verify the header and the index with the data key that `unlock` finds."""
        size = os.fstat(self.fd).st_size
        if size > head.MAX_FILE:
            raise IntegrityError(f"{self.path} is larger than a store can be")
        start = self._read(0, min(size, _FIRST_READ))
        self.header, end = head.decode(start, self.path)
        self.prefix = start[:end]
        self.start = last = end + self.header.index_length
        if self.header.index_length < TAG or last > size:
            raise IntegrityError(f"{self.path} is cut short", hint="openclaw store check")
        sealed = start[end:last]
        if len(sealed) < self.header.index_length:
            sealed = self._read(end, self.header.index_length)  # whole: to join costs more
        self.data_key, self.unlocked_by = unlock(self.header)
        head.committed(self.header, self.data_key)
        self.index = open_index(self.data_key, self.header, self.prefix, sealed)
        self.tag = sealed[-TAG:]
        if self.index.file_size != size:
            raise IntegrityError(
                f"{self.path} is {size} bytes long and was written with {self.index.file_size}",
                hint="openclaw store check",
            )
        return self

    def _read(self, offset: int, length: int) -> bytes:
        try:
            found = os.pread(self.fd, length, offset)
        except OSError as refused:
            raise failure("read", self.path, refused) from None
        if len(found) != length:
            raise IntegrityError(f"{self.path} is cut short", hint="openclaw store check")
        return found


def header_alone(folder: Folder) -> Header:
    """Return the header as it lies there, without a key: nobody has vouched for it yet.

    Raises `FileNotFoundError` when there is no store, and what `header.decode` raises.
    """
    fd = folder.open(FILE)
    try:
        return head.decode(os.pread(fd, _FIRST_READ, 0))[0]
    except OSError as refused:
        raise failure("read", folder.where(FILE), refused) from None
    finally:
        os.close(fd)


def open_snapshot(folder: Folder, unlock: Callable[[Header], tuple[bytes, str]]) -> Snapshot:
    """Open the present state of the store in a folder.

    `unlock` takes the header and returns the data key and the kind of slot it came from. Raises
    `FileNotFoundError` when there is no store, what `unlock` raises, and `IntegrityError`.
    """
    snapshot = Snapshot(folder.open(FILE), folder.where(FILE))
    try:
        return snapshot.load(unlock)
    except BaseException:
        snapshot.close()
        raise
