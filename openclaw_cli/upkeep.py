"""Looking after the store itself: its key slots, its data key, its copies, and what was put back.

What changes it is announced and recorded as every change is; `committing.py` has the steps.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from openclaw_cli.audit.head import FILE as HEAD
from openclaw_cli.audit.head import check_generation
from openclaw_cli.audit.trail import FILE as TRAIL
from openclaw_cli.audit.trail import LOCK as AUDIT_LOCK
from openclaw_cli.cache import clear
from openclaw_cli.errors import (
    ConflictError,
    IntegrityError,
    LockedError,
    NotFoundError,
    OpenclawError,
    UsageError,
)
from openclaw_cli.files import Directory, failure, private_directory
from openclaw_cli.store.check import examine
from openclaw_cli.store.commit import LOCK, Draft, UnknownDurabilityError, continued
from openclaw_cli.store.header import MAX_FILE, Header, Slot
from openclaw_cli.store.keys import session, slots
from openclaw_cli.store.reader import FILE, Snapshot, header_alone, open_snapshot
from openclaw_cli.store.rekey import rekey

if TYPE_CHECKING:
    from openclaw_cli.changes import Changes
    from openclaw_cli.service import Secrets

REPLACED = FILE + ".replaced"


@dataclass
class Restored:
    """What a restore did: to which state, and what became of what was there."""

    generation: int
    secrets: int
    notes: dict[str, Any] = field(default_factory=dict)


class Upkeep:
    """Looks after the store of one home."""

    def __init__(self, secrets: Secrets, changes: Changes) -> None:
        self._secrets = secrets
        self._changes = changes
        self._home = secrets.home

    def found(self, given: dict[str, bytes]) -> None:
        """Make a store with a slot of each kind in `given`, which holds what a person gave for it.

        Raises `ConflictError` where there is one, and what the kinds raise.
        """

        def prepare(draft: Draft) -> None:
            for kind, text in given.items():
                slots.add(self._home, draft.header, draft.data_key, kind, text)

        self._changes.found(prepare)

    def header(self) -> Header:
        """Return the header of the store, read without a key; raises `NotFoundError`."""
        try:
            folder = Directory(self._home.secrets)
        except FileNotFoundError:
            raise self._none() from None
        try:
            return header_alone(folder)
        except FileNotFoundError:
            raise self._none() from None
        finally:
            folder.close()

    def open(self) -> Snapshot:
        """Open the present state; raises `NotFoundError` where there is no store."""
        snapshot = self._secrets.open()
        if snapshot is None:
            raise self._none()
        return snapshot

    def add_slot(self, kind: str, given: bytes) -> Slot:
        """Add a slot; return it. `given` is what a person gave for it."""
        snapshot = self.open()
        snapshot.close()
        store = snapshot.header.store
        # Made before the store's lock is taken: a keyring may be slow to answer.
        slot, wrapping_key = slots.made(self._home, store, kind, given)

        def change(draft: Draft) -> Slot:
            slots.attach(draft.header, slot, draft.data_key, wrapping_key)
            return slot

        try:
            return self._changes.change_store("slot_add", {"slot": kind}, change)
        except UnknownDurabilityError:
            raise  # the slot is there, and needs its key
        except OpenclawError:
            slots.load(kind).forget(store, slot)
            raise

    def remove_slot(self, which: str) -> tuple[Slot, int]:
        """Take a slot away; return it, and how many are left.

        `which` is its id, or its kind where that names one. The last one is a `ConflictError`.
        """
        self.open().close()

        def change(draft: Draft) -> tuple[bytes, Slot, int]:
            slot = named(draft.header, which)
            if len(draft.header.slots) == 1:
                raise ConflictError(
                    "it is the last key slot: without it nobody could open the store",
                    hint="add another first: openclaw store slots add passphrase",
                )
            draft.header.slots.remove(slot)
            return draft.header.store, slot, len(draft.header.slots)

        store, slot, left = self._changes.change_store("slot_remove", {"slot": which}, change)
        slots.load(slot.kind).forget(store, slot)
        return slot, left

    def rekey(self, wrapping_keys: dict[bytes, bytes]) -> int:
        """Give the store a new data key; return its epoch.

        `wrapping_keys` has the key of each slot that is to stay, by its id. Raises `ConflictError`
        when the slots are not those any more.
        """
        self.open().close()

        def change(draft: Draft) -> tuple[bytes, int]:
            if not wrapping_keys or not wrapping_keys.keys() <= {s.id for s in draft.header.slots}:
                raise ConflictError("the key slots were changed meanwhile", hint="try again")
            rekey(draft, os.urandom(32), wrapping_keys)
            return draft.header.store, draft.header.epoch

        store, epoch = self._changes.change_store("store_rekey", {}, change)
        with suppress(OpenclawError):  # neither opens with the new key any more
            session.end(store)
            clear(f"{self._home.secrets}/cache")
        return epoch

    def rekey_quietly(self) -> int:
        """Give the store a new data key without asking anybody; return its epoch.

        Raises `LockedError` where a slot's key is a person's, and nothing is changed.
        """
        header = self.header()
        keys = {}
        for slot in header.slots:
            if slots.load(slot.kind).ASKS:
                raise LockedError(
                    f"a {slot.kind} slot keeps the data key from being renewed unattended",
                    hint="openclaw store rekey",
                )
            keys[slot.id] = slots.wrapping_key(self._home, header, slot, b"")
        return self.rekey(keys)

    def copied(self, to: str) -> bytes:
        """Return the whole store as it lies there, verified, with a record of where it goes."""
        snapshot = self.open()
        try:
            damage = examine(snapshot).damage
            if damage:
                raise IntegrityError(
                    f"the store is damaged, and so would be its copy: {damage[0]}",
                    hint="openclaw store check",
                )
            event = {
                "kind": "store_backup",
                "to": to,
                "generation": snapshot.header.generation,
                "outcome": "ok",
                "actor": self._secrets.actor,
            }
            self._secrets.trail.append([event])
            return snapshot.whole()
        finally:
            snapshot.close()

    def unlocked(self, slot: str) -> None:
        """Record that the store is kept unlocked; the caller has opened it."""
        event = {"kind": "store_unlock", "slot": slot, "outcome": "ok"}
        self._secrets.trail.append([{**event, "actor": self._secrets.actor}])

    def lock(self) -> bool:
        """Forget an unlocked store's key; tell whether there was one.

        Its record comes after: what keeps it from being made must not keep the store open.
        """
        store = self.header().store
        with suppress(OpenclawError):
            self.open().close()  # the trail needs its key
        there = session.end(store)
        if there and self._secrets.trail.key:
            event = {"kind": "store_lock", "outcome": "ok", "actor": self._secrets.actor}
            with suppress(OpenclawError):
                self._secrets.trail.append([event])
        return there

    def drilled(self, backup: Header, *, opened_by: str) -> int | None:
        """Record that a backup was opened for trial; return how many changes it is behind.

        None where the store here is another one, or none: then there is nothing to record it in.
        """
        try:
            snapshot = self._secrets.open()
        except LockedError:
            return None
        if snapshot is None:
            return None
        header = snapshot.header
        snapshot.close()
        event = {"kind": "store_drill", "generation": backup.generation, "slot": opened_by}
        self._secrets.trail.append([{**event, "outcome": "ok", "actor": self._secrets.actor}])
        return header.generation - backup.generation if header.store == backup.store else None

    def restore(self, backup: Snapshot, *, replace: bool) -> Restored:
        """Put a backup in place, above every state that is known here.

        The backup must have been examined. A store of another id is replaced only with `replace`,
        else `ConflictError`; what cannot be opened with the backup's keys is kept beside it.
        """
        with self._locked() as folder:
            notes = self._make_way(folder, backup, replace=replace)
            notes |= self._take_up_trail(backup)
            generation = self._above_all(backup)
            self._changes.settle(backup)
            draft = continued(backup)
            draft.header.generation = generation
            event = {"kind": "store_restore", "generation": backup.header.generation, **notes}
            self._changes.put(folder, draft, event, None)
            return Restored(draft.header.generation, len(draft.directory.entries), notes)

    def rollback(self) -> str:
        """Say in words what was put back or lost, "" when nothing was."""
        raw = self._secrets.trail.read_head()
        try:
            folder = Directory(self._home.secrets)
        except FileNotFoundError:
            raise self._none() from None
        snapshot = self._present(folder)
        try:
            return self._trouble(raw, snapshot)
        finally:
            snapshot.close()
            folder.close()

    def accept_rollback(self) -> dict[str, Any]:
        """Take the store and the trail as they are, above every state known; return what was lost.

        Raises `ConflictError` when nothing was put back.
        """
        with self._locked() as folder:
            raw = self._secrets.trail.read_head()
            snapshot = self._present(folder)
            try:
                trouble = self._trouble(raw, snapshot)
                if not trouble:
                    raise ConflictError("nothing was put back: store and trail agree")
                notes = self._take_up_trail(snapshot)
                generation = self._above_all(snapshot)
                self._changes.settle(snapshot)
                draft = continued(snapshot)
                draft.header.generation = generation
                event = {"kind": "rollback_accepted", "reason": trouble, **notes}
                self._changes.put(folder, draft, event, None)
            finally:
                snapshot.close()
            return notes

    @contextmanager
    def _locked(self) -> Iterator[Directory]:
        folder = private_directory(self._home.secrets)
        try:
            with folder.lock(LOCK):
                yield folder
        finally:
            folder.close()

    def _present(self, folder: Directory) -> Snapshot:
        """Open the store whatever the trail says of its age."""
        try:
            return open_snapshot(folder, self._secrets.unlock)
        except FileNotFoundError:
            raise self._none() from None

    def _trouble(self, raw: bytes, snapshot: Snapshot) -> str:
        trail = self._secrets.trail
        try:
            trail.bind(snapshot.header, snapshot.index.audit_key)
            check_generation(trail.known(raw), snapshot.header, snapshot.tag)
            trail.tip()
            if self._secrets.anchor:
                header, key = snapshot.header, snapshot.index.audit_key
                elsewhere = self._secrets.anchor.current(header.store)
                self._secrets.anchor.check(elsewhere, key, header, snapshot.tag)
        except IntegrityError as refused:
            return refused.message
        return ""

    def _above_all(self, snapshot: Snapshot) -> int:
        """Return a generation above every one that is known here; the trail has been taken up."""
        known = [snapshot.header.generation, self._secrets.trail.tip().generation]
        if self._secrets.anchor:
            key, store = snapshot.index.audit_key, snapshot.header.store
            known.append(self._secrets.anchor.generation(key, store))
        return max(known) + 1

    def _make_way(self, folder: Directory, backup: Snapshot, *, replace: bool) -> dict[str, Any]:
        """Keep a copy of a store that is not an earlier or later state of the backup's."""
        try:
            there = folder.read(FILE, MAX_FILE)
        except FileNotFoundError:
            return {}
        try:
            found = header_alone(folder)
        except OpenclawError:
            found = None
        if found and found.store != backup.header.store and not replace:
            raise ConflictError(
                f"there is another store in {folder.path}",
                hint="add --replace; the store that is there is kept beside it",
            )
        if (
            found
            and found.store == backup.header.store
            and found.commitment == backup.header.commitment
        ):
            return {}
        folder.replace(REPLACED, [there])
        return {"replaced": folder.where(REPLACED)}

    def _take_up_trail(self, snapshot: Snapshot) -> dict[str, Any]:
        """Bind the trail as far as it verifies by itself; return what the record says is lost.

        A trail that does not verify, or is of another store, is put into a folder of its own.
        """
        floor = snapshot.header.floor_seq
        unfloored = snapshot.header.copy()
        unfloored.floor_seq = 0
        trail = self._secrets.trail
        trail.bind(unfloored, snapshot.index.audit_key)
        try:
            tip = trail.tip()
        except IntegrityError:
            aside = self._set_aside()
            trail.tip()
            return {"trail_aside": aside}
        if tip.seq < floor:
            return {"lost_from": tip.seq + 1, "lost_to": floor}
        return {}

    def _set_aside(self) -> str:
        """Move the files of the trail into a folder beside the new one; return its path."""
        folder = private_directory(self._home.audit)
        try:
            with folder.lock(AUDIT_LOCK):
                name = time.strftime("aside-%Y%m%dT%H%M%SZ", time.gmtime())
                aside = private_directory(folder.where(name))
                for each in sorted(os.listdir(folder.path)):
                    if each in (HEAD, TRAIL) or each.startswith("trail-"):
                        folder.rename(each, f"{name}/{each}")
                aside.sync()
                folder.sync()
                aside.close()
                return folder.where(name)
        except OSError as refused:
            raise failure("move", folder.path, refused) from None
        finally:
            folder.close()

    def _none(self) -> NotFoundError:
        return NotFoundError(
            f"there is no store in {self._home.secrets} yet", hint="openclaw store init"
        )


def named(header: Header, which: str) -> Slot:
    """Return the slot with this id, or the only one of this kind."""
    found = [slot for slot in header.slots if which in (slot.id.hex(), slot.kind)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise NotFoundError(f"the store has no key slot {which}", hint="openclaw store slots")
    ids = " or ".join(slot.id.hex() for slot in found)
    raise UsageError(f"the store has {len(found)} {which} slots", hint=f"name one by its id: {ids}")
