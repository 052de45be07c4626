"""Sealed copies of what other backends gave: quick when fresh, a stand-in when they are away.

One file a reference, named by a keyed hash and sealed with a key of its own, so that parallel
readers do not wait for each other. The whole folder may be thrown away at any time; nothing in it
is synced. Beside the copies lies what is known of a backend that failed: from when on it may be
asked again.
"""

from __future__ import annotations

import fcntl
import os
import time

from openclaw_cli.errors import OpenclawError
from openclaw_cli.files import Directory, private_directory, write_all
from openclaw_cli.leanjson import dumps, loads
from openclaw_cli.store.record import RANDOM, open_record, seal_record
from openclaw_cli.store.seal import TAG, hmac, parts, subkey

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Self

    from openclaw_cli.names import Reference

_LIMIT = 256 * 1024  # bytes of one file
_FLIGHT = "flight"
_FIRST_PAUSE = 5.0  # seconds after a first failure; doubled by each further one
_LONGEST_PAUSE = 300.0
_TURN = 3.0  # seconds that one process waits for another one's answer, at most
_POLL = 0.01


class Copy:
    """What a backend said of a reference at a time: a value and its version, or that it has none.

    `fetched` is in seconds since 1970; `changes` is how many changes of the path were known when
    the backend was asked.
    """

    __slots__ = ("changes", "fetched", "value", "version")

    def __init__(self, value: bytes | None, version: str, fetched: float, changes: int = 0) -> None:
        self.value = value
        self.version = version
        self.fetched = fetched
        self.changes = changes

    def age(self, now: float) -> float:
        """Return how old it is; a clock that went back makes it old, not young."""
        return now - self.fetched if now >= self.fetched else float("inf")


class Pause:
    """How often a backend failed in a row, and from when on it may be asked again."""

    __slots__ = ("failures", "until")

    def __init__(self, failures: int = 0, until: float = 0.0) -> None:
        self.failures = failures
        self.until = until

    def failed(self, now: float, asked_for: float = 0.0) -> Pause:
        """Return the pause after one more failure; `asked_for` is what the service wants."""
        length = min(_FIRST_PAUSE * 2**self.failures, _LONGEST_PAUSE)
        return Pause(self.failures + 1, now + max(length, min(asked_for, _LONGEST_PAUSE)))


