"""A disk that forgets: which states a power cut may leave, by what POSIX promises and no more.

It is given the calls of a command as the tap saw them. The bytes of a file are safe when the file
was synced, its name when its folder was. Everything else may be there or not: names in the order
they were made, bytes up to any of the writes. One thing more than POSIX is taken for granted, and
true of ext4, XFS and btrfs: a size that is seen has its bytes.
"""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from tests.faults.tap import Call

T = TypeVar("T")


@dataclass
class _File:
    """The contents after each write since the last sync; the first is what is safe."""

    versions: list[bytes] = field(default_factory=lambda: [b""])
    position: int = 0
    appends: bool = False


@dataclass
class _Folder:
    """What each name meant after each change since the last sync; the first is what is safe."""

    versions: list[dict[str, _File | _Folder]] = field(default_factory=lambda: [{}])

    @property
    def now(self) -> dict[str, _File | _Folder]:
        return self.versions[-1]

    def change(self, name: str, meaning: _File | _Folder | None) -> None:
        changed = dict(self.now)
        if meaning is None:
            changed.pop(name, None)
        else:
            changed[name] = meaning
        self.versions.append(changed)


class Disk:
    """A state directory on a disk, and what the calls make of it."""

    def __init__(self, root: str) -> None:
        """Take up a directory as it lies there, all of it safe."""
        self._root = _Folder()
        for folder, folders, files in os.walk(root):
            inside = self._folder(os.path.relpath(folder, root))
            made: dict[str, _File | _Folder] = {name: _Folder() for name in folders}
            for name in files:
                with open(f"{folder}/{name}", "rb") as file:
                    made[name] = _File([file.read()])
            inside.versions = [made]

    def apply(self, call: Call) -> None:
        """Let one call happen."""
        folder, name = os.path.split(call.path)
        if call.kind == "mkdir":
            self._folder(folder).change(name, _Folder())
        elif call.kind in ("create", "open"):
            self._open(call)
        elif call.kind == "seek":
            self._file(call.path).position = call.detail
        elif call.kind == "write" and call.path != "standard output":
            self._write(self._file(call.path), call.detail)
        elif call.kind == "truncate":
            file = self._file(call.path)
            file.versions.append(file.versions[-1][: call.detail[0]])
        elif call.kind == "rename":
            old_folder, old_name = os.path.split(call.detail)
            moved = self._folder(old_folder).now[old_name]
            self._folder(folder).change(name, moved)
            self._folder(old_folder).change(old_name, None)
            assert old_folder == folder
            # One step in one folder: nobody sees both names, or neither.
            del self._folder(folder).versions[-2]
        elif call.kind == "link":
            old_folder, old_name = os.path.split(call.detail)
            self._folder(folder).change(name, self._folder(old_folder).now[old_name])
        elif call.kind == "unlink":
            self._folder(folder).change(name, None)
        elif call.kind == "sync":
            synced = self._at(call.path)
            del synced.versions[:-1]

    def lay_out(self, root: str, chance: random.Random | None) -> None:
        """Write a state that a power cut may leave: the least, or one by chance."""
        self._lay_out(self._root, root, chance)

    def _lay_out(self, folder: _Folder, path: str, chance: random.Random | None) -> None:
        os.mkdir(path, 0o700)
        for name, meaning in _one(folder.versions, chance).items():
            if isinstance(meaning, _Folder):
                self._lay_out(meaning, f"{path}/{name}", chance)
                continue
            fd = os.open(f"{path}/{name}", os.O_WRONLY | os.O_CREAT, 0o600)
            os.write(fd, _one(meaning.versions, chance))
            os.close(fd)

    def _open(self, call: Call) -> None:
        folder, name = os.path.split(call.path)
        if call.path == "." or isinstance(self._folder(folder).now.get(name), _Folder):
            return
        if name not in self._folder(folder).now:
            self._folder(folder).change(name, _File())
        file = self._file(call.path)
        file.position = 0
        file.appends = bool(call.detail & os.O_APPEND)
        if call.detail & os.O_TRUNC:
            file.versions.append(b"")

    @staticmethod
    def _write(file: _File, data: bytes) -> None:
        now = file.versions[-1]
        start = len(now) if file.appends else file.position
        file.versions.append(now[:start] + data + now[start + len(data) :])
        file.position = start + len(data)

    def _at(self, path: str) -> _File | _Folder:
        if os.path.normpath(path) in (".", ""):
            return self._root
        found: _File | _Folder = self._root
        for name in path.split("/"):
            assert isinstance(found, _Folder)
            found = found.now[name]
        return found

    def _folder(self, path: str) -> _Folder:
        found = self._at(path or ".")
        assert isinstance(found, _Folder)
        return found

    def _file(self, path: str) -> _File:
        found = self._at(path)
        assert isinstance(found, _File)
        return found


def _one(versions: Sequence[T], chance: random.Random | None) -> T:
    return chance.choice(versions) if chance else versions[0]
