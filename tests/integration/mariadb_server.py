"""A real MariaDB with TLS and a log of every statement."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.integration.database_server import PASSWORD, DatabaseServer

__all__ = ["ADMIN", "PASSWORD", "MariadbServer"]

ADMIN = "admin"
_WRONG = 1045  # who signs in, or with what


class MariadbServer(DatabaseServer):
    """Runs while it is entered; `run` is how a test looks round the program it tests."""

    user = "mysql"

    def prepare(self, certificate: Path, key: Path) -> list[str]:
        program = shutil.which("mariadbd") or "/usr/sbin/mariadbd"
        assert os.path.exists(program), "MariaDB is not installed: scripts/system-packages.sh tests"
        data = self.folder / "data"
        data.mkdir()
        begin = self.folder / "begin.sql"
        begin.write_text(
            f"CREATE USER '{ADMIN}'@'127.0.0.1' IDENTIFIED BY '{PASSWORD}';\n"
            f"GRANT ALL ON *.* TO '{ADMIN}'@'127.0.0.1' WITH GRANT OPTION;\n"
        )
        self.made(["mariadb-install-db", "--no-defaults", f"--datadir={data}", "--skip-test-db"])
        return [
            *(program, "--no-defaults", f"--datadir={data}", "--bind-address=127.0.0.1"),
            *(f"--port={self.port}", f"--socket={self.folder}/s", "--skip-name-resolve"),
            *(f"--ssl-cert={certificate}", f"--ssl-key={key}", f"--init-file={begin}"),
            *("--general-log=1", f"--general-log-file={self._statements}", "--log-bin"),
            *("--innodb-flush-log-at-trx-commit=0", "--sync-binlog=0"),
        ]

    def end(self, process: subprocess.Popen[bytes]) -> None:
        process.kill()
        process.wait()

    def answers(self) -> bool:
        import pymysql

        try:
            self.run("SELECT 1")
        except pymysql.err.OperationalError:
            return False
        return True

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
            if refused.args[0] != _WRONG:
                raise
            return False
        return True

    @property
    def _statements(self) -> Path:
        return self.folder / "statements"

    def _connect(self, user: str, password: str) -> Any:  # noqa: ANN401
        import pymysql

        return pymysql.connect(
            host="127.0.0.1", port=self.port, user=user, password=password, ssl_disabled=True
        )
