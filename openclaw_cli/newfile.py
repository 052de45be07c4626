"""A file that a person named, written for its owner alone: whole and synced, or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress

from openclaw_cli.errors import ConflictError, StorageError, TemporaryError, UsageError
from openclaw_cli.files import LOCK_SECONDS, failure, locked_within, sync_folder, write_all

_PRIVATE = 0o600
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
    fails, nothing is left. Raises `ConflictError` when the file exists, and `DeniedError` or
    `StorageError`, which says so where the file is there and may not survive a power cut.
    """
    if path == "-":
        raise UsageError("a file is not called -", hint="leave the option away for standard output")
    if not force:
        _refuse_taken(path)
    aside = f"{path}.{os.urandom(4).hex()}.new"
    try:
        write_aside(aside, chunks)
    except OSError as refused:
        raise failure("write", path, refused) from None
    try:
        if proof:
            proof(aside)
        _name(aside, path, force=force)
    except OSError as refused:
        _discard(aside)
        raise failure("write", path, refused) from None
    except BaseException:
        _discard(aside)
        raise
    try:
        sync_folder(os.path.dirname(path) or ".")
    except OSError:
        raise StorageError(
            f"{path} was written, but its folder could not be synced: a power cut may undo it",
            hint=f"sync {path}",
        ) from None


def replace(path: str, data: bytes, *, mode: int = _PRIVATE) -> None:
    """Put a file in another's place in one step, durably; raises `OSError` as it comes.

    The caller sees to it that nobody else does the same now: what lies under the name that it is
    written by, a crash has left.
    """
    aside = f"{path}.new"
    with suppress(FileNotFoundError):
        os.unlink(aside)
    write_aside(aside, [data], mode=mode)
    try:
        os.replace(aside, path)
    except OSError:
        _discard(aside)
        raise
    sync_folder(os.path.dirname(path))


@contextmanager
def alone(folder: str) -> Iterator[None]:
    """Let one process at a time change what is in a folder: the folder itself is the lock."""
    try:
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as refused:
        raise failure("open", folder, refused) from None
    try:
        if not locked_within(LOCK_SECONDS, fd, folder):
            raise TemporaryError(f"another process is changing {folder}", hint="try again")
        yield
    finally:
        os.close(fd)


def write_aside(
    path: str, chunks: Iterable[bytes], *, mode: int = _PRIVATE, durable: bool = True
) -> None:
    """Write a file that is not there, whole and synced; it is gone again when anything fails.

    Raises `OSError` as it comes.
    """
    fd = os.open(path, _FLAGS, _PRIVATE)
    try:
        try:
            for chunk in chunks:
                write_all(fd, chunk)
            if mode != _PRIVATE:
                os.fchmod(fd, mode & 0o755)
            if durable:
                os.fsync(fd)
        finally:
            os.close(fd)
    except BaseException:
        _discard(path)
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
            _discard(aside)
    if force:
        os.rename(aside, path)


def _refuse_taken(path: str) -> None:
    if os.path.lexists(path):
        raise ConflictError(f"{path} exists already", hint="add --force, or name another")


def _discard(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        return
