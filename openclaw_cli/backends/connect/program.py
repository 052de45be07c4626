"""Asking a program that is not ours: no shell, its own environment, limits on time and output."""

from __future__ import annotations

import os
import selectors
import shlex
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import IO

from openclaw_cli.errors import ConfigError, RefusedError, TemporaryError

MOST_OUTPUT = 1024 * 1024  # bytes, standard error included: the gateway's limit
_CHUNK = 64 * 1024
_LOOK = 0.1  # seconds without a sound until we look whether it has ended


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a program may take, and how long be silent meanwhile (0: as long as it takes)."""

    seconds: float
    quiet_seconds: float = 0


class Running:
    """The programs that are being asked on somebody's behalf, to end all of them at once."""

    def __init__(self) -> None:
        self._processes: set[subprocess.Popen[bytes]] = set()
        self._over = False
        self._turn = threading.Lock()

    def start(self, command: list[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
        """Start one; raises `TemporaryError` when nobody waits for it any more."""
        with self._turn:
            if self._over:
                raise TemporaryError(f"{command[0]} was not started: it is too late")
            process = _started(command, environment)
            self._processes.add(process)
            return process

    def ended(self, process: subprocess.Popen[bytes]) -> None:
        """Forget one that has ended."""
        with self._turn:
            self._processes.discard(process)

    def end(self) -> None:
        """Kill what is running, and let none start any more."""
        with self._turn:
            self._over = True
            for process in self._processes:
                _signal(process)


def answer(
    command: list[str],
    request: bytes,
    environment: Mapping[str, str],
    limits: Limits,
    running: Running | None = None,
) -> bytes:
    """Run a program in its own directory and session; return what it wrote to standard output.

    Raises `ConfigError` when it cannot be started, `TemporaryError` at a time limit and
    `RefusedError` when it writes more than 1 MiB or ends with another status than 0 (75, "try again
    later", is a `TemporaryError`). Whenever it
    is not let end by itself, its whole process group is killed.
    """
    running = running or Running()
    process = running.start(command, environment)
    try:
        exchange = _Exchange(process, command[0], request, limits)
        exchange.run()
    except BaseException:
        _kill(process)
        raise
    finally:
        running.ended(process)
        for stream in (process.stdin, process.stdout, process.stderr):
            _close(stream)
    if process.returncode == os.EX_TEMPFAIL:
        raise TemporaryError(f"{command[0]} says that it may work later")
    if process.returncode:
        raise RefusedError(
            f"{command[0]} {_ending(process.returncode)}"
            + (", and wrote to standard error" if exchange.complained else ""),
            hint=f"what it says is only seen by hand: env -i {shlex.quote(command[0])}",
        )
    return bytes(exchange.output)


class _Exchange:
    """The three pipes of one run, each served when it is ready."""

    def __init__(
        self, process: subprocess.Popen[bytes], name: str, request: bytes, limits: Limits
    ) -> None:
        self.output = bytearray()
        self.complained = 0  # bytes
        self._process = process
        self._name = name
        self._left = memoryview(request)
        self._limits = limits
        self._began = self._heard = time.monotonic()

    def run(self) -> None:
        """Write and read until the program has ended."""
        with selectors.DefaultSelector() as ready:
            for stream in (self._process.stdout, self._process.stderr):
                ready.register(_descriptor(stream), selectors.EVENT_READ)
            given = _descriptor(self._process.stdin)
            os.set_blocking(given, False)
            ready.register(given, selectors.EVENT_WRITE)
            reading = 2
            while reading:
                events = ready.select(min(self._patience(), _LOOK))
                for key, _ in events:
                    if key.fd == given:
                        done = self._write(given)
                    else:
                        done = self._read(key.fd)
                        reading -= done
                    if done:
                        ready.unregister(key.fd)
                    if done and key.fd == given:
                        _close(self._process.stdin)
                if not events and self._process.poll() is not None:
                    return  # what it has started and left behind keeps its pipes open
        _close(self._process.stdin)
        try:
            self._process.wait(self._patience())
        except subprocess.TimeoutExpired:
            raise self._too_slow() from None

    def _write(self, fd: int) -> bool:
        """Write what fits; tell whether that was all. A program need not read what it is told."""
        try:
            if self._left:
                self._left = self._left[os.write(fd, self._left) :]
        except BlockingIOError:
            return False
        except BrokenPipeError:
            self._left = memoryview(b"")
        return not self._left

    def _read(self, fd: int) -> bool:
        """Read what there is; tell whether it was the end."""
        chunk = os.read(fd, _CHUNK)
        self._heard = time.monotonic()
        if fd == _descriptor(self._process.stderr):
            self.complained += len(chunk)
        else:
            self.output += chunk
        if len(self.output) + self.complained > MOST_OUTPUT:
            raise RefusedError(f"{self._name} wrote more than 1 MiB")
        return not chunk

    def _patience(self) -> float:
        """Return the seconds left; raises `TemporaryError` when there are none."""
        now = time.monotonic()
        left = self._began + self._limits.seconds - now
        if self._limits.quiet_seconds:
            left = min(left, self._heard + self._limits.quiet_seconds - now)
        if left <= 0:
            raise self._too_slow()
        return left

    def _too_slow(self) -> TemporaryError:
        silent = time.monotonic() - self._began < self._limits.seconds
        limit = self._limits.quiet_seconds if silent else self._limits.seconds
        said = "wrote nothing for" if silent else "did not answer within"
        return TemporaryError(f"{self._name} {said} {round(limit, 1):g} seconds")


def _started(command: list[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(  # noqa: S603 - the caller has looked whose it is
            command,
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            cwd=os.path.dirname(command[0]),
            start_new_session=True,
        )
    except OSError:
        raise ConfigError(
            f"{command[0]} cannot be started: is it a program for this machine?",
            hint=f"head -n 1 {shlex.quote(command[0])}",
        ) from None


def _signal(process: subprocess.Popen[bytes]) -> None:
    """End a program and what it has started. Not yet waited for, its number is still its own."""
    if process.returncode is None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)


def _kill(process: subprocess.Popen[bytes]) -> None:
    if process.returncode is None:
        _signal(process)
        with suppress(subprocess.TimeoutExpired):
            process.wait(1)


def _ending(status: int) -> str:
    return f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"


def _descriptor(stream: IO[bytes] | None) -> int:
    return stream.fileno() if stream else -1


def _close(stream: IO[bytes] | None) -> None:
    if stream:
        stream.close()
