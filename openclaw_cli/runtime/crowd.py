"""How many threads a request may add to those that there are: the kernel's limit for its user.

All threads of the machine are counted, which is one line to read; so it is no less than the user's.
"""

from __future__ import annotations

import time

from openclaw_cli.runtime import tree
from openclaw_cli.runtime.wire import Message

_EVERY = 0.25  # seconds between two looks


def most_threads(plan: Message, crowd: Crowd) -> int:
    """Return how many threads the user of an agent's instances may have; 0 where that is not known.

    An agent's own user has its instances alone.
    """
    if plan["owner"]:
        return int(plan["threads"] * plan["concurrency"])
    return crowd.most(plan["threads"])


class Crowd:
    """The number of threads of the machine, looked at now and then."""

    def __init__(self) -> None:
        self._now = 0
        self._looked = -_EVERY

    def most(self, more: int) -> int:
        """Return how many there may be with so many more; 0 where they cannot be counted."""
        now = time.monotonic()
        if now - self._looked >= _EVERY:
            self._looked = now
            self._now = tree.threads_of_the_machine()
        return self._now + more if self._now else 0
