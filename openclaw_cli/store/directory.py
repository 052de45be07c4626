"""The sealed directory: every secret's name, labels and versions, for whoever asks about many.

It has a line of JSON for each secret, so that a change of one of ten thousand reads and writes one.
`get` of a current value never opens it; its tag is in the index.
"""

from __future__ import annotations

from openclaw_cli.errors import IntegrityError
from openclaw_cli.leanjson import loads
from openclaw_cli.model import CURRENT
from openclaw_cli.store.index import Place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence, ValuesView
    from typing import Any

    Glance = tuple[str, str, str, int, dict[str, Any], int]
    """Name, provider, current version, since when, its rotation, when deleted; times in ms."""

FORMAT = 1


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
        if self.deleted:
            return None
        return next((row for row in self.rows if row.stage == CURRENT), None)

    def version(self, number: int) -> Row | None:
        """Return a version by its number."""
        return next((row for row in self.rows if row.number == number), None)

    def latest(self) -> int:
        """Return the highest number ever given, 0 for none."""
        return max((row.number for row in self.rows), default=0)


class Entries:
    """The secrets by name. Each is read from its line when it is first looked at."""

    __slots__ = ("_found", "_lines", "_looked_at")

    def __init__(self, lines: Sequence[bytes] = ()) -> None:
        self._lines = {line.split(b'"', 2)[1].decode("ascii"): line for line in lines}
        self._found: dict[str, Entry | bytes] = {**self._lines}
        self._looked_at: dict[str, None] = {}  # in their order, so that one change is one file

    def __contains__(self, name: object) -> bool:
        """Tell whether there is a secret of this name, deleted ones included."""
        return name in self._found

    def __iter__(self) -> Iterator[str]:
        """Go through the names."""
        return iter(self._found)

    def __len__(self) -> int:
        """Return how many there are, deleted ones included."""
        return len(self._found)

    def __getitem__(self, name: str) -> Entry:
        """Return a secret's entry; raises `KeyError`."""
        found = self._found[name]
        if isinstance(found, bytes):
            self[name] = found = _entry(_parsed(found))
        return found

    def __setitem__(self, name: str, entry: Entry) -> None:
        """Put an entry in."""
        self._found[name] = entry
        self._looked_at[name] = None

    def __delitem__(self, name: str) -> None:
        """Take an entry out; raises `KeyError`."""
        del self._found[name]
        self._looked_at[name] = None

    def get(self, name: str) -> Entry | None:
        """Return a secret's entry, or None."""
        return self[name] if name in self._found else None

    def values(self) -> ValuesView[Entry]:
        """Return all entries, read at once."""
        unread = [name for name, found in self._found.items() if isinstance(found, bytes)]
        lines = b",".join([self._lines[name] for name in unread])
        for name, each in zip(unread, _parsed(b"[" + lines + b"]"), strict=True):
            self[name] = _entry(each)
        return self._found.values()  # type: ignore[return-value]  # none is a line any more

    def glances(self) -> list[Glance]:
        """Return what a list shows of each secret, as it was written, without making entries."""
        lines = b",".join(self._lines.values())
        return [
            _glance(name, deleted, provider, policy, rows)
            for name, deleted, provider, _, _, policy, rows in _parsed(b"[" + lines + b"]")
        ]

    def deleted(self) -> list[Entry]:
        """Return the entries that are deleted; the others are not read for it."""
        return [
            self[name]
            for name, found in self._found.items()
            if isinstance(found, Entry) or found[len(name) + 4 : len(name) + 6] != b"0,"
            if self[name].deleted
        ]

    def touched(self) -> dict[str, Entry]:
        """Return the entries that were looked at, and so may have changed."""
        return {name: self[name] for name in self._looked_at if name in self._found}

    def before(self) -> dict[str, list[Place]]:
        """Return the places that the touched ones had, and those that were taken out."""
        return {
            name: [row.place for row in _entry(_parsed(self._lines[name])).rows]
            for name in self._looked_at
            if name in self._lines
        }

    def encode(self) -> list[bytes]:
        """Return every line; those that were not looked at are as they were."""
        import json

        return [
            found
            if isinstance(found, bytes)
            else json.dumps(_plain(found), separators=(",", ":")).encode()
            for found in self._found.values()
        ]


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
    first, *lines = plain.split(b"\n")
    try:
        found = loads(first)
        number = found["v"]
        if number != FORMAT:
            from openclaw_cli.fileformat import newer

            raise newer("the store's directory", number, FORMAT)
        directory = Directory()
        directory.extra = found["extra"]
        directory.entries = Entries(lines)
    except (ValueError, IndexError, KeyError, TypeError):
        raise _malformed() from None
    return directory


def encode(directory: Directory) -> bytes:
    """Return the directory's plain bytes."""
    import json

    first = json.dumps({"v": FORMAT, "extra": directory.extra}, separators=(",", ":"))
    return b"\n".join([first.encode(), *directory.entries.encode()])


def _glance(
    name: str, deleted: int, provider: str, policy: dict[str, Any], rows: list[list[Any]]
) -> Glance:
    for number, stage, created, *_ in rows:
        if stage == CURRENT and not deleted:
            return name, provider, str(number), created, policy, 0
    return name, provider, "", deleted, policy, deleted


def _parsed(line: bytes) -> Any:  # noqa: ANN401  JSON is anything
    try:
        return loads(line)
    except ValueError:
        raise _malformed() from None


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
