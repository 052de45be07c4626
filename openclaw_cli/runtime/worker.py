"""The instance: what runs in the forked process, from the fork to its end.

It takes a request from its socket, calls the handler, answers, and is gone; for a session it waits
for the next turn. Standard library only; the handlers of other kinds are imported by the zygote.
"""

from __future__ import annotations

import _thread
import os
import resource
import signal
import sys

# Past the wrappers of `signal`, which make an enum of each answer.
from _signal import set_wakeup_fd  # type: ignore[import-not-found]
from _signal import signal as set_signal
from contextlib import suppress
from importlib import import_module
from time import process_time

from openclaw_cli.agents import landlock
from openclaw_cli.errors import OpenclawError
from openclaw_cli.files import write_all
from openclaw_cli.runtime import guard, owner, program, tree
from openclaw_cli.runtime.context import AgentTimeout, Context
from openclaw_cli.runtime.wire import FrameError, Frames, frame

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn, TypeAlias

    from openclaw_cli.runtime.wire import Message

    Handler: TypeAlias = Callable[..., Any]

SOCKET = 3
"""The descriptor of an instance's socket; above it nothing is open."""

_BUILT_IN = {
    "chat": "openclaw_cli.handlers.chat:handle",
    "acp": "openclaw_cli.handlers.acp:handle",
}
_CO_COROUTINE = 0x80  # as `inspect` has it, which is large
_DEFAULT, _IGNORED = int(signal.SIG_DFL), int(signal.SIG_IGN)
_STACK = 2 * 1024 * 1024  # bytes of a thread: the usual 8 MiB would count against the limit
_SHOWN = 500  # characters of a handler's own error message that go to its caller
_MEMORY = 77  # what an instance ends with when there was no memory left even to say so


class Unloadable(Exception):  # noqa: N818  a settings mistake, told in the gateway's words
    """The handler cannot be loaded; the text is ours."""


def refuse_writers(folders: list[str]) -> None:
    """Take code from no folder that others can write into; one that is not there has none.

    Raises `Unloadable`. In a user namespace it could not be told whose a folder is.
    """
    for folder in folders:
        try:
            found = os.stat(folder)
        except OSError:
            continue
        if found.st_uid not in (os.geteuid(), 0):
            raise Unloadable(f"{folder} belongs to another user")
        if found.st_mode & 0o022:
            raise Unloadable(f"others can write {folder}: chmod go-w {folder}")


def load(plan: Message) -> Handler | None:
    """Import an agent's handler, and let it warm up; None for a program."""
    for each in reversed(plan["python_path"]):
        sys.path.insert(0, each)
    if plan["directory"]:
        try:
            os.chdir(plan["directory"])
        except OSError as refused:
            reason = os.strerror(refused.errno or 0).lower()
            raise Unloadable(f"cannot enter {plan['directory']}: {reason}") from None
    if plan["kind"] == "command":
        return None
    named = plan["handler"] or _BUILT_IN[plan["kind"]]
    module_name, _, attribute = named.partition(":")
    module = _imported(module_name, named)
    found = module
    for part in attribute.split("."):
        found = getattr(found, part, None)
    if found is None:
        raise Unloadable(f"{named}: the module {module_name} has no {attribute}")
    if not callable(found):
        raise Unloadable(f"{named} cannot be called")
    _warm(module, found)
    return found  # type: ignore[no-any-return]


def _warm(module: Any, handler: Handler) -> None:  # noqa: ANN401  a module
    """Do once, in the zygote, what each instance would do otherwise."""
    if _is_async(handler):
        import_module("asyncio")
    warm = getattr(module, "warmup", None)
    if callable(warm):
        try:
            warm()
        except Exception as broken:  # noqa: BLE001  somebody else's; its text may quote anything
            name = module.__name__
            raise Unloadable(f"{name}: warmup raised {type(broken).__name__}") from None


def _is_async(handler: Handler) -> bool:
    """Tell whether a function, or a turn of a session, is one to be awaited."""
    code = getattr(getattr(handler, "turn", handler), "__code__", None)
    return bool(code and code.co_flags & _CO_COROUTINE)


