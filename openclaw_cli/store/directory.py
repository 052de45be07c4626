"""The sealed directory: every secret's name, labels and versions, for whoever asks about many.

It is one JSON object. `get` of a current value never opens it; its tag is in the index.
"""

from __future__ import annotations

from openclaw_cli.errors import ConfigError, IntegrityError
from openclaw_cli.leanjson import loads
from openclaw_cli.model import CURRENT
from openclaw_cli.store.index import Place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

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


class Directory:
    """All entries by name, and what later parts of the program keep beside them."""

    __slots__ = ("entries", "extra")

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        self.extra: dict[str, Any] = {}


def decode(plain: bytes) -> Directory:
    """Read an opened directory.

    Raises `ConfigError` for a newer format, `IntegrityError` for what no version of us wrote.
    """
    try:
        found = loads(plain)
        if found["v"] != FORMAT:
            raise ConfigError(
                f"the store's directory has format {found['v']:d}, this program knows {FORMAT}",
                hint="install a newer openclaw-cli",
            )
        directory = Directory()
        directory.extra = found["extra"]
        for each in found["secrets"]:
            entry = _entry(each)
            directory.entries[entry.name] = entry
    except (ValueError, KeyError, TypeError):
        raise IntegrityError("the store's directory is malformed") from None
    return directory


def encode(directory: Directory) -> bytes:
    """Return the directory's plain bytes."""
    import json

    found = {
        "v": FORMAT,
        "secrets": [_plain(each) for each in directory.entries.values()],
        "extra": directory.extra,
    }
    return json.dumps(found, separators=(",", ":")).encode()


def _entry(found: list[Any]) -> Entry:
    name, provider, created, deleted, labels, policy, rows = found
    entry = Entry(name, provider, created)
    entry.deleted = deleted
    entry.labels = labels
    entry.policy = policy
    entry.rows = [_row(*row) for row in rows]
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
        entry.provider,
        entry.created,
        entry.deleted,
        entry.labels,
        entry.policy,
        rows,
    ]
