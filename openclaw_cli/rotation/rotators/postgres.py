"""PostgreSQL: a role's password by ALTER ROLE; or two roles that take turns.

With one role the old password ends when the new one is set. With two (`users`), the one that is
not in use gets the new password, so both work until the old role's is taken away.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from openclaw_cli.errors import (
    ConfigError,
    DeniedError,
    OpenclawError,
    RefusedError,
    TemporaryError,
)
from openclaw_cli.providers.provider import CHOSEN
from openclaw_cli.registry import missing_library
from openclaw_cli.rotation import accounts, generators
from openclaw_cli.rotation.accounts import Accounts
from openclaw_cli.rotation.login import Login
from openclaw_cli.rotation.rotator import Held, Made, Task
from openclaw_cli.sanitize import safe
from openclaw_cli.within import within

if TYPE_CHECKING:
    import psycopg

    Connection = psycopg.Connection[Any]

SCHEMES = ("postgresql", "postgres")
_JSON_NAMES = {name: name for name in ("host", "port", "dbname", "sslmode", "sslrootcert")}
_JSON_NAMES["database"] = "dbname"
_CHECKED = ("verify-ca", "verify-full")
_GRANTS_BY_MEMBERSHIP = 160000  # from this version on, CREATEROLE alone may not alter any role
_REQUIRES_AUTH = 160000  # libpq's version from which it can insist on a kind of sign-in
# What may pass, by SQLSTATE: connection, resources, an operator, the system; locks and deadlocks.
_AWAY = ("08", "53", "57", "58", "55P03", "40")


class _NotLetInError(RefusedError):
    """The server asked for a password, got one, and closed the door."""


class Postgres:
    name = "postgres"
    kind = CHOSEN
    SETTINGS = accounts.settings(
        "postgresql://USER@HOST/DATABASE?sslmode=verify-full", "Who may ALTER ROLE."
    )

    def overlaps(self, settings: Mapping[str, str]) -> bool:
        """With two roles both passwords work; a role alone has one."""
        return bool(settings.get("users"))

    def check(self, task: Task) -> None:
        """Read the settings, and change the password in a transaction that is rolled back."""
        generators.parse(task.settings["kind"])
        who = Accounts(task, SCHEMES)
        user = who.turn()
        _where(who, who.current())

        def try_() -> None:
            with _privileged(who) as connection, connection.transaction(force_rollback=True):
                _alter(connection, user, "tried, and taken back")

        _do(task, try_)

    def create(self, task: Task) -> Made:
        return Accounts(task, SCHEMES).made()

    def set(self, task: Task, pending: Held) -> None:
        who = Accounts(task, SCHEMES)
        _set(who, pending, who.of(pending))

    def test(self, task: Task, value: Held) -> None:
        who = Accounts(task, SCHEMES)
        _do(task, lambda: _connected(who, who.of(value)).close())

    def undo(self, task: Task, pending: Held) -> None:
        who = Accounts(task, SCHEMES)
        if task.settings["users"]:
            self.revoke(task, pending)
        else:
            _set(who, pending, who.current())

    def revoke(self, task: Task, old: Held) -> None:
        """Take its password from the role, unless another version that we hold signs in with it."""
        who = Accounts(task, SCHEMES)
        user = who.of(old).user
        if who.is_used_otherwise(old):
            return

        def take_away() -> None:
            with _privileged(who) as connection:
                _alter(connection, user, None)

        _do(task, take_away)


def _do(task: Task, work: Callable[[], None]) -> None:
    within(task.seconds(), work, "PostgreSQL")


def _set(who: Accounts, pending: Held, wanted: Login) -> None:
    def set_() -> None:
        with _privileged(who, pending) as connection:
            _alter(connection, wanted.user, wanted.password)

    _do(who.task, set_)


def _where(whole: Accounts, who: Login) -> dict[str, Any]:
    """Return libpq's parameters but for user and password, as the URL has them."""
    url, fields = whole.url(who), whole.fields(who)
    found = _of_url(url) if url else {}
    found |= {ours: str(fields[name]) for name, ours in _JSON_NAMES.items() if fields.get(name)}
    if not found:
        raise whole.nowhere()
    return found


def _of_url(url: str) -> dict[str, Any]:
    psycopg = _library()
    try:
        found: dict[str, Any] = psycopg.conninfo.conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        raise ConfigError("the PostgreSQL URL cannot be read") from None
    if "password" in found or "user" in found:
        raise ConfigError("user and password are to stand before the @ of the URL, not behind")
    return found


