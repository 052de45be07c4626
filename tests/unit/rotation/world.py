"""A home, a service and a clock of the test's own, for whatever rotates."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from openclaw_cli.changes import Changes
from openclaw_cli.duration import HOUR
from openclaw_cli.errors import TemporaryError
from openclaw_cli.model import SecretValue
from openclaw_cli.names import parse
from openclaw_cli.rotation import chosen, policy, schedule
from openclaw_cli.rotation.announcing import Announcer, Pace
from openclaw_cli.rotation.engine import Engine
from openclaw_cli.rotation.ledger import Ledger
from openclaw_cli.rotation.runs import Report, Runs
from openclaw_cli.rotation.wishes import Asked
from openclaw_cli.service import Secrets
from openclaw_cli.testing.acme import Acme, Chosen, Minted

DAILY = schedule.parse("daily")


@dataclass
class World:
    """A home, a service, and a clock that the test turns."""

    secrets: Secrets
    changes: Changes
    now: float = field(default_factory=lambda: time.time() + HOUR)
    acme: Acme = field(default_factory=Acme)
    told: list[str] = field(default_factory=list)
    away: set[str] = field(default_factory=set)
    pauses: list[float] = field(default_factory=list)
    pace: Pace = field(default_factory=lambda: Pace(pause=0))
    reload: Callable[[list[str]], object] | None = None

    def runs(self) -> Runs:
        ledger = Ledger(self.changes, lambda: self.now, serves=self.reload is not None)
        engine = Engine(
            self.secrets, ledger, now=lambda: self.now, find=self.rotator, pace=self.pace
        )
        engine.announcer = Announcer(
            ledger, self.tell, self.pace, engine.tasks.deadline, self.pauses.append
        )
        return Runs(
            self.secrets, self.changes, now=lambda: self.now, engine=engine, reload=self.reload
        )

    def tell(self, whom: str, name: str, version: str) -> None:
        if whom in self.away:
            raise TemporaryError(f"{whom} is away")
        self.told.append(f"{whom} {name} {version}")

    def rotator(self, name: str) -> Any:  # noqa: ANN401 - a rotator
        made: dict[str, Any] = {"acme": Chosen, "minted": Minted}
        return made[name](self.acme) if name in made else chosen.rotator(name)

    def keep(
        self, name: str, rotator: str = "generate", value: bytes = b"first", **more: object
    ) -> None:
        self.changes.create(name, SecretValue(value))
        self.acme.add(value)
        self.runs().wishes.keep(name, Asked(DAILY, rotator=rotator, **more))  # type: ignore[arg-type]

    def due(self, **more: object) -> Report:
        return self.runs().due(**more)  # type: ignore[arg-type]

    def value(self, name: str) -> bytes:
        return self.secrets.read(parse(name)).value.reveal()

    def stages(self, name: str) -> list[str]:
        return [row.stage for row in self.secrets.catalogue().entries[name].rows]

    def policy(self, name: str) -> policy.Policy:
        return policy.read(self.secrets.catalogue().entries[name].policy)

    def generation(self) -> int:
        snapshot = self.secrets.opened()
        try:
            return snapshot.header.generation
        finally:
            snapshot.close()


def names(report: Report) -> list[str]:
    return sorted(each.name for each in report.done)
