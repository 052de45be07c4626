"""The loop of an instance: a request, or the turns of a session, and the answers.

Standard library only, and lean as `birth` is, which comes before it: what runs for every request
looks nothing up that could be bound once, and makes nothing that is not needed.
"""

from __future__ import annotations

import os
import sys
from posix import readv, write
from resource import RLIM_INFINITY, RLIMIT_CPU, RLIMIT_NPROC, getrlimit, setrlimit
from time import process_time

from openclaw_cli.errors import OpenclawError
from openclaw_cli.runtime.context import AgentTimeout, Context
from openclaw_cli.runtime.loading import where
from openclaw_cli.runtime.program import become
from openclaw_cli.runtime.signals import SIG_IGN, SIGTERM, signal
from openclaw_cli.runtime.wire import WHOLE, FrameError, Frames, frame, whole

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from openclaw_cli.runtime.loading import Handler
    from openclaw_cli.runtime.wire import Message

SOCKET = 3
"""The descriptor of an instance's socket; above it nothing is open."""

_SHOWN = 500  # characters of a handler's own error message that go to its caller
_room = bytearray(WHOLE)  # of every instance, which has its own as soon as it is written to
_, _MOST_THREADS = getrlimit(RLIMIT_NPROC)
_CPU_MORE = 3  # seconds that an instance may be late at its own end, before the kernel ends it


def limit_threads(most: int) -> None:
    """Let our user have so many threads, with 0 any number: root is exempt from it."""
    if most:
        most = most if _MOST_THREADS == RLIM_INFINITY else min(most, _MOST_THREADS)
        setrlimit(RLIMIT_NPROC, (most, _MOST_THREADS))


class Worker:
    """One instance, from its first request to its end."""

    def __init__(self, plan: Message, handler: Handler | None, socket: int = SOCKET) -> None:
        self.plan = plan
        self.handler = handler
        self.socket = socket
        self.waiting: list[Message] = []
        self.frames: Frames | None = None
        self.session: Any = None
        self.called: Handler = self._turn if isinstance(handler, type) else handler or _nobody

    def run(self) -> int:
        """Answer until there is nothing more to answer; return the status to end with."""
        plan = self.plan
        while True:
            request = self.take()
            if request is None:
                self._close()
                return 0
            limit_threads(request["threads"])
            if plan["kind"] == "command":
                become(plan, request)
            if plan["keeps"]:
                signal(SIGTERM, time_is_over)
            # SIGTERM is the soft limit; the kernel's own count of CPU time is the backstop.
            most = int(process_time() + request["seconds"]) + _CPU_MORE
            setrlimit(RLIMIT_CPU, (most, RLIM_INFINITY))
            if self.answer(request) or not plan["keeps"]:
                flush()
                return 0

    def take(self) -> Message | None:
        """Wait for the next message; None when nobody will say anything more."""
        if self.waiting:
            return self.waiting.pop(0)
        room = _room
        size = readv(self.socket, (room,))
        if self.frames is None:
            message = whole(room, size)  # as nearly all come
            if message is not None:
                return message
            self.frames = Frames()
        while size:
            self.waiting += self.frames.feed(room[:size])
            if self.waiting:
                return self.waiting.pop(0)
            size = readv(self.socket, (room,))
        return None

    def answer(self, request: Message) -> bool:
        """Do what is asked and say what came of it; tell whether this was the last."""
        context = Context(request, self.plan["settings"], self._ask)
        if request["environ"]:
            os.environ.update(request["environ"])
        last = False
        try:
            output = self.called(request["input"], context)
            if hasattr(output, "__await__"):
                output = _finished(output)
            said = frame({"op": "reply", "outcome": "ok", "output": output})
        except AgentTimeout:
            said, last = _failed("timeout", "its time was over"), True
        except MemoryError:
            why = "it asked for more memory than it may have"
            said, last = _failed("memory_limit", why), True
        except FrameError as refused:
            said = _failed("handler_error", f"its answer does not fit: {refused}")
        except SystemExit as ended:
            # As if the process had ended: somebody meant it to.
            flush()
            os._exit(ended.code if isinstance(ended.code, int) else int(ended.code is not None))
        except OpenclawError as refused:
            # One of ours, raised by a handler of ours: it says what, and holds no value.
            outcome = "unavailable" if refused.kind == "temporary" else "handler_error"
            last = bool(getattr(refused, "ends_instance", False))
            said = _failed(outcome, refused.message, refused.hint, last=last)
        except BaseException as broken:  # noqa: BLE001  whatever a handler raises
            said = _failed("handler_error", context.secrets.masked(_told(broken)))
        finally:
            signal(SIGTERM, SIG_IGN)
        self._say(said)
        return last

    def _turn(self, given: Any, context: Context) -> Any:  # noqa: ANN401  the handler's business
        if self.session is None:
            made = self.handler()  # type: ignore[misc]  # a class, else this is not called
            _finished(made.start(context)) if hasattr(made, "start") else None
            self.session = made
        return self.session.turn(given, context)

    def _close(self) -> None:
        if hasattr(self.session, "close"):
            try:
                _finished(self.session.close())
            except Exception:  # noqa: BLE001, S110  nobody is left to be told
                pass
        flush()

    def _ask(self, message: Message) -> Any:  # noqa: ANN401  another agent's answer
        try:
            said = frame(message)
        except FrameError as refused:
            said = _failed("handler_error", f"what it said: {refused}")
        self._say(said)
        if message["op"] not in ("call", "secret"):
            return None
        reply = self.take()
        if reply is None:
            raise AgentTimeout
        return reply

    def _say(self, data: bytes) -> None:
        sent = write(self.socket, data)
        while sent < len(data):
            sent += write(self.socket, memoryview(data)[sent:])


def flush() -> None:
    """Let go of what was printed and is still held."""
    for each in (sys.stdout, sys.stderr):
        try:
            each.flush()
        except Exception:  # noqa: BLE001, S110  a handler may have put anything there
            pass


def _nobody(_given: object, _context: object) -> None:
    """Stand for the handler of an agent that is a program: it never comes to this."""


def _finished(answer: Any) -> Any:  # noqa: ANN401  whatever a handler returns
    """Wait for what an `async` handler returned; any other answer is one already."""
    if not hasattr(answer, "__await__"):
        return answer
    import asyncio

    return asyncio.run(_awaited(answer))


async def _awaited(answer: Any) -> Any:  # noqa: ANN401
    return await answer


def time_is_over(_number: int, _frame: object) -> None:
    """Raise in the handler what ends it; once, so that it can clean up."""
    signal(SIGTERM, SIG_IGN)
    raise AgentTimeout


def _failed(outcome: str, why: str, hint: str = "", *, last: bool = False) -> bytes:
    said = {"op": "reply", "outcome": outcome, "error": why, "hint": hint}
    return frame({**said, "last": True} if last else said)


def _told(broken: BaseException) -> str:
    """Say what a handler raised, and where: its text is its own, and goes to whoever called it."""
    place = where(broken)
    try:
        return f"{type(broken).__name__}{place}: {broken}"[:_SHOWN]
    except Exception:  # noqa: BLE001  its own text is a handler's, too
        return f"{type(broken).__name__}{place}"
