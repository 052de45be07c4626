"""Telling those who use a secret that it has a new value: after promotion, each once.

A consumer is written `command:/a/program its arguments`, `signal:HUP:/run/app.pid`,
`agent:NAME` or `gateway:/a/path/to/openclaw`. None is given a value: they read it.
"""

from __future__ import annotations

import os
import shlex
import signal
import stat

from openclaw_cli.errors import ConfigError, DeniedError, NotFoundError, RefusedError, UsageError
from openclaw_cli.files import read_all
from openclaw_cli.names import check
from openclaw_cli.rotation import programs

SECONDS = 30.0
FORMS = "command:/a/program, signal:HUP:/run/app.pid, agent:NAME or gateway:/path/to/openclaw"
NAMED = "command:"
"""What a consumer begins with that hears which secret it is."""

_PID_BYTES = 64


def checked(consumer: str) -> str:
    """Return a consumer as it is kept; raises `UsageError` for what cannot be one."""
    form, _, rest = consumer.partition(":")
    if form in ("command", "gateway"):
        try:
            programs.words(rest, f"--tell {form}")
        except ConfigError as wrong:
            raise UsageError(wrong.message, hint=wrong.hint) from None
    elif form == "signal":
        _signal(rest)
    elif form == "agent":
        check(rest)
    else:
        raise UsageError("--tell does not know whom to tell", hint=f"use {FORMS}")
    return consumer


def tell(consumer: str, name: str, version: str) -> None:
    """Tell a consumer; raises our errors."""
    form, _, rest = consumer.partition(":")
    if form == "command":
        request = {"event": "rotated", "name": name, "version": version}
        programs.run(programs.words(rest, "--tell command"), request, SECONDS)
    elif form == "signal":
        _send(*_signal(rest))
    elif form == "agent":
        programs.run([programs.ours(), "agents", "restart", rest], {}, SECONDS)
    else:
        program = programs.words(rest, "--tell gateway")
        programs.run([*program, "secrets", "reload"], {}, SECONDS)


def _signal(text: str) -> tuple[signal.Signals, str]:
    word, _, path = text.partition(":")
    try:
        number = signal.Signals[f"SIG{word.upper().removeprefix('SIG')}"]
    except KeyError:
        raise UsageError(
            f"no signal is called {word}", hint="--tell signal:HUP:/run/app.pid"
        ) from None
    if not path.startswith("/"):
        raise UsageError(
            "--tell signal needs the absolute path of a file with a process id",
            hint="--tell signal:HUP:/run/app.pid",
        )
    return number, path


def _send(number: signal.Signals, path: str) -> None:
    """Send a signal to the process whose id a file holds."""
    shown = shlex.quote(path)
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        raise NotFoundError(f"there is no process id in {path}", hint=f"ls -l {shown}") from None
    try:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode) or found.st_mode & stat.S_IWOTH:
            raise DeniedError(f"anybody could have written {path}", hint=f"chmod o-w {shown}")
        text = read_all(fd, path, _PID_BYTES).strip()
    finally:
        os.close(fd)
    if not text.isdigit() or int(text) <= 1:
        raise RefusedError(f"{path} holds no process id")
    try:
        os.kill(int(text), number)
    except ProcessLookupError:
        raise NotFoundError(f"the process of {path} is gone") from None
    except (PermissionError, OverflowError):
        raise DeniedError(f"we may not send a signal to the process of {path}") from None
