"""Changing the local store: announced in the trail, committed, and its outcome recorded.

Every change goes through `_commit`, which takes the store's lock, so that there is one writer, and
orders the steps so that a crash between any two leaves either the old state or the new one, and a
trail that tells which.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from openclaw_cli.audit.trail import INTENT, Receipt
from openclaw_cli.errors import (
    ConflictError,
    IntegrityError,
    NotFoundError,
    OpenclawError,
    UsageError,
)
from openclaw_cli.files import private_directory
from openclaw_cli.model import CURRENT, MAX_VALUE, PREVIOUS, RETIRED, SecretValue
from openclaw_cli.names import check
from openclaw_cli.service import LOCAL, absent
from openclaw_cli.store.commit import (
    LOCK,
    Draft,
    UnknownDurabilityError,
    continued,
    founded,
    index_tag,
    put_in_place,
)
from openclaw_cli.store.directory import Entry, Row
from openclaw_cli.store.keys import file, slots
from openclaw_cli.store.reader import FILE, Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

    from openclaw_cli.files import Directory
    from openclaw_cli.service import Secrets

T = TypeVar("T")

KEEP_VERSIONS = 10
KEEP_DELETED = 30  # days
_DAY = 24 * 3600 * 1000  # milliseconds


class Changes:
    """Changes the secrets of one home on behalf of one actor.

    `keep` is how many versions of a secret are kept, `keep_deleted` for how many days a deleted
    one can be restored.
    """

    def __init__(
        self, secrets: Secrets, *, keep: int = KEEP_VERSIONS, keep_deleted: int = KEEP_DELETED
    ) -> None:
        self._secrets = secrets
        self._keep = keep
        self._keep_deleted = keep_deleted
        self.founded = False

    def create(
        self,
        name: str,
        value: SecretValue,
        *,
        provider: str = "",
        labels: dict[str, str] | None = None,
        force: bool = False,
        origin: str = "set",
    ) -> int:
        """Keep a new secret; return its version.

        Raises `ConflictError` when the name is taken, unless `force` makes it a new version.
        """
        check(name)
        _check_value(value)

        def change(draft: Draft, now: int) -> int:
            entry = draft.directory.entries.get(name)
            if entry is not None and not entry.deleted and not force:
                raise ConflictError(
                    f"{name} exists already", hint=f"openclaw secrets set {name}, for a new version"
                )
            entry = self._entry(draft, name, now)
            entry.provider = provider or entry.provider
            entry.labels.update(labels or {})
            return self._add(draft, entry, value, now, origin)

        return self._commit("secret_create", {"name": name}, change)

    def set(self, name: str, value: SecretValue, *, provider: str = "", origin: str = "set") -> int:
        """Keep a new version, of a new secret where there is none; return its number."""
        return self.set_many({name: value}, provider=provider, origin=origin)[name]

    def set_many(
        self,
        values: dict[str, SecretValue],
        *,
        provider: str = "",
        origin: str = "set",
        overwrite: bool = True,
    ) -> dict[str, int]:
        """Keep a new version of each in one commit; return their numbers.

        Without `overwrite` one taken name refuses them all with `ConflictError`.
        """
        for name, value in values.items():
            check(name)
            _check_value(value)

        def change(draft: Draft, now: int) -> dict[str, int]:
            if not overwrite:
                _refuse_taken(draft, values)
            versions = {}
            for name, value in values.items():
                entry = self._entry(draft, name, now)
                entry.provider = provider or entry.provider
                versions[name] = self._add(draft, entry, value, now, origin)
            return versions

        subject: dict[str, Any] = {"names": sorted(values)}
        if len(values) == 1:
            subject = {"name": next(iter(values))}
        return self._commit("secret_set", subject, change)

    def describe(self, name: str, *, provider: str | None, labels: dict[str, str]) -> None:
        """Change a secret's provider and labels; an empty label is taken away."""

        def change(draft: Draft, _now: int) -> None:
            entry = _existing(draft, name)
            entry.provider = entry.provider if provider is None else provider
            entry.labels.update(labels)
            entry.labels = {key: text for key, text in entry.labels.items() if text}

        self._commit("secret_describe", {"name": name}, change)

    def rollback(self, name: str, version: int | None = None) -> int:
        """Make an older version the current one again, the one before by default; return it."""

        def change(draft: Draft, now: int) -> int:
            entry = _existing(draft, name)
            row = older(entry, version)
            _promote(entry, row, now)
            return row.number

        return self._commit("secret_rollback", {"name": name}, change)

    def delete(self, name: str, *, purge: bool = False) -> bool:
        """Delete a secret, for good with `purge`; tell whether there was one.

        Otherwise it can be restored for 30 days.
        """
        if self._nothing_to_delete(name, purge=purge):
            return False

        def change(draft: Draft, now: int) -> bool:
            entry = draft.directory.entries.get(name)
            if entry is None:
                return False
            if purge:
                del draft.directory.entries[name]
            elif not entry.deleted:
                entry.deleted = now
            if entry.policy:
                from openclaw_cli.rotation.by_hand import gone

                gone(draft, name)
            return True

        return self._commit("secret_purge" if purge else "secret_delete", {"name": name}, change)

    def restore(self, name: str) -> int:
        """Bring a deleted secret back; return its current version."""

        def change(draft: Draft, _now: int) -> int:
            entry = draft.directory.entries.get(name)
            if entry is None:
                raise NotFoundError(
                    f"nothing called {name} was deleted in the last {self._keep_deleted} days",
                    hint="openclaw secrets audit --action delete --period 90d",
                )
            if not entry.deleted:
                hint = f"openclaw secrets status {name}"
                raise ConflictError(f"{name} is not deleted", hint=hint)
            entry.deleted = 0
            if entry.policy:
                from openclaw_cli.rotation.by_hand import back

                back(draft, entry)
            row = entry.current()
            return row.number if row else 0

        return self._commit("secret_restore", {"name": name}, change)

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
        return self._commit(kind, subject, lambda draft, _now: change(draft))

    def amend(self, kind: str, subject: dict[str, Any], change: Callable[[Draft, int], T]) -> T:
        """Commit a change that `rotation` makes of secrets and of what is known of them."""
        return self._commit(kind, subject, change)

    def forget_oldest(self, entry: Entry) -> None:
        """Forget the retired versions of a secret that are too many, the oldest first."""
        waiting = entry.policy.get("old", {}).get("version")  # to be revoked yet
        retired = [row for row in entry.rows if row.stage == RETIRED and row.number != waiting]
        for each in retired[: max(0, len(entry.rows) - self._keep)]:
            entry.rows.remove(each)

    def _nothing_to_delete(self, name: str, *, purge: bool) -> bool:
        snapshot = self._secrets.open()
        if snapshot is None:
            return True
        try:
            entry = snapshot.directory().entries.get(name)
        finally:
            snapshot.close()
        return entry is None or bool(entry.deleted and not purge)

    def _commit(self, kind: str, subject: dict[str, Any], change: Callable[[Draft, int], T]) -> T:
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
            pieces = draft.encode()
            durable = put_in_place(folder, pieces)
        except OpenclawError as refused:
            self._close(event, intent, refused.kind)
            raise
        trail.commit_known(draft.header.generation, index_tag(pieces))
        outcome = "ok" if durable else UnknownDurabilityError.kind
        self._close(event, intent, outcome, result)
        if self._secrets.anchor and durable:
            tag = index_tag(pieces)
            self._secrets.anchor.after_change(trail, self._secrets.actor, draft.header, tag)
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
        pieces = draft.encode()
        durable = put_in_place(folder, pieces)
        self.founded = True
        trail = self._secrets.trail
        trail.bind(draft.header, draft.audit_key)
        kinds = [slot.kind for slot in draft.header.slots]
        trail.append(
            [{"kind": "store_init", "slots": kinds, "outcome": "ok", "actor": self._secrets.actor}]
        )
        trail.commit_known(draft.header.generation, index_tag(pieces))
        return result, durable

    def _add_file_slot(self, draft: Draft) -> None:
        slots.add(self._secrets.home, draft.header, draft.data_key, file.KIND)

    @staticmethod
    def _entry(draft: Draft, name: str, now: int) -> Entry:
        entry = draft.directory.entries.get(name)
        if entry is None:
            entry = draft.directory.entries[name] = Entry(name, "", now)
        elif entry.deleted:
            entry.deleted = 0
            for row in entry.rows:
                row.stage = RETIRED
        return entry

    def _add(self, draft: Draft, entry: Entry, value: SecretValue, now: int, origin: str) -> int:
        word, _, kind = origin.partition(":")
        row = draft.new_row(entry.name, entry.latest() + 1, value.reveal(), now, word)
        entry.rows.append(row)
        _promote(entry, row, now)
        if entry.policy or kind:
            from openclaw_cli.rotation.by_hand import renewed

            renewed(draft, entry, now, kind)
        self.forget_oldest(entry)
        return row.number


