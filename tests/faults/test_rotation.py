"""A rotation that is interrupted, refused, or cannot be kept, at every one of its steps.

The store, the trail and the steps are the real ones; the service is `testing.acme`, which behaves.
Each schedule of faults is one run that goes wrong and perhaps a second one, two hours later; then
`rotate --due` runs by the clock until nothing is left to do. What must hold is looked at after each
effect and each commit, and at the end.

The product is {kind} x {killed before and after each effect and commit} x {the service: ok, refuses
or is away, its reply is lost or comes when time is up} x {the disk is full from a commit on}. Those
that differ are found by running them: a kill before a fault is a kill alone, and a fault that
nothing meets is none.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from openclaw_cli import assembly
from openclaw_cli.changes import Changes
from openclaw_cli.duration import DAY, HOUR
from openclaw_cli.errors import OpenclawError, RefusedError, StorageError, TemporaryError
from openclaw_cli.home import find
from openclaw_cli.model import CURRENT, PENDING, SecretValue
from openclaw_cli.rotation import policy, schedule
from openclaw_cli.rotation.engine import Engine
from openclaw_cli.rotation.ledger import Ledger
from openclaw_cli.rotation.reloading import owed
from openclaw_cli.rotation.rotator import Held, Made, Rotator, Task
from openclaw_cli.rotation.runs import Runs
from openclaw_cli.rotation.wishes import Asked
from openclaw_cli.settings import Settings
from openclaw_cli.testing.acme import Acme, Chosen, Minted, Single

T = TypeVar("T")

NIGHTLY = os.environ.get("OPENCLAW_NIGHTLY") == "1"

LEAST = 40
"""Schedules with one fault of each kind: fewer, and the product is not what it says."""
START = 1_795_000_000.0
NAME = "acme-key"
KINDS: dict[str, Callable[[Acme], Any]] = {
    "chosen": Chosen,
    "single": Single,
    "minted": Minted,
}
FAULTS = ("refused", "away", "lost", "slow")


class KilledError(BaseException):
    """The process is gone: nothing catches it."""


class Counting(Changes):
    """Commits that may be the last thing a process does, or that find the disk full."""

    world: World

    def amend(self, kind: str, subject: dict[str, Any], change: Callable[..., T]) -> T:
        return self.world.commit(lambda: Changes.amend(self, kind, subject, change))


@dataclass(frozen=True)
class Plan:
    """What goes wrong in one run: killed at a point, a call that fails, a disk full from a commit.

    All are counted from one; 0 is never.
    """

    kill: int = 0
    call: int = 0
    fault: str = ""
    full: int = 0


GOOD = (Plan(),)
"""A run that goes well: the one after it revokes."""


class World:
    """A home, a service and a clock; `look` is called whenever something has changed."""

    rounds = 10
    serves = True

    def __init__(self, kind: str) -> None:
        self.now = START
        self.acme = Acme(fault=self.fault)
        self.rotator: Rotator = KINDS[kind](self.acme)
        self.begin(Plan())
        self.broken: list[str] = []
        self.told = 0
        self.reloaded = 0
        self.secrets = assembly.secrets(find(os.environ), Settings({}, {}), os.environ)
        self.single = kind == "single"
        first = b"the-first-value"
        self.acme.add(first)
        Changes(self.secrets).create(NAME, SecretValue(first))
        wish = Asked(
            schedule.parse("weekly"), rotator=self.rotator.name, grace=HOUR, tell=["agent:reader"]
        )
        self.runs().wishes.keep(NAME, wish)
        self.now += 8 * DAY
        self.looking = True

    def begin(self, plan: Plan) -> None:
        """Count anew, for a run with what is to go wrong."""
        self.plan = plan
        self.points = self.calls = self.commits = 0
        self.met = {"call": 0, "full": 0}
        self.deadline = float("inf")

    def runs(self) -> Runs:
        changes = Counting(self.secrets)
        changes.world = self
        ledger = Ledger(changes, lambda: self.now, serves=self.serves)
        self.engine = Engine(
            self.secrets,
            ledger,
            now=lambda: self.now,
            find=lambda _name: self.rotator,
            tell=lambda *_: self.acme.effect("tell", self.hear),
        )
        return Runs(
            self.secrets,
            changes,
            now=lambda: self.now,
            engine=self.engine,
            reload=self.reload if self.serves else None,
        )

    def hear(self) -> None:
        self.told += 1

    def reload(self, _names: list[str]) -> None:
        def heard() -> None:
            self.reloaded += 1

        self.acme.effect("reload", heard)

    def run(self, plan: Plan) -> None:
        """Run `rotate --due` once, with what is to go wrong; then two hours pass."""
        self.begin(plan)
        try:
            self.runs().due()
        except (KilledError, OpenclawError):
            return
        finally:
            self.plan = Plan()
            self.now += 2 * HOUR

    def settle(self) -> None:
        """Let the hours pass, and run by schedule until nothing is under way."""
        for _ in range(self.rounds):
            self.run(Plan())
            if self.idle():
                return

    def idle(self) -> bool:
        found = self.policy()
        open_still = found.run or found.old or found.telling
        return not open_still and not self.owed() and found.next_due > self.now

    def owed(self) -> list[str]:
        return owed(self.secrets.catalogue()).names

    def policy(self) -> policy.Policy:
        return policy.read(self.secrets.catalogue().entries[NAME].policy)

    def commit(self, act: Callable[[], T]) -> T:
        self.commits += 1
        self.point()
        if 0 < self.plan.full <= self.commits:
            self.met["full"] = self.points
            raise StorageError("the disk is full")
        result = act()
        self.look("a commit")
        self.point()
        return result

    def fault(self, when: str, what: str) -> None:
        if when == "before":
            self.calls += 1
        self.look(f"{when} {what}")
        self.point()
        before = self.plan.fault in ("refused", "away")
        if self.calls != self.plan.call or before is not (when == "before"):
            return
        self.met["call"] = self.points
        if self.plan.fault == "refused":
            raise RefusedError("acme refused")
        if self.plan.fault == "away":
            raise TemporaryError("acme is away")
        if self.plan.fault == "lost":
            raise TemporaryError("the reply of acme is lost")
        self.engine.tasks.deadline = time.monotonic() - 1

    def point(self) -> None:
        self.points += 1
        if self.points == self.plan.kill:
            raise KilledError

    def look(self, after: str) -> None:
        """Note what must never be."""
        entry = self.secrets.catalogue().entries[NAME]
        stages = [row.stage for row in entry.rows]
        if stages.count(CURRENT) != 1 or stages.count(PENDING) > 1:
            self.broken.append(f"after {after}: {stages}")
        if not self.opens(CURRENT) and not (self.single and self.opens(PENDING)):
            self.broken.append(f"after {after}: the current value is not accepted")
        if self.crowd() > 2:
            self.broken.append(f"after {after}: {self.crowd()} live keys")

    def opens(self, stage: str) -> bool:
        snapshot = self.secrets.open()
        assert snapshot
        try:
            entry = snapshot.directory().entries[NAME]
            row = next((row for row in entry.rows if row.stage == stage), None)
            if row is None:
                return False
            return self.is_accepted(snapshot.value(NAME, row.number, row.place))
        finally:
            snapshot.close()

    def is_accepted(self, value: bytes) -> bool:
        return value in self.acme.keys

    def crowd(self) -> int:
        return self.acme.crowded

    def promotions(self) -> int:
        entry = self.secrets.catalogue().entries[NAME]
        return sum(row.origin == "rotate" for row in entry.rows)


def wrong(kind: str, *plans: Plan) -> list[str]:
    """Return what did not hold in a schedule of faults."""
    world = World(kind)
    for plan in plans:
        world.run(plan)
    world.settle()
    world.look("all")
    found = list(world.broken)
    if not world.idle():
        found.append(f"stuck: {world.policy()}")
    if world.promotions() != 1:
        found.append(f"{world.promotions()} promotions")
    if not world.told or not world.reloaded:
        found.append("nobody was told")
    if world.acme.count() != 1:
        found.append(f"{world.acme.count()} live keys at the end")
    return found


@pytest.fixture
def places(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """Give each schedule a home of its own, in memory."""
    root = tempfile.mkdtemp(dir="/dev/shm" if Path("/dev/shm").is_dir() else None)
    numbers = iter(range(1_000_000))

    def fresh() -> None:
        before = os.environ["OPENCLAW_STATE_DIR"]
        if before.startswith(root):
            shutil.rmtree(before)
        place = Path(root) / str(next(numbers))
        place.mkdir(mode=0o700)
        monkeypatch.setenv("OPENCLAW_STATE_DIR", str(place))

    yield fresh
    shutil.rmtree(root)


def distinct(start: Callable[[], World], before: tuple[Plan, ...]) -> Iterator[Plan]:
    """Give every plan that is unlike the others for the run that comes after some others."""

    def tried(plan: Plan) -> World:
        world = start()
        for each in (*before, plan):
            world.run(each)
        return world

    def killed(plan: Plan, world: World) -> Iterator[Plan]:
        after = max(world.met.values())
        return (replace(plan, kill=kill) for kill in (0, *range(after + 1, world.points + 1)))

    for full in range(100):
        plan = Plan(full=full)
        world = tried(plan)
        if full and not world.met["full"]:
            return
        yield from killed(plan, world)
        for call in range(1, world.calls + 1):
            for fault in FAULTS:
                more = replace(plan, call=call, fault=fault)
                worse = tried(more)
                if worse.met["call"] and (not full or worse.met["full"]):
                    yield from killed(more, worse)


def schedules(
    start: Callable[[], World], before: tuple[Plan, ...] = (), *, runs: int = 1
) -> Iterator[tuple[Plan, ...]]:
    """Give every schedule of so many runs with faults after some others."""
    for plan in distinct(start, before):
        if runs > 1:
            yield from schedules(start, (*before, plan), runs=runs - 1)
        else:
            yield (*before, plan)


def starting(fresh: Callable[[], None], kind: str) -> Callable[[], World]:
    def start() -> World:
        fresh()
        return World(kind)

    return start


def failures(
    fresh: Callable[[], None], kind: str, every: Iterable[tuple[Plan, ...]]
) -> tuple[int, list[str]]:
    """Return how many schedules there were, and what did not hold."""
    found, count = [], 0
    for plans in every:
        count += 1
        fresh()
        found += [f"{kind} {plans}: {each}" for each in wrong(kind, *plans)]
    return count, found


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_no_fault_leaves_a_wrong_state(places: Callable[[], None], kind: str) -> None:
    start = starting(places, kind)
    count, found = failures(places, kind, [*schedules(start), *schedules(start, GOOD)])
    assert not found
    assert count > LEAST


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_no_second_fault_on_resuming_leaves_a_wrong_state(
    places: Callable[[], None], kind: str
) -> None:
    start = starting(places, kind)
    firsts = list(schedules(start))[::23]
    pairs = ((*first, second) for first in firsts for second in list(distinct(start, first))[::7])
    _, found = failures(places, kind, pairs)
    assert not found


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("kind", "before"),
    [*((kind, ()) for kind in KINDS), ("chosen", GOOD), ("minted", GOOD)],
)
def test_no_pair_of_faults_leaves_a_wrong_state(
    places: Callable[[], None],
    kind: str,
    before: tuple[Plan, ...],
    record_testsuite_property: Callable[[str, object], None],
) -> None:
    count, found = failures(places, kind, schedules(starting(places, kind), before, runs=2))
    record_testsuite_property(f"schedules of {kind}, {len(before)}", count)
    assert not found, f"{len(found)} violations in {count} schedules"
    assert count > LEAST


class Untidy(Minted):
    """A rotator that leaves what an interrupted step made."""

    def create(self, task: Task) -> Made:
        return super().create(replace(task, token=uuid.uuid4().hex))


class Forgetful(Chosen):
    """A rotator that leaves what it should revoke."""

    def revoke(self, task: Task, old: Held) -> None:
        """Do nothing."""


class Hasty(Chosen):
    """A rotator that revokes before there is a new value."""

    def create(self, task: Task) -> Made:
        self.acme.keys.clear()
        return super().create(task)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [Untidy, Hasty, Forgetful])
def test_the_product_finds_a_rotator_that_is_wrong(
    places: Callable[[], None], monkeypatch: pytest.MonkeyPatch, kind: type[Chosen | Minted]
) -> None:
    monkeypatch.setitem(KINDS, "wrong", kind)
    start = starting(places, "wrong")
    _, found = failures(places, "wrong", (plans for plans in schedules(start) if plans[0].kill < 4))
    assert found


@pytest.mark.slow
@pytest.mark.parametrize("forgotten", ["announcing.steps.tells", "reloading.owe"])
def test_the_product_finds_that_somebody_was_not_told(
    places: Callable[[], None], monkeypatch: pytest.MonkeyPatch, forgotten: str
) -> None:
    monkeypatch.setattr(f"openclaw_cli.rotation.{forgotten}", lambda *_: False)
    places()
    assert any("told" in each or "stuck" in each for each in wrong("chosen", Plan()))
