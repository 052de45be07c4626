"""A real PostgreSQL, with SCRAM, TLS and a log of every statement.

Its log is what a rotation must not leave a password in, so it holds all that the server can log.
"""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.integration.database_server import PASSWORD, DatabaseServer

__all__ = ["ADMIN", "PASSWORD", "PostgresServer"]

ADMIN = "postgres"


class PostgresServer(DatabaseServer):
    """Runs while it is entered; `run` is how a test looks round the program it tests."""

    user = "postgres"

    def prepare(self, certificate: Path, key: Path) -> list[str]:
        programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
        assert programs, "PostgreSQL is not installed: scripts/system-packages.sh tests"
        program = programs[-1]
        given = self.folder / "password"
        given.write_text(PASSWORD)
        data = self.folder / "data"
        self.made(
            [
                *(program.with_name("initdb"), "-D", data, "-A", "scram-sha-256", "--no-sync"),
                *("-U", ADMIN, f"--pwfile={given}", "--no-locale", "-E", "UTF8"),
            ]
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
        given_options = [
            word for name, text in options.items() for word in ("-c", f"{name}={text}")
        ]
        return [str(program), "-D", str(data), "-p", str(self.port), *given_options]

    def end(self, process: subprocess.Popen[bytes]) -> None:
        process.send_signal(signal.SIGINT)  # ends the connections and stops
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def answers(self) -> bool:
        import psycopg

        try:
            self.run("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def log(self) -> bytes:
        """What the server wrote down."""
        return self._said.read_bytes()

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
