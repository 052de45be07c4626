"""An agent that is a program: the instance becomes it. Standard library only.

The request is on its standard input, its answer is what it writes to standard output, and what it
writes to standard error goes to the log. Secrets are on a descriptor of their own.
"""

from __future__ import annotations

import os
import resource
import sys

from openclaw_cli.leanjson import dumps
from openclaw_cli.runtime.signals import SIG_DFL, SIGPIPE, SIGTERM, SIGXFSZ, signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from openclaw_cli.runtime.wire import Message

SOCKET = 3
SECRETS = 3
"""Where a program finds its secrets as JSON; `OPENCLAW_SECRETS_FD` says so."""

_NOT_FOUND, _NOT_EXECUTABLE = 127, 126


def become(plan: Message, request: Message) -> NoReturn:
    """Be replaced by the agent's program; never returns."""
    request = dict(request)
    secrets = request.pop("secrets")
    environ = {**os.environ, **request.pop("environ", {})}
    environ["OPENCLAW_REQUEST"] = request["request_id"]
    if request["session"]:
        environ["OPENCLAW_THREAD"] = request["session"]
    _put(0, {name: request[name] for name in ("input", "request_id", "session", "seconds")})
    os.dup2(SOCKET, 1)  # its standard output is what the gateway reads
    if secrets:
        _put(SECRETS, secrets)
        environ["OPENCLAW_SECRETS_FD"] = str(SECRETS)
    else:
        os.close(SOCKET)
    # A program can be looked into again: a core file with its memory must not be written. A limit
    # of 0 would still let a pipe have it (core_pattern); 1 does not.
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
    for number in (SIGPIPE, SIGXFSZ, SIGTERM):
        signal(number, SIG_DFL)
    try:
        os.execvpe(plan["command"][0], plan["command"], environ)  # noqa: S606  the settings' own
    except FileNotFoundError:
        status = _NOT_FOUND
    except OSError:
        status = _NOT_EXECUTABLE
    os.write(2, b"the program cannot be started\n")
    os._exit(status)


def anew(plan: Message) -> NoReturn:
    """Start Python once more in this process, for a zygote that has threads."""
    _put(SOCKET + 1, plan)
    argv = [sys.executable, "-P", "-m", "openclaw_cli.runtime.alone", str(SOCKET + 1)]
    os.set_inheritable(SOCKET, True)
    os.execv(sys.executable, argv)  # noqa: S606


def _put(fd: int, message: Message) -> None:
    """Let a descriptor be a file in memory that holds a message, to be read from its start."""
    data = dumps(message).encode()
    made = os.memfd_create("openclaw", os.MFD_CLOEXEC)
    view = memoryview(data)
    while view:
        view = view[os.write(made, view) :]
    os.lseek(made, 0, os.SEEK_SET)
    if made != fd:
        os.dup2(made, fd)
        os.close(made)
    else:
        os.set_inheritable(fd, True)
