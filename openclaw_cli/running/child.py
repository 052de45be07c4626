"""Starting a program with an environment: in place of this process, or beside it and masked.

The program sees what it would see without us: its own signals, standard input, terminal and status.
This module is on the hot road; what is only needed once the program runs is imported after that.
"""

from __future__ import annotations

import errno
import os
import stat

from openclaw_cli.errors import OpenclawError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import NoReturn

    from openclaw_cli.running.terminal import Session
else:
    import _signal as signal

NOT_STARTED = 125
NOT_EXECUTABLE = 126
NOT_FOUND = 127
_BY_SIGNAL = 128

FORWARDED = (
    signal.SIGTERM,
    signal.SIGINT,
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGTSTP,
    signal.SIGCONT,
    signal.SIGWINCH,
)
# Python ignores these from its start, and what is ignored stays so in a new program.
_IGNORED_BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ)
_STANDARD = (0, 1, 2)
_LARGEST_STRING = 131_072
"""Bytes of one variable or argument, its end included: MAX_ARG_STRLEN of Linux, execve(2)."""


class StartError(OpenclawError):
    """The program did not start; `status` is what a shell or `env` would end with, or 125."""

    kind = "not_started"

    def __init__(self, message: str, status: int, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.status = self.exit_status = status


class Channel:
    """One place that output goes to, and the descriptors of the program that lead there."""

    __slots__ = ("fds", "program_end", "source", "terminal")

    def __init__(self, fd: int) -> None:
        self.fds = [fd]
        self.terminal = os.isatty(fd)
        self.source = self.program_end = -1

    @property
    def sink(self) -> int:
        return self.fds[0]


def find(name: str | bytes, environment: Mapping[bytes, bytes]) -> bytes:
    """Return the path of the program, as `execvp` would find it with this environment's PATH."""
    wanted = os.fsencode(name)
    if not wanted or b"/" in wanted:
        paths = [wanted]
    else:
        folders = environment.get(b"PATH", os.fsencode(os.defpath)).split(b":")
        paths = [(folder or b".") + b"/" + wanted for folder in folders]
    refused = False
    for path in paths:
        try:
            mode = os.stat(path).st_mode
        except OSError as failure:
            refused = refused or failure.errno == errno.EACCES
            continue
        if stat.S_ISREG(mode) and os.access(path, os.X_OK):
            return path
        refused = True
    if refused:
        raise StartError(
            f"{os.fsdecode(wanted)} is not an executable program",
            NOT_EXECUTABLE,
            hint=f"ls -ld {os.fsdecode(wanted)}",
        )
    raise StartError(
        f"there is no program {os.fsdecode(wanted) or 'without a name'}",
        NOT_FOUND,
        hint=f"command -v {os.fsdecode(wanted)}",
    )


def execute(
    argv: list[bytes] | list[str],
    environment: Mapping[bytes, bytes],
    ready: Callable[[], object] | None = None,
) -> NoReturn:
    """Become the program, unmasked: no process of ours stays.

    `ready` is called last before it, to undo what this process changed for itself (umask, limits).
    """
    program = find(argv[0], environment)
    _check(argv, environment)
    raise _refused(_become(program, argv, environment, ready), argv, environment)


def supervise(
    argv: list[bytes] | list[str],
    environment: Mapping[bytes, bytes],
    values: Mapping[str, bytes],
    ready: Callable[[], object] | None = None,
) -> int:
    """Run the program, mask `values` (by name) in its output, and return its status.

    128+n when signal n ended it; 141 when it succeeded but nobody read what it wrote. `ready` is
    called in the program's process, as in `execute`. Every child of this process is reaped, so that
    it may be the first process of a container.

    Raises `StartError` before anything started, `StorageError` when output could not be written.
    """
    program = find(argv[0], environment)
    _check(argv, environment)
    _fill_standard_descriptors()
    watched: set[int] = {
        number for number in FORWARDED if signal.getsignal(number) != signal.SIG_IGN
    }
    watched.add(signal.SIGCHLD)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, watched)

    def become() -> int:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return _become(program, argv, environment, ready)

    try:
        channels = _channels()
        session = _connect(channels)
        pid, failed = _start(channels, session, watched, become)
        if failed is not None:
            os.waitpid(pid, 0)
            raise _refused(failed, argv, environment)
        from openclaw_cli.running.relay import relay

        return relay(pid, channels, values, watched, session)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def outcome(status: int) -> int:
    """Return the exit status that says what `waitpid` said."""
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else _BY_SIGNAL - code


def _fill_standard_descriptors() -> None:
    """Keep a pipe of ours from getting the number of a standard descriptor that is closed.

    The program finds it closed all the same: ours are closed on exec.
    """
    while (fd := os.open(os.devnull, os.O_RDWR)) in _STANDARD:
        pass
    os.close(fd)


def _channels() -> list[Channel]:
    """Return one for each place that output goes to: `2>&1` makes one, which keeps the order."""
    channels: dict[tuple[int, int], Channel] = {}
    for fd in (1, 2):
        place = os.fstat(fd)
        if not os.get_inheritable(fd):
            continue  # it was closed, and we filled it
        known = channels.get((place.st_dev, place.st_ino))
        if known is None:
            channels[place.st_dev, place.st_ino] = Channel(fd)
        else:
            known.fds.append(fd)
    return list(channels.values())


