"""What an agent asks for can be any number of names; what is counted cannot."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from openclaw_cli.agents.spec import Monitoring
from openclaw_cli.audit.event import Actor, Event
from openclaw_cli.audit.trail import REVEAL
from openclaw_cli.gateway.observing import TOLD, UNKNOWN, Observing

NOON = 1_795_176_000.0


def test_names_that_no_secret_has_are_counted_as_one() -> None:
    gateway: Any = SimpleNamespace(configuration=SimpleNamespace(monitoring=Monitoring()))
    observing = Observing(gateway)
    thief = Actor(agent="thief")
    names = ["db", *(f"{number:05}" for number in range(3000)), "db"]
    seen = [Event(0, "", REVEAL, name=each, outcome="denied", actor=thief) for each in names]
    seen.insert(0, Event(0, "", REVEAL, name="db"))
    for each in seen:
        observing._count(each, NOON)  # noqa: SLF001
    assert observing.reads == {("db", "ok"): 1, ("db", "denied"): 2, (UNKNOWN, "denied"): 3000}
    assert observing.unexpected == {"db": 2, UNKNOWN: 3000}
    told = observing._unexpected_at  # noqa: SLF001
    assert "db by thief" in told
    assert len(told) == TOLD + 1
