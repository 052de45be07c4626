"""The sealed directory: every secret's name, labels and versions, for whoever asks about many.

It has a line of JSON for each secret, so that a change of one of ten thousand reads and writes one.
`get` of a current value never opens it; its tag is in the index.
"""

from __future__ import annotations

from openclaw_cli.errors import IntegrityError
from openclaw_cli.leanjson import dumps, scan
from openclaw_cli.model import CURRENT
from openclaw_cli.store.index import Place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    Glance = tuple[str, str, str, int, dict[str, Any], int]
    """Name, provider, current version, since when, its rotation, when deleted; times in ms."""

FORMAT = 1

_FEW = 16  # lines that are found one by one; a pass over all of them costs as much


class Row:
    """One version of a secret: its number, stage, times in milliseconds since 1970, and place.

    `origin` is how it came: set, generate, import, rollback. A row that is new in a change has
    its sealed bytes in `sealed` and no place yet.
    """

    __slots__ = ("created", "number", "origin", "place", "sealed", "since", "stage")

    def __init__(
        self, number: int, stage: str, created: int, since: int, origin: str, place: Place
    ) -> None:
        self.number = number
        self.stage = stage
        self.created = created
        self.since = since
        self.origin = origin
        self.place = place
        self.sealed = b""


class Entry:
    """What the store knows of one secret besides its values.

    `deleted` is when it was deleted, in milliseconds since 1970, or 0. `policy` is the rotation's,
    kept here so that one commit changes both.
    """

    __slots__ = ("created", "deleted", "labels", "name", "policy", "provider", "rows")

    def __init__(self, name: str, provider: str, created: int) -> None:
        self.name = name
        self.provider = provider
        self.created = created
        self.deleted = 0
        self.labels: dict[str, str] = {}
        self.policy: dict[str, Any] = {}
        self.rows: list[Row] = []

    def current(self) -> Row | None:
        """Return the version that `get` gives, or None while the secret is deleted."""
        if not self.deleted:
            for row in self.rows:
                if row.stage == CURRENT:
                    return row
        return None

    def version(self, number: int) -> Row | None:
        """Return a version by its number."""
        return next((row for row in self.rows if row.number == number), None)

    def latest(self) -> int:
        """Return the highest number ever given, 0 for none."""
        return max((row.number for row in self.rows), default=0)


class Entries:
    """The secrets by name. Each is read from its line when it is first looked at.

    `plain` is the opened directory: its first line is not a secret's, and a newline begins every
    other one. A change of a few finds their lines and leaves the rest of it as it is.
    """

    __slots__ = ("_all", "_every", "_lines", "_looked_at", "_plain")

    def __init__(self, plain: bytes = b"") -> None:
        self._plain = plain
        self._looked_at: dict[str, Entry | None] = {}  # in order, so that one change is one file
        self._lines: dict[str, slice | None] = {}
        self._every = False  # whether all lines were found
        self._all = not plain  # and all looked at

    def __contains__(self, name: object) -> bool:
        """Tell whether there is a secret of this name, deleted ones included."""
        return isinstance(name, str) and self.get(name) is not None

    def __iter__(self) -> Iterator[str]:
        """Go through the names; all are read for it."""
        return iter([each.name for each in self.values()])

    def __len__(self) -> int:
        """Return how many there are, deleted ones included; all are read for it."""
        return len(self.values())

    def __getitem__(self, name: str) -> Entry:
        """Return a secret's entry; raises `KeyError`."""
        found = self.get(name)
        if found is None:
            raise KeyError(name)
        return found

    def __setitem__(self, name: str, entry: Entry) -> None:
        """Put an entry in."""
        self._looked_at[name] = entry

    def __delitem__(self, name: str) -> None:
        """Take an entry out; raises `KeyError`."""
        self._looked_at[self[name].name] = None

    def get(self, name: str) -> Entry | None:
        """Return a secret's entry, or None."""
        if name not in self._looked_at:
            line = self._line(name)
            self._looked_at[name] = self._read(line) if line else None
        return self._looked_at[name]

    def values(self) -> list[Entry]:
        """Return all entries, read at once."""
        if not self._all:
            seen = self._looked_at
            found = map(_entry, self._parsed())
            self._looked_at = {each.name: seen.get(each.name, each) for each in found} | seen
            self._all = True
        return [each for each in self._looked_at.values() if each is not None]

    def glances(self) -> list[Glance]:
        """Return what a list shows of each secret, as it was written, without making entries."""
        try:
            return [
                _glance(name, deleted, provider, policy, rows)
                for name, deleted, provider, _, _, policy, rows in self._parsed()
            ]
        except (ValueError, TypeError):
            raise _malformed() from None

    def lines(self) -> int:
        """Return how many there were when it was opened, deleted ones included."""
        return self._plain.count(b"\n")

    def deleted(self) -> list[Entry]:
        """Return the entries that are deleted; the others are not read for it."""
        import re

        lines = re.findall(rb'\n\["([^"]*)",[^0]', self._plain)
        names = dict.fromkeys(
            [*(name.decode(errors="replace") for name in lines), *self._looked_at]
        )
        return [each for name in names if (each := self.get(name)) and each.deleted]

    def touched(self) -> dict[str, Entry]:
        """Return the entries that were looked at, and so may have changed."""
        return {name: each for name, each in self._looked_at.items() if each is not None}

    def before(self) -> dict[str, list[Place]]:
        """Return the places that the touched ones had, and those that were taken out."""
        return {
            name: [row.place for row in self._read(line).rows]
            for name in self._looked_at
            if (line := self._line(name))
        }

    def encode(self, first: bytes) -> bytes:
        """Return the plain directory behind its first line; what was not looked at is as it was."""
        changed, new = [], []
        for name, entry in self._looked_at.items():
            plain = b"" if entry is None else b"\n" + dumps(_plain(entry)).encode()
            line = self._line(name)
            if line:
                changed.append((line.start, line.stop, plain))
            else:
                new.append(plain)
        before, at = memoryview(self._plain), _end(self._plain, 0)
        pieces: list[bytes | memoryview] = [first]
        for start, end, plain in sorted(changed):
            pieces += [before[at:start], plain]
            at = end
        return b"".join([*pieces, before[at:], *new])

    def _read(self, line: slice) -> Entry:
        return _entry(_parsed(self._plain[line]))

    def _parsed(self) -> list[Any]:
        """Return every line, parsed."""
        found: list[Any] = _parsed(b"[%s]" % self._plain.replace(b"\n", b","))[1:]
        return found

    def _line(self, name: str) -> slice | None:
        """Return where a secret's line lies, with the newline before it; None for none."""
        if name not in self._lines and not self._every:
            if len(self._lines) < _FEW:
                self._lines[name] = self._find(name)
            else:
                self._lines |= self._find_every()
                self._every = True
        return self._lines.get(name)

    def _find(self, name: str) -> slice | None:
        start = self._plain.find(b"\n[%s," % dumps(name).encode())
        return None if start < 0 else slice(start, _end(self._plain, start + 1))

    def _find_every(self) -> dict[str, slice]:
        first, *lines = self._plain.split(b"\n")
        found, at = {}, len(first)
        for line in lines:
            end = at + 1 + len(line)
            name = line[2 : line.find(b'"', 2)].decode(errors="replace")
            found[name] = slice(at, end)
            at = end
        return found


