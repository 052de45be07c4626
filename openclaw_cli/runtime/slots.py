"""Who may run now: limits of an agent, of a pool of threads, and of all together.

A request takes a place in each of its rooms in one step or in none, so no two can wait for one
another. Who does not fit waits in the line of its agent; of the lines' heads, the oldest that fits
is next.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from openclaw_cli.runtime.request import BUSY, RETRY_SECONDS, Refused


@dataclass(slots=True)
class Room:
    """A limited number of places."""

    size: int
    taken: int = 0

    @property
    def full(self) -> bool:
        """Whether there is no place."""
        return self.taken >= self.size


@dataclass(slots=True)
class _Waiting:
    """Somebody who waits: since which turn, for which rooms."""

    turn: int
    rooms: Sequence[Room]
    admitted: asyncio.Future[None]


@dataclass(slots=True)
class Slots:
    """The lines before the rooms, by agent."""

    lines: dict[str, deque[_Waiting]] = field(default_factory=dict)
    turn: int = 0

    def waiting(self, agent: str) -> int:
        """Return how many wait in an agent's line."""
        return len(self.lines.get(agent, ()))

    async def take(self, agent: str, rooms: Sequence[Room], *, line: int, seconds: float) -> None:
        """Take a place in each room, waiting in a line of at most `line`, at most `seconds`.

        Raises `Refused`.
        """
        queue = self.lines.setdefault(agent, deque())
        if not queue and not any(each.full for each in rooms):
            _enter(rooms)
            return
        if len(queue) >= line:
            raise Refused(
                BUSY, f"{agent} is busy, and {len(queue)} are waiting", retry=RETRY_SECONDS
            )
        self.turn += 1
        mine = _Waiting(self.turn, rooms, asyncio.get_running_loop().create_future())
        queue.append(mine)
        self.pump()  # its line was not empty, yet its head may fit by now
        try:
            async with asyncio.timeout(seconds):
                await mine.admitted
        except BaseException as gone:
            if mine.admitted.done() and not mine.admitted.cancelled():
                self.leave(rooms)  # it was admitted at the very moment in which it gave up
            elif mine in queue:
                queue.remove(mine)
                self.pump()
            if not isinstance(gone, TimeoutError):
                raise
            raise Refused(
                BUSY, f"{agent} was busy for {seconds:g} s", retry=RETRY_SECONDS
            ) from None

    def leave(self, rooms: Sequence[Room]) -> None:
        """Give the places back, and let in who fits."""
        for each in rooms:
            each.taken -= 1
        self.pump()

    def pump(self) -> None:
        """Let in the oldest of the lines' heads that fits, until none does."""
        while True:
            heads = [line[0] for line in self.lines.values() if line]
            fits = [each for each in heads if not any(room.full for room in each.rooms)]
            if not fits:
                return
            first = min(fits, key=lambda each: each.turn)
            for line in self.lines.values():
                if line and line[0] is first:
                    line.popleft()
            if not first.admitted.done():  # else it has given up in this moment
                _enter(first.rooms)
                first.admitted.set_result(None)


def _enter(rooms: Sequence[Room]) -> None:
    for each in rooms:
        each.taken += 1
