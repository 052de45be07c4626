"""A rotation that is interrupted, refused, or cannot be kept, at every one of its steps.

The store, the trail and the steps are the real ones; the service is `testing.acme`, which behaves.
Each schedule of faults is one run that goes wrong and perhaps a second one; then the clock goes on
and `rotate --due` runs until nothing is left to do. What must hold is looked at after each effect
and each commit, and at the end.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
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
from openclaw_cli.rotation.rotator import Made, Rotator, Task
from openclaw_cli.rotation.runs import Asked, Runs
from openclaw_cli.settings import Settings
from openclaw_cli.testing.acme import Acme, Chosen, Minted, Single

T = TypeVar("T")

NIGHTLY = os.environ.get("OPENCLAW_NIGHTLY") == "1"

START = 1_795_000_000.0
NAME = "acme-key"
KINDS: dict[str, Callable[[Acme], Any]] = {
    "chosen": Chosen,
    "single": Single,
    "minted": Minted,
}
FAULTS = ("ok", "refused", "away", "lost")
POINTS = 12  # more than a rotation has
CALLS = 5
COMMITS = 4


class KilledError(BaseException):
    """The process is gone: nothing catches it."""


class Counting(Changes):
    """Commits that may be the last thing a process does, or that find the disk full."""

    world: World

    def amend(self, kind: str, subject: dict[str, Any], change: Callable[..., T]) -> T:
        return self.world.commit(lambda: Changes.amend(self, kind, subject, change))


@dataclass
class Plan:
    """What goes wrong in one run: killed at a point, a call that fails, a commit that fails."""

    kill: int = 0
    call: int = 0
    fault: str = "ok"
    full: int = 0


class World:
    """A home, a service and a clock; `look` is called whenever something has changed."""

    rounds = 30

    def __init__(self, kind: str) -> None:
        self.now = START
        self.acme = Acme(fault=self.fault)
        self.rotator: Rotator = KINDS[kind](self.acme)
        self.plan = Plan()
        self.points = self.calls = self.commits = 0
        self.broken: list[str] = []
        self.secrets = assembly.secrets(find(os.environ), Settings({}, {}), os.environ)
        self.single = kind == "single"
        first = b"the-first-value"
        self.acme.add(first)
        Changes(self.secrets).create(NAME, SecretValue(first))
        wish = Asked(schedule.parse("daily"), rotator=self.rotator.name, grace=HOUR)
        self.runs().wish(NAME, wish)
        self.now += 2 * DAY
        self.looking = True

    def runs(self) -> Runs:
        changes = Counting(self.secrets)
        changes.world = self
        ledger = Ledger(changes, lambda: self.now)
        engine = Engine(self.secrets, ledger, now=lambda: self.now, find=lambda _name: self.rotator)
        return Runs(self.secrets, changes, now=lambda: self.now, engine=engine)

    def run(self, plan: Plan) -> None:
        """Run `rotate --due` once, with what is to go wrong."""
        self.plan, self.points, self.calls, self.commits = plan, 0, 0, 0
        try:
            self.runs().due()
        except (KilledError, OpenclawError):
            return
        finally:
            self.plan = Plan()

    def settle(self) -> None:
        """Let the hours pass, and run by schedule until nothing is under way."""
        for _ in range(self.rounds):
            self.run(Plan())
            self.now += HOUR
            if self.idle():
                return

    def idle(self) -> bool:
        found = self.policy()
        return found.run is None and found.old is None and found.next_due > self.now

    def policy(self) -> policy.Policy:
        return policy.read(self.secrets.catalogue().entries[NAME].policy)

    def commit(self, act: Callable[[], T]) -> T:
        self.commits += 1
        self.point()
        if 0 < self.plan.full <= self.commits:
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
        hit = self.calls == self.plan.call or (self.plan.call < 0 and what == "revoke")
        if not hit:
            return
        if when == "before" and self.plan.fault == "refused":
            raise RefusedError("acme refused")
        if when == "before" and self.plan.fault == "away":
            raise TemporaryError("acme is away")
        if when == "after" and self.plan.fault == "lost":
            raise TemporaryError("the reply of acme is lost")

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


def every_plan() -> Iterator[Plan]:
    for kill in range(POINTS + 1):
        for full in range(COMMITS + 1):
            yield Plan(kill=kill, full=full)
        for fault in FAULTS[1:]:
            for call in (-1, *range(1, CALLS + 1)):
                yield Plan(kill=kill, call=call, fault=fault)


def failures(
    fresh: Callable[[], None], kind: str, schedules: Iterator[tuple[Plan, ...]]
) -> list[str]:
    found = []
    for plans in schedules:
        fresh()
        found += [f"{kind} {plans}: {each}" for each in wrong(kind, *plans)]
    return found


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_no_fault_leaves_a_wrong_state(places: Callable[[], None], kind: str) -> None:
    every = list(every_plan()) if NIGHTLY else list(every_plan())[::2]
    assert not failures(places, kind, ((plan,) for plan in every))


def pairs(every: int) -> Iterator[tuple[Plan, Plan]]:
    both = ((first, second) for first in every_plan() for second in every_plan())
    return (pair for at, pair in enumerate(both) if at % every == 0)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_no_second_fault_on_resuming_leaves_a_wrong_state(
    places: Callable[[], None], kind: str
) -> None:
    assert not failures(places, kind, pairs(every=29))


@pytest.mark.nightly
@pytest.mark.parametrize("kind", KINDS)
def test_no_pair_of_many_leaves_a_wrong_state(places: Callable[[], None], kind: str) -> None:
    assert not failures(places, kind, pairs(every=5))


class Untidy(Minted):
    """A rotator that leaves what an interrupted step made."""

    def create(self, task: Task) -> Made:
        return super().create(replace(task, token=uuid.uuid4().hex))


class Hasty(Chosen):
    """A rotator that revokes before there is a new value."""

    def create(self, task: Task) -> Made:
        self.acme.keys.clear()
        return super().create(task)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [Untidy, Hasty], ids=["untidy", "hasty"])
def test_the_product_finds_a_rotator_that_is_wrong(
    places: Callable[[], None], monkeypatch: pytest.MonkeyPatch, kind: type[Chosen | Minted]
) -> None:
    monkeypatch.setitem(KINDS, "wrong", kind)
    assert failures(places, "wrong", ((plan,) for plan in every_plan() if plan.kill < 4))
