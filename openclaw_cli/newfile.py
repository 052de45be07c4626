"""A file that a person named, written for its owner alone: whole and synced, or not at all."""

from __future__ import annotations

import errno
import os
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress

from openclaw_cli.errors import (
    ConflictError,
    NotFoundError,
    TemporaryError,
    UsageError,
)
from openclaw_cli.files import (
    LOCK_SECONDS,
    failure,
    locked_within,
    sync_folder,
    unsynced,
    write_all,
)

_PRIVATE = 0o600
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_NO_SUCH_CALL = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP)
_HERE, _EXCLUSIVE, _DARWIN_EXCLUSIVE = -100, 1, 4  # AT_FDCWD, RENAME_NOREPLACE, RENAME_EXCL
_STALE = 3600.0  # seconds; nobody takes so long to write a file


def missing(path: str) -> NotFoundError:
    """Build the error for a file that a person named and that is not there."""
    return NotFoundError(f"{path} does not exist", hint=f"ls {os.path.dirname(path) or '.'}")


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
    _sweep(path)
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
    _sync(path)


def replace(path: str, data: bytes, *, mode: int = _PRIVATE) -> None:
    """Put a file in another's place in one step, durably; raises `OSError` as it comes.

    `StorageError` says that it is there and may not survive a power cut.

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
    _sync(path)


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


def _sync(path: str) -> None:
    """Make a file's new name durable."""
    try:
        sync_folder(os.path.dirname(path) or ".")
    except OSError:
        raise unsynced(path) from None


def _name(aside: str, path: str, *, force: bool) -> None:
    """Give the file its name in one step; `force` replaces one that is taken."""
    if not force:
        try:
            exclusive_rename(aside, path)
        except FileExistsError:
            _refuse_taken(path)
            raise
        except OSError as refused:
            if refused.errno not in _NO_SUCH_CALL:
                raise
            _refuse_taken(path)  # nobody has had the name for long
            force = True
    if force:
        os.rename(aside, path)


def exclusive_rename(old: str, new: str) -> None:
    """Rename unless the new name is taken; raises `OSError`, also where there is no such call.

    A link and an unlink would do it everywhere, but whoever is killed between them leaves a file
    with two names, which nobody believes any more.
    """
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    names = os.fsencode(old), os.fsencode(new)
    try:
        if sys.platform == "darwin":
            failed = libc.renamex_np(*names, ctypes.c_uint(_DARWIN_EXCLUSIVE))
        else:
            here = ctypes.c_int(_HERE)
            failed = libc.renameat2(here, names[0], here, names[1], ctypes.c_uint(_EXCLUSIVE))
    except AttributeError:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS)) from None
    if failed:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), new)


def _sweep(path: str) -> None:
    """Take away what a kill left of this file long ago: it may hold values in the clear."""
    folder, name = os.path.split(path)
    left = re.compile(re.escape(name) + r"\.[0-9a-f]{8}\.new")
    with suppress(OSError):
        for each in os.listdir(folder or "."):
            if left.fullmatch(each):
                stray = os.path.join(folder, each)
                if time.time() - os.lstat(stray).st_mtime > _STALE:
                    _discard(stray)


def _refuse_taken(path: str) -> None:
    if os.path.lexists(path):
        raise ConflictError(f"{path} exists already", hint="add --force, or name another")


def _discard(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        return
