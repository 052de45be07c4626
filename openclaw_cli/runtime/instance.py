"""The gateway's end of one instance: gives it a request, and hears its answer or its end."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from _socket import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from openclaw_cli.runtime.request import CANCELLED, UNWANTED
from openclaw_cli.runtime.wire import FRAME, FrameError, Frames, Message, frame

if TYPE_CHECKING:
    from openclaw_cli.runtime.cgroup import Group
    from openclaw_cli.runtime.host import Ended, Zygote

LAST_WORD = 1.0
"""Seconds after which a request is answered whether or not the zygote says how it ended."""

_TOLD = 0.1  # seconds that a zygote may take to tell of what it has forked
_PIECE, _PIECES = 64 * 1024, 16  # bytes that are read at once, and how often in one go
LATE = 2.0
"""Seconds that an instance may take to end once it has answered, and once more when it is told."""


@dataclass(slots=True)
class Answer:
    """What became of a request in an instance: its outcome in a word, and what it gave."""

    outcome: str
    output: Any = None
    error: str = ""
    hint: str = ""


class Instance:
    """One process of an agent, from the moment it is asked for until its end is known."""

    def __init__(self, zygote: Zygote, number: int, channel: socket, *, raw: bool) -> None:
        self.zygote = zygote
        self.number = number
        self.pid = 0
        self.began = time.time()
        self.ended: Ended | None = None
        self.turns = 0
        self.group: Group | None = None
        self.told: list[Callable[[Ended], None]] = []
        """Who is told of its end."""
        self._channel: socket | None = channel
        self._raw = bytearray() if raw else None
        self._frames = Frames()
        self._outgoing = bytearray()
        self._reply: asyncio.Future[Message] | None = None
        self._heard: Callable[[Message], None] | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._over = False
        self._full = False
        asyncio.get_running_loop().add_reader(channel.fileno(), self._read)

    @property
    def alive(self) -> bool:
        """Whether it can take a request."""
        return self._channel is not None and self.ended is None

    async def turn(
        self, request: Message, grace: float, heard: Callable[[Message], None]
    ) -> Answer:
        """Give it a request and return what became of it, always within the time it has.

        `heard` takes what it says before its answer: parts of it, calls, lines for the log.
        """
        loop = asyncio.get_running_loop()
        self._reply = loop.create_future()
        self._heard = heard
        self.turns += 1
        self._deadline = loop.call_later(request["seconds"], self._time_is_over, grace)
        if self.ended is not None:  # with its zygote, in the moment in which it was asked for
            self._settle(_meaning(self.ended, over=False, raw=self._raw))
        try:
            self._write(frame(request))
            message = await self._reply
        except FrameError:
            return Answer("too_large", error="the request does not fit")
        finally:
            self._reply = None
            self._heard = None
            self._deadline.cancel()
        return Answer(
            message["outcome"],
            message.get("output"),
            message.get("error", ""),
            message.get("hint", ""),
        )

    def tell(self, message: Message) -> None:
        """Answer something that it asked; raises `FrameError` when that does not fit."""
        self._write(frame(message))

    def stop(self, why: str) -> None:
        """End it now."""
        self.zygote.end_instance(self.number, signal.SIGKILL, why)

    async def until_known(self) -> None:
        """Wait until its process is known: it may have answered before its zygote has told."""
        until = time.monotonic() + _TOLD
        while not self.pid and self.ended is None and time.monotonic() < until:  # noqa: ASYNC110
            await asyncio.sleep(0.001)

    async def until_gone(self) -> None:
        """Wait for its end, and have it ended if that takes too long."""
        if self.ended is not None:
            return
        loop = asyncio.get_running_loop()
        over: asyncio.Future[Ended] = loop.create_future()
        self.told.append(lambda ended: None if over.done() else over.set_result(ended))
        late = loop.call_later(LATE, self._late)
        try:
            await over
        finally:
            late.cancel()

    def _late(self) -> None:
        self.stop("late")
        # Its zygote does not do what it is told.
        overdue = asyncio.get_running_loop().call_later(LATE, self.zygote.kill)
        self.told.append(lambda _ended: overdue.cancel())

    def dismiss(self) -> None:
        """Let it end by itself: it reads the end of its socket."""
        if self._channel is not None and self._reply is None:
            self._shut()

    def exited(self, ended: Ended) -> None:
        """Take note of its end; whoever waits for an answer gets one."""
        self.ended = ended
        if self._channel is not None:
            self._read()  # what it said before its end counts
        self._shut()
        self._settle(_meaning(ended, over=self._over, raw=self._raw))
        for tell in self.told:
            tell(ended)
        self.told.clear()

    def _time_is_over(self, grace: float) -> None:
        """Ask it to end, after a grace end it, and a little later answer in its place."""
        self._over = True
        self.zygote.end_instance(self.number, signal.SIGTERM, "timeout")
        self._deadline = asyncio.get_running_loop().call_later(grace, self._kill)

    def _kill(self) -> None:
        self.zygote.end_instance(self.number, signal.SIGKILL, "timeout")
        self._deadline = asyncio.get_running_loop().call_later(LAST_WORD, self._give_up)

    def _give_up(self) -> None:
        self._settle(_timeout())

    def _settle(self, message: Message) -> None:
        if self._reply is not None and not self._reply.done():
            self._reply.set_result(message)

    def _read(self) -> None:
        for _ in range(_PIECES):  # then others have their turn; a socket holds less
            if self._channel is None:
                return
            try:
                piece = self._channel.recv(_PIECE)
            except BlockingIOError:
                return
            except OSError:
                piece = b""
            if not piece:
                self._shut()  # how it ended, its exit says
                return
            try:
                self._take(piece)
            except FrameError:
                self._settle({"outcome": "too_large", "error": f"it said more than {FRAME} bytes"})
                self.stop("too_large")
                self._shut()
            if len(piece) < _PIECE:
                return  # nothing is left

    def _take(self, piece: bytes) -> None:
        if self._raw is not None:
            self._raw += piece
            if len(self._raw) > FRAME:
                raise FrameError
            return
        for message in self._frames.feed(piece):
            if message.get("op") == "reply":
                late = self._over and message.get("outcome") != "ok"
                self._settle(_timeout() if late else _judged(message))
                if message.get("last") is True:
                    self._shut()  # it ends with this answer: the next turn is another's
                    return
            elif self._heard is not None:
                self._heard(message)

    def _write(self, data: bytes) -> None:
        if self._channel is None:
            return
        self._outgoing += data
        if len(self._outgoing) == len(data):
            self._flush()

    def _flush(self) -> None:
        while self._outgoing and self._channel is not None:
            try:
                sent = self._channel.send(self._outgoing)
            except BlockingIOError:
                self._full = True
                asyncio.get_running_loop().add_writer(self._channel.fileno(), self._flush)
                return
            except OSError:
                self._outgoing.clear()  # its end is on its way
                break
            del self._outgoing[:sent]
        self._unblock()

    def _unblock(self) -> None:
        if self._full and self._channel is not None:
            self._full = False
            asyncio.get_running_loop().remove_writer(self._channel.fileno())

    def _shut(self) -> None:
        self._unblock()
        channel, self._channel = self._channel, None
        if channel is not None:
            asyncio.get_running_loop().remove_reader(channel.fileno())
            channel.close()


def _judged(said: Message) -> Message:
    """Return an answer as far as it is one: it is the agent's, who may write what it likes.

    An outcome becomes a metric's label and stands in the trail, so it is one of a few words.
    """
    outcome = said.get("outcome")
    if outcome == "ok":
        return {"outcome": "ok", "output": said.get("output")}
    if not isinstance(outcome, str) or outcome not in _SAID:
        return {"outcome": "died", "error": "what it answered is no answer"}
    error, hint = said.get("error"), said.get("hint")
    return {
        "outcome": outcome,
        "error": error[:_SHOWN] if isinstance(error, str) else "",
        "hint": hint[:_SHOWN] if isinstance(hint, str) else "",
    }


def _timeout() -> Message:
    return {"outcome": "timeout", "error": "its time was over"}


def _meaning(ended: Ended, *, over: bool, raw: bytearray | None) -> Message:
    """Return the answer to a request whose instance ended without one."""
    if ended.why in _WHY:
        outcome, error = _WHY[ended.why]
        return {"outcome": outcome, "error": error}
    if over or ended.why == "timeout":
        return _timeout()
    if os.WIFSIGNALED(ended.status):
        return _signalled(os.WTERMSIG(ended.status))
    status = os.waitstatus_to_exitcode(ended.status)
    if status == _MEMORY:
        return {"outcome": "memory_limit", "error": "it asked for more memory than it may have"}
    if raw is None:
        return {"outcome": "died", "error": f"it ended with status {status} and no answer"}
    if status:
        return {"outcome": "handler_error", "error": f"it ended with status {status}"}
    return {"outcome": "ok", "output": _output(bytes(raw))}


def _signalled(number: int) -> Message:
    if number == signal.SIGXCPU:
        return _timeout()
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = f"signal {number}"
    return {"outcome": "crashed", "error": f"it was ended by {name}"}


_SAID = frozenset(("handler_error", "memory_limit", "timeout", "unavailable"))
"""What a `worker` answers beside `ok`; of all other outcomes the gateway itself knows."""

_SHOWN = 500  # characters of an error, and of a hint
_MEMORY = 77  # as in `worker`
_WHY = {
    "fork": ("unavailable", "no process could be started"),
    "lost": ("lost", "its zygote is gone, and the instance with it"),
    "closed": ("closed", "its thread was closed"),
    "restart": ("lost", "it was ended by a restart"),
    CANCELLED: (CANCELLED, UNWANTED),
    "memory": ("memory_limit", "its processes took more memory than allowed"),
    "processes": ("process_limit", "it started more processes than allowed"),
}
"""What a request is answered whose instance was ended for a reason, by that reason."""


def _output(data: bytes) -> Any:  # noqa: ANN401  what a program wrote
    """Return what a program wrote: JSON, else text."""
    import json

    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return data.decode(errors="replace")