def _imported(name: str, named: str) -> Any:  # noqa: ANN401  a module
    try:
        return import_module(name)
    except ModuleNotFoundError as missing:
        raise Unloadable(f"{named}: there is no module {missing.name}") from None
    except Exception as broken:  # noqa: BLE001  somebody else's module; its text may quote anything
        kind = type(broken).__name__
        raise Unloadable(f"{named}: importing it raised {kind}{_place(broken)}") from None


def begin(
    plan: Message,
    handler: Handler | None,
    fds: list[int],
    *,
    domain: landlock.Rules | None,
    threaded: bool,
) -> NoReturn:
    """Become an instance, right after the fork; never returns.

    In a zygote whose import started threads a fork is not safe: then Python starts anew.
    """
    status = 70
    try:
        os.setsid()
        set_wakeup_fd(-1)
        set_signal(signal.SIGCHLD, _DEFAULT)
        set_signal(signal.SIGTERM, _time_is_over)
        if plan["owner"]:
            owner.become(plan["owner"])
        guard.die_with(plan["zygote"])
        if not threaded:
            landlock.separate(domain)
        _take_over(fds)
        if threaded:
            program.anew(plan)
        limit(plan)
        status = Worker(plan, handler).run()
    except MemoryError:
        status = _MEMORY
    except BaseException as crash:  # noqa: BLE001  nothing above us: this is the process's end
        with suppress(Exception):
            sys.stderr.write(f"instance ended by {type(crash).__name__}\n")
    finally:
        os._exit(status)


def prepare() -> None:
    """Set, once in the zygote, what every instance has: lines at once, small stacks of threads."""
    _thread.stack_size(_STACK)
    for each in (sys.stdout, sys.stderr):
        each.reconfigure(line_buffering=True)  # type: ignore[union-attr]


def _take_over(fds: list[int]) -> None:
    """Put our socket and our output where they belong, and close all the rest."""
    kept = [os.dup(fd) for fd in fds] if min(fds) <= SOCKET else fds
    os.dup2(kept[1], 1)
    os.dup2(kept[1], 2)
    os.dup2(kept[0], SOCKET, inheritable=False)
    os.closerange(SOCKET + 1, 1 << 30)


def limit(plan: Message) -> None:
    """Set what memory the kernel holds an instance to."""
    if plan["memory"]:
        resource.setrlimit(resource.RLIMIT_DATA, (plan["memory"], plan["memory"]))


