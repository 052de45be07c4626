"""Committing a change of the store: announced in the trail, put in place, its outcome recorded.

Every change goes through `Commits.amend`, which takes the store's lock, so that there is one
writer, and orders the steps so that a crash between any two leaves either the old state or the new
one, and a trail that tells which.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from openclaw_cli.audit.trail import INTENT, Receipt
from openclaw_cli.errors import ConflictError, IntegrityError, OpenclawError
from openclaw_cli.files import private_directory
from openclaw_cli.service import LOCAL
from openclaw_cli.store.commit import (
    LOCK,
    Draft,
    UnknownDurabilityError,
    continued,
    founded,
    put_in_place,
)
from openclaw_cli.store.index import count
from openclaw_cli.store.keys import file, slots
from openclaw_cli.store.reader import FILE, Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

    from openclaw_cli.files import Directory
    from openclaw_cli.service import Secrets

T = TypeVar("T")

KEEP_DELETED = 30  # days
_DAY = 24 * 3600 * 1000  # milliseconds


class Commits:
    """Commits changes of one home's store on behalf of one actor.

    `keep_deleted` is for how many days a deleted secret can be restored; each commit forgets those
    that were deleted before. `founded` tells whether one of them made the store.
    """

    def __init__(self, secrets: Secrets, *, keep_deleted: int = KEEP_DELETED) -> None:
        self._secrets = secrets
        self._keep_deleted = keep_deleted
        self.founded = False

    def found(self, prepare: Callable[[Draft], T]) -> T:
        """Make a store whose key slots `prepare` adds; raises `ConflictError` if there is one."""
        folder = private_directory(self._secrets.home.secrets)
        try:
            with folder.lock(LOCK):
                if os.path.lexists(folder.where(FILE)):
                    raise ConflictError(
                        f"there is a store in {folder.path} already", hint="openclaw store check"
                    )
                self._secrets.open()  # refuses where a trail was left without its store
                result, durable = self._found(folder, prepare)
                if not durable:
                    raise UnknownDurabilityError(folder.path)
                return result
        finally:
            folder.close()

    def found_plainly(self) -> None:
        """Make a store with a key file, unless somebody else was faster."""
        with suppress(ConflictError):
            self.found(self._add_file_slot)

    def change_store(self, kind: str, subject: dict[str, Any], change: Callable[[Draft], T]) -> T:
        """Commit a change of the store itself: its slots, its data key."""
        return self.amend(kind, subject, lambda draft, _now: change(draft))

    def amend(self, kind: str, subject: dict[str, Any], change: Callable[[Draft, int], T]) -> T:
        """Commit a change of secrets and of what is known of them; return what it returns."""
        # A person is asked for what opens the store before anybody waits for its lock.
        before = self._secrets.open()
        try:
            folder = private_directory(self._secrets.home.secrets)
            try:
                with folder.lock(LOCK):
                    if before is not None and not before.replaced():
                        return self._announced(folder, before, kind, subject, change)
                    snapshot = self._present(folder)
                    try:
                        return self._announced(folder, snapshot, kind, subject, change)
                    finally:
                        snapshot.close()
            finally:
                folder.close()
        finally:
            if before is not None:
                before.close()

    def _present(self, folder: Directory) -> Snapshot:
        """Open the store under its lock; the first change makes it."""
        snapshot = self._secrets.open()
        if snapshot is None:
            # Whether that is durable is no matter: the commit that follows syncs again.
            self._found(folder, self._add_file_slot)
            snapshot = self._secrets.open()
        if snapshot is None:
            raise IntegrityError("the store vanished while it was being made")
        return snapshot

    def _announced(
        self,
        folder: Directory,
        snapshot: Snapshot,
        kind: str,
        subject: dict[str, Any],
        change: Callable[[Draft, int], T],
    ) -> T:
        event = {"kind": kind, **subject, "backend": LOCAL}
        if self._secrets.anchor:
            key = snapshot.index.audit_key
            self._secrets.anchor.before_change(key, snapshot.header, snapshot.tag)
        self.settle(snapshot)
        draft = continued(snapshot)
        now = time.time_ns() // 1_000_000
        _forget_deleted(draft, now, self._keep_deleted)
        try:
            result = change(draft, now)
        except OpenclawError as refused:
            refusal = {**event, "outcome": refused.kind, "actor": self._secrets.actor}
            self._secrets.trail.append([refusal])
            raise
        return self.put(folder, draft, event, result)

    def put(self, folder: Directory, draft: Draft, event: dict[str, Any], result: T) -> T:
        """Announce a draft, put it in place, record the outcome, and return `result`.

        The caller holds the store's lock and has settled what was open.
        """
        trail = self._secrets.trail
        intent = trail.append([{**event, "phase": INTENT, "actor": self._secrets.actor}])[0]
        draft.header.floor_seq, draft.header.floor_mac = intent.seq, intent.mac
        try:
            durable = put_in_place(folder, draft.encode())
        except OpenclawError as refused:
            self._close(event, intent, refused.kind)
            raise
        trail.commit_known(draft.header.generation, draft.tag)
        outcome = "ok" if durable else UnknownDurabilityError.kind
        self._close(event, intent, outcome, result)
        if self._secrets.anchor and durable:
            self._secrets.anchor.after_change(trail, self._secrets.actor, draft.header, draft.tag)
        if not durable:
            raise UnknownDurabilityError(folder.path)
        return result

    def settle(self, snapshot: Snapshot) -> None:
        """Close a change that was announced and then interrupted; the store tells how it ended."""
        trail = self._secrets.trail
        tip = trail.tip()
        if not tip.intent:
            return
        committed = snapshot.header.floor_seq == tip.intent
        if committed:
            trail.commit_known(snapshot.header.generation, snapshot.tag)
        outcome = "committed" if committed else "abandoned"
        trail.append(
            [
                {
                    "kind": "change_settled",
                    "of": tip.intent,
                    "outcome": outcome,
                    "actor": self._secrets.actor,
                }
            ]
        )

    def _close(
        self, event: dict[str, Any], intent: Receipt, outcome: str, result: object = None
    ) -> None:
        """Record how a change ended. The store says it too, so this record is not waited for."""
        ending = {"of": intent.seq, "outcome": outcome, "actor": self._secrets.actor}
        records = [{**each, **ending} for each in _each_secret(event, result)]
        try:
            self._secrets.trail.append(records, durable=False)
        except OpenclawError:
            # The intent is durable and the store's header points at it: the next change settles it.
            return

    def _found(self, folder: Directory, prepare: Callable[[Draft], T]) -> tuple[T, bool]:
        """Put an empty store in place; return what `prepare` did, and whether it is durable.

        Its record follows: before it there is no key for one.
        """
        draft = founded(os.urandom(16), os.urandom(32))
        result = prepare(draft)
        durable = put_in_place(folder, draft.encode())
        self.founded = True
        trail = self._secrets.trail
        trail.bind(draft.header, draft.audit_key)
        kinds = [slot.kind for slot in draft.header.slots]
        trail.append(
            [{"kind": "store_init", "slots": kinds, "outcome": "ok", "actor": self._secrets.actor}]
        )
        trail.commit_known(draft.header.generation, draft.tag)
        return result, durable

    def _add_file_slot(self, draft: Draft) -> None:
        slots.add(self._secrets.home, draft.header, draft.data_key, file.KIND)


def _forget_deleted(draft: Draft, now: int, days: int) -> None:
    entries = draft.directory.entries
    if entries.lines() == count(draft.entries):
        return  # the index has each one that is not deleted: none is
    for each in entries.deleted():
        if now - each.deleted > days * _DAY:
            del entries[each.name]


def _each_secret(event: dict[str, Any], result: object) -> list[dict[str, Any]]:
    """Return one event for each secret that a change touched, with the version it was given."""
    names = event.get("names") or [event.get("name")]
    if isinstance(result, dict):
        versions = result
    else:
        is_number = isinstance(result, int) and not isinstance(result, bool)
        versions = {names[0]: result} if is_number else {}
    rest = {key: item for key, item in event.items() if key not in ("name", "names")}
    return [
        {**rest}
        | ({"name": name} if name else {})
        | ({"version": str(versions[name])} if name in versions else {})
        for name in names
    ]
