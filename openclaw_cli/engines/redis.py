"""The way through Redis: keys that expire, and a stream for what is said of a request."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

from openclaw_cli.engines.names import COMMON, node_queue
from openclaw_cli.engines.way import (
    AWAY_SECONDS,
    KEPT_SECONDS,
    THREAD_SECONDS,
    Heard,
    Message,
    Place,
)
from openclaw_cli.errors import TemporaryError

ALIVE_SECONDS = 5
_BIND = """
local bound = redis.call('GET', KEYS[1]) or ''
if bound == ARGV[1] then bound = ARGV[2] end
redis.call('SET', KEYS[1], bound, 'EX', ARGV[3])
return bound
"""
"""A thread's machine, unless another gateway chose one meanwhile."""


class RedisWay:
    """A `Way`."""

    errors: tuple[type[Exception], ...] = (RedisError, OSError)
    # It hands a request over before anybody has signed for it: one that is on its way to a
    # machine whose network is cut just then is nowhere any more.
    loses = True

    def __init__(self, broker: str) -> None:
        self._redis: Any = Redis.from_url(
            broker, socket_timeout=5, socket_connect_timeout=5, retry=Retry(NoBackoff(), 1)
        )

    @property
    def inbox(self) -> str:
        """Nothing: the id is enough."""
        return ""

    @contextmanager
    def hearing(self, request: str) -> Iterator[Heard]:
        """Read the request's stream."""
        key = _key("said", request)
        try:
            yield _Stream(self._redis, key).next
        finally:
            with suppress(*self.errors):  # then it expires
                self._redis.delete(key)

    def nodes(self) -> list[str]:
        """Return the machines that are alive."""
        found = self._redis.scan_iter(match=f"{_key('node', '')}*")
        return sorted(each.decode().rpartition(":")[2] for each in found)

    def place(self, thread: str) -> Place:
        """Return the queue of a thread's machine; one is chosen where it has none that lives."""
        key = _key("thread", thread)
        alive = self.nodes()
        bound = (self._redis.get(key) or b"").decode()
        node = bound
        if bound not in alive:
            if not alive:
                raise TemporaryError("no machine is alive", hint="openclaw agents node")
            node = random.choice(alive)  # noqa: S311  any will do
        node = self._redis.eval(_BIND, 1, key, bound, node, THREAD_SECONDS).decode()
        return Place(node_queue(node), node=node)

    def alive(self, node: str) -> bool:
        """Look for what it says every second."""
        return bool(self._redis.exists(_key("node", node)))

    def cancel(self, request: str, seconds: float) -> None:
        """Set a key that every node looks for."""
        self._redis.set(_key("cancelled", request), 1, ex=max(1, int(seconds)))

    def close(self) -> None:
        """Let go of its connections."""
        self._redis.close()

    def say(self, request: str, inbox: str, message: Message) -> None:  # noqa: ARG002
        """Add to the request's stream."""
        key = _key("said", request)
        with self._redis.pipeline(transaction=False) as both:
            both.xadd(key, {"m": json.dumps(message)})
            both.expire(key, KEPT_SECONDS)
            both.execute()

    def cancelled(self, request: str) -> bool:
        """Look for the key."""
        return bool(self._redis.exists(_key("cancelled", request)))

    def claim(self, thread: str, node: str) -> bool:  # noqa: ARG002
        """Nothing to do: who sends has found the machine."""
        return True

    def deliveries(self, request: str, *, redelivered: bool) -> int:  # noqa: ARG002
        """Count with a key."""
        key = _key("tries", request)
        count = int(self._redis.incr(key))
        self._redis.expire(key, KEPT_SECONDS)
        return count

    def present(self, node: str) -> None:
        """Say it for the next seconds."""
        self._redis.set(_key("node", node), 1, ex=ALIVE_SECONDS)

    def leave(self, node: str) -> None:
        """Take it back."""
        self._redis.delete(_key("node", node))


class _Stream:
    """What was said of one request, read from its beginning; a broken connection loses none."""

    def __init__(self, redis: Any, key: str) -> None:  # noqa: ANN401  redis' client
        self._redis = redis
        self._key = key
        self._last = b"0"
        self._read: list[tuple[bytes, dict[bytes, bytes]]] = []
        self._well = time.monotonic()

    def next(self, seconds: float) -> Message | None:
        if not self._read:
            try:
                milliseconds = max(1, int(seconds * 1000))
                found = self._redis.xread({self._key: self._last}, block=milliseconds)
            except (RedisError, OSError):
                if time.monotonic() - self._well > AWAY_SECONDS:
                    raise
                time.sleep(min(seconds, 0.2))
                return None
            self._well = time.monotonic()
            self._read = list(found[0][1]) if found else []
        if not self._read:
            return None
        self._last, fields = self._read.pop(0)
        message: Message = json.loads(fields[b"m"])
        return message


def _key(what: str, name: str) -> str:
    return f"{COMMON}:{what}:{name}"
