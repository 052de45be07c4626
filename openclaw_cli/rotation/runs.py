"""One run of rotations: everything due, or one secret that somebody names.

One process at a time rotates. What is due is read from the agenda; generated secrets are given
their new values in one commit, the others are carried on one after another. A clock that went back
stops a run; one that jumped forward slows it down, since most of what looks due then is not.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from msgspec.structs import replace

from openclaw_cli.duration import DAY
from openclaw_cli.errors import ConflictError, OpenclawError, TemporaryError
from openclaw_cli.files import Lock, private_directory
from openclaw_cli.providers.provider import PERSON
from openclaw_cli.rotation import agenda, chosen, clock, steps
from openclaw_cli.rotation.announcing import Pace
from openclaw_cli.rotation.engine import DEFAULT_PACE, Engine, by_person
from openclaw_cli.rotation.generated import Generated
from openclaw_cli.rotation.ledger import Ledger, OvertakenError
from openclaw_cli.rotation.overview import OF_THE_STORE, far
from openclaw_cli.rotation.policy import Failure
from openclaw_cli.rotation.reloading import GATEWAY, Reloads, owed
from openclaw_cli.rotation.standing import Standing
from openclaw_cli.rotation.view import Result, View, Wish
from openclaw_cli.rotation.wishes import Wishes

if TYPE_CHECKING:
    from openclaw_cli.changes import Changes
    from openclaw_cli.service import Secrets
    from openclaw_cli.store.directory import Directory

LOCK = "rotate.lock"
AFTER_A_JUMP = 20
"""Rotations of one run after the clock was put forward."""

_LOCK_BYTES = 200


@dataclass(slots=True)
class Report:
    """What became of a run.

    `by_person` are the errors of what a person must renew; of these `told` were told of within the
    last day. `left` is how many are due still, `untold` how many consumers are to be told still.
    """

    done: list[Result] = field(default_factory=list)
    failed: list[tuple[str, OpenclawError]] = field(default_factory=list)
    by_person: list[tuple[str, OpenclawError]] = field(default_factory=list)
    told: set[str] = field(default_factory=set)
    left: int = 0
    untold: int = 0
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
        pace: Pace = DEFAULT_PACE,
        reload: Callable[[list[str]], object] | None = None,
    ) -> None:
        self._secrets = secrets
        self._now = now
        self.ledger = Ledger(changes, now, serves=reload is not None)
        self._standing = standing
        self._reloads = Reloads(secrets, changes, now, reload)
        self.engine = engine or Engine(secrets, self.ledger, now=now, say=say, pace=pace)
        self.wishes = Wishes(secrets, self.engine, self.ledger, now)
        self._generated = Generated(self.engine, self.ledger, now, say)

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
            clock.refuse_past(self._directory(), self._now())
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
            refused = self._reloads.settle(new=bool(result.version))
            result.uncertain = refused or result.uncertain
            return result

    def plan(self, names: list[str] | None = None) -> list[tuple[View, str]]:
        """Return what would be done now, and change nothing: each secret and its next step."""
        found = []
        wanted = names is not None
        for view in self.engine.views(self._names() if names is None else names):
            step = self._next(view, wanted=wanted)
            if step:
                found.append((view, step))
        return found

    def plan_beyond(self) -> list[tuple[str, str]]:
        """Return what would be done now for what is no secret of the store, each in words."""
        directory = self._secrets.catalogue()
        found = []
        for name in self._names():
            if name == agenda.GATEWAY:
                new = ", ".join(owed(directory).names)
                found.append((GATEWAY, f"told that {new} changed"))
            elif name == agenda.DATA_KEY:
                found.append((OF_THE_STORE, "renew it"))
            elif name in far(directory) and name not in directory.entries:
                found.append((name, "a person must renew it, if nobody has"))
        return found

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
        clock.refuse_past(self._directory(), self._now())
        failed = self._standing.take_over() if self._standing else []
        now = clock.present(self._now())
        jumped = clock.jump(clock.decode(os.pread(lock.fd, _LOCK_BYTES, 0)), now)
        names = self._names()
        if jumped and not everything:
            clock.refuse_many(agenda.times(self._directory()), names, now.wall, jumped)
            limit = min(limit or AFTER_A_JUMP, AFTER_A_JUMP)
        report = Report(failed=failed)
        if self._standing:
            renewed, failures, report.by_person, report.told = self._standing.due(names)
            report.failed += failures
            report.done += [Result(name, steps=[steps.SET]) for name in renewed]
        self._work(names, limit, report)
        refused = self._reloads.settle(new=any(each.version for each in report.done))
        if refused:
            report.failed.append((GATEWAY, refused))
        if not (jumped and report.left):
            os.pwrite(lock.fd, now.encode().ljust(_LOCK_BYTES), 0)
        return report

    def _work(self, names: list[str], limit: int, report: Report) -> None:
        """Do what is due: first what needs no other machine, in one commit."""
        room = limit or len(names)
        alone, others = [], []
        for view in self.engine.views(names):
            if view.policy.rotator in chosen.BY_PERSON and not view.policy.old:
                if steps.has_come(view.policy, self._now()):
                    self._remind(view, report)
            elif view.policy.rotator == chosen.GENERATE and self._next(view) == steps.BEGIN:
                alone.append(view)
            else:
                others.append(view.name)
        done, failed = self._generated.all(alone[:room])
        report.done += done
        report.failed += failed
        room -= min(room, len(alone))
        for name in others[:room]:
            if time.monotonic() > self.engine.tasks.deadline:
                report.left += 1
                continue
            self._carry_on(name, report)
        self._tell(names, report)
        report.left += max(0, len(alone) + len(others) - (limit or len(names)))

    def _carry_on(self, name: str, report: Report) -> None:
        try:
            result = self.engine.carry_on(name, Wish(telling=False))
        except OpenclawError as refused:
            report.failed.append((name, refused))
        except Exception as crash:  # noqa: BLE001 - one bug must not keep the others waiting
            report.failed.append((name, _bug(crash)))
        else:
            if result.steps:
                report.done.append(result)

    def _tell(self, names: list[str], report: Report) -> None:
        """Tell the consumers of all of them; then revoke what waited for that and no longer."""
        now = self._now()
        telling = [view for view in self.engine.views(names) if steps.tells(view.policy, now)]
        report.failed += self.engine.announcer.tell(telling)
        for view in self.engine.views(view.name for view in telling):
            report.untold += len(view.policy.telling)
            if view.policy.old and not view.policy.telling:
                self._carry_on(view.name, report)

    def _generate_one(self, view: View, wish: Wish) -> Result:
        if self._next(view, wanted=wish.wanted) != steps.BEGIN:
            return self.engine.carry_on(view.name, Wish())
        result = self._generated.one(view, wish) or Result(view.name)
        after = self.engine.carry_on(view.name, Wish())
        return Result(view.name, result.version, result.steps + after.steps, after.uncertain)

    def _next(self, view: View, *, wanted: bool = False) -> str:
        return steps.next_step(view.policy, self._now(), current=view.current, wanted=wanted)

    def _by_person(self, view: View, wish: Wish) -> Result:
        step = self._next(view, wanted=wish.wanted)
        if step == steps.BEGIN:
            raise by_person(view.entry)
        return self.engine.carry_on(view.name, Wish()) if step else Result(view.name)

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


def _bug(crash: Exception) -> OpenclawError:
    """Say the type of a crash and no more: its text may quote a value."""
    return OpenclawError(
        f"this is a bug in openclaw: {type(crash).__name__}", hint="openclaw secrets rotate NAME"
    )
