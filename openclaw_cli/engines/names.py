"""What brokers and the queues at them are called."""

from __future__ import annotations

COMMON = "openclaw"
"""The queue of whatever any machine may answer."""

CONTROL = f"{COMMON}.control"
"""The exchange of what every node hears at once."""


def node_queue(node: str) -> str:
    """Return the queue of one machine's node."""
    return f"{COMMON}.node.{node}"


def hears(node: str) -> str:
    """Return the queue of what one machine's node hears with all others; it goes with the node."""
    return f"{CONTROL}.{node}"


def is_redis(broker: str) -> bool:
    """Tell by its address which of the two kinds of brokers it is."""
    return broker.startswith("redis")
