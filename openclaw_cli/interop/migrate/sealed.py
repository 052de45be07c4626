"""The sealed backup of what a migration changes: one file a run, its key a secret of the store."""

from __future__ import annotations

import json
import os
from base64 import b64decode, b64encode
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from openclaw_cli import fileformat
from openclaw_cli.errors import IntegrityError, NotFoundError
from openclaw_cli.files import private_directory, read_all
from openclaw_cli.interop.gateway import FOLDER
from openclaw_cli.store import seal

if TYPE_CHECKING:
    from openclaw_cli.home import Home

KEY_NAME = "openclaw/migration-backup"
"""The secret that opens every backup."""

KEY = 32  # bytes
_BOUND = b"openclaw/v1/migration"
_OPEN, _DONE, _UNDONE = ".sealed", ".done", ".undone"
_MOST = 256 * 1024 * 1024


@dataclass(slots=True)
class Original:
    """A file or a database row as it was, and as it was to become.

    `literals` are its values as they were written, by the keys that lead there; `removed` is a file
    that was to be shredded.
    """

    path: str
    table: str
    before: bytes
    after: bytes
    literals: list[tuple[list[str], str]]
    removed: bool = False

    def plain(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {
            "path": self.path,
            "table": self.table,
            "before": b64encode(self.before).decode(),
            "after": b64encode(self.after).decode(),
            "literals": self.literals,
            "removed": self.removed,
        }


class Backups:
    """The backups of a home, in the order they were made."""

    def __init__(self, home: Home) -> None:
        self._path = f"{home.base}/{FOLDER}/migrations"

    def write(self, name: str, key: bytes, provider: str, originals: list[Original]) -> str:
        """Seal the originals under a new name; return the file. It is not done yet."""
        data = {
            "format": fileformat.FIRST,
            "provider": provider,
            "originals": [each.plain() for each in originals],
        }
        once = seal.nonce()
        sealed = seal.seal(key, once, json.dumps(data).encode(), _BOUND)
        folder = private_directory(self._path)
        try:
            folder.replace(name + _OPEN, [once, sealed])
        finally:
            folder.close()
        return f"{self._path}/{name}{_OPEN}"

    def finish(self, name: str) -> str:
        """Mark a migration as done; return its file."""
        return self._renamed(name + _OPEN, name + _DONE)

    def undone(self, file: str) -> None:
        """Mark a backup as put back."""
        self._renamed(file, f"{file}{_UNDONE}")

    def to_undo(self) -> list[str]:
        """Return the files of the last migration, the newest first, with interrupted ones of it."""
        names = []
        with suppress(OSError):
            names = sorted(os.listdir(self._path), reverse=True)
        names = [each for each in names if each.endswith((_OPEN, _DONE))]
        before = [at for at, each in enumerate(names) if at and each.endswith(_DONE)]
        return names[: before[0]] if before else names

    def read(self, file: str, key: bytes) -> tuple[str, list[Original]]:
        """Return the provider's name and the originals; raises `IntegrityError` for damage."""
        path = f"{self._path}/{file}"
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            raise NotFoundError(f"there is no backup {path}") from None
        try:
            data = read_all(fd, path, _MOST)
        finally:
            os.close(fd)
        plain = seal.open_sealed(key, data[: seal.NONCE], data[seal.NONCE :], _BOUND, path)
        try:
            found = json.loads(plain)
            fileformat.check(found.get("format", fileformat.FIRST), path)
            return found["provider"], [
                Original(
                    each["path"],
                    each["table"],
                    b64decode(each["before"]),
                    b64decode(each["after"]),
                    each["literals"],
                    each["removed"],
                )
                for each in found["originals"]
            ]
        except (ValueError, KeyError):
            raise IntegrityError(f"{path} is not a backup of a migration") from None

    def _renamed(self, old: str, new: str) -> str:
        folder = private_directory(self._path)
        try:
            folder.rename(old, new)
            folder.sync()
        finally:
            folder.close()
        return f"{self._path}/{new}"
