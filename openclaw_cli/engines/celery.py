"""Requests to the gateways of several machines, through a broker: Celery places and redelivers.

Each machine has a gateway, which runs agents as always, and beside it a node (`node.py`), which
takes requests from the broker. What travels is JSON: the agent's name, its input, the thread. No
secret does, not even its name: each machine's own settings and store say what an agent may read.

An agent that is `idempotent` is delivered at least once, three times at most; any other at most
once. A thread stays with its machine as long as that lives, where the broker is Redis.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Mapping
from typing import Any

from celery import Celery
from celery.exceptions import TimeoutError as NoAnswer
from celery.result import AsyncResult
from kombu.exceptions import OperationalError

from openclaw_cli.agents.spec import AgentSpec
from openclaw_cli.errors import ConfigError, TemporaryError

COMMON = "openclaw"
ONCE, AGAIN = "openclaw.once", "openclaw.again"
MARGIN = 3.0
"""Seconds beyond every time limit, before a request counts as lost."""
ALIVE_SECONDS = 5
DELIVERIES = 3
_THREAD_SECONDS = 24 * 3600
_RESULT_SECONDS = 3600
_PART_SECONDS = 0.02  # between two looks for parts of an answer, and for its end
_RETRY = {"max_retries": 2, "interval_start": 0, "interval_step": 0.2, "interval_max": 0.5}
_SCHEMES = ("redis", "rediss", "amqp", "amqps", "memory")


def app(broker: str, agents: Mapping[str, AgentSpec]) -> Celery:
    """Return the Celery application of one broker; its settings follow from the agents' limits."""
    scheme = broker.partition(":")[0]
    if scheme not in _SCHEMES:
        raise ConfigError(
            "the broker's address is neither redis://, rediss:// nor amqp://",
            hint="openclaw secrets set, for the secret that gateway.broker names",
        )
    made = Celery("openclaw", broker=broker, backend=broker if is_redis(broker) else "rpc://")
    made.conf.update(
        accept_content=["json"],
        result_accept_content=["json"],
        task_serializer="json",
        result_serializer="json",
        task_create_missing_queues=True,
        task_default_queue=COMMON,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        worker_send_task_events=False,
        result_expires=_RESULT_SECONDS,
        broker_connection_retry_on_startup=True,
        broker_transport_options=_transport(agents) if is_redis(broker) else {},
        # A result is asked for once, by who sent the request.
        redis_backend_health_check_interval=10,
        result_backend_transport_options={"retry_policy": _RETRY},
    )
    return made


def is_redis(broker: str) -> bool:
    """Tell whether threads can stay with their machines."""
    return broker.startswith("redis")


def visibility(agents: Mapping[str, AgentSpec]) -> float:
    """Return after which time a request that no node has finished is given to another one.

    Only what may be delivered again is kept so long, and none of it takes longer on a node that
    lives.
    """
    again = [_limit(each) for each in agents.values() if each.idempotent]
    return max(again, default=60.0) + MARGIN


def wait(spec: AgentSpec, agents: Mapping[str, AgentSpec]) -> float:
    """Return how long an agent's answer is waited for: until its last delivery has had its time."""
    more = visibility(agents) * (DELIVERIES - 1) if spec.idempotent else 0.0
    return more + _limit(spec) + MARGIN


def _limit(spec: AgentSpec) -> float:
    return spec.queue_timeout + spec.timeout + spec.grace


def node_queue(node: str) -> str:
    """Return the queue of one machine's node."""
    return f"{COMMON}.node.{node}"


def _transport(agents: Mapping[str, AgentSpec]) -> dict[str, float]:
    """Return when a request that no node finished is given to another one.

    Celery's own are an hour, and a look every hundred seconds.
    """
    return {
        "visibility_timeout": visibility(agents),
        "unacked_restore_interval": 1,
        "unacked_restore_throttle": 1,
    }


