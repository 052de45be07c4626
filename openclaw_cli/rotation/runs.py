"""One run of rotations: everything due, or one secret that somebody names.

One process at a time rotates. What is due is read from the agenda; generated secrets are given
their new values in one commit, the others are carried on one after another. A clock that went back
stops a run; one that jumped forward slows it down, since most of what looks due then is not.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from msgspec.structs import replace

from openclaw_cli import duration
from openclaw_cli.duration import DAY
from openclaw_cli.errors import ConflictError, OpenclawError, TemporaryError
from openclaw_cli.files import Lock, private_directory
from openclaw_cli.providers.provider import PERSON
from openclaw_cli.rotation import agenda, chosen, clock, steps
from openclaw_cli.rotation.engine import Engine, Result, View, Wish, by_person
from openclaw_cli.rotation.ledger import Ledger, OvertakenError
from openclaw_cli.rotation.policy import Failure, Policy
from openclaw_cli.rotation.rotator import Made, Rotator, Task, checked
from openclaw_cli.rotation.schedule import Schedule
from openclaw_cli.rotation.standing import Standing
from openclaw_cli.service import LOCAL

if TYPE_CHECKING:
    from openclaw_cli.changes import Changes
    from openclaw_cli.service import Secrets
    from openclaw_cli.store.commit import Draft
    from openclaw_cli.store.directory import Directory, Entry

LOCK = "rotate.lock"
AFTER_A_JUMP = 20
"""Rotations of one run after the clock was put forward."""

_LOCK_BYTES = 200
_FEW = 3  # secrets: half of so few is no sign of anything


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asks of a secret's rotation; None and "" leave it as it is."""

    schedule: Schedule | None = None
    rotator: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    grace: float | None = None
    until: str = ""
    tell: list[str] | None = None


@dataclass(slots=True)
class Report:
    """What became of a run.

    `by_person` are the errors of what a person must renew; of these `told` were told of within the
    last day. `left` is how many are due still.
    """

    done: list[Result] = field(default_factory=list)
    failed: list[tuple[str, OpenclawError]] = field(default_factory=list)
    by_person: list[tuple[str, OpenclawError]] = field(default_factory=list)
    told: set[str] = field(default_factory=set)
    left: int = 0
    skipped: str = ""


