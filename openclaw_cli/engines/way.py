"""What the two ends tell each other past the queues, and what the broker keeps for both.

One for each kind of broker: `redis.py`, `rabbit.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from openclaw_cli.engines.names import is_redis

Message = dict[str, Any]
Heard: TypeAlias = Callable[[float], Message | None]
"""Gives what is said next of a request, or None when nothing is for so many seconds."""

AWAY_SECONDS = 10.0
"""How long a broker may be away before who waits for an answer is told."""

THREAD_SECONDS = 24 * 3600
"""How long a thread that nobody uses stays with its machine."""

KEPT_SECONDS = 3600
"""How long the broker keeps what was said, of a request, and how often it was delivered."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a request is sent: to a queue, or by an exchange; and whose that is, if we know."""

    queue: str = ""
    exchange: str = ""
    routing_key: str = ""
    node: str = ""

    @property
    def options(self) -> dict[str, str]:
        """For Celery's `send_task`."""
        if self.queue:
            return {"queue": self.queue}
        return {"exchange": self.exchange, "routing_key": self.routing_key}


class Way(Protocol):
    """The way between the sending end (the first half) and the nodes."""

    errors: tuple[type[Exception], ...]
    """What is raised where the broker is away."""

    loses: bool
    """Whether a request may be lost on its way to a node."""

    @property
    def inbox(self) -> str:
        """What a node has to know besides the request's id to say something of it."""

    def hearing(self, request: str) -> AbstractContextManager[Heard]:
        """Listen to what nodes say of a request."""

    def place(self, thread: str) -> Place:
        """Return where a request of a thread goes: to its machine."""

    def alive(self, node: str) -> bool:
        """Tell whether a machine's node is there."""

    def cancel(self, request: str, seconds: float) -> None:
        """Have it known for so long that nobody waits for a request."""

    def close(self) -> None:
        """End it."""

    def say(self, request: str, inbox: str, message: Message) -> None:
        """Say something of a request to who sent it."""

    def cancelled(self, request: str) -> bool:
        """Tell whether nobody waits for a request any more."""

    def claim(self, thread: str, node: str) -> bool:
        """Have a thread's requests come to a node; tell whether they do, and to no other."""

    def deliveries(self, request: str, *, redelivered: bool) -> int:
        """Count how often a request was begun, this time included."""

    def present(self, node: str) -> None:
        """Say that a node is alive; said every second."""

    def leave(self, node: str) -> None:
        """Say that it is gone."""


def way_of(broker: str) -> Way:
    """Return the way through a broker."""
    if is_redis(broker):
        from openclaw_cli.engines.redis import RedisWay

        return RedisWay(broker)
    from openclaw_cli.engines.rabbit import RabbitWay

    return RabbitWay(broker)
