"""Changing the secrets of the local store: what each change does to them, one commit each.

How a change is announced, committed and recorded is in `committing.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openclaw_cli.committing import KEEP_DELETED, Commits
from openclaw_cli.errors import ConflictError, NotFoundError, UsageError
from openclaw_cli.missing import absent
from openclaw_cli.model import CURRENT, MAX_VALUE, PREVIOUS, RETIRED, SecretValue
from openclaw_cli.names import check
from openclaw_cli.store.directory import Entry, Row

if TYPE_CHECKING:
    from openclaw_cli.service import Secrets
    from openclaw_cli.store.commit import Draft

KEEP_VERSIONS = 10


class Changes(Commits):
    """Changes the secrets of one home on behalf of one actor.

    `keep` is how many versions of a secret are kept, `keep_deleted` for how many days a deleted
    one can be restored.
    """

    def __init__(
        self, secrets: Secrets, *, keep: int = KEEP_VERSIONS, keep_deleted: int = KEEP_DELETED
    ) -> None:
        super().__init__(secrets, keep_deleted=keep_deleted)
        self._keep = keep

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

        return self.amend("secret_create", {"name": name}, change)

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
        return self.amend("secret_set", subject, change)

    def describe(self, name: str, *, provider: str | None, labels: dict[str, str]) -> None:
        """Change a secret's provider and labels; an empty label is taken away."""

        def change(draft: Draft, _now: int) -> None:
            entry = _existing(draft, name)
            entry.provider = entry.provider if provider is None else provider
            entry.labels.update(labels)
            entry.labels = {key: text for key, text in entry.labels.items() if text}

        self.amend("secret_describe", {"name": name}, change)

    def rollback(
        self, name: str, version: int | None = None, *, serves: bool = False
    ) -> tuple[int, list[str]]:
        """Make an older version the current one again, the one before by default.

        Return it, and who is to be told by the next run of rotations; with `serves` the OpenClaw
        gateway is one of them.
        """
        untold: list[str] = []

        def change(draft: Draft, now: int) -> int:
            entry = _existing(draft, name)
            row = older(entry, version)
            _promote(entry, row, now)
            if entry.policy or serves:
                from openclaw_cli.rotation.by_hand import rolled_back

                untold[:] = rolled_back(draft, entry, serves=serves)
            return row.number

        return self.amend("secret_rollback", {"name": name}, change), untold

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

        return self.amend("secret_purge" if purge else "secret_delete", {"name": name}, change)

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

        return self.amend("secret_restore", {"name": name}, change)

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
        raise UsageError("the value is empty", hint="to keep none: openclaw secrets delete NAME")
    if len(value) > MAX_VALUE:
        raise UsageError(
            f"the value has {len(value)} bytes; {MAX_VALUE} are the most",
            hint="keep the key that encrypts the data, not the data",
        )


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
        raise ConflictError(
            f"version {row.number} of {entry.name} is the current one",
            hint=f"openclaw secrets history {entry.name}",
        )
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
