"""A real PostgreSQL, with SCRAM, TLS and a log of every statement; nothing but loopback.

Its log is what a rotation must not leave a password in, so it holds all that the server can log.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from tests.integration.certificates import Authority

ADMIN = "postgres"
PASSWORD = "admin-password-of-the-tests"
_READY = 30.0  # seconds


class PostgresServer:
    """Runs while it is entered; `run` is how a test looks round the program it tests."""

    def __init__(self) -> None:
        # Below /tmp, where the user the server must run as (it refuses root) can reach it.
        self.folder = Path(tempfile.mkdtemp(prefix="openclaw-postgres-"))
        self._process: subprocess.Popen[bytes] | None = None
        self.port = _free_port()
        self.authority = self.folder / "ca.pem"
        self._log = self.folder / "log"

    def __enter__(self) -> Self:
        programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
        assert programs, "PostgreSQL is not installed: scripts/system-packages.sh tests"
        program = programs[-1]
        certificate, key = Authority(self.folder).issue("server")
        key.chmod(0o600)
        given = self.folder / "password"
        given.write_text(PASSWORD)
        self._own()
        data = self.folder / "data"
        subprocess.run(
            [
                *(program.with_name("initdb"), "-D", data, "-A", "scram-sha-256", "--no-sync"),
                *("-U", ADMIN, f"--pwfile={given}", "--no-locale", "-E", "UTF8"),
            ],
            check=True,
            stdout=subprocess.DEVNULL,
            **self._as(),
        )
        given.unlink()
        options = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": self.folder,
            "fsync": "off",
            "ssl": "on",
            "ssl_cert_file": certificate,
            "ssl_key_file": key,
            "log_statement": "all",
            "log_min_messages": "debug1",
            "log_min_duration_statement": "0",
            "log_connections": "on",
            "max_connections": "40",
        }
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [str(program), "-D", str(data), "-p", str(self.port)]
                + [word for name, value in options.items() for word in ("-c", f"{name}={value}")],
                stdout=log,
                stderr=log,
                **self._as(),
            )
        try:
            self._wait()
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
        self._process.send_signal(signal.SIGINT)  # ends the connections and stops
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def log(self) -> bytes:
        """What the server wrote down."""
        return self._log.read_bytes()

    def url(self, user: str = ADMIN, password: str = PASSWORD, more: str = "") -> str:
        who = f"{quote(user, safe='')}:{quote(password, safe='')}"
        return f"postgresql://{who}@{self.address}/postgres{more}"

    def run(self, statement: str, user: str = ADMIN, password: str = PASSWORD) -> list[Any]:
        """Run a statement on a connection of its own; return the rows of a query."""
        import psycopg

        with psycopg.connect(self.url(user, password), autocommit=True) as connection:
            found = connection.execute(statement.encode())
            return found.fetchall() if found.description else []

    def accepts(self, user: str, password: str) -> bool:
        """Tell whether this signs in."""
        import psycopg

        try:
            psycopg.connect(self.url(), user=user, password=password).close()
        except psycopg.OperationalError as refused:
            # A role that is dropped just now exists for the one question and not for the next.
            if not any(each in str(refused) for each in ("password authentication", "not exist")):
                raise
            return False
        return True

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Answer nobody who signs in, with the port open."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)  # who starts a process for each that signs in
        try:
            yield
        finally:
            os.kill(self._process.pid, signal.SIGCONT)

    def _as(self) -> dict[str, Any]:
        if os.geteuid():
            return {}
        found = pwd.getpwnam("postgres")
        return {"user": found.pw_uid, "group": found.pw_gid, "extra_groups": [], "cwd": "/"}

    def _own(self) -> None:
        found = self._as()
        if found:
            for path in (self.folder, *self.folder.iterdir()):
                os.chown(path, found["user"], found["group"])

    def _wait(self) -> None:
        import psycopg

        until = time.monotonic() + _READY
        while True:
            assert self._process is not None
            assert self._process.poll() is None, self.log.decode()
            assert time.monotonic() < until, "PostgreSQL is not ready"
            try:
                self.run("SELECT 1")
            except psycopg.OperationalError:
                time.sleep(0.05)
            else:
                return


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
    return port
