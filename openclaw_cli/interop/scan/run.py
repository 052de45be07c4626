"""One scan: over trees, histories and what is staged, with a count of what was looked at."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from openclaw_cli.errors import OpenclawError
from openclaw_cli.files import close
from openclaw_cli.interop.scan import git, structured, tree
from openclaw_cli.interop.scan.finding import Finding
from openclaw_cli.interop.scan.stream import Search

_SQLITE = (".sqlite", ".db")
_EVERY = 64  # files between two words of progress


@dataclass(slots=True)
class Scan:
    """What is searched for, and what was looked at so far; `own` are folders left out."""

    search: Search
    key: bytes
    own: frozenset[str] = frozenset()
    say: Callable[[str], None] = lambda _text: None
    files: int = 0
    size: int = 0
    unread: list[tuple[str, str]] = field(default_factory=list)

    def paths(self, paths: Iterable[str], *, history: bool) -> Iterator[Finding]:
        """Yield what is found at and below some paths, in the history of repositories too."""
        seen: set[tuple[int, int]] = set()
        for path in paths:
            known = set()
            for each in tree.files(path, self.unread):
                if os.path.dirname(os.path.abspath(each)) in self.own:
                    continue
                for finding in self._file(each, seen):
                    known.add(finding.fingerprint)
                    yield finding
                if each.endswith(_SQLITE):
                    yield from self._auth_store(each, known)
            if history and git.is_repository(path):
                yield from self._history(path, known)

    def staged(self, path: str) -> Iterator[Finding]:
        """Yield what is found in what is about to be committed."""
        for blob in git.staged(path, self.unread):
            for each in self._blob(blob):
                yield replace(each, blob="")

    def _history(self, path: str, known: set[str]) -> Iterator[Finding]:
        """Yield what is only in the history; one finding for each value and file."""
        told = set()
        for blob in git.history(path, self.unread):
            for finding in self._blob(blob):
                entry = (finding.path, finding.fingerprint)
                if finding.fingerprint not in known and entry not in told:
                    told.add(entry)
                    yield finding

    def _blob(self, blob: git.Blob) -> Iterator[Finding]:
        self._count(blob.size)
        if structured.is_structured(blob.path) and blob.size <= structured.MOST:
            yield from self._structured(blob.path, blob.read(blob.size), blob.name)
        else:
            yield from self.search.findings(blob.read, blob.path, blob.name)

    def _file(self, path: str, seen: set[tuple[int, int]]) -> Iterator[Finding]:
        try:
            fd = tree.opened(path)
        except OSError as refused:
            self.unread.append((path, tree.why(refused)))
            return
        try:
            found = os.fstat(fd)
            if (found.st_dev, found.st_ino) in seen:
                return
            seen.add((found.st_dev, found.st_ino))
            self._count(found.st_size)
            if structured.is_structured(path) and found.st_size <= structured.MOST:
                yield from self._structured(path, _whole(fd, found.st_size))
            else:
                yield from self.search.findings(lambda size: os.read(fd, size), path)
        except OSError as refused:
            self.unread.append((path, tree.why(refused)))
        finally:
            close(fd)

    def _auth_store(self, path: str, known: set[str]) -> Iterator[Finding]:
        """Yield what a database says of itself: a text may lie in pieces in its pages."""
        try:
            every = list(structured.of_auth_store(path, self.key))
        except OpenclawError as refused:
            self.unread.append((path, refused.message))
            return
        for finding in every:
            if finding.fingerprint not in known:
                yield finding

    def _structured(self, path: str, data: bytes, blob: str = "") -> Iterator[Finding]:
        return self.search.whole(data, path, blob, structured.spans(path, data))

    def _count(self, size: int) -> None:
        self.files += 1
        self.size += size
        if not self.files % _EVERY:
            self.say(f"{self.files} files, {self.size // 1024 // 1024} MiB")


def _whole(fd: int, size: int) -> bytes:
    pieces = []
    left = size
    while left > 0 and (piece := os.read(fd, left)):
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)
