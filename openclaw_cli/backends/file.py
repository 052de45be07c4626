"""Secrets in files: `file:///etc/openclaw/secrets/openai.key`, `file://team/db` under a root.

A whole file is a value, less one final newline; `#/a/b` or `#field` picks from a JSON file, `#NAME`
from a dotenv file. A file that others can read, or put another in place of, is refused.
"""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Iterator, Sequence
from typing import Any

from openclaw_cli.backends.connect import ownership
from openclaw_cli.backends.protocols import (
    ONLY,
    Health,
    Setting,
    Settings,
    checked_path,
    checked_settings,
    chosen_text,
    one_by_one,
    part,
    the_only,
)
from openclaw_cli.errors import (
    ConfigError,
    DeniedError,
    NotFoundError,
    OpenclawError,
    RefusedError,
    UsageError,
)
from openclaw_cli.files import Directory, close, failure, private_directory, read_all
from openclaw_cli.model import MAX_VALUE, Secret, SecretValue, Version

_MOST = 1024 * 1024  # bytes of a file that a field is picked from
_MOST_PROBLEMS = 20
_MOST_DIGITS = 9  # of a place in a list
_LOCK = ".lock"
_ASIDE = ".aside"
_OPEN = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
_OTHERS_READ = stat.S_IRGRP | stat.S_IROTH
_IN_MEMORY = ("tmpfs ", "ramfs ")


class FileBackend:
    SETTINGS = (
        Setting("root", "", "The directory of relative paths, and the only one written in."),
        Setting("allow-readable", False, "Whether a file that others can read is accepted."),
    )

    def __init__(self, settings: Settings) -> None:
        found = checked_settings(settings, self.SETTINGS, "file")
        self._root = _absolute(str(found["root"])).rstrip("/")
        self._allow_readable = bool(found["allow-readable"])
        if self._root and not self._root.startswith("/"):
            raise ConfigError("the root of the file backend is not an absolute path")

    def get(self, path: str, *, version: str | None = None, field: str = "") -> Secret:
        """Return a file's content, or what a field of it holds.

        Raises `DeniedError` for a file that is not private, not ours or not a plain file, and
        `RefusedError` for one that is too large.
        """
        place = self._place(path)
        try:
            data, changed = self._read(place)
        except FileNotFoundError:
            raise NotFoundError(f"{place} is not there") from None
        the_only(version, place)
        value = _picked(data, field, place)
        if not len(value):
            raise NotFoundError(f"{place} is empty")
        if len(value) > MAX_VALUE:
            raise RefusedError(f"the value in {place} is larger than 64 KiB")
        return Secret(value, Version(ONLY, created=changed), "file")

    def get_many(self, paths: Sequence[str]) -> dict[str, Secret | OpenclawError]:
        return one_by_one(self.get, paths)

    def put(self, path: str, value: SecretValue) -> Version:
        """Replace a file under the root as a whole, making it and its directories private.

        The file holds the value's bytes; only to a value that ends in a newline another is added,
        since reading takes one away.
        """
        folder, name = self._folder(path)
        data = value.reveal()
        tail = b"\n" if data.endswith(b"\n") else b""
        with folder.lock(_LOCK):
            folder.write_aside(_ASIDE, [data, tail])
            try:
                folder.rename(_ASIDE, name)
            except OpenclawError:
                folder.unlink(_ASIDE)
                raise
            _sync(folder)
            changed = os.lstat(name, dir_fd=folder.fd).st_mtime
        return Version(ONLY, created=changed)

    def delete(self, path: str) -> bool:
        folder, name = self._folder(path)
        try:
            os.unlink(name, dir_fd=folder.fd)
        except (FileNotFoundError, IsADirectoryError):
            return False
        except OSError as refused:
            raise failure("remove", folder.where(name), refused) from None
        _sync(folder)
        return True

    def names(self, prefix: str = "") -> list[str]:
        """Return the files under the root, hidden ones and those in hidden directories left out."""
        return sorted(path for path in self._files() if path.startswith(prefix))

    def check(self) -> Health:
        """Say which files under the root would be refused, and the command that mends each."""
        if not self._root:
            return Health(reachable=True, detail="no root is set: only absolute paths are read")
        if not os.path.isdir(self._root):
            problem = (f"{self._root} is not there", f"mkdir -m 700 {shlex.quote(self._root)}")
            return Health(reachable=False, problems=(problem,))
        try:
            names = self.names()
        except OpenclawError as refused:
            return Health(reachable=False, problems=((refused.message, refused.hint),))
        refusals = (self._refusal(f"{self._root}/{name}") for name in names)
        problems = tuple(dict.fromkeys(each for each in refusals if each))[:_MOST_PROBLEMS]
        return Health(reachable=True, detail=f"{len(names)} files", problems=problems)

    def _place(self, path: str) -> str:
        """Return the absolute path that is meant."""
        absolute = _absolute(path)
        if absolute.startswith("/"):
            checked_path(absolute[1:])
            return absolute
        checked_path(path)
        if not self._root:
            raise ConfigError(
                f"{path} is relative, and the file backend has no root",
                hint='root = "/a/directory" in the table [backends.file] of settings.toml',
            )
        return f"{self._root}/{path}"

    def _folder(self, path: str) -> tuple[Directory, str]:
        """Open the private directory that a path under the root is written in; its last segment."""
        checked_path(path)
        if path.startswith(("/", "~/", ".")) or "/." in path:
            raise UsageError("files are only written under the root, and no hidden ones")
        place = self._place(path)
        folder, _, name = place.rpartition("/")
        private_directory(self._root).close()
        ownership.directory(self._root)
        return private_directory(folder), name

    def _read(self, place: str) -> tuple[bytes, float]:
        """Return a file's bytes and when it was changed."""
        fd = self._open(place)
        try:
            return read_all(fd, place, _MOST), os.fstat(fd).st_mtime
        finally:
            close(fd)

    def _open(self, place: str) -> int:
        """Return a descriptor of a file that may be read; raises `FileNotFoundError`."""
        found = ownership.plain_file(place)
        try:
            fd = os.open(found, _OPEN)
        except FileNotFoundError:
            raise
        except PermissionError:
            raise ownership.closed(found) from None
        except OSError as refused:
            raise failure("open", found, refused) from None
        try:
            self._check(fd, found)
        except BaseException:
            close(fd)
            raise
        return fd

    def _check(self, fd: int, path: str) -> None:
        entry = os.fstat(fd)
        if not stat.S_ISREG(entry.st_mode):
            raise DeniedError(f"{path} is not a plain file", hint=f"ls -l {shlex.quote(path)}")
        ownership.check_owner(entry, path)
        if entry.st_size > _MOST:
            raise RefusedError(f"{path} is larger than 1 MiB")
        if not entry.st_mode & _OTHERS_READ or self._allow_readable:
            return
        # What a container platform mounts for its one container: in memory, and not to be written.
        # /tmp and /dev/shm, which all users of a machine share, are in memory too, but writable.
        if os.fstatvfs(fd).f_flag & os.ST_RDONLY and _is_in_memory(entry.st_dev):
            return
        raise DeniedError(f"others can read {path}", hint=f"chmod 600 {shlex.quote(path)}")

    def _files(self) -> Iterator[str]:
        def stop(refused: OSError) -> None:
            if not isinstance(refused, FileNotFoundError):
                raise failure("list", str(refused.filename), refused) from None

        for folder, folders, files in os.walk(self._root, onerror=stop) if self._root else ():
            folders[:] = [name for name in folders if not name.startswith(".")]
            for name in files:
                place = f"{folder}/{name}"
                path = place.removeprefix(f"{self._root}/")
                if not name.startswith(".") and path.isprintable() and os.path.isfile(place):
                    yield path

    def _refusal(self, place: str) -> tuple[str, str] | None:
        try:
            close(self._open(place))
        except FileNotFoundError:
            return None
        except OpenclawError as refused:
            return refused.message, refused.hint
        return None