def _privileged(who: Accounts, pending: Held | None = None) -> Connection:
    """Sign in as the admin, else as the role itself.

    Its password may be the pending one already, when the reply to setting it was lost.
    """
    if who.by_admin:
        return _connected(who, who.admin())
    try:
        return _connected(who, who.current())
    except _NotLetInError:
        if pending is None:
            raise
        return _connected(who, who.of(pending))


def _connected(whole: Accounts, who: Login) -> Connection:
    psycopg = _library()
    where = _where(whole, who)
    given = where.get("require_auth") or where.get("sslmode") in _CHECKED
    if not given and psycopg.pq.version() >= _REQUIRES_AUTH:
        # Else whoever answers in the server's place may ask for the password as it is.
        where["require_auth"] = "scram-sha-256,md5"
    place = safe(f"{where.get('host') or os.environ.get('PGHOST') or 'this machine'}")
    seconds = whole.task.seconds()
    try:
        connection: Connection = psycopg.connect(
            **{
                "connect_timeout": max(int(seconds), 2),
                "application_name": "openclaw-cli",
                **where,
            },
            user=who.user,
            password=who.password,
            autocommit=True,
        )
    except psycopg.OperationalError as refused:
        raise _not_connected(refused, who.user, place) from None
    if not connection.pgconn.used_password:
        connection.close()
        raise RefusedError(
            f"PostgreSQL at {place} asked {safe(who.user)} for no password, so none is checked",
            hint="pg_hba.conf: scram-sha-256 in place of trust, peer or cert",
        )
    milliseconds = int(seconds * 1000)
    connection.execute(f"SET statement_timeout = {milliseconds}".encode())
    return connection


def _not_connected(refused: psycopg.OperationalError, user: str, place: str) -> OpenclawError:
    # libpq gives no code here, only a text in the server's language.
    if refused.pgconn is not None and refused.pgconn.used_password:
        return _NotLetInError(
            f"PostgreSQL at {place} did not let {safe(user)} in with that password",
            hint="is it the right one; has the role LOGIN, and no VALID UNTIL that is over?",
        )
    return TemporaryError(
        f"PostgreSQL cannot be reached at {place}, or TLS or the way to sign in does not fit",
        hint="pg_isready; sslmode and sslrootcert of the URL; pg_hba.conf there",
    )


def _alter(connection: Connection, user: str, password: str | None) -> None:
    """Set a role's password, or none; the server is sent what it keeps and logs, a verifier."""
    psycopg = _library()
    sql = psycopg.sql
    try:
        verifier = None
        if password is not None:
            verifier = connection.pgconn.encrypt_password(password.encode(), user.encode()).decode()
        role, kept = sql.Identifier(user), sql.Literal(verifier)
        connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(role, kept))
    except psycopg.Error as refused:
        raise _refusal(connection, refused, user) from None


def _refusal(connection: Connection, refused: psycopg.Error, user: str) -> OpenclawError:
    code = refused.sqlstate or ""
    role, ours = safe(user), safe(connection.info.user)
    if code == "42501":
        alter = f'ALTER ROLE "{ours}" CREATEROLE;'
        if connection.info.server_version >= _GRANTS_BY_MEMBERSHIP:
            alter += f' GRANT "{role}" TO "{ours}" WITH ADMIN OPTION;'
        return DeniedError(f"{ours} may not alter the role {role}", hint=alter)
    if code == "42704":
        return RefusedError(
            f"PostgreSQL has no role called {role}", hint=f'CREATE ROLE "{role}" LOGIN;'
        )
    if code == "25006":
        return RefusedError(
            "this PostgreSQL is read only: a standby, or default_transaction_read_only is on",
            hint="name the primary in the URL, or target_session_attrs=read-write",
        )
    if not code or code.startswith(_AWAY):
        return TemporaryError(f"PostgreSQL did not finish altering {role} ({code or 'no answer'})")
    return RefusedError(f"PostgreSQL refuses to alter the role {role} ({code})")


def _library() -> Any:  # noqa: ANN401 - a module
    try:
        import psycopg
        import psycopg.conninfo
        import psycopg.sql
    except ImportError:  # also of psycopg itself, for a libpq that is not there
        raise missing_library("rotator", "postgres", "psycopg", "postgres") from None
    # It logs connections that fail, with the server's own words.
    logging.getLogger("psycopg").setLevel(logging.CRITICAL)
    return psycopg
