"""Looks at every byte of the store: what `store check` sees and a `get` does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from openclaw_cli.errors import IntegrityError
from openclaw_cli.model import CURRENT
from openclaw_cli.store.directory import Directory, Entry
from openclaw_cli.store.index import Place
from openclaw_cli.store.reader import Snapshot


@dataclass
class Examined:
    """How much was looked at, and what is damaged, each in words."""

    secrets: int = 0
    versions: int = 0
    damage: list[str] = field(default_factory=list)


def examine(snapshot: Snapshot, tell: Callable[[int], None] = lambda _done: None) -> Examined:
    """Decrypt every version and compare directory, index and layout.

    `tell` is given how many versions have been looked at. Never raises for damage: it is all
    listed, so that one knows what is lost.
    """
    found = Examined()
    try:
        directory = snapshot.directory()
        directory.entries.values()
    except IntegrityError as damaged:
        found.damage.append(damaged.message)
        return found
    found.secrets = len(directory.entries)
    for entry in directory.entries.values():
        for row in entry.rows:
            try:
                snapshot.value(entry.name, row.number, row.place)
            except IntegrityError as damaged:
                found.damage.append(damaged.message)
            found.versions += 1
            tell(found.versions)
    found.damage += _layout(snapshot, directory)
    found.damage += _index(snapshot, directory)
    for entry in directory.entries.values():
        found.damage += _stages(entry)
    return found


def _layout(snapshot: Snapshot, directory: Directory) -> Iterator[str]:
    """Find bytes that belong to no part or to two: nothing can hide between the parts."""
    places = [row.place for entry in directory.entries.values() for row in entry.rows]
    places.append(snapshot.index.directory)
    expected = 0
    for place in sorted(places, key=_offset):
        if place.offset != expected:
            yield f"the parts of the store do not join at byte {snapshot.start + expected}"
            return
        expected += place.length
    if snapshot.start + expected != snapshot.index.file_size:
        yield f"the store goes on after its last part, at byte {snapshot.start + expected}"


def _offset(place: Place) -> int:
    return place.offset


def _index(snapshot: Snapshot, directory: Directory) -> Iterator[str]:
    """Compare what index and directory say of the current versions."""
    alive = 0
    for entry in directory.entries.values():
        row = entry.current()
        if row is None:
            continue
        alive += 1
        found = snapshot.index.find(entry.name)
        if found is None:
            yield f"the index does not know {entry.name}"
            continue
        number, place = found
        there = (number, place.offset, place.length, place.tag)
        if there != (row.number, row.place.offset, row.place.length, row.place.tag):
            yield f"index and directory differ on {entry.name}"
    if len(snapshot.index) != alive:
        yield f"the index knows {len(snapshot.index)} secrets, the directory {alive}"


def _stages(entry: Entry) -> Iterator[str]:
    numbers = [row.number for row in entry.rows]
    if len(set(numbers)) != len(numbers):
        yield f"{entry.name} has two versions of one number"
    if sum(row.stage == CURRENT for row in entry.rows) > 1:
        yield f"{entry.name} has two current versions"
