"""The Celery application that places requests on machines, and the times that it goes by.

Each machine has a gateway, which runs agents as always, and beside it a node (`node.py`), which
takes requests from the broker. What travels is JSON: the agent's name, its input, the thread. No
secret does, not even its name: each machine's own settings and store say what an agent may read.

Celery places and redelivers. Answers, their parts and what is kept of threads go past it, a `Way`.

An agent that is `idempotent` is delivered at least once, three times at most; any other at most
once. A thread stays with its machine as long as that lives.
"""

from __future__ import annotations

from collections.abc import Mapping

from celery import Celery
from kombu import Exchange

from openclaw_cli.agents.spec import AgentSpec
from openclaw_cli.engines.names import COMMON, CONTROL, is_redis
from openclaw_cli.errors import ConfigError

ONCE, AGAIN = "openclaw.once", "openclaw.again"
TO_ALL = Exchange(CONTROL, type="fanout", durable=True)

MARGIN = 3.0
"""Seconds beyond every time limit, before a request counts as lost."""

DELIVERIES = 3
RETRY = {"max_retries": 2, "interval_start": 0, "interval_step": 0.2, "interval_max": 0.5}
"""How often a broker that is away is tried before who sends is told."""

_SCHEMES = ("redis", "rediss", "amqp", "amqps")


def app(broker: str, agents: Mapping[str, AgentSpec]) -> Celery:
    """Return the Celery application of one broker; its settings follow from the agents' limits."""
    scheme = broker.partition(":")[0]
    if scheme not in _SCHEMES:
        raise ConfigError(
            "the broker's address is neither redis://, rediss:// nor amqp://",
            hint="openclaw secrets set, for the secret that gateway.broker names",
        )
    made = Celery("openclaw", broker=broker)
    made.conf.update(
        accept_content=["json"],
        task_serializer="json",
        task_ignore_result=True,
        task_create_missing_queues=True,
        task_default_queue=COMMON,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        worker_send_task_events=False,
        # Who can reach the broker can ask agents; how a node runs is its own affair.
        worker_enable_remote_control=False,
        broker_connection_retry_on_startup=True,
        broker_transport_options=RETRY | (_restoring(agents) if is_redis(broker) else {}),
    )
    return made


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


def _restoring(agents: Mapping[str, AgentSpec]) -> dict[str, float]:
    """Return when a request that no node finished is given to another one.

    Celery's own are an hour, and a look every hundred seconds.
    """
    return {
        "visibility_timeout": visibility(agents),
        "unacked_restore_interval": 1,
        "unacked_restore_throttle": 1,
    }
