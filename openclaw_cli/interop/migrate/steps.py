"""The steps of a migration, in the order in which an interruption loses nothing.

A sealed backup, then the values into the store and read back, then references in their places, one
file after another, each replaced as a whole. Whoever runs it again goes on with what is left, since
what has become a reference is no plain text any more.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from openclaw_cli import newfile
from openclaw_cli.errors import IntegrityError, NotFoundError, OpenclawError
from openclaw_cli.interop import auth_store, config_file, places
from openclaw_cli.interop.migrate import edits
from openclaw_cli.interop.migrate.plan import CONFIG, DOTENV, MODELS, OWN, PROFILES, ROW, Plan, Spot
from openclaw_cli.interop.migrate.sealed import KEY, KEY_NAME, Backups, Original
from openclaw_cli.interop.migrate.shredding import BEGUN, shred
from openclaw_cli.model import SecretValue

if TYPE_CHECKING:
    from openclaw_cli.home import Home
    from openclaw_cli.interop.gateway import Gateway

_MANAGED_SINCE = (2026, 3, 0)  # from here on generated files have a mark in place of a reference


@dataclass(slots=True)
class Store:
    """What a migration does with the store: `keep` several in one commit, `read` one back."""

    keep: Callable[[dict[str, SecretValue]], object]
    read: Callable[[str], SecretValue]


@dataclass(slots=True)
class Migration:
    """One run: the plan, for which gateway, under which provider's name, into which store."""

    plan: Plan
    home: Home
    store: Store
    gateway: Gateway | None
    provider: str
    table: dict[str, Any]
    shred: bool = False
    say: Callable[[str], None] = lambda _text: None
    backup: str = ""
    _name: str = field(default_factory=lambda: f"{time.time_ns()}")

    def run(self) -> None:
        """Do all of it; an error leaves what was done, and another run goes on from there."""
        backups = Backups(self.home)
        self.say("keeping the values")
        keep(self.plan, self.store)
        self.say("sealing a backup")
        edited, rows = self._edited(), self._edited_rows()
        originals = list(self._originals(edited, rows))
        self.backup = backups.write(self._name, self._key(), self.provider, originals)
        self.say("putting references in their places")
        config = os.path.realpath(self.gateway.config) if self.gateway else ""
        for path, (file, after) in edited.items():  # the configuration first: it names the provider
            config_file.put(file, after, self.gateway if path == config else None)
        for row, text in rows:
            auth_store.replace(row, text)
        self._copies({each.before for each in originals})
        self.backup = backups.finish(self._name)

    def _key(self) -> bytes:
        try:
            return self.store.read(KEY_NAME).reveal()
        except NotFoundError:
            self.store.keep({KEY_NAME: SecretValue(os.urandom(KEY))})
            return self.store.read(KEY_NAME).reveal()

    def _originals(
        self,
        edited: Mapping[str, tuple[config_file.File, bytes]],
        rows: Iterable[tuple[auth_store.Row, str]],
    ) -> Iterable[Original]:
        spots = _by_path(self.plan, CONFIG, PROFILES, MODELS, ROW)
        for path, (changed, after) in edited.items():
            keys = [spot.keys for spot in spots.get(path, ())]
            yield Original(path, "", changed.data, after, _literals(changed.text, path, keys))
        for row, text in rows:
            keys = [spot.keys for spot in spots[row.path] if spot.table == row.table]
            literals = _literals(row.text, row.path, keys)
            yield Original(row.path, row.table, row.text.encode(), text.encode(), literals)
        for path in self.plan.copies if self.shred else ():
            file = config_file.read(path)
            if file is not None and not path.endswith(BEGUN):
                yield Original(path, "", file.data, b"", [], removed=True)

    def _edited(self) -> dict[str, tuple[config_file.File, bytes]]:
        """Return the files that change, as they are and as they are to be."""
        kinds = _by_path(self.plan, CONFIG, PROFILES, DOTENV, MODELS, OWN)
        config = os.path.realpath(self.gateway.config) if self.gateway else ""
        found = {}
        for path in dict.fromkeys((*([config] if config else ()), *kinds)):
            file = config_file.read(path)
            if file is None:
                continue
            text = self._configured(file.text, path) if path == config else file.text
            for kind in dict.fromkeys(spot.kind for spot in kinds.get(path, ())):
                spots = [spot for spot in kinds[path] if spot.kind == kind]
                text = self._changed(text, path, kind, spots)
            if text != file.text:
                found[path] = file, text.encode()
        return found

    def _configured(self, text: str, path: str) -> str:
        references = self._references(_by_path(self.plan, CONFIG).get(path, []))
        added = {
            keys: edits.reference(self.provider, name) for keys, name in self.plan.added.items()
        }
        return edits.configuration(text, path, self.provider, self.table, references, added)

    def _changed(self, text: str, path: str, kind: str, spots: list[Spot]) -> str:
        if kind == PROFILES:
            return edits.profiled(text, path, self._references(spots))
        if kind == DOTENV:
            return edits.without_lines(text, [spot.keys[0] for spot in spots])
        if kind == MODELS:
            references = self._references(spots)
            if self.gateway is not None and self.gateway.version >= _MANAGED_SINCE:
                return edits.referred(text, path, dict.fromkeys(references, places.MANAGED))
            return edits.referred(text, path, references)
        if kind == OWN:
            for spot in spots:
                text = edits.without_member(text, path, spot.keys)
        return text

    def _references(self, spots: Iterable[Spot]) -> dict[tuple[str, ...], dict[str, str]]:
        wanted = set(spots)
        return {
            spot.keys: edits.reference(self.provider, move.name)
            for move in self.plan.moves
            for spot in move.spots
            if spot in wanted
        }

    def _edited_rows(self) -> list[tuple[auth_store.Row, str]]:
        """Return the rows of auth stores that change, and the text that each is to have."""
        found = []
        for path, spots in _by_path(self.plan, ROW).items():
            for row in auth_store.rows(path):
                here = [spot for spot in spots if spot.table == row.table]
                text = edits.profiled(row.text, path, self._references(here))
                for spot in here:
                    if spot in self.plan.dropped:
                        text = edits.without_member(text, f"{path}.json", spot.keys[:2])
                if text != row.text:
                    found.append((row, text))
        return found

    def _copies(self, sealed: set[bytes]) -> None:
        """Shred the copies that are in the backup, as they are now, and what is left of others."""
        for path in self.plan.copies if self.shred else ():
            file = config_file.read(path)
            if file is not None and (file.data in sealed or path.endswith(BEGUN)):
                shred(path)


