"""The way through RabbitMQ: queues that are there, or not, stand for what Redis keeps in keys.

A thread is its machine's while there is a queue of its name, which its node alone may declare:
it goes with the node's connection. What comes to it goes on to the node's own queue at once. A
request whose thread has no such queue goes, by the alternate exchange, to whoever is free.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue
from secrets import token_hex
from typing import Any, TypeVar

from amqp import AMQPError
from amqp.exceptions import NotFound, ResourceLocked
from kombu import Connection, Consumer, Exchange, Producer, Queue
from kombu.exceptions import OperationalError

from openclaw_cli.engines.names import COMMON, hears, node_queue
from openclaw_cli.engines.way import (
    AWAY_SECONDS,
    KEPT_SECONDS,
    THREAD_SECONDS,
    Heard,
    Message,
    Place,
)

THREADS = f"{COMMON}.threads"
_THREAD = f"{COMMON}.thread."
_UNBOUND = f"{COMMON}.unbound"
_BEATS = 4  # seconds between two signs of life; without one for twice as long a node is gone
Result = TypeVar("Result")
_ANSWERS = (ResourceLocked, NotFound)
_FAILURES = (AMQPError, OperationalError, OSError)


class RabbitWay:
    """A `Way`."""

    errors: tuple[type[Exception], ...] = _FAILURES
    loses = False

    def __init__(self, broker: str) -> None:
        self._broker = broker
        self._making = threading.Lock()
        self._inbox: _Inbox | None = None
        self._voice = _Voice(broker, self._declare)
        self._threads: dict[str, tuple[str, float]] = {}

    @property
    def inbox(self) -> str:
        """The queue of this end, from which it takes what nodes say."""
        return self._hears().name

    def hearing(self, request: str) -> Any:  # noqa: ANN401  a context manager
        """Take what comes of a request out of our queue."""
        return self._hears().hearing(request)

    def _hears(self) -> _Inbox:
        with self._making:
            if self._inbox is None:
                self._inbox = _Inbox(self._broker)
            return self._inbox

    def place(self, thread: str) -> Place:
        """Return the exchange that knows; a thread's queue stands for its machine's name."""
        held = _thread(thread) if self._is_there(_thread(thread)) else ""
        return Place(exchange=THREADS, routing_key=thread, node=held)

    def alive(self, node: str) -> bool:
        """Ask for a queue that goes with the node's connection."""
        return self._is_there(node if node.startswith(_THREAD) else hears(node))

    def _is_there(self, queue: str) -> bool:
        """Tell whether there is a queue that somebody takes from, or a node has for itself."""
        try:
            return self._voice.do(lambda main: _consumers(main.connection, queue)) > 0
        except ResourceLocked:
            return True
        except NotFound:
            return False

    def cancel(self, request: str, seconds: float) -> None:
        """Declare a queue that is gone when its time is over."""
        self._voice.declare(_cancelled(request), math.ceil(seconds))

    def close(self) -> None:
        """Let go of its connections."""
        if self._inbox is not None:
            self._inbox.close()
        self._voice.close()

    def say(self, request: str, inbox: str, message: Message) -> None:
        """Send it to the queue of who sent the request."""
        self._voice.say(inbox, {**message, "request": request})

    def cancelled(self, request: str) -> bool:
        """Tell whether there is a queue; asked in a way that its absence is no failure."""
        return self._voice.say(_cancelled(request), {}, mandatory=True)

    def claim(self, thread: str, node: str) -> bool:
        """Declare the thread's queue; the broker sees to it that one node can."""
        try:
            if thread not in self._threads:
                self._voice.do(lambda main: _bound(main.connection, thread, node))
        except ResourceLocked:
            return False
        self._threads[thread] = (node, time.monotonic())
        return True

    def deliveries(self, request: str, *, redelivered: bool) -> int:
        """Count with the messages in a queue, from the second on."""
        if not redelivered:
            return 1
        name = f"{COMMON}.tries.{request}"
        count = self._voice.declare(name, KEPT_SECONDS)
        self._voice.say(name, {})
        return count + 2

    def present(self, node: str) -> None:
        """Keep the connection alive, and with it the node's threads that somebody uses."""
        with self._voice.channel() as main:
            late = time.monotonic() - THREAD_SECONDS
            for thread, (_, used) in list(self._threads.items()):
                if used < late:
                    del self._threads[thread]
                    main.queue_delete(_thread(thread))
            main.queue_declare(node_queue(node), durable=True, auto_delete=False)
        self._voice.beat()

    def leave(self, node: str) -> None:  # noqa: ARG002
        """Let go of the threads with the connection."""
        self._voice.close()

    def _declare(self, connection: Any) -> None:  # noqa: ANN401  kombu's has no types
        """Declare what there has to be, and claim again what a lost connection had."""
        with connection.channel() as main:
            main.exchange_declare(_UNBOUND, "fanout", durable=True, auto_delete=False)
            otherwise = {"alternate-exchange": _UNBOUND}
            main.exchange_declare(
                THREADS, "direct", durable=True, auto_delete=False, arguments=otherwise
            )
            main.queue_declare(COMMON, durable=True, auto_delete=False)
            main.queue_bind(COMMON, _UNBOUND)
        for thread, (node, _) in list(self._threads.items()):
            try:
                _bound(connection, thread, node)
            except ResourceLocked:
                del self._threads[thread]  # it is another machine's by now


