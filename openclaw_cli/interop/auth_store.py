"""The auth profiles that a gateway of 2026.3 and later keeps in SQLite: read, and one row replaced.

Its `secrets apply` does not reach those that all agents share, and writes the configuration anew,
without its comments, while it is at the others. So they are ours to write: one row, in one
transaction, and only while it is still what was read.
"""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing, suppress
from dataclasses import dataclass

from openclaw_cli.errors import ConflictError, TemporaryError

AGENT = "agents"
SHARED = "state/openclaw.sqlite"
_SECONDS = 5.0  # to wait for a gateway that is writing, and for an answer
_STEPS = 100_000
_MOST = 16 * 1024 * 1024  # bytes
_TABLES_THERE = "SELECT name FROM sqlite_master WHERE type = 'table'"  # a view may be endless

_INTERRUPTED = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN)
_TABLES = {
    "auth_profile_store": ("store_key", "store_json", "updated_at", "primary"),
    "config_machine_state": ("state_key", "value_json", "updated_at_ms", "authProfiles.store"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """The JSON of an auth store: its file, table, and text."""

    path: str
    table: str
    text: str

    @property
    def agent(self) -> str:
        """The agent it belongs to, "" where all agents share it."""
        if self.table != "auth_profile_store":
            return ""
        return self.path.rpartition("/agent/")[0].rpartition("/")[2]


def files(state: str) -> list[str]:
    """Return the files of a state directory that may have auth profiles."""
    found = [f"{state}/{SHARED}"]
    with suppress(OSError):
        agents = sorted(os.listdir(f"{state}/{AGENT}"))
        found += [f"{state}/{AGENT}/{each}/agent/openclaw-agent.sqlite" for each in agents]
    return [each for each in found if os.path.isfile(each)]


def rows(path: str, *, foreign: bool = False) -> list[Row]:
    """Return the rows of a file that hold auth profiles; none for another database.

    Raises `TemporaryError` when the gateway holds it for long. One that was interrupted while it
    wrote has to be opened for writing first, as the gateway itself would; a `foreign` one is taken
    as it lies there, since its journal could say which files to change and remove.
    """
    try:
        try:
            return _rows(path, "ro")
        except sqlite3.OperationalError as refused:
            if _code(refused) not in _INTERRUPTED:
                raise
            return _rows(path, "ro&immutable=1" if foreign else "rw")
    except sqlite3.DatabaseError as refused:
        if _code(refused) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise TemporaryError(
                f"{path} cannot be read: the gateway holds it", hint="try again"
            ) from None
        return []


def _rows(path: str, mode: str) -> list[Row]:
    found = []
    with closing(_connected(path, mode)) as store:
        _bound(store)
        there = {name for (name,) in store.execute(_TABLES_THERE)}
        for table, (key, text, _, name) in _TABLES.items():
            if table in there:
                query = f"SELECT {text} FROM {table} WHERE {key} = ? LIMIT 2"  # noqa: S608  ours
                found += [Row(path, table, str(one)) for (one,) in store.execute(query, [name])]
    return found


def _code(refused: sqlite3.Error) -> int:
    return getattr(refused, "sqlite_errorcode", 0) & 0xFF


def _bound(store: sqlite3.Connection) -> None:
    """Let nothing that a database's own schema says run long or grow large: it may be anybody's."""
    until = time.monotonic() + _SECONDS
    store.set_progress_handler(lambda: time.monotonic() > until, _STEPS)
    store.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MOST)
    store.execute("PRAGMA trusted_schema = OFF")


def replace(row: Row, text: str) -> None:
    """Put another text in a row's place; the old one is overwritten in the file, not only freed.

    Raises `ConflictError` when it is no longer what was read, `TemporaryError` when the gateway
    holds the database.
    """
    key, column, updated, name = _TABLES[row.table]
    query = (
        f"UPDATE {row.table} SET {column} = ?, {updated} = ?"  # noqa: S608  ours alone
        f" WHERE {key} = ? AND {column} = ?"
    )
    try:
        with closing(_connected(row.path, "rw")) as store:
            store.execute("PRAGMA secure_delete = ON")
            with store:
                now = time.time_ns() // 1_000_000
                if store.execute(query, [text, now, name, row.text]).rowcount != 1:
                    raise ConflictError(f"{row.path} was changed meanwhile", hint="try again")
            _swept(store)
    except sqlite3.Error:
        raise TemporaryError(
            f"{row.path} cannot be written: the gateway may hold it", hint="stop the gateway"
        ) from None


def _swept(store: sqlite3.Connection) -> None:
    """Overwrite what the database has freed, and empty its log, as far as nobody reads it now."""
    with suppress(sqlite3.Error):
        store.execute("PRAGMA secure_delete = ON")
        store.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        store.execute("VACUUM")
        store.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _connected(path: str, mode: str) -> sqlite3.Connection:
    from urllib.parse import quote

    return sqlite3.connect(f"file:{quote(path)}?mode={mode}", uri=True, timeout=_SECONDS)
