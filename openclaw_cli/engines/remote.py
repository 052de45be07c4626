"""The sending end: gives requests to nodes, waits for their answers, and ends what is unwanted."""

from __future__ import annotations

import time
from collections.abc import Mapping

from kombu.exceptions import OperationalError

from openclaw_cli.agents.spec import AgentSpec
from openclaw_cli.engines import celery
from openclaw_cli.engines.asking import LOOK_SECONDS, Asking
from openclaw_cli.engines.celery import AGAIN, ONCE, RETRY, TO_ALL
from openclaw_cli.engines.names import COMMON
from openclaw_cli.engines.parts import Parts
from openclaw_cli.engines.way import Heard, Message, Place, way_of
from openclaw_cli.errors import OpenclawError, TemporaryError

HERE_SECONDS = 2.0
"""How long a node is waited for to say that it has a thread."""


class Remote:
    """Sends requests of one gateway through the broker."""

    def __init__(self, broker: str, agents: Mapping[str, AgentSpec]) -> None:
        self.agents = agents
        self._app = celery.app(broker, agents)
        self._way = way_of(broker)
        self._failures: tuple[type[Exception], ...] = (OperationalError, *self._way.errors)
        self._unwanted: set[str] = set()
        self._asked: set[str] = set()
        self._closed = False

    def ask(
        self,
        spec: AgentSpec,
        given: Message,
        parts: Parts | None = None,
    ) -> Message:
        """Return the answer to a request, as a gateway gives it; `parts` takes what comes before.

        Raises `TemporaryError` when the broker is away, or no machine answered in time.
        """
        request = given["request_id"]
        self._asked.add(request)
        try:
            with self._way.hearing(request) as heard:
                return self._answer(spec, given, heard, parts)
        except OpenclawError:
            raise
        except self._failures:
            raise _away() from None
        except Exception as refused:  # noqa: BLE001  whatever the library has for what went wrong
            raise TemporaryError(
                f"the request was not answered ({type(refused).__name__})", hint="try again"
            ) from None
        finally:
            self._asked.discard(request)
            self._unwanted.discard(request)

    def cancel(self, spec: AgentSpec, request: str) -> None:
        """End a request on the machine where it runs, or before it does; as often as one likes.

        What is lost of this ends at its own time limit. Raises `TemporaryError` when the broker is
        away.
        """
        if request in self._asked:
            self._unwanted.add(request)
        try:
            self._way.cancel(request, celery.wait(spec, self.agents))
            self._tell({"verb": "cancel", "request": request})
        except self._failures:
            raise _away() from None

    def command(self, verb: str, given: Message, seconds: float) -> Message | None:
        """Have the machine that has a thread do something with it; None where none has it.

        Raises `TemporaryError` when the broker is away, or the machine does not answer.
        """
        request = given["request_id"]
        try:
            with self._way.hearing(request) as heard:
                self._tell({"verb": verb, **given, "inbox": self._way.inbox})
                first = _until(heard, HERE_SECONDS, ("here", "answer"))
                if first is None or first["op"] == "answer":
                    return first and first["answer"]
                last = _until(heard, seconds, ("answer",))
        except self._failures:
            raise _away() from None
        if last is None:
            raise TemporaryError("the machine that has the thread does not answer", hint="again")
        answer: Message = last["answer"]
        return answer

    def close(self) -> None:
        """Wait for nothing any more."""
        self._closed = True
        self._way.close()

    def _answer(
        self, spec: AgentSpec, given: Message, heard: Heard, parts: Parts | None
    ) -> Message:
        request = given["request_id"]
        limit = celery.wait(spec, self.agents)
        bound = f"{spec.name}:{given['session']}" if _keeps(spec, given) else ""
        may_be_lost = spec.idempotent and (self._way.loses or bound)
        message = {**given, "thread": bound, "parts": parts is not None, "inbox": self._way.inbox}
        asking = Asking(
            spec,
            self._way,
            heard,
            lambda: self._sent(spec, message, limit),
            parts,
            limit,
            celery.visibility(self.agents) if may_be_lost else limit,
        )
        try:
            answer = asking.answer(lambda: request not in self._unwanted and not self._closed)
        except TemporaryError:
            self.cancel(spec, request)
            raise
        if answer is None:
            if request not in self._unwanted:
                self.cancel(spec, request)
            raise TemporaryError(
                f"no machine answered for {spec.name} within {limit:g} s",
                hint="openclaw agents node, on each machine",
            )
        return answer

    def _sent(self, spec: AgentSpec, given: Message, seconds: float) -> str:
        """Send a request; return the machine that its thread is bound to, if we know it."""
        place = self._way.place(given["thread"]) if given["thread"] else Place(COMMON)
        self._app.send_task(
            AGAIN if spec.idempotent else ONCE,
            (given,),
            task_id=given["request_id"],
            expires=seconds if spec.idempotent else spec.queue_timeout,
            retry=False,
            **place.options,
        )
        return place.node

    def _tell(self, message: Message) -> None:
        """Say something to every node."""
        with self._app.producer_or_acquire() as producer:
            producer.publish(
                message,
                exchange=TO_ALL,
                declare=[TO_ALL],
                serializer="json",
                delivery_mode=1,
                retry=True,
                retry_policy=RETRY,
            )


def _keeps(spec: AgentSpec, given: Message) -> bool:
    """Tell whether a request belongs to a thread that stays with its machine."""
    return bool(given.get("session")) and spec.keeps_session


def _until(heard: Heard, seconds: float, wanted: tuple[str, ...]) -> Message | None:
    """Return the first message of a kind, within a time."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        said = heard(min(left, LOOK_SECONDS))
        if said is not None and said["op"] in wanted:
            return said
    return None


def _away() -> TemporaryError:
    return TemporaryError("the broker cannot be reached", hint="try again later")