class _Voice:
    """A connection on which one thing is done at a time; a new one where it was lost."""

    def __init__(self, broker: str, declare: Any) -> None:  # noqa: ANN401
        self._broker = broker
        self._declare = declare
        self._lock = threading.RLock()
        self._connection: Any = None
        self._main: Any = None
        self._returned: list[object] = []

    @contextmanager
    def channel(self) -> Iterator[Any]:
        """Give a channel; after a failure the connection is made anew."""
        with self._lock:
            try:
                if self._connection is None or not self._main.is_open:
                    self.close()
                    self._connect()
                yield self._main
            except _ANSWERS:
                raise  # an answer, which ended the channel alone
            except _FAILURES:
                self.close()
                raise

    def _connect(self) -> None:
        options = {"confirm_publish": True}
        made = Connection(
            self._broker, heartbeat=2 * _BEATS, connect_timeout=5, transport_options=options
        )
        self._connection = made
        self._declare(made)
        self._main = made.channel()
        self._main.events["basic_return"].add(lambda *what: self._returned.append(what))

    def do(self, work: Callable[[Any], Result]) -> Result:
        """Do something with a channel; where the connection turns out to be lost, once more."""
        try:
            return self._done(work)
        except _ANSWERS:
            raise
        except _FAILURES:
            return self._done(work)

    def _done(self, work: Callable[[Any], Result]) -> Result:
        with self.channel() as main:
            return work(main)

    def say(self, queue: str, message: Message, *, mandatory: bool = False) -> bool:
        """Send a message and wait until the broker has it; tell whether a queue took it."""

        def said(main: Any) -> bool:  # noqa: ANN401
            self._returned.clear()
            Producer(main, serializer="json").publish(
                message, routing_key=queue, delivery_mode=1, mandatory=mandatory, timeout=5
            )
            return not self._returned

        return self.do(said)

    def declare(self, queue: str, seconds: float) -> int:
        """Declare a queue for so many seconds; return how many messages it has."""
        expires = {"x-expires": max(1, int(seconds * 1000))}

        def declared(main: Any) -> int:  # noqa: ANN401
            found = main.queue_declare(queue, durable=True, auto_delete=False, arguments=expires)
            return int(found.message_count)

        return self.do(declared)

    def beat(self) -> None:
        """Send a sign of life when it is time, and take the broker's."""
        with self.channel():
            self._connection.heartbeat_check()
            with suppress(TimeoutError):
                self._connection.drain_events(timeout=0.001)

    def close(self) -> None:
        """End the connection."""
        with self._lock:
            gone, self._connection, self._main = self._connection, None, None
            if gone is not None:
                with suppress(*_FAILURES):
                    gone.release()


class _Inbox:
    """The queue of the sending end, and who waits for what comes to it."""

    def __init__(self, broker: str) -> None:
        self.name = f"{COMMON}.inbox.{token_hex(8)}"
        self._broker = broker
        self._waiting: dict[str, SimpleQueue[Message]] = {}
        self._ended = threading.Event()
        self._open = threading.Event()
        self._well = time.monotonic()
        threading.Thread(target=self._run, name="inbox", daemon=True).start()

    @contextmanager
    def hearing(self, request: str) -> Iterator[Heard]:
        """Take what is said of a request."""
        waiting: SimpleQueue[Message] = SimpleQueue()
        self._waiting[request] = waiting

        def heard(seconds: float) -> Message | None:
            with suppress(Empty):
                return waiting.get(timeout=seconds)
            if not self._open.is_set() and time.monotonic() - self._well > AWAY_SECONDS:
                raise OSError
            return None

        try:
            if not self._open.wait(AWAY_SECONDS):
                raise OSError
            yield heard
        finally:
            del self._waiting[request]

    def close(self) -> None:
        """Take no more."""
        self._ended.set()

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                self._listen()
            except _FAILURES:
                self._open.clear()
                self._ended.wait(0.5)

    def _listen(self) -> None:
        # It outlives a broken connection, and not for long the gateway that it belongs to.
        queue = Queue(self.name, Exchange(""), self.name, expires=6 * AWAY_SECONDS)
        with Connection(self._broker, heartbeat=2 * _BEATS, connect_timeout=5) as connection:
            taking = Consumer(
                connection, [queue], no_ack=True, callbacks=[self._take], accept=["json"]
            )
            with taking:
                self._open.set()
                while not self._ended.is_set():
                    with suppress(TimeoutError):
                        connection.drain_events(timeout=1)
                    connection.heartbeat_check()
                    self._well = time.monotonic()

    def _take(self, message: Message, _: object) -> None:
        waiting = self._waiting.get(message.pop("request", ""))
        if waiting is not None:
            waiting.put(message)


def _bound(connection: Any, thread: str, node: str) -> None:  # noqa: ANN401
    """Declare a thread's queue, from which all goes on to its node's; raises `ResourceLocked`."""
    onwards = {
        "x-message-ttl": 0,
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": node_queue(node),
    }
    name = _thread(thread)
    with connection.channel() as asking:  # a refusal ends the channel
        asking.queue_declare(name, exclusive=True, auto_delete=False, arguments=onwards)
        asking.queue_bind(name, THREADS, thread)


def _consumers(connection: Any, queue: str) -> int:  # noqa: ANN401
    with connection.channel() as asking:  # a refusal ends the channel
        return int(asking.queue_declare(queue, passive=True).consumer_count)


def _thread(thread: str) -> str:
    return _THREAD + thread


def _cancelled(request: str) -> str:
    return f"{COMMON}.cancelled.{request}"
