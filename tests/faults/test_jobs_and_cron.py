"""Two CI jobs and cron's rotation on one store at once: nothing is lost, and nobody waits long.

That updates would be lost without the lock is shown in `test_concurrency.py`.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from tests.conftest import NIGHTLY, SCRIPTS
from tests.faults import world

pytestmark = [pytest.mark.slow, pytest.mark.integration]

ENTRY = f"{SCRIPTS}/openclaw"
ROUNDS = 60 if NIGHTLY else 8
DUE = [f"due-{number}" for number in range(6)]
JOBS = ("first", "second")
SECONDS = 10


@dataclass(frozen=True)
class Done:
    """A command that ended: what was typed, how it ended, and how long it took."""

    line: tuple[str, ...]
    status: int
    out: bytes
    err: bytes
    seconds: float


@dataclass(frozen=True)
class Machine:
    """A store that several programs use."""

    root: str

    def __call__(self, *line: str, given: bytes = b"", before: tuple[str, ...] = ()) -> Done:
        environ = {"PATH": os.defpath, "OPENCLAW_STATE_DIR": self.root, "CI": "true"}
        started = time.monotonic()
        ended = subprocess.run(
            [*before, ENTRY, *line],
            input=given,
            env=environ,
            capture_output=True,
            timeout=60,
            check=False,
        )
        took = time.monotonic() - started
        return Done(line, ended.returncode, ended.stdout, ended.stderr, took)

    def current(self, name: str) -> str:
        """Return the version that is current, without a reading."""
        snapshot = world.service(self.root).open()
        assert snapshot is not None
        try:
            row = snapshot.directory().entries[name].current()
        finally:
            snapshot.close()
        assert row is not None
        return str(row.number)


@pytest.fixture
def machine(place: str) -> Machine:
    """Make a store in which some secrets have been due for hours."""
    made = Machine(f"{place}/state")
    yesterday = ("faketime", "-f", "-1d")
    for name in DUE:
        line = ("secrets", "create", name, "--generate")
        assert made(*line, before=yesterday).status == 0
        assert (
            made("secrets", "rotate", name, "--schedule", "every:12h", before=yesterday).status == 0
        )
    assert made("secrets", "set", "shared", given=b"first value").status == 0
    return made


def job(machine: Machine, name: str) -> list[Done]:
    """Do what a job does, over and over: fetch, run, keep what it made."""
    done = []
    for number in range(ROUNDS):
        value = f"{name}-{number}".encode()
        done += [
            machine("secrets", "set", f"{name}/{number}", given=value),
            machine("secrets", "set", "shared", given=value),
            machine("secrets", "run", "--env", f"KEY={DUE[number % len(DUE)]}", "--", "/bin/true"),
            machine("secrets", "get", f"{name}/{number}"),
        ]
        assert done[-1].out == value
    return done


def cron(machine: Machine) -> list[Done]:
    """Rotate what is due, over and over."""
    return [machine("secrets", "rotate", "--due", "--limit", "2") for _ in range(ROUNDS)]


def at_once(*works: Callable[[], list[Done]]) -> list[Done]:
    with ThreadPoolExecutor(len(works)) as pool:
        return [each for found in pool.map(lambda work: work(), works) for each in found]


def test_two_jobs_and_cron_twice_lose_nothing_and_nobody_waits_long(machine: Machine) -> None:
    done = at_once(
        *(lambda name=name: job(machine, name) for name in JOBS),
        lambda: cron(machine),
        lambda: cron(machine),
    )
    failed = [each for each in done if each.status or each.seconds > SECONDS]
    assert not failed, failed[0]
    check(machine, {f"{name}/{number}": b"" for name in JOBS for number in range(ROUNDS)})


def check(machine: Machine, made: Mapping[str, bytes]) -> None:
    """Look whether everything is there that somebody was told of, and nothing twice."""
    assert [machine.current(name) for name in DUE] == ["2"] * len(DUE), "rotated once each"
    assert machine.current("shared") == str(1 + len(JOBS) * ROUNDS)
    assert {machine.current(name) for name in made} == {"1"}
    records = world.records(machine.root)
    read = [
        each for each in records if each["kind"] in ("secret_reveal", "agent_exec", "secret_run")
    ]
    assert len(read) >= 2 * len(JOBS) * ROUNDS
    world.check_usable(machine.root)
    for line in (("store", "check"), ("secrets", "audit", "verify")):
        assert machine(*line).status == 0
