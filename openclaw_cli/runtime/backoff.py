"""When an agent that keeps crashing is tried again. Pure: the time comes in as an argument.

As in Erlang/OTP: more than `most` crashes within `period` seconds, and it rests; 1 s the first
time, twice as long each further time, a minute at most. Then one request is let through: when it
ends well all is forgotten.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

LONGEST = 60.0


@dataclass(slots=True)
class Backoff:
    """The crashes of one agent."""

    most: int = 5
    period: float = 10.0
    crashed: deque[float] = field(default_factory=deque)
    until: float = 0.0
    times: int = 0
    trying: bool = False

    def wait(self, now: float) -> float:
        """Return how long to wait before the next try, 0 when one may be made now.

        After a rest, whoever gets 0 first is the one try.
        """
        if now < self.until:
            return self.until - now
        if self.times:
            if self.trying:
                return 1.0
            self.trying = True
        return 0.0

    def crash(self, now: float) -> None:
        """Take note of a crash."""
        self.crashed.append(now)
        while self.crashed and self.crashed[0] <= now - self.period:
            self.crashed.popleft()
        if self.trying or len(self.crashed) > self.most:
            self.until = now + min(LONGEST, 2.0**self.times)
            self.times += 1
            self.trying = False
            self.crashed.clear()

    def well(self) -> None:
        """Take note that the one try ended well, or that it was no crash."""
        if self.trying:
            self.reset()

    def reset(self) -> None:
        """Forget everything, as `agents restart` does."""
        self.crashed.clear()
        self.until, self.times, self.trying = 0.0, 0, False

    def resting(self, now: float) -> bool:
        """Say whether it rests, without being a try."""
        return now < self.until or self.trying
