"""Files that only their owner may see: opened without following links, replaced as a whole.

Every function that meets the operating system's refusal raises our own error; the message names
the path and the reason, never content.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import time

from openclaw_cli.errors import DeniedError, OpenclawError, StorageError, TemporaryError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Self

LOCK_SECONDS = 10.0
_CHUNK = 64 * 1024  # bytes; a larger read makes Python ask the system for the memory first
_POLL_SECONDS = 0.01
_FORBIDDEN = (errno.EACCES, errno.EPERM)
_OPEN = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


class Directory:
    """An open directory of ours. Everything in it is reached through its descriptor."""

    __slots__ = ("fd", "path")

    def __init__(self, path: str) -> None:
        """Open an existing directory; raises `FileNotFoundError` when there is none.

        Raises `DeniedError` when it belongs to somebody else or others may enter it.
        """
        self.path = path
        self.fd = -1
        try:
            self.fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            raise
        except OSError as refused:
            raise failure("open", path, refused) from None
        try:
            _check_owner(os.fstat(self.fd), path, "700")
        except BaseException:
            self.close()
            raise

    def where(self, name: str) -> str:
        """Return the path of an entry, for messages."""
        return f"{self.path}/{name}"

    def open(self, name: str, flags: int = os.O_RDONLY) -> int:
        """Open a private regular file and return its descriptor, owned by the caller.

        Raises `FileNotFoundError` when it is absent, `DeniedError` when it is a link, not a plain
        file, not ours, or readable by others, `StorageError` for the rest.
        """
        path = self.where(name)
        try:
            fd = os.open(name, flags | _OPEN, 0o600, dir_fd=self.fd)
        except FileNotFoundError:
            raise
        except OSError as refused:
            raise failure("open", path, refused) from None
        try:
            _check_file(os.fstat(fd), path)
        except BaseException:
            close(fd)
            raise
        return fd

    def read(self, name: str, limit: int) -> bytes:
        """Return a private file's bytes, `limit` at most; errors as `open` has them."""
        fd = self.open(name)
        try:
            return read_all(fd, self.where(name), limit)
        finally:
            close(fd)

    def unlink(self, name: str) -> None:
        """Remove an entry; absent is as good."""
        try:
            os.unlink(name, dir_fd=self.fd)
        except FileNotFoundError:
            pass
        except OSError as refused:
            raise failure("remove", self.where(name), refused) from None

    def write_aside(self, name: str, chunks: Iterable[bytes]) -> None:
        """Write `name` anew and sync it, removing it again when anything fails.

        The caller holds a lock, so a fixed name is safe and a crash leaves one stray file at most,
        which the next writer removes.
        """
        self.unlink(name)
        path = self.where(name)
        try:
            fd = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _OPEN, 0o600, dir_fd=self.fd)
        except OSError as refused:
            raise failure("create", path, refused) from None
        try:
            try:
                for chunk in chunks:
                    write_all(fd, chunk)
                os.fsync(fd)
            finally:
                os.close(fd)
        except OSError as refused:
            self.unlink(name)
            raise failure("write", path, refused) from None
        except BaseException:
            self.unlink(name)
            raise

    def rename(self, old: str, new: str) -> None:
        """Put one entry in another's place, in one step."""
        try:
            os.rename(old, new, src_dir_fd=self.fd, dst_dir_fd=self.fd)
        except OSError as refused:
            raise failure("replace", self.where(new), refused) from None

    def sync(self) -> None:
        """Make renames and new entries durable; raises `OSError` as it comes."""
        os.fsync(self.fd)

    def replace(self, name: str, chunks: Iterable[bytes]) -> None:
        """Replace a file as a whole: afterwards it is the old one or the new one, never a part."""
        aside = name + ".new"
        self.write_aside(aside, chunks)
        try:
            self.rename(aside, name)
        except OpenclawError:
            self.unlink(aside)
            raise
        try:
            self.sync()
        except OSError:
            raise unsynced(self.where(name)) from None

    def lock(self, name: str, seconds: float = LOCK_SECONDS) -> Lock:
        """Take the exclusive lock on a file that is never renamed or removed.

        Raises `TemporaryError` when somebody else keeps it for that long.
        """
        try:
            fd = self.open(name, os.O_RDWR | os.O_CREAT)
        except FileNotFoundError as refused:
            raise failure("open", self.where(name), refused) from None
        lock = Lock(fd)
        if not locked_within(seconds, fd, self.where(name)):
            lock.release()
            raise TemporaryError(
                f"another process has held {self.where(name)} for {seconds:g} seconds",
                hint="try again when it has finished",
            )
        return lock

    def close(self) -> None:
        """Close the descriptor, once; the trail's stays open until nobody needs the trail."""
        if self.fd >= 0:
            close(self.fd)
            self.fd = -1

    __del__ = close


class Lock:
    """A held lock; ends with the `with` block, and with the process whatever happens."""

    __slots__ = ("fd",)

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def release(self) -> None:
        """Let the next one in."""
        if self.fd >= 0:
            close(self.fd)
            self.fd = -1

    def __enter__(self) -> Self:
        """Hold it for a block."""
        return self

    def __exit__(self, *_exception: object) -> None:
        """Release it."""
        self.release()