class Directory:
    """All entries by name, and what later parts of the program keep beside them."""

    __slots__ = ("entries", "extra")

    def __init__(self) -> None:
        self.entries = Entries()
        self.extra: dict[str, Any] = {}


def decode(plain: bytes) -> Directory:
    """Read an opened directory.

    Raises `ConfigError` for a newer format, `IntegrityError` for what no version of us wrote.
    """
    found = _parsed(plain[: _end(plain, 0)])
    try:
        number, extra = found["v"], found["extra"]
    except (KeyError, TypeError):
        raise _malformed() from None
    if number != FORMAT:
        from openclaw_cli.fileformat import newer

        raise newer("the store's directory", number, FORMAT)
    directory = Directory()
    directory.extra = extra
    directory.entries = Entries(plain)
    return directory


def encode(directory: Directory) -> bytes:
    """Return the directory's plain bytes."""
    first = dumps({"v": FORMAT, "extra": directory.extra}).encode()
    return directory.entries.encode(first)


def _glance(
    name: str, deleted: int, provider: str, policy: dict[str, Any], rows: list[list[Any]]
) -> Glance:
    for number, stage, created, *_ in rows:
        if stage == CURRENT and not deleted:
            return name, provider, str(number), created, policy, 0
    return name, provider, "", deleted, policy, deleted


def _end(plain: bytes, start: int) -> int:
    """Return where the line ends that begins there."""
    end = plain.find(b"\n", start)
    return len(plain) if end < 0 else end


def _parsed(text: bytes) -> Any:  # noqa: ANN401  JSON is anything
    r"""Return the value that a text of ours holds; it may be a line with its "\n" in front."""
    try:
        plain = text.decode("ascii")
        value, end = scan(plain, plain.startswith("\n"))
    except (ValueError, StopIteration, RecursionError, SystemError):
        raise _malformed() from None
    if end != len(plain):
        raise _malformed()
    return value


def _malformed() -> IntegrityError:
    return IntegrityError("the store's directory is malformed", hint="openclaw store check")


def _entry(found: list[Any]) -> Entry:
    try:
        name, deleted, provider, created, labels, policy, rows = found
        entry = Entry(name, provider, created)
        entry.deleted = deleted
        entry.labels = labels
        entry.policy = policy
        entry.rows = [_row(*row) for row in rows]
    except (ValueError, TypeError):
        raise _malformed() from None
    if not isinstance(name, str):
        raise _malformed()
    return entry


def _row(
    number: int,
    stage: str,
    created: int,
    since: int,
    origin: str,
    offset: int,
    length: int,
    tag: str,
) -> Row:
    return Row(number, stage, created, since, origin, Place(offset, length, bytes.fromhex(tag)))


def _plain(entry: Entry) -> list[Any]:
    rows = [
        [
            row.number,
            row.stage,
            row.created,
            row.since,
            row.origin,
            row.place.offset,
            row.place.length,
            row.place.tag.hex(),
        ]
        for row in entry.rows
    ]
    return [
        entry.name,
        entry.deleted,
        entry.provider,
        entry.created,
        entry.labels,
        entry.policy,
        rows,
    ]
