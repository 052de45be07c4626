"""Carries one secret's rotation on, from whatever state it is in: the effects, step by step.

Each step is: look at the state, have the effect, commit the arrow. No lock is held during an
effect; one process at a time rotates (`rotate.lock`), and an arrow that was overtaken (a person's
`set`) is looked at anew. An interruption at any moment leaves a state that the next run goes on
from.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable
from contextlib import suppress

from openclaw_cli import duration
from openclaw_cli.errors import (
    ConflictError,
    OpenclawError,
    PartialError,
    RefusedError,
    StorageError,
)
from openclaw_cli.model import PENDING
from openclaw_cli.providers.provider import CHOSEN, MINTED
from openclaw_cli.providers.provider import PERSON as BY_PERSON
from openclaw_cli.rotation import chosen, consumers, policy, steps, telling
from openclaw_cli.rotation.announcing import Announcer, Pace
from openclaw_cli.rotation.ledger import Ledger, OvertakenError
from openclaw_cli.rotation.policy import Run
from openclaw_cli.rotation.reserve import reserved
from openclaw_cli.rotation.rotator import Held, Made, Rotator, Task
from openclaw_cli.rotation.tasks import Tasks
from openclaw_cli.rotation.view import Result, View, Wish, look, views
from openclaw_cli.service import LOCAL, Secrets
from openclaw_cli.store.commit import UnknownDurabilityError
from openclaw_cli.store.directory import Entry

SECONDS_A_RUN = 600.0
DEFAULT_PACE = Pace()
_LOOKS = 50  # of one secret in one run: more steps than a rotation has
_COMMIT_TRIES = 3


class Engine:
    """Rotates the secrets of one home.

    `now` gives the time in seconds since 1970; `say` is told of each step, with the secret's name;
    `find` makes a rotator by its name.
    """

    def __init__(
        self,
        secrets: Secrets,
        ledger: Ledger,
        *,
        now: Callable[[], float] = time.time,
        say: Callable[[str, str], None] = lambda _name, _step: None,
        find: Callable[[str], Rotator] = chosen.rotator,
        tell: Callable[[str, str, str], None] = telling.tell,
        pace: Pace = DEFAULT_PACE,
    ) -> None:
        self._secrets = secrets
        self._ledger = ledger
        self._now = now
        self._say = say
        self.find = find
        self.tasks = Tasks(secrets, time.monotonic() + SECONDS_A_RUN)
        self.announcer = Announcer(ledger, tell, pace, self.tasks.deadline)

    def view(self, name: str) -> View:
        """Look at a secret; raises `NotFoundError`."""
        return look(self._secrets, name)

    def views(self, names: Iterable[str]) -> list[View]:
        """Look at many secrets at once, as far as they are there."""
        return views(self._secrets, names)

    def carry_on(self, name: str, wish: Wish) -> Result:
        """Do all that is to be done for a secret now; raises what a step raises, noted before."""
        result = Result(name)
        view = self.view(name)
        run = view.policy.run
        # What is under way is what was asked for, but where somebody's `set` overtook it.
        wanted = wish.wanted and (run is None or run.of != view.current)
        try:
            for _ in range(_LOOKS):
                step = self._next(view, wish, wanted=wanted)
                if not step and wanted:
                    raise _in_grace(view)
                if not step or (step == steps.TELL and not self._tell(view, wish, result)):
                    return result
                done = step == steps.TELL or self._attempt(view, step, wish, result)
                wanted = wanted and not (done and step == steps.BEGIN)
                view = self.view(name)
            raise ConflictError(f"the state of {name} changes faster than it can be rotated")
        finally:
            self.tasks.forget()

    def _next(self, view: View, wish: Wish, *, wanted: bool) -> str:
        read_by_all = False
        if view.policy.old and view.policy.until != policy.GRACE:
            read_by_all = consumers.all_have(self._secrets.home.audit, view.name, view.policy.old)
        return steps.next_step(
            view.policy,
            self._now(),
            current=view.current,
            wanted=wanted,
            hurry=wish.compromised or (wish.hurry and wanted),
            read_by_all=read_by_all,
        )

    def _tell(self, view: View, wish: Wish, result: Result) -> bool:
        """Tell the consumers; false where some are left for a later run."""
        if not wish.telling:
            return False
        self._say(view.name, steps.TELL)
        failed = self.announcer.tell([view])
        if failed:
            result.uncertain = failed[0][1]
            return False
        result.steps.append(steps.TELL)
        return not self.view(view.name).policy.telling

    def _attempt(self, view: View, step: str, wish: Wish, result: Result) -> bool:
        """Do a step; false when it was overtaken. A failure is noted, and raised again."""
        self._say(view.name, step)
        try:
            self._step(view, step, wish, result)
        except OvertakenError:
            return False
        except UnknownDurabilityError as unknown:
            result.uncertain = unknown  # it was committed
            if step in (steps.SET, steps.TEST) and view.policy.run:
                result.version = view.policy.run.pending
        except OpenclawError as refused:
            with suppress(OpenclawError, OvertakenError):
                self._ledger.failed([view.name], getattr(refused, "step", step), refused)
            raise
        result.steps.append(step)
        return True

    def _step(self, view: View, step: str, wish: Wish, result: Result) -> None:
        rotator = self.find(view.policy.rotator)
        run = view.policy.run
        if step == steps.BEGIN:
            self._begin(view, rotator, wish)
        elif step == steps.REVOKE:
            self._revoke(view, rotator)
        elif run is None:
            raise OvertakenError
        elif step == steps.WITHOUT:
            self._revoke_current(view, rotator, run)
        elif step == steps.CREATE:
            self._create(view, rotator, run)
        elif step == steps.UNDO:
            self._undo(view, rotator, run)
        else:
            result.version = self._set_and_promote(view, rotator, run)

    def begin_check(self, view: View, rotator: Rotator) -> Task:
        """Refuse what cannot work before anything is changed; return the task of a new rotation."""
        task = self.tasks.task(view, rotator, uuid.uuid4().hex, self._now())
        rotator.check(task)
        return task

    def goes_first(self, rotator: Rotator, task: Task, wish: Wish) -> bool:
        """Tell whether the current value is revoked before there is a new one.

        A leaked one is, where the rotator signs in with a secret of its own and does not need it.
        """
        return wish.compromised and bool(task.secrets) and rotator.overlaps(task.settings)

    def _begin(self, view: View, rotator: Rotator, wish: Wish) -> None:
        if rotator.kind == BY_PERSON:
            raise by_person(view.entry)
        task = self.begin_check(view, rotator)
        first = self.goes_first(rotator, task, wish)
        after = steps.begun(
            view.policy,
            task.token,
            task.began,
            view.current,
            compromised=wish.compromised,
            first=first,
        )
        made = rotator.create(task) if rotator.kind == CHOSEN and not first else None
        self._ledger.begin(view.name, view.policy, after, made)

    def _create(self, view: View, rotator: Rotator, run: Run) -> None:
        task = self.tasks.task(view, rotator, run.token, run.began)
        if rotator.kind != MINTED:
            self._ledger.keep(view.name, run, rotator.create(task))
            return
        with reserved(self._secrets.home.secrets):
            made = rotator.create(task)
        self._keep_or_undo(view, rotator, task, run, made)

    def _keep_or_undo(self, view: View, rotator: Rotator, task: Task, run: Run, made: Made) -> None:
        """Keep a key that so far is in our memory alone; where that fails, remove it there."""
        refused: Exception = OvertakenError()
        for _ in range(_COMMIT_TRIES):
            try:
                self._ledger.keep(view.name, run, made)
            except UnknownDurabilityError:
                raise
            except StorageError as full:
                refused = full
            except (OpenclawError, OvertakenError) as other:
                refused = other
                break
            else:
                return
        held = Held(made.value, PENDING, made.handle)
        try:
            rotator.undo(task, held)
        except OpenclawError:
            raise self._orphan(view, made) from None
        raise refused

    def _orphan(self, view: View, made: Made) -> PartialError:
        handle = made.handle or "the newest"
        event = {"kind": "orphan_key", "name": view.name, "backend": LOCAL, "reason": handle}
        with suppress(OpenclawError):
            self._secrets.trail.append([{**event, "outcome": "ok", "actor": self._secrets.actor}])
        return PartialError(
            f"a new key of {view.name} was made, could be neither kept nor removed: {handle}",
            hint=f"the next openclaw secrets rotate {view.name} removes it",
        )

    def _set_and_promote(self, view: View, rotator: Rotator, run: Run) -> int:
        task = self.tasks.task(view, rotator, run.token, run.began)
        pending = task.pending
        if pending is None:
            raise OvertakenError
        if run.step == steps.SET:
            rotator.set(task, pending)
        self._say(view.name, steps.TEST)
        try:
            rotator.test(task, pending)
        except OpenclawError as refused:
            refused.step = steps.TEST  # type: ignore[attr-defined]
            raise
        self._say(view.name, "promote")
        overlap = rotator.overlaps(task.settings)
        return self._ledger.promote(view.name, run, overlap=overlap)

    def _revoke_current(self, view: View, rotator: Rotator, run: Run) -> None:
        task = self.tasks.task(view, rotator, run.token, run.began)
        if task.current:
            rotator.revoke(task, task.current)
        self._ledger.lost_current(view.name, run)

    def _revoke(self, view: View, rotator: Rotator) -> None:
        old = view.policy.old
        if old is None:
            raise OvertakenError
        if old.version == view.current:
            self._ledger.spared(view.name, old)
            return
        task = self.tasks.task(view, rotator, old.token, old.began)
        if task.previous:
            rotator.revoke(task, task.previous)
        self._ledger.revoked(view.name, old)

    def _undo(self, view: View, rotator: Rotator, run: Run) -> None:
        task = self.tasks.task(view, rotator, run.token, run.began)
        pending = task.pending
        if pending is None and run.step == steps.CREATE and rotator.kind == MINTED:
            # A key may have been made whose reply was lost: making one removes it.
            made = rotator.create(task)
            pending = Held(made.value, PENDING, made.handle)
        if pending is not None:
            rotator.undo(task, pending)
        self._ledger.undone(view.name, run)


def by_person(entry: Entry) -> RefusedError:
    """Build the error for a secret that only a person can renew."""
    where = chosen.page(entry)
    return RefusedError(
        f"a person must renew {entry.name}" + (f": {where}" if where else ""),
        hint=f"openclaw secrets set {entry.name}, with the new value",
    )


def _in_grace(view: View) -> ConflictError:
    old = view.policy.old
    until = "all have read the new one"
    if old and view.policy.until != policy.READ:
        until = duration.absolute(old.at)
    version = old.version if old else 0
    return ConflictError(
        f"version {version} of {view.name}, the one before, is still accepted until {until}",
        hint=f"openclaw secrets rotate {view.name} --grace 0, which revokes it first",
    )