def _absolute(path: str) -> str:
    return os.path.expanduser(path) if path.startswith("~/") else path


def _sync(folder: Directory) -> None:
    try:
        folder.sync()
    except OSError as refused:
        raise failure("sync", folder.path, refused) from None


def _picked(data: bytes, field: str, place: str) -> SecretValue:
    if not field:
        return SecretValue(_without_newline(data))
    if _is_dotenv(place):
        return _of_dotenv(data, field, place)
    if field.startswith("/"):
        return chosen_text(_pointed(data, field, place), field, place)
    return part(data, field, place)


def _without_newline(data: bytes) -> bytes:
    r"""LF and CR LF each count as one newline, as for what comes from standard input."""
    if data.endswith(b"\n"):
        return data[: -2 if data.endswith(b"\r\n") else -1]
    return data


def _is_dotenv(place: str) -> bool:
    from openclaw_cli.formats import guess

    return guess(place, b"") == "dotenv"


def _of_dotenv(data: bytes, name: str, place: str) -> SecretValue:
    from openclaw_cli.formats import dotenv

    try:
        value = dotenv.read(data).get(name, b"")
    except UsageError as bad:
        raise RefusedError(f"{place}: {bad.message}") from None
    if not value:
        raise NotFoundError(f"{place} has no {name}")
    return SecretValue(value)


def _pointed(data: bytes, pointer: str, place: str) -> Any:  # noqa: ANN401 - whatever is there
    """Follow a JSON pointer (RFC 6901); None where it leads nowhere."""
    import json

    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        raise NotFoundError(f"{place} has no fields: it is not JSON") from None
    for token in pointer.split("/")[1:]:
        name = token.replace("~1", "/").replace("~0", "~")
        if isinstance(found, list):
            found = found[int(name)] if _counts(name) and int(name) < len(found) else None
        else:
            found = found.get(name) if isinstance(found, dict) else None
    return found


def _counts(token: str) -> bool:
    return token.isascii() and token.isdecimal() and len(token) <= _MOST_DIGITS


def _is_in_memory(device: int) -> bool:
    """Tell whether a file system has no disk; only Linux says so."""
    number = f"{os.major(device)}:{os.minor(device)}"
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as mounts:
            kinds = [line.partition(" - ")[2] for line in mounts if line.split()[2] == number]
    except OSError:
        return False
    return bool(kinds) and kinds[0].startswith(_IN_MEMORY)