class Remote:
    """The sending end: gives requests to nodes, and waits for their answers."""

    def __init__(self, broker: str, agents: Mapping[str, AgentSpec]) -> None:
        self._agents = agents
        self._app = app(broker, agents)
        self._redis = redis_of(broker) if is_redis(broker) else None

    def ask(
        self,
        spec: AgentSpec,
        given: dict[str, Any],
        emit: Callable[[str], None] | None = None,
    ) -> dict[str, Any]:
        """Return the answer to a request, as a gateway gives it; `emit` takes its parts.

        Parts travel where the broker is Redis. Raises `TemporaryError` when the broker is away, or
        no machine answered in time.
        """
        queue = self._queue(spec, str(given.get("session") or ""))
        seconds = wait(spec, self._agents)
        try:
            if emit is not None and self._redis is not None:
                sent = self._heard(spec, given, queue, emit, seconds)
            else:
                sent = self._sent(spec, given, queue)
                seconds -= self._watched(sent, spec, given, queue) if spec.idempotent else 0.0
            answer: dict[str, Any] = sent.get(timeout=seconds, interval=0.01)
            sent.forget()
        except NoAnswer:
            raise TemporaryError(
                f"no machine answered for {spec.name} within {seconds:g} s",
                hint="openclaw agents node, on each machine",
            ) from None
        except (OperationalError, OSError, RuntimeError):  # the last is its result store's word
            raise TemporaryError("the broker cannot be reached", hint="try again later") from None
        except Exception as refused:  # noqa: BLE001  whatever the library has for what went wrong
            raise TemporaryError(
                f"the request was not answered ({type(refused).__name__})", hint="try again"
            ) from None
        return answer

    def _sent(self, spec: AgentSpec, given: dict[str, Any], queue: str) -> AsyncResult:
        return self._app.send_task(
            AGAIN if spec.idempotent else ONCE,
            (given,),
            task_id=given["request_id"],
            queue=queue,
            expires=None if spec.idempotent else spec.queue_timeout,
            retry=False,
        )

    def _heard(
        self,
        spec: AgentSpec,
        given: dict[str, Any],
        queue: str,
        emit: Callable[[str], None],
        seconds: float,
    ) -> AsyncResult:
        """Send a request and pass on the parts of its answer, until that is there."""
        assert self._redis is not None  # noqa: S101  the caller has looked
        until = time.monotonic() + seconds
        with self._redis.pubsub(ignore_subscribe_messages=True) as parts:
            parts.subscribe(_parts_key(given["request_id"]))
            sent = self._sent(spec, {**given, "parts": True}, queue)
            while time.monotonic() < until:
                ready = sent.ready()  # asked first: what was said before it is there by now
                while part := parts.get_message(timeout=0.0 if ready else _PART_SECONDS):
                    emit(part["data"].decode())
                if ready:
                    break
        return sent

    def _watched(
        self, sent: AsyncResult, spec: AgentSpec, given: dict[str, Any], queue: str
    ) -> float:
        """Send a request once more that no machine has begun in good time; return how long it took.

        Redis hands a request over before anybody has signed for it: one that is on its way to a
        machine whose network is cut just then is nowhere any more.
        """
        if self._redis is None:
            return 0.0
        seconds = visibility(self._agents)
        try:
            sent.get(timeout=seconds, interval=0.01)
        except NoAnswer:
            if not self._redis.exists(_tries_key(given["request_id"])):
                self._sent(spec, given, queue)
        return seconds

    def nodes(self) -> list[str]:
        """Return the machines that are alive, where the broker is Redis."""
        if self._redis is None:
            return []
        found = self._redis.scan_iter(match=f"{_node_key('')}*")
        return sorted(each.decode().rpartition(":")[2] for each in found)

    def _queue(self, spec: AgentSpec, session: str) -> str:
        """Return where a request goes: a thread's to its machine, any other to whoever is free."""
        if not (session and spec.keeps_session):
            return COMMON
        if self._redis is None:
            raise ConfigError(
                f"{spec.name} keeps its threads, which needs Redis as the broker",
                hint='"mode": "run", or a broker redis://...',
            )
        key = f"{COMMON}:thread:{spec.name}:{session}"
        alive = self.nodes()
        bound = self._redis.get(key)
        node = bound.decode() if bound else ""
        if node not in alive:
            if not alive:
                raise TemporaryError("no machine is alive", hint="openclaw agents node")
            node = random.choice(alive)  # noqa: S311  any will do
            self._redis.set(key, node)
        self._redis.expire(key, _THREAD_SECONDS)
        return node_queue(node)


class Presence:
    """Says of one node that it is alive, again and again, where the broker is Redis."""

    def __init__(self, broker: str, node: str) -> None:
        self._redis = redis_of(broker) if is_redis(broker) else None
        self._key = _node_key(node)

    def tell(self) -> None:
        """Say it for the next seconds."""
        if self._redis is not None:
            since = json.dumps({"at": round(time.time(), 1)})
            self._redis.set(self._key, since, ex=ALIVE_SECONDS)

    def deliveries(self, request: str) -> int:
        """Count how often a request came to any node, this time included."""
        if self._redis is None:
            return 1
        key = _tries_key(request)
        count = int(self._redis.incr(key))
        self._redis.expire(key, _RESULT_SECONDS)
        return count

    def parts(self, request: str) -> Callable[[str], None] | None:
        """Return what passes parts of an answer on, where the broker is Redis."""
        if self._redis is None:
            return None
        client, key = self._redis, _parts_key(request)

        def passed_on(part: str) -> None:
            client.publish(key, part)

        return passed_on

    def end(self) -> None:
        """Say that it is gone."""
        if self._redis is not None:
            self._redis.delete(self._key)


def redis_of(broker: str) -> Any:  # noqa: ANN401  redis' client
    """Return a client of the broker, when it is Redis."""
    from redis import Redis

    return Redis.from_url(broker, socket_timeout=5, socket_connect_timeout=5)


def _parts_key(request: str) -> str:
    return f"{COMMON}:parts:{request}"


def _tries_key(request: str) -> str:
    return f"{COMMON}:tries:{request}"


def _node_key(node: str) -> str:
    return f"{COMMON}:node:{node}"
