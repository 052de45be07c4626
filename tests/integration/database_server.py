"""A real database that runs while a test needs it, as a user of its own; nothing but loopback."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

from tests.integration.certificates import Authority

PASSWORD = "admin-password-of-the-tests"


class DatabaseServer(ABC):
    """Runs while it is entered; a subclass says which programs, and asks it."""

    user: ClassVar[str]
    ready: ClassVar[float] = 60.0
    """Seconds until it must answer."""

    def __init__(self) -> None:
        # Below /tmp, where the user the server must run as (it refuses root) can reach it.
        self.folder = Path(tempfile.mkdtemp(prefix=f"openclaw-{self.user}-"))
        self._process: subprocess.Popen[bytes] | None = None
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self.authority = self.folder / "ca.pem"
        self._said = self.folder / "log"

    @abstractmethod
    def prepare(self, certificate: Path, key: Path) -> list[str]:
        """Make its folder; return the command that starts it."""

    @abstractmethod
    def end(self, process: subprocess.Popen[bytes]) -> None:
        """Stop it."""

    @abstractmethod
    def answers(self) -> bool:
        """Tell whether it answers."""

    def __enter__(self) -> Self:
        certificate, key = Authority(self.folder).issue("server")
        key.chmod(0o600)
        command = self.prepare(certificate, key)
        with self._said.open("wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, **self._as())
        try:
            until = time.monotonic() + self.ready
            while not self.answers():
                assert self._process.poll() is None, self._said.read_text()
                assert time.monotonic() < until, f"{self.user} is not ready"
                time.sleep(0.05)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._process is not None
        self.end(self._process)
        shutil.rmtree(self.folder, ignore_errors=True)

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Answer nobody who signs in, with the port open."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self._process.pid, signal.SIGCONT)

    def made(self, command: Sequence[str | Path]) -> None:
        """Run a program as the server's user, in a folder that is now that user's."""
        found = self._as()
        if found:
            for path in (self.folder, *self.folder.iterdir()):
                os.chown(path, found["user"], found["group"])
        subprocess.run(
            command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **found
        )

    def _as(self) -> dict[str, Any]:
        if os.geteuid():
            return {}
        found = pwd.getpwnam(self.user)
        return {"user": found.pw_uid, "group": found.pw_gid, "extra_groups": [], "cwd": "/"}
