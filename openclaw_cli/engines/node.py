"""One machine's end: takes requests from the broker and gives them to the gateway here.

A process of its own beside the gateway. It sees requests and answers, and no secret but the
broker's address.
"""

from __future__ import annotations

import threading
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from celery import Celery, Task, bootsteps
from celery.platforms import SecurityWarning
from kombu import Consumer, Queue

from openclaw_cli.agents.spec import NAME, Configuration
from openclaw_cli.engines import celery
from openclaw_cli.engines.celery import AGAIN, DELIVERIES, ONCE, TO_ALL
from openclaw_cli.engines.names import COMMON, hears, node_queue
from openclaw_cli.engines.way import AWAY_SECONDS, Message, Way, way_of
from openclaw_cli.errors import NotFoundError, OpenclawError
from openclaw_cli.gateway import talk
from openclaw_cli.home import Home
from openclaw_cli.runtime.request import CANCELLED, OK, UNAVAILABLE, UNWANTED, is_id, new_id

COMMANDS = ("agents/close", "agents/stop")
"""What a node has its gateway do with a thread because another gateway says so."""

_AGAIN_SECONDS = 0.05


class Node:
    """Carries requests to the gateway of one home."""

    def __init__(self, home: Home, way: Way, name: str) -> None:
        self._home = home
        self._way = way
        self._name = name
        self._taken: set[str] = set()
        self._back = False  # whether it has its threads

    # --- requests ---

    def take(self, given: Message, *, again: bool, redelivered: bool) -> bool:
        """Answer a request; return False when it belongs to another machine.

        One that may come `again` and has ended several nodes is given up.
        """
        if given.get("thread") and not self._way.claim(given["thread"], self._name):
            return False
        request, attempt = given["request_id"], new_id()
        self._taken.add(request)  # before anything is looked at, so that no cancelling is missed
        try:
            answer = self._answer(given, attempt, again=again, redelivered=redelivered)
        finally:
            self._taken.discard(request)
        self._say(given, {"op": "answer", "attempt": attempt, "answer": answer})
        return True

    def _answer(self, given: Message, attempt: str, *, again: bool, redelivered: bool) -> Message:
        request = given["request_id"]
        if not (is_id(request) and NAME.fullmatch(given["agent"])):  # they go into a path, a header
            return failed(given, "usage", "this is no request")
        if self._way.cancelled(request):
            return failed(given, CANCELLED, UNWANTED)
        count = self._way.deliveries(request, redelivered=redelivered) if again else 1
        if count > DELIVERIES:
            told = f"it was given to {count - 1} machines, and none is left"
            return failed(given, "poison", told)
        self._say(given, {"op": "begun", "attempt": attempt, "node": self._name})
        try:
            return self._spawned(given) if given.get("spawn") else self._asked(given, attempt)
        except OpenclawError as refused:
            return failed(given, UNAVAILABLE, refused.message)

    def _asked(self, given: Message, attempt: str) -> Message:
        path = f"/v1/agents/{given['agent']}"
        wanted = {key: given[key] for key in ("input", "session") if given.get(key) is not None}
        parts = self._parts(given, attempt) if given.get("parts") else None
        answer = talk.brought(self._home, path, wanted, given["request_id"], parts)
        if "outcome" not in answer:
            told = answer.get("error", {})
            return failed(given, str(told.get("kind", "refused")), str(told.get("message", "")))
        return answer

    def _parts(self, given: Message, attempt: str) -> Callable[[str], None]:
        count = 0

        def passed_on(text: str) -> None:
            nonlocal count
            count += 1
            self._say(given, {"op": "part", "attempt": attempt, "number": count, "text": text})

        return passed_on

    def _spawned(self, given: Message) -> Message:
        wanted = {"agent": given["agent"], "thread": given["session"], "here": True}
        found = talk.ask(self._home, "agents/spawn", wanted)
        return {"outcome": OK, "spawned": {**found, "node": self._name}}

    def _say(self, given: Message, message: Message) -> None:
        """Say something to who sent a request; the broker may be away for a moment."""
        until = time.monotonic() + AWAY_SECONDS
        while True:
            try:
                return self._way.say(given["request_id"], given.get("inbox", ""), message)
            except self._way.errors:
                if time.monotonic() > until:
                    raise
                time.sleep(_AGAIN_SECONDS)

    # --- what every node hears ---

    def heard(self, said: Message) -> None:
        """Do what a gateway tells all nodes; it takes as long as it takes."""
        verb = said.get("verb")
        with suppress(OpenclawError, *self._way.errors):
            if verb == "cancel":
                self._cancel(str(said.get("request")))
            elif verb in COMMANDS:
                self._obey(str(verb), said)

    def _cancel(self, request: str) -> None:
        """End a request that is here; it may be on its way to the gateway yet."""
        while request in self._taken:
            if talk.ask(self._home, "agents/cancel", {"request": request})["cancelled"]:
                return
            time.sleep(_AGAIN_SECONDS)

    def _obey(self, verb: str, said: Message) -> None:
        wanted = {"agent": said.get("agent", ""), "thread": said.get("thread", ""), "here": True}
        if not wanted["thread"] or not talk.ask(self._home, "agents/holds", wanted)["held"]:
            return
        self._say(said, {"op": "here"})
        try:
            answer = talk.ask(self._home, verb, wanted)
        except NotFoundError:
            answer = {}
        self._say(said, {"op": "answer", "answer": answer})

    def live(self) -> None:
        """Say that this node is alive; the first time, take its threads back."""
        with suppress(Exception):  # the broker is away: then nobody asks either
            self._way.present(self._name)
            if not self._back:
                self._threads()
                self._back = True

    def _threads(self) -> None:
        """Take back the threads that the gateway here has sessions of, after a pause of the node.

        They may be another machine's by now.
        """
        with suppress(OpenclawError):
            for each in talk.ask(self._home, "status", {"verbose": True})["agents"]:
                for session in each.get("threads", ()):
                    self._way.claim(f"{each['name']}:{session['thread']}", self._name)