def keep(plan: Plan, store: Store) -> None:
    """Keep every value, and read each back before anything else is touched."""
    values = {move.name: move.value for move in plan.moves}
    if values:
        store.keep(values)
    for name, value in values.items():
        if store.read(name).reveal() != value.reveal():
            raise IntegrityError(f"{name} does not come back as it was kept")


def undo(home: Home, store: Store) -> tuple[list[str], list[str]]:
    """Put back what the last migration changed; return the files, and those that it left alone.

    A file that nobody changed since becomes what it was, byte for byte. In one that was changed,
    the values take the place of our references, and the rest stays.
    """
    backups = Backups(home)
    files = backups.to_undo()
    if not files:
        raise NotFoundError("there is no migration to undo")
    key = store.read(KEY_NAME).reveal()
    done: list[str] = []
    kept: list[str] = []
    for file in files:
        provider, originals = backups.read(file, key)
        for each in originals:
            (done if _put_back(each, provider) else kept).append(each.path)
        backups.undone(file)
    return list(dict.fromkeys(done)), list(dict.fromkeys(kept))


def _put_back(original: Original, provider: str) -> bool:
    """Put one back; tell whether that was possible."""
    literals = {tuple(keys): text for keys, text in original.literals}
    if original.table:
        for row in auth_store.rows(original.path):
            if row.table == original.table:
                unchanged = row.text.encode() == original.after
                after = (
                    original.before.decode()
                    if unchanged
                    else edits.restored(row.text, original.path, literals, provider)
                )
                if after != row.text:
                    auth_store.replace(row, after)
                return True
        return False
    file = config_file.read(original.path)
    if file is None:
        newfile.write(original.path, [original.before])
        with suppress(FileNotFoundError):
            os.unlink(f"{original.path}{BEGUN}")
        return True
    if file.data in (original.before, original.after):
        config_file.put(file, original.before)
        return True
    if original.removed:
        return False
    if literals:  # what somebody else wrote into it meanwhile stays
        after = edits.restored(file.text, original.path, literals, provider)
        config_file.put(file, after.encode())
        return True
    if os.path.basename(file.path) == ".env":
        config_file.put(file, _lines_back(file.text, original.before.decode()).encode())
        return True
    return False


def _lines_back(text: str, before: str) -> str:
    there = {line.name for line in places.in_dotenv(text)}
    gone = [line for line in places.in_dotenv(before) if line.name not in there]
    gap = "" if not text or text.endswith("\n") else "\n"
    return text + gap + "".join(before[line.start : line.end] for line in gone)


def _by_path(plan: Plan, *kinds: str) -> dict[str, list[Spot]]:
    found: dict[str, list[Spot]] = {}
    for _, spot in plan.spots(*kinds):
        found.setdefault(spot.path, []).append(spot)
    return found


def _literals(text: str, path: str, keys: Iterable[tuple[str, ...]]) -> list[tuple[list[str], str]]:
    with suppress(OpenclawError):
        return [(list(each), literal) for each, literal in edits.literals(text, path, keys).items()]
    return []
