"""A backup as a file anywhere: written and read back, opened and proved whole before it is used."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from openclaw_cli import newfile
from openclaw_cli.errors import IntegrityError, StorageError, UsageError
from openclaw_cli.files import failure, read_all
from openclaw_cli.store.check import examine
from openclaw_cli.store.header import MAGIC, MAX_FILE
from openclaw_cli.store.reader import Snapshot

if TYPE_CHECKING:
    from openclaw_cli.service import Unlock


def write(path: str, data: bytes, *, force: bool) -> None:
    """Write a copy of the store, readable by its owner alone, and read it back.

    Raises `ConflictError` when the file exists, unless `force` replaces it in one step.
    """

    def proof(written: str) -> None:
        if _content(written) != data:
            raise StorageError(f"{path} does not hold what was written to it; it was removed")

    newfile.write(path, [data], force=force, proof=proof)


def open_whole(path: str, unlock: Unlock) -> Snapshot:
    """Open a backup and look at every byte of it; raises `IntegrityError` when it is damaged.

    It may lie anywhere and belong to anybody: it proves itself.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise newfile.missing(path) from None
    except OSError as refused:
        raise failure("open", path, refused) from None
    snapshot = Snapshot(fd, path)
    try:
        _examine(snapshot, unlock)
    except BaseException:
        snapshot.close()
        raise
    return snapshot


def _examine(snapshot: Snapshot, unlock: Unlock) -> None:
    if not stat.S_ISREG(os.fstat(snapshot.fd).st_mode):
        raise UsageError(
            f"{snapshot.path} is not a plain file",
            hint="openclaw store backup FILE makes one that is",
        )
    if not os.pread(snapshot.fd, len(MAGIC), 0).startswith(MAGIC[:-1]):
        said = f"{snapshot.path} is no backup of a store"
        raise IntegrityError(said, hint="openclaw store backup FILE")
    damage = examine(snapshot.load(unlock)).damage
    if damage:
        raise IntegrityError(f"{snapshot.path} is damaged: {damage[0]}", hint="use another backup")


def _content(path: str) -> bytes:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        return read_all(fd, path, MAX_FILE)
    finally:
        os.close(fd)
