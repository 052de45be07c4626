"""Copies of plain text overwritten and removed. What that is worth depends on the disk: see docs.

A copy has another name while it is overwritten: half of one is no configuration any more, and would
not be known again after an interruption.
"""

from __future__ import annotations

import os

from openclaw_cli.files import failure, sync_folder, write_all

BEGUN = ".shredding"
"""What the name of a copy ends with as soon as it is being overwritten."""

_ROUND = 64 * 1024


def shred(path: str) -> None:
    """Overwrite a file and remove it; raises `StorageError` and `DeniedError`."""
    begun = path if path.endswith(BEGUN) else f"{path}{BEGUN}"
    try:
        if begun != path:
            os.rename(path, begun)
            sync_folder(os.path.dirname(path))
        _overwrite(begun)
        os.unlink(begun)
        sync_folder(os.path.dirname(path))
    except OSError as refused:
        raise failure("shred", path, refused) from None


def _overwrite(path: str) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        left = os.fstat(fd).st_size
        while left > 0:
            write_all(fd, os.urandom(min(left, _ROUND)))
            left -= _ROUND
        os.fsync(fd)
    finally:
        os.close(fd)
