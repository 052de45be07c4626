"""What instances say while they work: parts of an answer, lines, calls, wishes for a secret."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from openclaw_cli.agents.spec import AgentSpec, is_thread
from openclaw_cli.errors import OpenclawError
from openclaw_cli.runtime.context import masked, text
from openclaw_cli.runtime.host import Zygote
from openclaw_cli.runtime.instance import Instance
from openclaw_cli.runtime.lines import LINE, Lines
from openclaw_cli.runtime.means import Means
from openclaw_cli.runtime.request import Given, Request
from openclaw_cli.runtime.wire import FrameError, Message

_FIELDS = 32  # of one line that an agent logs
_NAME = 64  # characters of a field's name


@dataclass(slots=True)
class _Speaker:
    """One instance: for which request it speaks, and what must not be seen in what it says."""

    request: str = ""
    values: dict[str, bytes] = field(default_factory=dict)
    lines: Lines = field(default_factory=Lines)


class Hearing:
    """Listens to the instances of one agent."""

    def __init__(self, spec: AgentSpec, means: Means) -> None:
        self.spec = spec
        self.means = means
        self._speakers: dict[tuple[Zygote, int], _Speaker] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def listen(self, instance: Instance, request: Request, given: Given) -> None:
        """Expect an instance to speak for a request, with secrets that are to be masked."""
        speaker = self._speaker(instance)
        speaker.request = request.id
        speaker.values |= given.values

    def heard(self, instance: Instance, request: Request, said: Message, until: float) -> None:
        """Do what an instance asks for; `until` is when its time is over."""
        operation = said.get("op")
        if operation == "chunk" and request.emit is not None:
            request.emit(str(said.get("text", "")))
        elif operation == "log":
            self._log(instance, request, said)
        elif operation == "secret":
            self._later(self._secret(instance, request, str(said.get("name", ""))))
        elif operation == "call":
            self._later(self._called(instance, request, said, until))

    def printed(self, zygote: Zygote, number: int, piece: bytes) -> None:
        """Pass on what an instance printed, line by line, without the values that it was given."""
        speaker = self._speakers.setdefault((zygote, number), _Speaker())
        for line in speaker.lines.feed(piece):
            shown = masked(line, speaker.values)
            self.means.watcher.printed(self.spec.name, number, speaker.request, shown)
        if not piece:
            del self._speakers[zygote, number]

    def close(self) -> None:
        """Let go of what was asked and not answered."""
        for task in list(self._tasks):
            task.cancel()

    def _speaker(self, instance: Instance) -> _Speaker:
        return self._speakers.setdefault((instance.zygote, instance.number), _Speaker())

    def _log(self, instance: Instance, request: Request, said: Message) -> None:
        values = self._speaker(instance).values
        fields = said.get("fields")
        fields = list(fields.items())[:_FIELDS] if isinstance(fields, dict) else []
        self.means.watcher.happened(
            "agent_log",
            self.spec.name,
            request=request.id,
            thread=request.session or None,
            message=masked(str(said.get("message", "")), values)[:LINE],
            **{f"x_{name[:_NAME]}": masked(str(value), values)[:LINE] for name, value in fields},
        )

    async def _secret(self, instance: Instance, request: Request, name: str) -> None:
        """Give an instance a secret that it asks for, or say why not."""
        try:
            value = await self.means.asked(self.spec, request, name)
        except OpenclawError as refused:
            instance.tell({"value": None, "error": refused.message})
            return
        self._speaker(instance).values[name] = value
        instance.tell({"value": text(value)})

    async def _called(
        self, instance: Instance, request: Request, said: Message, until: float
    ) -> None:
        """Ask another agent for an instance, within the time that the instance itself has."""
        session = said.get("session") or ""
        if not isinstance(session, str) or (session and not is_thread(session)):
            answer = {"outcome": "usage", "output": None, "error": "this is not a thread's name"}
            instance.tell(answer)
            return
        child = Request(
            str(said.get("agent", "")),
            said.get("input"),
            session=session,
            seconds=max(0.001, until - time.monotonic()),
            ancestors=(*request.ancestors, self.spec.name),
            peer=request.peer,
        )
        try:
            reply = await self.means.call(child)
            answer = {"outcome": reply.outcome, "output": reply.output, "error": reply.error}
        except OpenclawError as refused:
            answer = {"outcome": refused.kind, "output": None, "error": refused.message}
        try:
            instance.tell(answer)
        except FrameError:
            instance.tell({"outcome": "too_large", "output": None, "error": "too large"})

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