def _check_value(value: SecretValue) -> None:
    if not len(value):
        raise UsageError("the value is empty", hint="an empty value is not kept: delete the secret")
    if len(value) > MAX_VALUE:
        raise UsageError(f"the value has {len(value)} bytes; {MAX_VALUE} are the most")


def _existing(draft: Draft, name: str) -> Entry:
    entry = draft.directory.entries.get(name)
    if entry is None or entry.deleted:
        raise absent(draft.directory, name)
    return entry


def _refuse_taken(draft: Draft, names: dict[str, SecretValue]) -> None:
    entries = draft.directory.entries
    taken = sorted(name for name in names if name in entries and not entries[name].deleted)
    if taken:
        raise ConflictError(
            f"{len(taken)} of {len(names)} names exist already: {', '.join(taken[:5])}",
            hint="add --overwrite to keep new versions of them",
        )


def older(entry: Entry, version: int | None) -> Row:
    """Return the version that a rollback would take; None for the one before."""
    if version is None:
        row = next((each for each in entry.rows if each.stage == PREVIOUS), None)
        wanted = "previous version"
    else:
        row = entry.version(version)
        wanted = f"version {version}"
    if row is None:
        raise NotFoundError(
            f"{entry.name} has no {wanted}", hint=f"openclaw secrets history {entry.name}"
        )
    if row.stage == CURRENT:
        raise ConflictError(f"version {row.number} of {entry.name} is the current one")
    return row


def _promote(entry: Entry, row: Row, now: int) -> None:
    """Make a version the current one; the one that was becomes the previous one."""
    for each in entry.rows:
        if each is row:
            continue
        stage = {CURRENT: PREVIOUS, PREVIOUS: RETIRED}.get(each.stage)
        if stage:
            each.stage, each.since = stage, now
    row.stage, row.since = CURRENT, now


def _forget_deleted(draft: Draft, now: int, days: int) -> None:
    entries = draft.directory.entries
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