def _connect(channels: Sequence[Channel]) -> Session | None:
    """Give each channel a pipe, or a terminal where it leads to one."""
    session = None
    try:
        if any(channel.terminal for channel in channels):
            from openclaw_cli.running.terminal import prepare

            session = prepare(channels)
        for channel in channels:
            if not channel.terminal:
                channel.source, channel.program_end = os.pipe()
    except OSError as failure:
        raise _no_process(failure) from None
    return session


def _start(
    channels: Sequence[Channel],
    session: Session | None,
    watched: set[int],
    become: Callable[[], int],
) -> tuple[int, int | None]:
    """Return the new process, and the error number if it could not become the program.

    That it did is known by the pipe that it closes thereby.
    """
    try:
        report, report_end = os.pipe()
        pid = os.fork()
    except OSError as failure:
        raise _no_process(failure) from None
    if pid == 0:
        failed = 0
        try:
            if session is not None:
                ours = {report, report_end}
                for channel in channels:
                    ours |= {channel.source, channel.program_end}
                session.lead(ours, watched)
            for channel in channels:
                for fd in channel.fds:
                    os.dup2(channel.program_end, fd)
            failed = become()
        finally:
            try:
                os.write(report_end, b"%d" % failed)
            finally:
                os._exit(NOT_STARTED)
    for fd in (report_end, *(channel.program_end for channel in channels)):
        os.close(fd)
    said = os.read(report, 16)
    os.close(report)
    return pid, int(said) if said else None


def _no_process(failure: OSError) -> StartError:
    why = os.strerror(failure.errno or 0)
    return StartError(f"no process can be started: {why}", NOT_STARTED, hint="ulimit -u")


def _check(argv: list[bytes] | list[str], environment: Mapping[bytes, bytes]) -> None:
    for name, value in environment.items():
        if not name or b"=" in name or b"\0" in name:
            raise StartError(
                "a variable's name is empty or has '=' or NUL in it",
                NOT_STARTED,
                hint="--env OPENAI_API_KEY=openai-api-key",
            )
        if b"\0" in value:
            shown = os.fsdecode(name)
            raise StartError(
                f"the value for {shown} has a NUL byte, which no environment can hold",
                NOT_STARTED,
                hint="openclaw secrets inject",
            )
    if any(b"\0" in os.fsencode(argument) for argument in argv):
        raise StartError(
            "an argument has a NUL byte in it",
            NOT_STARTED,
            hint="give it by a file: openclaw secrets inject",
        )


def _become(
    program: bytes,
    argv: list[bytes] | list[str],
    environment: Mapping[bytes, bytes],
    ready: Callable[[], object] | None,
) -> int:
    """Return the error number; on success, do not return."""
    for number in _IGNORED_BY_PYTHON:
        signal.signal(number, signal.SIG_DFL)
    try:
        if ready is not None:
            ready()
        try:
            os.execve(program, argv, environment)  # noqa: S606 - what we are for
        except OSError as failure:
            if failure.errno != errno.ENOEXEC:
                raise
            # A script without `#!`: shells and execvp(3) run it so.
            os.execve("/bin/sh", [b"/bin/sh", program, *argv[1:]], environment)  # noqa: S606
    except OSError as failure:
        for number in _IGNORED_BY_PYTHON:
            signal.signal(number, signal.SIG_IGN)
        return failure.errno or 0


def _refused(
    failed: int, argv: list[bytes] | list[str], environment: Mapping[bytes, bytes]
) -> StartError:
    name = os.fsdecode(argv[0])
    if failed == errno.E2BIG:
        return _too_big(argv, environment)
    if failed == 0:
        return StartError(f"{name} could not be prepared", NOT_STARTED, hint="ulimit -a")
    if failed == errno.ENOENT:
        return StartError(
            f"{name} asks for an interpreter that is not there", NOT_FOUND, hint=f"head -1 {name}"
        )
    return StartError(
        f"{name} cannot be executed: {os.strerror(failed)}", NOT_EXECUTABLE, hint=f"file {name}"
    )


def _too_big(argv: list[bytes] | list[str], environment: Mapping[bytes, bytes]) -> StartError:
    hint = "pass fewer or shorter secrets, or openclaw secrets inject"
    sizes = {name: len(name) + len(value) + 2 for name, value in environment.items()}
    largest = max(sizes, key=lambda name: sizes[name], default=b"")
    if sizes.get(largest, 0) > _LARGEST_STRING:
        message = f"the variable {os.fsdecode(largest)} is {sizes[largest]} bytes"
        return StartError(
            f"{message}, more than the {_LARGEST_STRING} the system takes", NOT_STARTED, hint=hint
        )
    total = _total(sizes.values()) + _total(len(argument) + 1 for argument in argv)
    return StartError(
        f"the environment and the arguments are {total} bytes, more than the system takes",
        NOT_STARTED,
        hint=hint,
    )


def _total(sizes: Iterable[int]) -> int:
    pointer = 8
    return sum(size + pointer for size in sizes)
