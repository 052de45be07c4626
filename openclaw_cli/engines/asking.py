"""One request under way: sent, listened to, and sent once more where nobody has it any more."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from openclaw_cli.agents.spec import AgentSpec
from openclaw_cli.engines.parts import Parts
from openclaw_cli.engines.way import Heard, Message, Way
from openclaw_cli.errors import TemporaryError

LOOK_SECONDS = 0.5
"""Between two looks whether somebody still waits."""

_ALIVE_SECONDS = 3.0  # between two looks whether its machine lives; it is gone after two of them


@dataclass(slots=True)
class Asking:
    """A request, of which `send` tells the machine that its thread is bound to, if it knows.

    `limit` is how long its answer is waited for, `patience` after which time one that no machine
    has begun is lost.
    """

    spec: AgentSpec
    way: Way
    heard: Heard
    send: Callable[[], str]
    parts: Parts | None
    limit: float
    patience: float
    node: str = ""
    begun: bool = False
    missed: int = 0

    def answer(self, wanted: Callable[[], bool]) -> Message | None:
        """Return the answer, or None when its time is over, or nobody wants it any more.

        Raises `TemporaryError` when the machine that had it is gone, and it may not run twice.
        """
        began = looked = time.monotonic()
        self.node = self.send()
        while (past := (now := time.monotonic()) - began) < self.limit and wanted():
            said = self.heard(min(self.limit - past, LOOK_SECONDS))
            if said is None:
                if now - looked > _ALIVE_SECONDS:
                    looked = now
                    self._look()
                if past > self.patience and not self.begun:
                    self._send_again()
                continue
            looked, self.missed = now, 0
            if said["op"] == "answer":
                self._ended(said)
                answer: Message = said["answer"]
                return answer
            self._take(said)
        return None

    def _take(self, said: Message) -> None:
        if said["op"] == "begun":
            self.begun, self.node = True, said["node"]
        if self.parts is None:
            return
        if said["op"] == "begun":
            self.parts.begun(said["attempt"])
        else:
            self.parts.take(said["attempt"], said["number"], said["text"])

    def _ended(self, said: Message) -> None:
        if self.parts is not None and said["answer"]["outcome"] == "ok":
            self.parts.begun(said["attempt"])
            self.parts.end()

    def _look(self) -> None:
        """See whether the machine that has it lives."""
        try:
            alive = not self.node or self.way.alive(self.node)
        except self.way.errors:
            return  # nobody knows: the broker is away
        self.missed = 0 if alive else self.missed + 1
        if self.missed < 2:  # noqa: PLR2004
            return
        if not self.spec.idempotent:
            which = self.node if self.begun else "of its thread"
            raise TemporaryError(
                f"the machine {which} went away with the request",
                hint="it may have run in part; try again where that does no harm",
            )
        if self.spec.keeps_session:
            self._send_again()  # whatever else is redelivered by the broker

    def _send_again(self) -> None:
        self.patience, self.missed = self.limit, 0
        self.node = self.send()
