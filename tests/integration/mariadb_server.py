"""A real MariaDB with TLS and a log of every statement; nothing but loopback."""

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

ADMIN = "admin"
PASSWORD = "admin-password-of-the-tests"
_READY = 60.0  # seconds


class MariadbServer:
    """Runs while it is entered; `run` is how a test looks round the program it tests."""

    def __init__(self) -> None:
        # Below /tmp, where the user the server must run as (it refuses root) can reach it.
        self.folder = Path(tempfile.mkdtemp(prefix="openclaw-mariadb-"))
        self._process: subprocess.Popen[bytes] | None = None
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self.authority = self.folder / "ca.pem"
        self._statements = self.folder / "statements"

    def __enter__(self) -> Self:
        program = shutil.which("mariadbd") or "/usr/sbin/mariadbd"
        assert os.path.exists(program), "MariaDB is not installed: scripts/system-packages.sh tests"
        certificate, key = Authority(self.folder).issue("server")
        key.chmod(0o600)
        data = self.folder / "data"
        data.mkdir()
        begin = self.folder / "begin.sql"
        begin.write_text(
            f"CREATE USER '{ADMIN}'@'127.0.0.1' IDENTIFIED BY '{PASSWORD}';\n"
            f"GRANT ALL ON *.* TO '{ADMIN}'@'127.0.0.1' WITH GRANT OPTION;\n"
        )
        self._own()
        subprocess.run(
            ["mariadb-install-db", "--no-defaults", f"--datadir={data}", "--skip-test-db"],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **self._as(),
        )
        with (self.folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [
                    *(program, "--no-defaults", f"--datadir={data}", "--bind-address=127.0.0.1"),
                    *(f"--port={self.port}", f"--socket={self.folder}/s", "--skip-name-resolve"),
                    *(f"--ssl-cert={certificate}", f"--ssl-key={key}", f"--init-file={begin}"),
                    *("--general-log=1", f"--general-log-file={self._statements}", "--log-bin"),
                    *("--innodb-flush-log-at-trx-commit=0", "--sync-binlog=0"),
                ],
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
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def log(self) -> bytes:
        """Every statement, as the server wrote it down, and what it would replicate."""
        replicated = (self.folder / "data").glob("*-bin.0*")
        return self._statements.read_bytes() + b"".join(each.read_bytes() for each in replicated)

    def url(self, user: str = ADMIN, password: str = PASSWORD, more: str = "") -> str:
        who = f"{quote(user, safe='')}:{quote(password, safe='')}"
        return f"mysql://{who}@127.0.0.1:{self.port}/{more}"

    def run(self, statement: str, *arguments: str) -> list[Any]:
        """Run a statement on a connection of its own; return its rows."""
        with self._connect(ADMIN, PASSWORD) as connection, connection.cursor() as cursor:
            cursor.execute(statement, arguments or None)
            return list(cursor.fetchall())

    def accepts(self, user: str, password: str) -> bool:
        """Tell whether this signs in."""
        import pymysql

        try:
            self._connect(user, password).close()
        except pymysql.err.OperationalError as refused:
            if refused.args[0] != 1045:
                raise
            return False
        return True

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Answer nobody, with the port open."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self._process.pid, signal.SIGCONT)

    def _connect(self, user: str, password: str) -> Any:  # noqa: ANN401
        import pymysql

        return pymysql.connect(
            host="127.0.0.1", port=self.port, user=user, password=password, ssl_disabled=True
        )

    def _as(self) -> dict[str, Any]:
        if os.geteuid():
            return {}
        found = pwd.getpwnam("mysql")
        return {"user": found.pw_uid, "group": found.pw_gid, "extra_groups": [], "cwd": "/"}

    def _own(self) -> None:
        found = self._as()
        if found:
            for path in (self.folder, *self.folder.iterdir()):
                os.chown(path, found["user"], found["group"])

    def _wait(self) -> None:
        import pymysql

        until = time.monotonic() + _READY
        while True:
            assert self._process is not None
            assert self._process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < until, "MariaDB is not ready"
            try:
                self.run("SELECT 1")
            except pymysql.err.OperationalError:
                time.sleep(0.05)
            else:
                return
