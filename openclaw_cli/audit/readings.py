"""Who read which version of one secret, and when last: for its history and its status."""

from __future__ import annotations

from dataclasses import dataclass

from openclaw_cli.audit.event import REVEAL, Event, read
from openclaw_cli.audit.reading import Reading


@dataclass(slots=True)
class Reads:
    """How often a version was read, and the newest of these readings."""

    count: int
    last: Event


def of_secret(path: str, name: str) -> dict[str, Reads]:
    """Return the successful readings of a secret by version, from all that the trail still has.

    `path` is the trail's folder. Nothing is verified: `audit verify` does that.
    """
    found: dict[str, Reads] = {}
    needle = f'"name":"{name}"'.encode()
    with Reading(path) as reading:
        for segment in reading.segments:
            for line in reading.lines(segment):
                event = read(line) if needle in line else None
                if event is None or event.kind != REVEAL or event.failed or event.name != name:
                    continue
                seen = found.get(event.version)
                found[event.version] = Reads(seen.count + 1 if seen else 1, event)
    return found


def of_agents(path: str) -> dict[tuple[str, str], Reads]:
    """Return the successful readings by agents, by agent and secret, from all that the trail has.

    Nothing is verified: `audit verify` does that.
    """
    found: dict[tuple[str, str], Reads] = {}
    with Reading(path) as reading:
        for segment in reading.segments:
            for line in reading.lines(segment):
                event = read(line) if b'"agent":"' in line else None
                if event is None or event.kind != REVEAL or event.failed or not event.actor.agent:
                    continue
                place = (event.actor.agent, event.name)
                seen = found.get(place)
                found[place] = Reads(seen.count + 1 if seen else 1, event)
    return found
