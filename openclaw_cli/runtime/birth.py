"""How a forked process becomes an instance: apart from all others, with its own ends and limits.

Standard library only, and as little as there can be. A process that was just forked shares every
page of its memory with the zygote, and the kernel copies each one that is written to, if only to
count that something is used: a function, a module looked into, a number that was not there yet is
such a page. So what is called here is bound once, in the zygote, and `rehearse` has Python note
beforehand what it notes in code that runs for the first time.
"""

from __future__ import annotations

import sys
from _socket import socketpair
from _thread import stack_size
from posix import _exit, closerange, dup, dup2, setsid, write
from resource import RLIMIT_DATA, setrlimit

from openclaw_cli.agents.landlock import separate
from openclaw_cli.runtime.guard import die_with
from openclaw_cli.runtime.owner import become
from openclaw_cli.runtime.program import anew
from openclaw_cli.runtime.signals import SIG_DFL, SIGCHLD, SIGTERM, set_wakeup_fd, signal
from openclaw_cli.runtime.wire import frame
from openclaw_cli.runtime.worker import SOCKET, Worker, flush, time_is_over

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from openclaw_cli.agents.landlock import Rules
    from openclaw_cli.runtime.wire import Message

_STACK = 2 * 1024 * 1024  # bytes of a thread: the usual 8 MiB would count against the limit
_MEMORY = 77  # what an instance ends with when there was no memory left even to say so
_REHEARSALS = 20  # after so many Python has put into the code what it learns of it


def begin(
    worker: Worker, ends: tuple[int, ...], *, domain: Rules | None, threaded: bool
) -> NoReturn:
    """Become an instance, right after the fork; never returns.

    `ends` are its socket, its output, and who is in its control group, where it has one: that comes
    first, and whatever it starts later is in there, too.
    In a zygote whose import started threads a fork is not safe: then Python starts anew.
    """
    status = 70
    plan = worker.plan
    try:
        channel, output = ends[0], ends[1]
        if len(ends) > 2:  # noqa: PLR2004
            write(ends[2], b"0")
        setsid()
        set_wakeup_fd(-1)
        signal(SIGCHLD, SIG_DFL)
        signal(SIGTERM, time_is_over)
        if plan["owner"]:
            become(plan["owner"])
        die_with(plan["zygote"])
        if not threaded:
            separate(domain)
        if channel <= SOCKET or output <= SOCKET:
            channel, output = dup(channel), dup(output)
        dup2(output, 1)
        dup2(output, 2)
        dup2(channel, SOCKET, False)
        closerange(SOCKET + 1, 1 << 30)
        if threaded:
            anew(plan)
        limit_memory(plan)
        status = worker.run()
    except MemoryError:
        status = _MEMORY
    except BaseException as crash:  # noqa: BLE001  nothing above us: this is the process's end
        _tell(crash)
    finally:
        _exit(status)


def _tell(crash: BaseException) -> None:
    try:
        sys.stderr.write(f"instance ended by {type(crash).__name__}\n")
    except Exception:  # noqa: BLE001, S110  nobody hears it
        pass


def limit_memory(plan: Message) -> None:
    """Set what memory the kernel holds an instance to."""
    if plan["memory"]:
        setrlimit(RLIMIT_DATA, (plan["memory"], plan["memory"]))


def prepare() -> None:
    """Set, once in the zygote, what every instance has: lines at once, small stacks of threads."""
    stack_size(_STACK)
    for each in (sys.stdout, sys.stderr):
        each.reconfigure(line_buffering=True)  # type: ignore[union-attr]


def rehearse(plan: Message) -> None:
    """Answer a few requests of nobody in the zygote, by a handler that is none of the agent's."""
    ours, theirs = socketpair()
    request = {"request_id": "", "session": "", "turn": 1, "seconds": 1.0, "threads": 0}
    asked = frame({**request, "input": 0, "secrets": {}, "environ": {}})
    for _ in range(_REHEARSALS):
        die_with(plan["parent"], SIGTERM)
        signal(SIGCHLD, SIG_DFL)
        ours.sendall(asked)
        worker = Worker(plan, _echo, theirs.fileno())
        taken = worker.take()
        assert taken is not None  # noqa: S101  it was sent just now
        worker.answer(taken)
        flush()
    ours.close()
    theirs.close()


def _echo(given: int, _context: object) -> int:
    return given
