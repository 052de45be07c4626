"""`logs/agent.log`: a JSON line for each event in an agent's life, in files of bounded size."""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from openclaw_cli.duration import absolute
from openclaw_cli.errors import DeniedError, OpenclawError
from openclaw_cli.files import failure, write_all
from openclaw_cli.gateway.plain import written

SIZE = 10 * 1024 * 1024
KEPT = 5

THREAD_BOUND = "thread-bound"

_MOST = 64  # lines that may wait
_SAFELY = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
APPENDING = os.O_WRONLY | os.O_APPEND | os.O_CREAT | _SAFELY
READING = os.O_RDONLY | _SAFELY


def opened(path: str, flags: int) -> int:
    """Open a log, which whatever rotates it may have made readable by others: its folder is not.

    Raises `FileNotFoundError` for one that is to be read and is not there, `DeniedError` for what
    is a link or no plain file, `StorageError` for the rest.
    """
    try:
        fd = os.open(path, flags, 0o600)
    except OSError as refused:
        if refused.errno == errno.ENOENT and flags == READING:
            raise
        raise failure("open", path, refused) from None
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise DeniedError(f"{path} is not a plain file", hint=f"ls -l {path}")
    return fd


class Log:
    """The file, opened for appending; it is rotated here, or elsewhere and reopened."""

    def __init__(self, path: str, *, size: int = SIZE, kept: int = KEPT) -> None:
        self.path = path
        self.size = size
        self.kept = kept
        self._fd = -1
        self._written = 0
        self._second = (-1, "")
        self._waiting: list[bytes] = []
        self.reopen()

    def reopen(self) -> None:
        """Open the file by its name again, as SIGHUP asks for after `logrotate`.

        Raises what `opened` does; then the one before goes on being written.
        """
        new = opened(self.path, APPENDING)
        self.close()
        self._fd = new
        self._written = os.fstat(new).st_size

    def close(self) -> None:
        """Close it."""
        self.flush()
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def write(self, event: str, agent: str, fields: Mapping[str, Any]) -> None:
        """Append a line, and those that wait."""
        self.add(event, agent, fields)
        self.flush()

    def add(self, event: str, agent: str, fields: Mapping[str, Any]) -> None:
        """Let a line wait for the next one, or for `flush`."""
        line = {"at": self._now(), "kind": THREAD_BOUND, "event": event, "agent": agent}
        line |= {name: value for name, value in fields.items() if value not in (None, "")}
        self._waiting.append(written(line).encode() + b"\n")
        if len(self._waiting) >= _MOST:
            self.flush()

    def flush(self) -> None:
        """Write what waits; a full disk loses lines, and nothing else."""
        if not self._waiting or self._fd < 0:
            return
        data = b"".join(self._waiting)
        self._waiting.clear()
        if self._written and self._written + len(data) > self.size:
            self._rotate()
        try:
            write_all(self._fd, data)
        except OSError:
            return
        self._written += len(data)

    def _now(self) -> str:
        now = time.time()
        second = int(now)
        if second != self._second[0]:
            self._second = (second, absolute(second)[:-1])
        return f"{self._second[1]}.{int(now % 1 * 1000):03d}Z"

    def _rotate(self) -> None:
        """Begin a new file; while that cannot be, go on with the one there is."""
        with suppress(OSError, OpenclawError):
            if os.path.lexists(self.path):
                for number in range(self.kept - 1, 0, -1):
                    older = f"{self.path}.{number}"
                    if os.path.lexists(older):
                        os.replace(older, f"{self.path}.{number + 1}")
                os.replace(self.path, f"{self.path}.1")
            self.reopen()
