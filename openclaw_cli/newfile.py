"""A file that a person named, written for its owner alone: whole and synced, or not at all."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterable

from openclaw_cli.errors import ConflictError, UsageError
from openclaw_cli.files import failure, sync_folder, write_all

_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS)  # what FAT and some others answer


def write(
    path: str,
    chunks: Iterable[bytes],
    *,
    force: bool = False,
    proof: Callable[[str], None] | None = None,
) -> None:
    """Write a file (0600) that is not there yet; with `force`, replace one.

    It gets its name in one step, when all of it is on the disk. `proof` is given the written
    file's path before that and raises when it is not as it should be; then, and when anything else
    fails, nothing is left. Raises `ConflictError` when the file exists, and `StorageError` or
    `DeniedError`.
    """
    if path == "-":
        raise UsageError("a file is not called -", hint="leave the option away for standard output")
    if not force:
        _refuse_taken(path)
    aside = f"{path}.{os.urandom(4).hex()}.new"
    try:
        fd = os.open(aside, _FLAGS, 0o600)
    except OSError as refused:
        raise failure("create", path, refused) from None
    try:
        try:
            for chunk in chunks:
                write_all(fd, chunk)
            os.fsync(fd)
        finally:
            os.close(fd)
        if proof:
            proof(aside)
        _name(aside, path, force=force)
    except OSError as refused:
        _discard(aside)
        raise failure("write", path, refused) from None
    except BaseException:
        _discard(aside)
        raise


def replace(aside: str, path: str, data: bytes, mode: int, *, durable: bool) -> None:
    """Write `aside` anew and rename it; it is gone again when anything fails (`OSError`)."""
    fd = os.open(aside, _FLAGS, 0o600)
    try:
        try:
            write_all(fd, data)
            if mode != stat.S_IRUSR | stat.S_IWUSR:
                os.fchmod(fd, mode & 0o755)
            if durable:
                os.fsync(fd)
        finally:
            os.close(fd)
        os.replace(aside, path)
    except BaseException:
        os.unlink(aside)
        raise


def _name(aside: str, path: str, *, force: bool) -> None:
    """Give the file its name: a link refuses one that is taken, a rename replaces it."""
    if not force:
        try:
            os.link(aside, path)
        except FileExistsError:
            _refuse_taken(path)
        except OSError as refused:
            if refused.errno not in _NO_LINKS:
                raise
            force = True  # this file system has no links; nobody had the name a moment ago
        else:
            os.unlink(aside)
    if force:
        os.rename(aside, path)
    sync_folder(os.path.dirname(path) or ".")


def _refuse_taken(path: str) -> None:
    if os.path.lexists(path):
        raise ConflictError(f"{path} exists already", hint="add --force, or name another")


def _discard(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        return