class Runs:
    """Rotates the secrets of one home; `now` gives the time in seconds since 1970.

    `reload` has the OpenClaw gateway, where there is one, take up the new values of some names.
    """

    def __init__(
        self,
        secrets: Secrets,
        changes: Changes,
        *,
        now: Callable[[], float] = time.time,
        say: Callable[[str, str], None] = lambda _name, _step: None,
        engine: Engine | None = None,
        standing: Standing | None = None,
        reload: Callable[[list[str]], object] = lambda _names: None,
    ) -> None:
        self._secrets = secrets
        self._now = now
        self._say = say
        self.ledger = Ledger(changes, now)
        self._standing = standing
        self._reload = reload
        self.engine = engine or Engine(secrets, self.ledger, now=now, say=say)

    def due(self, *, limit: int = 0, everything: bool = False) -> Report:
        """Rotate what is due, `limit` secrets at most.

        `everything`: even where the clock jumped and most are due at once. Raises
        `TemporaryError` for a clock that cannot be believed.
        """
        try:
            with self._alone() as lock:
                return self._due(lock, limit, everything=everything)
        except ConflictError:
            return Report(skipped="locked")

    def one(self, name: str, wish: Wish, *, asked: float = 0) -> Result:
        """Rotate one secret, or carry on what is under way; raises what stops it.

        `asked` is when somebody asked for it, in seconds since 1970: a rotation that happened
        since is the one that was asked for, and `ConflictError` says so.
        """
        with self._alone():
            self._check_clock()
            view = self.engine.view(name)
            if asked and wish.wanted and not wish.compromised and view.policy.last_ok >= asked:
                raise ConflictError(
                    f"another run has just rotated {name}: version {view.current} is its new one",
                    hint=f"openclaw secrets history {name}",
                )
            if view.policy.rotator in chosen.BY_PERSON and not view.policy.old:
                return self._by_person(view, wish)
            if view.policy.rotator == chosen.GENERATE and not view.policy.run:
                result = self._generate_one(view, wish)
            else:
                result = self.engine.carry_on(name, wish)
            try:
                self._reload([name]) if result.version else None
            except OpenclawError as refused:
                result.uncertain = refused
            return result

    def plan(self, names: list[str] | None = None) -> list[tuple[View, str]]:
        """Return what would be done now, and change nothing: each secret and its next step."""
        found = []
        wanted = names is not None
        for view in self.engine.views(self._names() if names is None else names):
            step = steps.next_step(view.policy, self._now(), current=view.current, wanted=wanted)
            if step:
                found.append((view, step))
        return found

    def rehearsed(self, name: str, asked: Asked, wish: Wish) -> tuple[View, Rotator, bool]:
        """Look whether a rotation can work, and change nothing.

        Returns the secret with what is asked of it, its rotator, and whether the current value
        would be revoked first.
        """
        found = self.engine.view(name)
        view = View(found.entry, self._asked(found, asked), found.store)
        rotator = self.engine.find(view.policy.rotator)
        task = self.engine.begin_check(view, rotator)
        return view, rotator, self.engine.goes_first(rotator, task, wish)

    def rehearsal(self, name: str) -> None:
        """Record that the answer to a leak was rehearsed."""
        event = {"kind": "rotation_rehearsal", "name": name, "backend": LOCAL, "outcome": "ok"}
        self._secrets.trail.append([{**event, "actor": self._secrets.actor}])

    def wish(self, name: str, asked: Asked) -> View:
        """Remember what is asked of a secret's rotation; nothing is committed where nothing is new.

        Raises, before anything is changed, `ConfigError` for settings and what the rotator's
        `check` finds.
        """
        view = self.engine.view(name)
        after = self._asked(view, asked)
        if after == view.policy:
            return view
        rotator = self.engine.find(after.rotator)
        checked(after.settings, rotator.SETTINGS, rotator.name)
        if (after.rotator, after.settings) != (view.policy.rotator, view.policy.settings):
            self.engine.begin_check(View(view.entry, after, view.store), rotator)
            if view.policy.run or view.policy.old:
                raise ConflictError(
                    f"a rotation of {name} by {view.policy.rotator} is not over yet",
                    hint=f"openclaw secrets status {name} says until when",
                )

        def change(found: Policy, _entry: Entry, _draft: Draft) -> Policy:
            if found not in (view.policy, after):
                raise ConflictError(f"somebody else changed the rotation of {name} meanwhile")
            return after

        self.ledger.wish(name, change)
        return self.engine.view(name)

    def _asked(self, view: View, asked: Asked) -> Policy:
        found = view.policy
        rotator = asked.rotator or found.rotator or chosen.meant(view.entry, asked.settings)
        kept = found.settings if rotator == found.rotator else {}
        after = replace(
            found,
            rotator=rotator,
            settings={**kept, **asked.settings},
            grace=found.grace if asked.grace is None else asked.grace,
            until=asked.until or found.until,
            tell=found.tell if asked.tell is None else asked.tell,
        )
        if asked.schedule is None or asked.schedule == (after.times or Schedule("")):
            return after
        after = replace(after, schedule=asked.schedule.text, zone=asked.schedule.zone, failure=None)
        row = view.entry.current()
        changed = row.created / 1000 if row else self._now()
        return steps.planned(after, view.name, view.store, self._now(), changed)

    @contextmanager
    def _alone(self) -> Iterator[Lock]:
        folder = private_directory(self._secrets.home.secrets)
        try:
            try:
                lock = folder.lock(LOCK, 0)
            except TemporaryError:
                raise ConflictError(
                    "another rotation is running", hint="try again when it has finished"
                ) from None
            with lock:
                yield lock
        finally:
            folder.close()

    def _due(self, lock: Lock, limit: int, *, everything: bool) -> Report:
        self._check_clock()
        failed = self._standing.take_over() if self._standing else []
        now = clock.present(self._now())
        jumped = clock.jump(clock.decode(os.pread(lock.fd, _LOCK_BYTES, 0)), now)
        names = self._names()
        if jumped and not everything:
            self._refuse_many(names, now.wall, jumped)
            limit = min(limit or AFTER_A_JUMP, AFTER_A_JUMP)
        report = Report(failed=failed)
        if self._standing:
            renewed, failures, report.by_person, report.told = self._standing.due(names)
            report.failed += failures
            report.done += [Result(name, steps=[steps.SET]) for name in renewed]
        self._work(names, limit, report)
        new = [each.name for each in report.done if each.version]
        try:
            self._reload(new) if new else None
        except OpenclawError as refused:
            report.failed.append(("the OpenClaw gateway", refused))
        if not (jumped and report.left):
            os.pwrite(lock.fd, now.encode().ljust(_LOCK_BYTES), 0)
        return report

    def _work(self, names: list[str], limit: int, report: Report) -> None:
        """Do what is due: first what needs no other machine, in one commit."""
        room = limit or len(names)
        alone, others = [], []
        for view in self.engine.views(names):
            if view.policy.rotator in chosen.BY_PERSON and not view.policy.old:
                self._remind(view, report)
            elif view.policy.rotator == chosen.GENERATE and self._begins(view):
                alone.append(view)
            else:
                others.append(view.name)
        self._generate(alone[:room], report)
        room -= min(room, len(alone))
        for name in others[:room]:
            if time.monotonic() > self.engine.deadline:
                report.left += 1
                continue
            try:
                result = self.engine.carry_on(name, Wish(telling=False))
            except OpenclawError as refused:
                report.failed.append((name, refused))
            except Exception as crash:  # noqa: BLE001 - one bug must not keep the others waiting
                report.failed.append((name, _bug(crash)))
            else:
                if result.steps:
                    report.done.append(result)
        report.failed += self.engine.tell_everybody(names)
        report.left += max(0, len(alone) + len(others) - (limit or len(names)))

    def _begins(self, view: View) -> bool:
        step = steps.next_step(view.policy, self._now(), current=view.current)
        return step == steps.BEGIN

    def _generate(self, views: list[View], report: Report) -> None:
        made = {}
        for view in views:
            try:
                made[view.name] = self._made(view)
            except OpenclawError as refused:
                report.failed.append((view.name, refused))
                with suppress(OpenclawError, OvertakenError):
                    self.ledger.failed(view.name, steps.CREATE, refused)
        if not made:
            return
        try:
            versions = self.ledger.promote_all(made)
        except OvertakenError:
            return
        except OpenclawError as refused:
            report.failed += [(name, refused) for name in made]
            return
        report.done += [Result(name, version, [steps.CREATE]) for name, version in versions.items()]

    def _generate_one(self, view: View, wish: Wish) -> Result:
        result = Result(view.name)
        due = steps.next_step(view.policy, self._now(), current=view.current, wanted=wish.wanted)
        if due != steps.BEGIN:
            return self.engine.carry_on(view.name, Wish())
        made = {view.name: self._made(view)}
        with suppress(OvertakenError):
            versions = self.ledger.promote_all(made, wanted=wish.wanted, retire=wish.compromised)
            result = Result(view.name, versions[view.name], [steps.CREATE])
        result.steps += self.engine.carry_on(view.name, Wish()).steps
        return result

    def _by_person(self, view: View, wish: Wish) -> Result:
        due = steps.next_step(view.policy, self._now(), current=view.current, wanted=wish.wanted)
        if due == steps.BEGIN:
            raise by_person(view.entry)
        return Result(view.name)

    def _made(self, view: View) -> Made:
        """Make a value that no service needs to be told."""
        self._say(view.name, steps.CREATE)
        rotator = self.engine.find(view.policy.rotator)
        settings = checked(view.policy.settings, rotator.SETTINGS, rotator.name)
        return rotator.create(Task(view.name, "", self._now(), settings=settings))

    def _remind(self, view: View, report: Report) -> None:
        """Report what a person must renew, and remember for a day that it was told."""
        report.by_person.append((view.name, by_person(view.entry)))
        now, before = self._now(), view.policy.failure
        if before and now - before.at < DAY - agenda.SLACK:
            report.told.add(view.name)
            return

        told = Failure(now, PERSON, PERSON, "")
        with suppress(OpenclawError, OvertakenError):
            self.ledger.wish(view.name, lambda found, *_: replace(found, failure=told))

    def _names(self) -> list[str]:
        return agenda.due(self._directory(), self._now())

    def _directory(self) -> Directory:
        return self._secrets.catalogue()

    def _check_clock(self) -> None:
        directory, now = self._directory(), self._now()
        if agenda.went_back(directory, now):
            raise TemporaryError(
                f"the clock shows {duration.absolute(now)}, and it was "
                f"{duration.absolute(agenda.seen(directory))} before: nothing is rotated",
                hint="date -u",
            )

    def _refuse_many(self, names: list[str], now: float, jumped: float) -> None:
        """Refuse when a jump of the clock, and not time, made more than half of all due."""
        table = agenda.times(self._directory())
        early = [name for name in names if table[name] > now - jumped]
        if len(early) > _FEW and len(early) * 2 > len(table):
            raise TemporaryError(
                f"the clock was put forward by {duration.compact(jumped)}, and "
                f"{len(early)} of {len(table)} secrets look due: nothing is rotated",
                hint="date -u; if it is right: openclaw secrets rotate --due --all",
            )


def _bug(crash: Exception) -> OpenclawError:
    """Say the type of a crash and no more: its text may quote a value."""
    return OpenclawError(
        f"this is a bug in openclaw: {type(crash).__name__}", hint="openclaw secrets rotate NAME"
    )