def private_directory(path: str) -> Directory:
    """Open a directory of ours, making it (0700) and its missing parents first, durably."""
    make_folders(path)
    try:
        return Directory(path)
    except FileNotFoundError as refused:
        raise failure("open", path, refused) from None


def make_folders(path: str) -> None:
    """Make a directory (0700) and its missing parents, durably; what is there stays as it is."""
    missing = []
    parent = path
    while not os.path.lexists(parent):
        missing.append(parent)
        parent = os.path.dirname(parent)
    for each in reversed(missing):
        try:
            os.mkdir(each, 0o700)
        except FileExistsError:
            pass
        except OSError as refused:
            raise failure("create", each, refused) from None
        _sync_parent(os.path.dirname(each))


def read_all(fd: int, path: str, limit: int) -> bytes:
    """Return all that can be read from a descriptor; more than `limit` bytes is an error."""
    chunks = []
    left = limit + 1
    try:
        while left > 0:
            chunk = os.read(fd, min(left, _CHUNK))
            if not chunk:
                break
            chunks.append(chunk)
            left -= len(chunk)
    except OSError as refused:
        raise failure("read", path, refused) from None
    if left <= 0:
        raise StorageError(f"{path} is larger than {limit} bytes", hint=f"ls -l {path}")
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def read_private(path: str, limit: int) -> bytes:
    """Return the bytes of a file that only we may read, wherever it lies; errors as `open` has."""
    try:
        fd = os.open(path, os.O_RDONLY | _OPEN)
    except FileNotFoundError:
        raise
    except OSError as refused:
        raise failure("open", path, refused) from None
    try:
        _check_file(os.fstat(fd), path)
        return read_all(fd, path, limit)
    finally:
        close(fd)


def close(fd: int) -> None:
    """Close a descriptor that was only read, or is synced already: a refusal tells nothing then."""
    try:
        os.close(fd)
    except OSError:
        return


def locked_within(seconds: float, fd: int, path: str) -> bool:
    """Take the exclusive lock on a descriptor; false when somebody else keeps it for that long."""
    deadline = time.monotonic() + seconds
    while not _locked(fd, path):
        if time.monotonic() >= deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def sync_folder(path: str) -> None:
    """Make what was renamed or made in a directory durable; raises `OSError` as it comes."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def write_all(fd: int, data: bytes) -> None:
    """Write every byte; raises `OSError` as it comes."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


class UnsyncedError(StorageError):
    """A file is there, and a power cut may take it away again."""


def unsynced(path: str) -> UnsyncedError:
    """Build the error for a file whose folder could not be synced."""
    return UnsyncedError(
        f"{path} was written, but its folder could not be synced: a power cut may undo it",
        hint=f"sync {path}",
    )


def failure(verb: str, path: str, refused: OSError) -> DeniedError | StorageError:
    """Turn the system's refusal into ours: `DeniedError` for permissions, else `StorageError`."""
    if refused.errno == errno.ELOOP:
        return DeniedError(f"{path} is a symbolic link", hint=f"ls -l {path}")
    reason = os.strerror(refused.errno or errno.EIO).lower()
    kind = DeniedError if refused.errno in _FORBIDDEN else StorageError
    return kind(f"cannot {verb} {path}: {reason}", hint=_remedy(verb, path, refused.errno))


def _remedy(verb: str, path: str, code: int | None) -> str:
    """Return what to do about a refusal, as far as its number tells."""
    if code == errno.EROFS or (verb == "create" and code in _FORBIDDEN):
        return "write elsewhere; for the state directory: export OPENCLAW_STATE_DIR=/path"
    if code in _FORBIDDEN:
        return f"ls -ld {path}"
    if code in (errno.ENOSPC, errno.EDQUOT):
        return f"df -h {os.path.dirname(path) or '.'}"
    if code == errno.ENOENT and verb in ("write", "create"):
        return f"mkdir -p {os.path.dirname(path) or '.'}"
    if code in (errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG):
        return f"ls -ld {path}"
    return ""


def _sync_parent(path: str) -> None:
    """Make a new entry of a directory durable, where we may read that directory."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return
    try:
        os.fsync(fd)
    except OSError as refused:
        raise failure("sync", path, refused) from None
    finally:
        close(fd)


def _locked(fd: int, path: str) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as refused:
        raise failure("lock", path, refused) from None
    return True


def _check_file(found: os.stat_result, path: str) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise DeniedError(f"{path} is not a plain file", hint=f"ls -l {path}")
    if found.st_nlink > 1:
        raise DeniedError(f"{path} has a second name (a hard link)", hint=f"ls -l {path}")
    _check_owner(found, path, "600")


def _check_owner(found: os.stat_result, path: str, mode: str) -> None:
    if found.st_uid != os.geteuid():
        raise DeniedError(f"{path} belongs to another user", hint=f"ls -ld {path}")
    if found.st_mode & 0o077:
        raise DeniedError(f"others can open {path}", hint=f"chmod {mode} {path}")