def failed(given: Message, outcome: str, message: str) -> Message:
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
    made = celery.app(broker, configuration.agents)
    way = way_of(broker)
    node = Node(home, way, name)
    _introduce(made, node, way, name)
    ended = threading.Event()
    node.live()  # before it takes anything: else another might take what is for a thread of ours
    threading.Thread(target=_living, args=(node, ended), daemon=True).start()
    most = configuration.threads.max_threads
    words = [
        "--quiet",
        "worker",
        "--pool=threads",
        f"--concurrency={most}",
        f"--hostname={name}@openclaw",
    ]
    words += [f"--queues={COMMON},{node_queue(name)}", "--loglevel=WARNING"]
    words += ["--without-gossip", "--without-mingle"]
    # Of running as root: what a message can do is ask an agent, as anybody with the broker can.
    warnings.filterwarnings("ignore", category=SecurityWarning)
    try:
        made.worker_main(words)
    finally:
        ended.set()
        with suppress(Exception):
            way.leave(name)
    return 0


def _introduce(made: Celery, node: Node, way: Way, name: str) -> None:
    """Have the worker give what it takes to the node, and what all nodes are told."""

    def take(task: Task, given: Message, *, again: bool) -> None:
        where = task.request.delivery_info or {}
        if not node.take(given, again=again, redelivered=bool(where.get("redelivered"))):
            made.send_task(
                task.name,
                (given,),
                task_id=given["request_id"],
                expires=task.request.expires,
                **way.place(given["thread"]).options,
            )

    def once(task: Task, given: Message) -> None:
        take(task, given, again=False)

    def again(task: Task, given: Message) -> None:
        take(task, given, again=True)

    made.task(once, name=ONCE, bind=True, acks_late=False)
    made.task(again, name=AGAIN, bind=True, acks_late=True)

    class Hearing(bootsteps.ConsumerStep):  # type: ignore[misc]  # Celery has no types
        def get_consumers(self, channel: Any) -> list[Consumer]:  # noqa: ANN401
            queue = Queue(hears(name), TO_ALL, durable=False, auto_delete=True)
            return [Consumer(channel, [queue], callbacks=[_told], accept=["json"], no_ack=True)]

    def _told(said: Message, _: object) -> None:
        threading.Thread(target=node.heard, args=(said,), daemon=True).start()

    made.steps["consumer"].add(Hearing)


def _living(node: Node, ended: threading.Event) -> None:
    """Say again and again that a node is alive."""
    while not ended.wait(1.0):
        node.live()