def limit_threads(most: int) -> None:
    """Let our user have so many threads: root is exempt from it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NPROC)
    if most:
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(resource.RLIMIT_NPROC, (most, hard))


def threads(plan: Message) -> int:
    """Return how many threads our user may have; 0 where that is not known.

    An agent's own user has its instances alone. Of any other the whole machine's are counted, which
    is one line to read, so it is no less than that.
    """
    if plan["owner"]:
        return int(plan["threads"] * plan["concurrency"])
    now = tree.threads_of_the_machine()
    return now + int(plan["threads"]) if now else 0


class Worker:
    """The loop of one instance: a request, or the turns of a session."""

    def __init__(self, plan: Message, handler: Handler | None) -> None:
        self.plan = plan
        self.handler = handler
        self.frames = Frames()
        self.waiting: list[Message] = []
        self.session: Any = None

    def run(self) -> int:
        """Answer until there is nothing more to answer; return the status to end with."""
        while True:
            request = self._next()
            if request is None:
                self._close()
                return 0
            limit_threads(threads(self.plan))
            if self.plan["kind"] == "command":
                program.become(self.plan, request)
            self._limit_time(request)
            answer, last = self._answered(request)
            write_all(SOCKET, answer)
            if last or not self.plan["keeps"]:
                self._flush()
                return 0

    def _limit_time(self, request: Message) -> None:
        """Let SIGTERM be the soft limit, and the kernel's own count of CPU time the backstop."""
        if self.plan["keeps"]:
            set_signal(signal.SIGTERM, _time_is_over)
        most = int(process_time() + request["seconds"]) + 3
        resource.setrlimit(resource.RLIMIT_CPU, (most, resource.RLIM_INFINITY))

    def _answered(self, request: Message) -> tuple[bytes, bool]:
        """Return the answer as it is sent, and whether the instance ends with it."""
        context = Context(request, self.plan["settings"], self._ask)
        if request["environ"]:
            os.environ.update(request["environ"])
        try:
            output = self._called(request["input"], context)
            return frame({"op": "reply", "outcome": "ok", "output": output}), False
        except AgentTimeout:
            return _failed("timeout", "its time was over"), True
        except MemoryError:
            return _failed("memory_limit", "it asked for more memory than it may have"), True
        except FrameError as refused:
            return _failed("handler_error", f"its answer does not fit: {refused}"), False
        except SystemExit as ended:
            # As if the process had ended: somebody meant it to.
            self._flush()
            os._exit(ended.code if isinstance(ended.code, int) else int(ended.code is not None))
        except OpenclawError as refused:
            # One of ours, raised by a handler of ours: it says what, and holds no value.
            outcome = "unavailable" if refused.kind == "temporary" else "handler_error"
            last = bool(getattr(refused, "ends_instance", False))
            return _failed(outcome, refused.message, refused.hint, last=last), last
        except BaseException as broken:  # noqa: BLE001  whatever a handler raises
            told = context.secrets.masked(_told(broken))
            return _failed("handler_error", told), False
        finally:
            set_signal(signal.SIGTERM, _IGNORED)

    def _called(self, given: Any, context: Context) -> Any:  # noqa: ANN401  the handler's business
        handler = self.handler
        if isinstance(handler, type):
            if self.session is None:
                made = handler()
                _finished(made.start(context)) if hasattr(made, "start") else None
                self.session = made
            return _finished(self.session.turn(given, context))
        assert handler is not None  # noqa: S101  a program never comes here
        return _finished(handler(given, context))

    def _close(self) -> None:
        if hasattr(self.session, "close"):
            with suppress(Exception):
                _finished(self.session.close())
        self._flush()

    def _ask(self, message: Message) -> Any:  # noqa: ANN401  another agent's answer
        self._send(message)
        if message["op"] not in ("call", "secret"):
            return None
        reply = self._next()
        if reply is None:
            raise AgentTimeout
        return reply

    def _send(self, message: Message) -> None:
        try:
            write_all(SOCKET, frame(message))
        except FrameError as refused:
            write_all(SOCKET, _failed("handler_error", f"what it said: {refused}"))

    def _next(self) -> Message | None:
        while not self.waiting:
            piece = os.read(SOCKET, 65536)
            if not piece:
                return None
            self.waiting += self.frames.feed(piece)
        return self.waiting.pop(0)

    @staticmethod
    def _flush() -> None:
        for each in (sys.stdout, sys.stderr):
            with suppress(Exception):
                each.flush()


def _finished(answer: Any) -> Any:  # noqa: ANN401  whatever a handler returns
    """Wait for what an `async` handler returned; any other answer is one already."""
    if not hasattr(answer, "__await__"):
        return answer
    import asyncio

    return asyncio.run(_awaited(answer))


async def _awaited(answer: Any) -> Any:  # noqa: ANN401
    return await answer


def _time_is_over(_number: int, _frame: object) -> None:
    set_signal(signal.SIGTERM, _IGNORED)
    raise AgentTimeout


def _failed(outcome: str, why: str, hint: str = "", *, last: bool = False) -> bytes:
    said = {"op": "reply", "outcome": outcome, "error": why, "hint": hint}
    return frame({**said, "last": True} if last else said)


def _told(broken: BaseException) -> str:
    """Say what a handler raised, and where: its text is its own, and goes to whoever called it."""
    place = _place(broken)
    with suppress(Exception):
        return f"{type(broken).__name__}{place}: {broken}"[:_SHOWN]
    return f"{type(broken).__name__}{place}"


def _place(broken: BaseException) -> str:
    """Say in which file and line something was raised, of files that are not Python's own if any.

    Of code that is none it is where that is wrong.
    """
    if isinstance(broken, SyntaxError) and broken.filename:
        return f" at {os.path.basename(broken.filename)}:{broken.lineno}"
    place = own = ""
    trace = broken.__traceback__
    while trace:
        file = trace.tb_frame.f_code.co_filename
        place = f" at {os.path.basename(file)}:{trace.tb_lineno}"
        if not file.startswith(("<", sys.prefix, sys.base_prefix)):
            own = place
        trace = trace.tb_next
    return own or place
