"""Sessions: a thread's kept instance, one turn at a time, until it is idle, old or closed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from openclaw_cli.runtime.instance import Instance
from openclaw_cli.runtime.request import BUSY, RETRY_SECONDS, Refused

REMEMBERED = 200
"""Turns of a session that are kept for an instance that comes after."""

_LINE = 16  # turns of one thread that may wait


@dataclass(slots=True, eq=False)
class Session:
    """One thread of an agent. Without an instance it is detached: the next turn binds one."""

    agent: str
    key: str
    born: float
    used: float
    instance: Instance | None = None
    turns: int = 0
    transcript: list[dict[str, Any]] = field(default_factory=list)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: int = 0
    unsaved: bool = True

    @property
    def busy(self) -> bool:
        """Whether a turn is under way or waits."""
        return self.lock.locked() or self.waiting > 0

    def remember(self, given: Any, answer: Any) -> None:  # noqa: ANN401  what was said
        """Keep what was said, for an instance that comes after."""
        self.transcript.append({"input": given, "output": answer})
        del self.transcript[:-REMEMBERED]
        self.unsaved = True


@dataclass(slots=True)
class Sessions:
    """The sessions of one agent by thread; `ended` is told of each that ends, and why."""

    agent: str
    most: int
    idle: float
    oldest: float
    ended: Callable[[Session, str], None]
    known: dict[str, Session] = field(default_factory=dict)

    def get(self, key: str, now: float) -> Session:
        """Return a thread's session, a new one when there is none or its time was over.

        Raises `Refused` where all that there may be are busy.
        """
        found = self.known.get(key)
        if found is not None and not found.busy and self._over(found, now):
            self.end(key, self._over(found, now))
            found = None
        if found is None:
            self._make_room()
            found = self.known[key] = Session(self.agent, key, born=now, used=now)
        if found.waiting >= _LINE:
            raise Refused(BUSY, f"{len(self.known)} turns of {key} wait", retry=RETRY_SECONDS)
        return found

    def end(self, key: str, why: str) -> bool:
        """End a thread's session; a turn that is under way ends with it. Tell if there was one."""
        found = self.known.pop(key, None)
        if found is None:
            return False
        if found.instance is not None:
            if found.busy:
                found.instance.stop("closed")
            else:
                found.instance.dismiss()
        self.ended(found, why)
        return True

    def sweep(self, now: float, idle: float | None = None) -> list[str]:
        """End the sessions whose time is over; return their threads."""
        ended = []
        for key, each in list(self.known.items()):
            why = "" if each.busy else self._over(each, now, idle)
            if why and self.end(key, why):
                ended.append(key)
        return ended

    def detach(self) -> None:
        """Let go of each idle instance; the next turn of its thread binds a new one."""
        for each in self.known.values():
            if each.instance is not None and not each.busy:
                each.instance.dismiss()
                each.instance = None

    def live(self) -> int:
        """Return how many have an instance."""
        return sum(
            each.instance is not None and each.instance.alive for each in self.known.values()
        )

    def _over(self, session: Session, now: float, idle: float | None = None) -> str:
        if self.oldest and now - session.born > self.oldest:
            return "max-age"
        most = self.idle if idle is None else idle
        return "idle" if now - session.used > most else ""

    def _make_room(self) -> None:
        """Where there are as many as may be, the one that has been idle for longest goes."""
        if len(self.known) < self.most:
            return
        idle = [each for each in self.known.values() if not each.busy]
        if not idle:
            raise Refused(
                BUSY, f"{self.agent} has {len(self.known)} sessions, all busy", retry=RETRY_SECONDS
            )
        self.end(min(idle, key=lambda each: each.used).key, "made room")


def now() -> float:
    """Return the time that sessions are measured by, which a restart of the gateway survives."""
    return time.time()
