"""What a pool needs of the world around it, and what it counts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from openclaw_cli.agents.spec import AgentSpec
from openclaw_cli.runtime.cgroup import Delegated
from openclaw_cli.runtime.crowd import Crowd
from openclaw_cli.runtime.request import CANCELLED, OK, Given, Reply, Request
from openclaw_cli.runtime.slots import Room, Slots


class Watcher(Protocol):
    """Who is told what happens: the log, the metrics, the trail."""

    def happened(self, event: str, agent: str, **fields: Any) -> None:  # noqa: ANN401
        """Take note of an event in the life of an agent."""

    def printed(self, agent: str, instance: int, request: str, line: str) -> None:
        """Take a line that an instance printed; 0 is the zygote itself."""


@dataclass(slots=True)
class Means:
    """What a pool needs of the world around it."""

    environ: Mapping[str, str]
    slots: Slots
    everywhere: Room
    rooms: dict[str, Room]
    watcher: Watcher
    granted: Callable[[AgentSpec, Request], Awaitable[Given]]
    call: Callable[[Request], Awaitable[Reply]]
    asked: Callable[[AgentSpec, Request, str], Awaitable[bytes]]
    ahead: bool = True
    delegated: Delegated | None = None
    crowd: Crowd = field(default_factory=Crowd)


@dataclass(slots=True)
class Counters:
    """What an agent has done since the gateway started."""

    requests: dict[str, int] = field(default_factory=dict)
    restarts: int = 0
    strays: int = 0
    cpu_seconds: float = 0.0
    peak_bytes: int = 0
    seconds: float = 0.0

    def count(self, outcome: str) -> None:
        """Count one request that was answered."""
        self.requests[outcome] = self.requests.get(outcome, 0) + 1

    @property
    def errors(self) -> int:
        """How many of them went wrong; one that nobody waited for did not."""
        well = self.requests.get(OK, 0) + self.requests.get(CANCELLED, 0)
        return sum(self.requests.values()) - well