class Cache:
    """The copies of one store; its data key seals them, so a rekey forgets them all."""

    def __init__(
        self,
        path: str,
        data_key: bytes,
        store: bytes,
        account: Callable[[str], str] = lambda _backend: "",
    ) -> None:
        """`account` says as whom and where a backend is asked: another one has other copies."""
        self._path = path
        self._store = store
        self._key = subkey(data_key, b"openclaw/v1/cache")
        self._account = account

    def get(self, reference: Reference) -> Copy | None:
        """Return the copy of a reference, or None; what cannot be read is as good as absent.

        A copy from before a change of its path is none.
        """
        found = self._read(self._copy(reference))
        if found is None:
            return None
        said, value = found
        copy = Copy(
            value if said["there"] else None, said["version"], said["fetched"], said["changes"]
        )
        return copy if copy.changes == self.changes(reference) else None

    def put(self, reference: Reference, copy: Copy) -> None:
        """Keep a copy; a cache that cannot be written is no reason to fail."""
        said = {
            "there": copy.value is not None,
            "version": copy.version,
            "fetched": copy.fetched,
            "changes": copy.changes,
        }
        self._write(self._copy(reference), said, copy.value or b"")

    def drop(self, reference: Reference) -> None:
        """Forget the copy of a reference: it is too old for anything."""
        self._unlink(self._copy(reference))

    def changes(self, reference: Reference) -> int:
        """Return how many changes of a path are known; ask for it before the backend is asked."""
        found = self._read(self._changes(reference))
        return found[0]["changes"] if found else 0

    def changed(self, reference: Reference) -> None:
        """Forget every copy of a path, its fields and versions, and those still on their way."""
        number = self.changes(reference) + 1
        if not self._write(self._changes(reference), {"changes": number}, b""):
            self.drop(reference)  # a full disk takes no number, but lets files go

    def pause(self, backend: str) -> Pause:
        """Return what is known of a backend's failures."""
        found = self._read(self._pause(backend))
        return Pause(found[0]["failures"], found[0]["until"]) if found else Pause()

    def set_pause(self, backend: str, pause: Pause) -> None:
        """Keep what is known of a backend's failures."""
        said = {"failures": pause.failures, "until": pause.until}
        self._write(self._pause(backend), said, b"")

    def flight(self, backend: str, references: Sequence[Reference]) -> Flight:
        """Return the turn of asking a backend for these: a second process waits for the first."""
        names = [self._name(self._copy(each)) for each in references]
        places = {int.from_bytes(name[:4], "big") for name in names}
        return Flight(self._path, f"{_FLIGHT}-{backend}", sorted(places))

    def _copy(self, reference: Reference) -> str:
        return f"copy {self._account(reference.backend)} {reference}"

    def _pause(self, backend: str) -> str:
        return f"pause {self._account(backend)} {backend}"

    @staticmethod
    def _changes(reference: Reference) -> str:
        return f"changes {reference.backend}://{reference.path}"

    def _name(self, what: str) -> bytes:
        return hmac(self._key, what.encode())[:16]

    def _bound(self, what: str) -> bytes:
        return parts(b"openclaw/v1/cache", self._store, what.encode())

    def _read(self, what: str) -> tuple[dict[str, Any], bytes] | None:
        try:
            folder = Directory(self._path)
        except (OSError, OpenclawError):
            return None
        try:
            sealed = folder.read(self._name(what).hex(), _LIMIT)
            plain = open_record(self._key, self._bound(what), sealed, sealed[-TAG:], "a copy")
            head, _, value = plain.partition(b"\n")
            return loads(head), value
        except (OSError, OpenclawError, ValueError):
            return None
        finally:
            folder.close()

    def _unlink(self, what: str) -> None:
        try:
            folder = Directory(self._path)
        except (OSError, OpenclawError):
            return
        _discard(folder, self._name(what).hex())
        folder.close()

    def _write(self, what: str, said: dict[str, Any], value: bytes) -> bool:
        plain = dumps(said).encode() + b"\n" + value
        sealed = seal_record(self._key, self._bound(what), plain, os.urandom(RANDOM))
        name = self._name(what).hex()
        aside = f"{name}.{os.getpid()}"
        try:
            folder = private_directory(self._path)
        except OpenclawError:
            return False
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
            fd = folder.open(aside, flags)
            try:
                write_all(fd, sealed)
            finally:
                os.close(fd)
            folder.rename(aside, name)
        except (OSError, OpenclawError):
            _discard(folder, aside)
            return False
        finally:
            folder.close()
        return True


def _discard(folder: Directory, name: str) -> None:
    try:
        folder.unlink(name)
    except OpenclawError:
        return


def clear(path: str) -> int:
    """Throw away all copies in a folder; return how many files there were.

    Its files cannot be opened any more once the store has another data key.
    """
    try:
        folder = Directory(path)
    except (OSError, OpenclawError):
        return 0
    try:
        names = [name for name in os.listdir(folder.path) if not name.startswith(_FLIGHT)]
        for name in names:
            folder.unlink(name)
    finally:
        folder.close()
    return len(names)


class Flight:
    """A turn among processes, held for a `with` block.

    Record locks, one byte for each reference, taken in order: two processes that want some of the
    same never wait for each other. They end with the process, and with any other descriptor of the
    same file in it: so each backend, which a thread may ask, has a file of its own.
    """

    __slots__ = ("_fd", "_file", "_path", "_places")

    def __init__(self, path: str, file: str, places: list[int]) -> None:
        self._path = path
        self._file = file
        self._places = places
        self._fd = -1

    def __enter__(self) -> Self:
        """Wait for the turn, some seconds; where the folder cannot be used, everybody has it."""
        try:
            folder = private_directory(self._path)
        except OpenclawError:
            return self
        try:
            self._fd = folder.open(self._file, os.O_RDWR | os.O_CREAT)
            deadline = time.monotonic() + _TURN
            for place in self._places:
                while not self._taken(place) and time.monotonic() < deadline:
                    time.sleep(_POLL)
        except (OSError, OpenclawError):
            return self
        finally:
            folder.close()
        return self

    def _taken(self, place: int) -> bool:
        try:
            fcntl.lockf(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
        except BlockingIOError:
            return False
        return True

    def __exit__(self, *_exception: object) -> None:
        """Let the next one ask."""
        if self._fd >= 0:
            os.close(self._fd)
