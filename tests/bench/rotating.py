"""What rotation costs: a run with nothing due, and one with all of a thousand secrets due."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from pathlib import Path

from openclaw_cli import assembly
from openclaw_cli.changes import Changes
from openclaw_cli.duration import DAY
from openclaw_cli.home import Home as Place
from openclaw_cli.model import SecretValue
from openclaw_cli.rotation import agenda, policy, steps
from openclaw_cli.rotation.policy import Policy
from openclaw_cli.rotation.runs import Runs
from openclaw_cli.service import Secrets
from openclaw_cli.settings import Settings
from openclaw_cli.store.commit import Draft
from tests.bench import homes


@dataclass
class Times:
    """How long it takes, in seconds: to write all values, and to rotate all."""

    write: list[float]
    rotate: list[float]

    @property
    def ratio(self) -> float:
        """Return how much longer rotating takes."""
        return statistics.median(self.rotate) / statistics.median(self.write)


def schedule_all(path: Path, count: int) -> tuple[Secrets, Changes]:
    """Make a home whose secrets are all generated and on a daily schedule."""
    settings = Settings({}, {})
    secrets = assembly.secrets(Place(str(path)), settings, {})
    changes = assembly.changes(secrets, settings)
    changes.set_many(_values(count))

    def change(draft: Draft, now: int) -> None:
        wish = Policy(rotator="generate", settings={"kind": "password"}, schedule="daily")
        store, seconds = draft.header.store, now / 1000
        for entry in draft.directory.entries.values():
            found = steps.planned(wish, entry.name, store, seconds, seconds)
            entry.policy = policy.write(found)
            agenda.note(draft.directory, entry.name, steps.attention(found))

    changes.amend("rotation_policy", {}, change)
    return secrets, changes


def all_due(path: Path, count: int, times: int) -> Times:
    """Measure writing every value, and rotating every one, in one process."""
    secrets, changes = schedule_all(path, count)
    found = Times([], [])
    now = time.time()
    for _ in range(times):
        started = time.perf_counter()
        changes.set_many(_values(count))
        found.write.append(time.perf_counter() - started)
        now += 2 * DAY
        runs = Runs(secrets, changes, now=lambda now=now: now)  # type: ignore[misc]
        started = time.perf_counter()
        done = runs.due(everything=True).done
        found.rotate.append(time.perf_counter() - started)
        assert len(done) == count
    return found


def _values(count: int) -> dict[str, SecretValue]:
    return {homes.name(number): SecretValue(b"x" * 24) for number in range(count)}
