"""One machine's end: takes requests from the broker and gives them to the gateway here.

A process of its own beside the gateway. It sees requests and answers, and no secret but the
broker's address.
"""

from __future__ import annotations

import threading
import warnings
from contextlib import suppress
from typing import Any

from celery import Task
from celery.platforms import SecurityWarning

from openclaw_cli.agents.spec import Configuration
from openclaw_cli.engines import celery
from openclaw_cli.engines.celery import AGAIN, DELIVERIES, ONCE, Presence
from openclaw_cli.errors import OpenclawError
from openclaw_cli.gateway import talk
from openclaw_cli.home import Home


class Node:
    """Carries requests to the gateway of one home."""

    def __init__(self, home: Home, presence: Presence) -> None:
        self._home = home
        self._presence = presence

    def once(self, given: dict[str, Any]) -> dict[str, Any]:
        """Answer a request that is delivered at most once."""
        path = f"/v1/agents/{given['agent']}"
        wanted = {key: given[key] for key in ("input", "session") if given.get(key) is not None}
        parts = self._presence.parts(given["request_id"]) if given.get("parts") else None
        try:
            answer = talk.brought(self._home, path, wanted, parts)
        except OpenclawError as refused:
            return failed(given, "unavailable", refused.message)
        if "outcome" not in answer:
            told = answer.get("error", {})
            return failed(given, str(told.get("kind", "refused")), str(told.get("message", "")))
        return answer

    def again(self, given: dict[str, Any]) -> dict[str, Any]:
        """Answer a request that may come again; one that has ended several nodes is given up."""
        count = self._presence.deliveries(given["request_id"])
        if count > DELIVERIES:
            return failed(
                given, "poison", f"it was given to {count - 1} machines, and none is left"
            )
        return self.once(given)


def failed(given: dict[str, Any], outcome: str, message: str) -> dict[str, Any]:
    """Return an answer that says what went wrong."""
    told = {"kind": outcome, "message": message, "hint": ""}
    return {
        "request_id": given["request_id"],
        "agent": given["agent"],
        "outcome": outcome,
        "error": told,
    }


def run(home: Home, configuration: Configuration, broker: str, name: str) -> int:
    """Take requests until told to stop; what was taken is answered first."""
    presence = Presence(broker, name)
    node = Node(home, presence)
    made = celery.app(broker, configuration.agents)

    def once(_task: Task, given: dict[str, Any]) -> dict[str, Any]:
        return node.once(given)

    def again(_task: Task, given: dict[str, Any]) -> dict[str, Any]:
        return node.again(given)

    made.task(once, name=ONCE, bind=True, acks_late=False)
    made.task(again, name=AGAIN, bind=True, acks_late=True)
    ended = threading.Event()

    def living() -> None:
        while not ended.is_set():
            with suppress(Exception):  # the broker is away: then nobody asks either
                presence.tell()
            ended.wait(1.0)

    threading.Thread(target=living, daemon=True).start()
    most = configuration.threads.max_threads
    words = [
        "--quiet",
        "worker",
        "--pool=threads",
        f"--concurrency={most}",
        f"--hostname={name}@openclaw",
    ]
    words += [f"--queues={celery.COMMON},{celery.node_queue(name)}", "--loglevel=WARNING"]
    words += ["--without-gossip", "--without-mingle"]
    # Of running as root: what a message can do is ask an agent, as anybody with the broker can.
    warnings.filterwarnings("ignore", category=SecurityWarning)
    try:
        made.worker_main(words)
    finally:
        ended.set()
        with suppress(Exception):
            presence.end()
    return 0
