"""An unlocked session: the data key in a file on a file system that is only memory, for a while.

`openclaw store unlock` writes it, so that a passphrase is asked once and not at each `get`. It
lies in `$XDG_RUNTIME_DIR`, else in `/dev/shm`, is readable by its owner alone and says until when
it may be used.
"""

from __future__ import annotations

import os
import struct
import time

from openclaw_cli.errors import LockedError, OpenclawError
from openclaw_cli.files import Directory, private_directory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from openclaw_cli.store.header import Header

_FORMAT = struct.Struct(">8s16sIQ32s")
_MAGIC = b"OCSESS01"


def folder(environ: Mapping[str, str] = os.environ) -> str:
    """Return the directory that sessions are kept in, and what is being edited; agents see none."""
    runtime = environ.get("XDG_RUNTIME_DIR", "")
    if runtime.startswith("/"):
        return f"{runtime.rstrip('/')}/openclaw"
    return f"/dev/shm/openclaw-{os.getuid()}"  # noqa: S108  opened only when it is ours and private


def find(header: Header) -> bytes | None:
    """Return the data key of an unlocked session of this store, or None."""
    try:
        opened = Directory(folder())
    except (OSError, OpenclawError):
        return None
    try:
        found = opened.read(header.store.hex(), _FORMAT.size)
        magic, store, epoch, until, data_key = _FORMAT.unpack(found)
    except (OSError, OpenclawError, struct.error):
        return None
    finally:
        opened.close()
    expired = time.time() >= until
    if magic != _MAGIC or store != header.store or epoch != header.epoch or expired:
        return None
    return bytes(data_key)


def start(header: Header, data_key: bytes, seconds: float) -> str:
    """Keep the data key for that long; return where. Refuses a file system that is on a disk."""
    place = folder()
    opened = private_directory(place)
    try:
        if not in_memory(place):
            raise LockedError(
                f"{place} is on a disk, and a key is not left there",
                hint="set XDG_RUNTIME_DIR to a directory on tmpfs",
            )
        until = max(0, int(time.time() + seconds))  # a clock before 1970 has nothing to keep
        line = _FORMAT.pack(_MAGIC, header.store, header.epoch, until, data_key)
        opened.replace(header.store.hex(), [line])
    finally:
        opened.close()
    return f"{place}/{header.store.hex()}"


def end(store: bytes) -> bool:
    """Forget the session of a store; tell whether there was one.

    Raises `DeniedError` and `StorageError` where that cannot be told.
    """
    try:
        opened = Directory(folder())
    except FileNotFoundError:
        return False
    try:
        there = os.path.lexists(opened.where(store.hex()))
        if there:  # a read-only file system refuses to remove even what is not there
            opened.unlink(store.hex())
    finally:
        opened.close()
    return there


def in_memory(path: str) -> bool:
    """Tell whether a path lies on a file system that is kept in memory."""
    best, kind = "", ""
    try:
        with open("/proc/self/mounts", encoding="utf-8", errors="replace") as mounts:
            lines = list(mounts)
    except OSError:  # another system than Linux: nothing is known to be memory
        return False
    for line in lines:
        _, point, found, *_ = line.split()
        inside = path == point or path.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, kind = point, found
    return kind in ("tmpfs", "ramfs")
