"""The arrows of a rotation in the store: each is one commit of a version's stage and the state.

Whether an arrow still holds is looked at in the state that it replaces, under the store's lock: a
second run, or a person's `set` in between, makes it `OvertakenError` and nothing is committed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from openclaw_cli.changes import Changes
from openclaw_cli.errors import OpenclawError
from openclaw_cli.model import CURRENT, PENDING, PREVIOUS, RETIRED, SecretValue
from openclaw_cli.rotation import agenda, policy, reloading, steps
from openclaw_cli.rotation.policy import Old, Policy, Run
from openclaw_cli.rotation.rotator import Made
from openclaw_cli.store.commit import Draft
from openclaw_cli.store.directory import Entry, Row

_MS = 1000

Step = Callable[[Policy, Entry, Draft], Policy]


class OvertakenError(Exception):
    """The state is not the one that was looked at; look again. Nobody is shown it."""


class Ledger:
    """Commits arrows; `now` gives the time in seconds since 1970.

    With `serves` the OpenClaw gateway is to take up what is promoted.
    """

    def __init__(self, changes: Changes, now: Callable[[], float], *, serves: bool = False) -> None:
        self._changes = changes
        self._now = now
        self._serves = serves

    def wish(self, name: str, change: Step) -> None:
        """Change what is wished of a secret: its schedule, its rotator, its grace time."""
        self._commit("rotation_policy", {"name": name}, name, change)

    def begin(self, name: str, before: Policy, after: Policy, made: Made | None = None) -> None:
        """Begin a rotation, with the new value as pending where it is known already."""

        def change(found: Policy, entry: Entry, draft: Draft) -> Policy:
            if found != before or not after.run or _number(entry.current()) != after.run.of:
                raise OvertakenError
            return after if made is None else self._kept(draft, entry, after, after.run, made)

        self._commit("rotation_begin", {"name": name}, name, change)

    def go_on(self, name: str, run: Run, step: Callable[[Policy], Policy]) -> None:
        """Change the state of a rotation and nothing else."""

        def change(found: Policy, _entry: Entry, _draft: Draft) -> Policy:
            _same(found.run, run)
            return step(found)

        self._commit("rotation_step", {"name": name}, name, change)

    def keep(self, name: str, run: Run, made: Made) -> None:
        """Keep what the service made as the pending version."""

        def change(found: Policy, entry: Entry, draft: Draft) -> Policy:
            _same(found.run, run)
            return self._kept(draft, entry, found, run, made)

        self._commit("rotation_step", {"name": name}, name, change)

    def promote(self, name: str, run: Run, *, overlap: bool) -> int:
        """Make the pending version the current one; return its number."""

        def change(found: Policy, entry: Entry, draft: Draft) -> Policy:
            _same(found.run, run)
            row = entry.version(run.pending)
            if row is None or _number(entry.current()) != run.of:
                raise OvertakenError
            self._make_current(entry, row, retire=run.without or not overlap)
            store = draft.header.store
            self._owe(draft, [name])
            return steps.promoted(found, run, name, store, self._now(), overlap=overlap)

        self._commit("secret_rotate", {"name": name}, name, change, result=run.pending)
        return run.pending

    def revoked(self, name: str, old: Old) -> None:
        """Note that a version is not accepted any more."""

        def change(found: Policy, entry: Entry, _draft: Draft) -> Policy:
            if found.old != old or _number(entry.current()) == old.version:
                raise OvertakenError
            self._retire(entry, old.version)
            return steps.revoked(found)

        self._commit("secret_revoke", {"name": name}, name, change, result=old.version)

    def spared(self, name: str, old: Old) -> None:
        """Note that a version is not to be revoked: somebody made it the current one again."""

        def change(found: Policy, entry: Entry, _draft: Draft) -> Policy:
            if found.old != old or _number(entry.current()) != old.version:
                raise OvertakenError
            return steps.spared(found)

        self._commit("rotation_step", {"name": name}, name, change)

    def lost_current(self, name: str, run: Run) -> None:
        """Note that the current version was revoked first of all."""

        def change(found: Policy, _entry: Entry, _draft: Draft) -> Policy:
            _same(found.run, run)
            return steps.without_current(found, run)

        self._commit("secret_revoke", {"name": name}, name, change, result=run.of)

    def undone(self, name: str, run: Run) -> None:
        """Note that a rotation was given up: its pending version is gone."""

        def change(found: Policy, entry: Entry, _draft: Draft) -> Policy:
            _same(found.run, run)
            entry.rows = [row for row in entry.rows if row.stage != PENDING]
            return steps.given_up(found)

        self._commit("rotation_undo", {"name": name}, name, change)

    def failed(self, names: list[str], step: str, error: OpenclawError) -> None:
        """Note a failure, of one secret or of several at once."""
        subject = {**_subject(names), "step": step, "reason": error.kind}
        now = self._now()
        self._commit_all(
            "rotation_failure", subject, names, lambda found: steps.failed(found, step, error, now)
        )

    def told(self, names: list[str], consumer: str) -> None:
        """Note that a consumer was told of new values."""
        subject = {**_subject(names), "step": steps.TELL}
        self._commit_all("rotation_step", subject, names, lambda found: steps.told(found, consumer))

    def promote_all(
        self, made: Mapping[str, Made], *, wanted: bool = False, retire: bool = False
    ) -> dict[str, int]:
        """Give many secrets their new values in one commit, where they are due still."""
        subject = _subject(sorted(made))

        def change(draft: Draft, _now: int) -> dict[str, int]:
            now = self._now()
            versions = {}
            for name, each in made.items():
                entry = draft.directory.entries.get(name)
                if entry is None or entry.deleted:
                    continue
                found = policy.read(entry.policy)
                current = _number(entry.current())
                if steps.next_step(found, now, current=current, wanted=wanted) != steps.BEGIN:
                    continue
                begun = steps.begun(found, "", now, current, compromised=retire)
                row = self._new_row(draft, entry, each.value)
                entry.rows.append(row)
                self._make_current(entry, row, retire=retire)
                self._changes.forget_oldest(entry)
                run = begun.run
                if run is None:
                    raise OvertakenError
                store = draft.header.store
                after = steps.promoted(begun, run, name, store, now, overlap=False)
                self._put(draft, entry, after)
                versions[name] = row.number
            if not versions:
                raise OvertakenError
            self._owe(draft, versions)
            return versions

        return self._changes.amend("secret_rotate", subject, change)

    def _commit(
        self, kind: str, subject: dict[str, Any], name: str, step: Step, *, result: int = 0
    ) -> None:
        def change(draft: Draft, _now: int) -> int | None:
            entry = draft.directory.entries.get(name)
            if entry is None or entry.deleted:
                raise OvertakenError
            self._put(draft, entry, step(policy.read(entry.policy), entry, draft))
            return result or None

        self._changes.amend(kind, subject, change)

    def _commit_all(
        self, kind: str, subject: dict[str, Any], names: list[str], step: Callable[[Policy], Policy]
    ) -> None:
        """Change the states of those of the names that are there still, in one commit."""

        def change(draft: Draft, _now: int) -> None:
            for name in names:
                entry = draft.directory.entries.get(name)
                if entry is not None and not entry.deleted:
                    self._put(draft, entry, step(policy.read(entry.policy)))

        self._changes.amend(kind, subject, change)

    def _owe(self, draft: Draft, names: Iterable[str]) -> None:
        if self._serves:
            reloading.owe(draft, names)

    def _put(self, draft: Draft, entry: Entry, after: Policy) -> None:
        entry.policy = policy.write(after)
        agenda.note(draft.directory, entry.name, steps.attention(after))
        agenda.note_seen(draft.directory, self._now())

    def _kept(self, draft: Draft, entry: Entry, found: Policy, run: Run, made: Made) -> Policy:
        row = self._new_row(draft, entry, made.value)
        row.stage = PENDING
        entry.rows.append(row)
        return steps.kept(found, run, row.number, made.handle)

    def _new_row(self, draft: Draft, entry: Entry, value: SecretValue) -> Row:
        number, now = entry.latest() + 1, self._ms()
        return draft.new_row(entry.name, number, value.reveal(), now, "rotate")

    def _make_current(self, entry: Entry, row: Row, *, retire: bool) -> None:
        now = self._ms()
        for each in entry.rows:
            stage = {CURRENT: RETIRED if retire else PREVIOUS, PREVIOUS: RETIRED}.get(each.stage)
            if stage and each is not row:
                each.stage, each.since = stage, now
        row.stage, row.since = CURRENT, now

    def _retire(self, entry: Entry, number: int) -> None:
        row = entry.version(number)
        if row is not None and row.stage != CURRENT:
            row.stage, row.since = RETIRED, self._ms()

    def _ms(self) -> int:
        return int(self._now() * _MS)


def _subject(names: list[str]) -> dict[str, Any]:
    return {"names": names} if len(names) > 1 else {"name": names[0]}


def _same(found: Run | None, expected: Run) -> None:
    if found != expected:
        raise OvertakenError


def _number(row: Row | None) -> int:
    return row.number if row else 0
