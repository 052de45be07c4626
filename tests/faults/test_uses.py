"""A grant with a number of uses, killed at every call: no use is given twice, and none too many.

A use is counted in a commit before its value is given. So a kill costs one use at most, which
nobody had, and never gives one for nothing.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from openclaw_cli.agents import granting
from openclaw_cli.agents.granting import Guard
from openclaw_cli.audit.trail import REVEAL
from openclaw_cli.names import Reference
from openclaw_cli.runtime.hearing import Hearing
from openclaw_cli.service import Secrets
from tests.conftest import NIGHTLY
from tests.faults import tap, world

pytestmark = pytest.mark.slow

USES = 3
READ: tuple[str, ...] = ("secrets", "get", "kept")
RUN: tuple[str, ...] = ("agents", "run", "reader", "--input", "-")
AGENT = {"OPENCLAW_AGENT": "reader"}
HANDLER = '''
import os


def read(given, ctx):
    """Read the secret, and leave a mark where the test counts."""
    value = ctx.secrets["kept"]
    with open(given, "a", encoding="utf-8") as marks:
        marks.write(f"{len(value)}\\n")
    return "read"
'''


@dataclass
class Agent:
    """An agent with USES readings of one secret: how it reads, and how often it did."""

    root: str
    line: tuple[str, ...]
    marks: Path
    step: int

    def run(
        self, fault: tap.Fault | None = None, inside: Callable[[], None] | None = None
    ) -> tap.Outcome:
        """Let it read once, and wait until all that it started has ended."""
        given = json.dumps(str(self.marks)).encode() if self.line is RUN else b""
        before = set(psutil.pids()) if self.line is RUN else set()
        ended = tap.run(self.line, self.root, given=given, fault=fault, inside=inside, env=AGENT)
        if self.line is RUN:
            _gone(self.root, before)
        elif world.leaked(ended.out):
            with self.marks.open("a") as marks:
                marks.write("given\n")
        return ended

    @property
    def given(self) -> int:
        """How often it had the value."""
        return len(self.marks.read_text().splitlines()) if self.marks.exists() else 0

    @property
    def left(self) -> int:
        """How many uses the store has left."""
        granted = world.service(self.root).catalogue().extra.get("grants", {})
        return int(granted["reader"]["kept"][2])

    @property
    def revealed(self) -> int:
        """How many readings of it the trail has; its whole chain is verified."""
        return sum(
            each["kind"] == REVEAL and each["outcome"] == "ok" for each in world.records(self.root)
        )


def _gone(root: str, before: Collection[int]) -> None:
    """Wait for the processes that were started and not waited for: they die with who started them.

    Raises where one of them lives on.
    """
    until = time.monotonic() + 10
    while left := [each for each in psutil.process_iter() if _of(each, root, before)]:
        assert time.monotonic() < until, left
        time.sleep(0.01)


def _of(process: psutil.Process, root: str, before: Collection[int]) -> bool:
    try:
        return (
            process.pid not in before
            and process.status() != psutil.STATUS_ZOMBIE
            and process.environ().get("OPENCLAW_STATE_DIR") == root
        )
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False


@pytest.fixture(params=["get", "agents run"])
def agent(
    request: pytest.FixtureRequest, template: Callable[[str], str], place: str, tmp_path: Path
) -> Agent:
    made = template("some")
    granting.grant(world.changes(made).change_store, {"uid": 0}, "reader", ["kept"], uses=USES)
    os.mkdir(f"{made}/handlers")
    Path(made, "handlers/uses.py").write_text(HANDLER)
    agents = {"reader": {"type": "thread-bound", "handler": "uses:read"}}
    Path(made, "openclaw.json").write_text(json.dumps({"agents": agents}))
    line = {"get": READ, "agents run": RUN}[request.param]
    step = 1 if NIGHTLY else {READ: 3, RUN: 11}[line]
    marks = tmp_path / "marks"
    marks.mkdir()  # beside what is hidden from it an agent makes no new file
    return Agent(f"{place}/state", line, marks / "given", step)


def fresh(agent: Agent, template: Callable[[str], str]) -> None:
    world.copied(template("some"), agent.root)
    agent.marks.unlink(missing_ok=True)


def kill_everywhere(
    agent: Agent, template: Callable[[str], str], inside: Callable[[], None] | None = None
) -> int:
    """Kill it at each call, then let it read until it is refused; return the kills."""
    fresh(agent, template)
    whole = agent.run(inside=inside)
    assert (whole.status, agent.given, agent.left) == (0, 1, USES - 1), whole
    calls = [call for call in whole.calls if call.kind in tap.CHANGING]
    points = 0
    for at in range(0, len(calls), agent.step):
        for what in ("kill", "torn") if tap.can_tear(calls[at]) else ("kill",):
            fresh(agent, template)
            ended = agent.run(tap.Fault(what, at, tap.CHANGING), inside)
            if ended.fired:
                points += 1
                assert ended.status == -9, (what, at, ended)
                judge(agent, f"{what} at {at}, {calls[at]}")
    return points


def judge(agent: Agent, where: str) -> None:
    given, left = agent.given, agent.left
    assert left in (USES, USES - 1), where
    assert given <= agent.revealed <= USES - left, where
    drain = Agent(agent.root, READ, agent.marks, 1)
    statuses = [drain.run().status for _ in range(USES + 1)]
    assert statuses == [0] * left + [6] * (USES + 1 - left), where
    assert agent.given == given + left, where
    assert agent.left == 0, where
    records = world.records(agent.root)
    opened = {each["seq"] for each in records if each.get("phase") == "intent"}
    assert opened <= {each["of"] for each in records if "of" in each}, where
    assert world.loose(agent.root) == [], where


def test_killed_at_any_call_no_use_is_given_twice(
    agent: Agent, template: Callable[[str], str]
) -> None:
    assert kill_everywhere(agent, template) > 5


def late() -> None:
    """Count a use when the value was given: what a kill in between makes two of."""
    real, told, waiting = Guard.admit, Hearing._secret, []  # noqa: SLF001

    def admit(self: Guard, secrets: Secrets, references: Sequence[Reference]) -> dict[str, int]:
        waiting.append((self, secrets, references))
        return dict.fromkeys(("kept",), 1)

    async def secret(self: Hearing, *rest: Any) -> None:  # noqa: ANN401
        await told(self, *rest)
        time.sleep(0.2)  # noqa: ASYNC251  until the instance has it, and nothing else goes on
        while waiting:
            real(*waiting.pop())

    Guard.admit = admit  # type: ignore[method-assign]
    Hearing._secret = secret  # type: ignore[method-assign,assignment]  # noqa: SLF001


@pytest.mark.parametrize("agent", ["agents run"], indirect=True)
def test_a_use_that_is_counted_too_late_is_found(
    agent: Agent, template: Callable[[str], str]
) -> None:
    with pytest.raises(AssertionError, match=" at "):
        kill_everywhere(agent, template, inside=late)
