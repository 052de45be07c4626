"""MySQL and MariaDB: a user's password by ALTER USER; with the old one kept valid, or in turns.

MySQL keeps an account's old password valid beside the new one when it is asked to (`keep-old`);
MariaDB cannot, and there two users take turns (`users`). MariaDB writes a statement into its logs
as it is, so it is given a hash; MySQL takes passwords out of what it logs.
"""

from __future__ import annotations

import hashlib
import re
import ssl
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

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
from openclaw_cli.rotation.rotator import Held, Made, Setting, Task
from openclaw_cli.rotation.within import within
from openclaw_cli.sanitize import safe

if TYPE_CHECKING:
    import pymysql

    Connection = pymysql.Connection[Any]

SCHEMES = ("mysql", "mariadb")
_PORT = 3306
_AUTHORITY = ("ssl-ca", "ssl_ca", "sslca")
_SOCKET = ("unix_socket", "socket")
_LOOPBACK = ("", "localhost", "127.0.0.1", "::1")
_DUAL = (8, 0, 14)  # the first version of MySQL that keeps an old password
_NATIVE = "mysql_native_password"
_NOT_LET_IN = (1045, 1698)
_NOT_ALLOWED = (1044, 1142, 1227, 1370)
_NOBODY = 1396  # also said to who may not know
_POLICY = 1819
_CLEAR = 2061  # what MySQL's own client says of a way to sign in that it will not use
_AS_IT_IS = (b"mysql_clear_password", b"dialog")
_READ_ONLY = (1290, 1836)
_AWAY = (1040, 1053, 1129, 1130, 1152, 1205, 1213, 2002, 2003, 2006, 2013, 2055)


class _NotLetInError(RefusedError):
    """The server does not accept user and password."""


class _Never:
    """A way to sign in that would tell the password to whoever answers."""

    def __init__(self, connection: object) -> None:
        """Take what PyMySQL gives."""

    def authenticate(self, _asked: object) -> None:
        raise _library().err.OperationalError(_CLEAR)


class Mysql:
    name = "mysql"
    kind = CHOSEN
    SETTINGS = (
        *accounts.settings("mysql://USER@HOST/DATABASE?ssl-ca=FILE", "Who may ALTER USER."),
        Setting("host", "The host part of the account's name, where it is not the only one."),
        Setting("keep-old", "yes: MySQL keeps the old password valid until it is revoked."),
    )

    def overlaps(self, settings: Mapping[str, str]) -> bool:
        """Two passwords of one account work, or those of two; else there is one."""
        return bool(settings.get("users")) or settings.get("keep-old") == "yes"

    def check(self, task: Task) -> None:
        """Read the settings, sign in, and see what server and account are."""
        generators.parse(task.settings["kind"])
        who = Accounts(task, SCHEMES)
        if task.settings["keep-old"] not in ("", "no", "yes"):
            raise ConfigError("the setting keep-old is yes or no")
        if task.settings["keep-old"] == "yes" and task.settings["users"]:
            raise ConfigError(
                "users that take turns need no keep-old", hint="--setting keep-old=no"
            )
        user = who.turn()
        _where(who, who.current())

        def look() -> None:
            with _privileged(who) as connection:
                _require_dual(task, connection)
                account = _account(who, connection, user)
                _require_native(connection, account)
                if who.by_admin:
                    # An account that is not there: who may not alter one is told so before that.
                    nobody = f"'openclaw-{task.token}'@'localhost'"
                    _run(connection, f"ALTER USER IF EXISTS {nobody} ACCOUNT UNLOCK", user)

        _do(task, look)

    def create(self, task: Task) -> Made:
        return Accounts(task, SCHEMES).made()

    def set(self, task: Task, pending: Held) -> None:
        who = Accounts(task, SCHEMES)
        new = who.of(pending)

        def set_() -> None:
            keep = task.settings["keep-old"] == "yes"
            if keep and _is_let_in(who, new):
                return  # once more would make MySQL keep this one as the old one
            with _privileged(who, pending) as connection:
                _alter(who, connection, new, keep=keep)

        _do(task, set_)

    def test(self, task: Task, value: Held) -> None:
        who = Accounts(task, SCHEMES)
        _do(task, lambda: _connected(who, who.of(value)).close())

    def undo(self, task: Task, pending: Held) -> None:
        who = Accounts(task, SCHEMES)
        if task.settings["users"]:
            self.revoke(task, pending)
            return

        def set_back() -> None:
            with _privileged(who, pending) as connection:
                _alter(who, connection, who.current(), keep=False)
                if task.settings["keep-old"] == "yes":
                    _discard(who, connection, who.current().user)

        _do(task, set_back)

    def revoke(self, task: Task, old: Held) -> None:
        """Have MySQL forget the old password; with users in turns, lock the one that is not used.

        Its next turn unlocks it. One that another version signs in as was replaced already.
        """
        who = Accounts(task, SCHEMES)
        user = who.of(old).user
        used = who.is_used_otherwise(old)

        def take_away() -> None:
            with _privileged(who) as connection:
                if task.settings["keep-old"] == "yes" and used:
                    _discard(who, connection, user)
                elif not used:
                    _lock(who, connection, user)

        if not used or task.settings["keep-old"] == "yes":
            _do(task, take_away)


def _do(task: Task, work: Callable[[], None]) -> None:
    within(task.seconds(), work, "MySQL")


def _where(whole: Accounts, who: Login) -> dict[str, Any]:
    """Return how the server is reached, for PyMySQL, but for user and password."""
    url, fields = whole.url(who), whole.fields(who)
    if not url and not fields.get("host"):
        raise whole.nowhere()
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ConfigError("the MySQL URL cannot be read") from None
    given = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    host = parts.hostname or str(fields.get("host") or "")
    found: dict[str, Any] = {"host": host or "localhost", "port": port or _port(fields)}
    authority = next((given[name] for name in _AUTHORITY if name in given), "")
    socket = next((given[name] for name in _SOCKET if name in given), "")
    if socket:
        found["unix_socket"] = socket
    elif authority or host not in _LOOPBACK:
        found["ssl"] = _tls(authority)
    elif given.get("ssl-mode", "").lower() == "disabled":
        found["ssl_disabled"] = True
    return found


def _port(fields: Mapping[str, object]) -> int:
    text = str(fields.get("port") or _PORT)
    if not text.isdecimal():
        raise ConfigError("the port of the database is not a number")
    return int(text)


def _tls(authority: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=authority or None)
    except (OSError, ValueError):
        raise ConfigError(
            f"the certificates in {safe(authority)} cannot be used",
            hint=f"openssl x509 -noout -subject -in {safe(authority)}",
        ) from None


def _privileged(who: Accounts, pending: Held | None = None) -> Connection:
    """Sign in as the admin, else as the user itself.

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


def _is_let_in(whole: Accounts, who: Login) -> bool:
    try:
        _connected(whole, who).close()
    except _NotLetInError:
        return False
    return True


def _connected(whole: Accounts, who: Login) -> Connection:
    pymysql = _library()
    where = _where(whole, who)
    seconds = max(int(whole.task.seconds()), 1)
    place = safe(str(where["host"]))
    try:
        connection: Connection = pymysql.connect(
            **where,
            user=who.user,
            password=who.password,
            connect_timeout=seconds,
            read_timeout=seconds,
            write_timeout=seconds,
            charset="utf8mb4",
            autocommit=True,
            program_name="openclaw-cli",
            auth_plugin_map=dict.fromkeys(_AS_IT_IS, _Never),
        )
    except pymysql.err.MySQLError as refused:
        code = _code(refused)
        if code in _NOT_LET_IN:
            raise _NotLetInError(
                f"MySQL at {place} did not let {safe(who.user)} in with that password",
                hint="is it the right one, for the host that we come from?",
            ) from None
        raise TemporaryError(
            f"MySQL cannot be reached at {place}, or TLS does not fit ({code})",
            hint="mysqladmin ping; ssl-ca=FILE of the URL",
        ) from None
    return connection


def _account(whole: Accounts, connection: Connection, user: str) -> str:
    """Return the account as a statement names it; raises when there is not one of that user."""
    if not whole.by_admin:
        return "CURRENT_USER()"
    host = whole.task.settings["host"]
    if not host:
        hosts = _hosts(connection, user)
        if len(hosts) != 1:
            many = f"{len(hosts)} accounts" if hosts else "no account"
            raise RefusedError(
                f"MySQL has {many} called {safe(user)}",
                hint="--setting host=HOST, as in 'USER'@'HOST'"
                if hosts
                else f"CREATE USER '{safe(user)}'@'%';",
            )
        host = hosts[0]
    return f"{_quoted(connection, user)}@{_quoted(connection, host)}"


def _hosts(connection: Connection, user: str) -> list[str]:
    pymysql = _library()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT Host FROM mysql.user WHERE User = %s", [user])
            return [_plain(row[0]) for row in cursor.fetchall()]
    except pymysql.err.MySQLError as refused:
        if _code(refused) in _NOT_ALLOWED:
            return ["%"]  # the usual one; ALTER USER says whether it is there
        raise _refusal(connection, refused, user) from None


def _plain(found: object) -> str:
    return found.decode() if isinstance(found, bytes) else str(found)


def _alter(whole: Accounts, connection: Connection, wanted: Login, *, keep: bool) -> None:
    account = _account(whole, connection, wanted.user)
    if not _is_mariadb(connection):
        statement = f"ALTER USER {account} IDENTIFIED BY {_quoted(connection, wanted.password)}"
        statement += " RETAIN CURRENT PASSWORD" if keep else ""
    elif whole.by_admin:
        kept = _native_hash(wanted.password)
        statement = f"ALTER USER {account} IDENTIFIED BY PASSWORD '{kept}'"
    else:  # MariaDB lets nobody ALTER USER without a right, even their own
        statement = f"SET PASSWORD = '{_native_hash(wanted.password)}'"
    _run(connection, statement, wanted.user)
    if whole.task.settings["users"]:
        _run(connection, f"ALTER USER {account} ACCOUNT UNLOCK", wanted.user)


def _discard(whole: Accounts, connection: Connection, user: str) -> None:
    account = _account(whole, connection, user)
    _run(connection, f"ALTER USER {account} DISCARD OLD PASSWORD", user)


def _lock(whole: Accounts, connection: Connection, user: str) -> None:
    _run(connection, f"ALTER USER {_account(whole, connection, user)} ACCOUNT LOCK", user)


def _require_dual(task: Task, connection: Connection) -> None:
    if task.settings["keep-old"] != "yes":
        return
    if _is_mariadb(connection) or _version(connection) < _DUAL:
        raise ConfigError(
            "this server keeps no old password: MySQL does from 8.0.14 on, MariaDB does not",
            hint="two users that take turns: --setting users=app_a,app_b",
        )


def _require_native(connection: Connection, account: str) -> None:
    """Refuse what MariaDB cannot be given a hash for."""
    if not _is_mariadb(connection):
        return
    pymysql = _library()
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"SHOW CREATE USER {account}")
            made = _plain((cursor.fetchone() or ("",))[0])
    except pymysql.err.MySQLError:
        return  # we may not look; ALTER USER says what is wrong
    via = re.search(r"IDENTIFIED VIA (\w+)", made)
    if via and via[1] != _NATIVE:
        raise RefusedError(
            f"{safe(account)} signs in by {via[1]}, so MariaDB would log the password as it is",
            hint=f"ALTER USER {safe(account)} IDENTIFIED VIA {_NATIVE}",
        )


def _run(connection: Connection, statement: str, user: str) -> None:
    pymysql = _library()
    try:
        with connection.cursor() as cursor:
            # Without arguments, so that a % is a %.
            cursor.execute(statement)
    except pymysql.err.MySQLError as refused:
        raise _refusal(connection, refused, user) from None


def _refusal(connection: Connection, refused: Exception, user: str) -> OpenclawError:
    code, name = _code(refused), safe(user)
    ours = safe(_plain(getattr(connection, "user", b"")))
    if code in _NOT_ALLOWED:
        more = "" if _is_mariadb(connection) else ", APPLICATION_PASSWORD_ADMIN ON *.*"
        return DeniedError(
            f"{ours} may not alter the user {name}",
            hint=f"GRANT CREATE USER ON *.*{more} TO {ours};",
        )
    if code == _NOBODY:
        return RefusedError(f"MySQL has no user {name} that could be altered")
    if code == _POLICY:
        return RefusedError(
            f"the password policy of MySQL refuses what is made for {name}",
            hint="--setting kind=password:length=40",
        )
    if code in _READ_ONLY:
        return RefusedError("this MySQL is read only: name the primary in the URL")
    if code in _AWAY or not code:
        return TemporaryError(f"MySQL did not finish altering {name} ({code or 'no answer'})")
    return RefusedError(f"MySQL refuses to alter the user {name} ({code})")


def _code(refused: Exception) -> int:
    """Return the server's number for what is wrong, or 0."""
    number = refused.args[0] if refused.args else 0
    return number if isinstance(number, int) else 0


def _is_mariadb(connection: Connection) -> bool:
    return "mariadb" in _says(connection).lower()


def _says(connection: Connection) -> str:
    return str(connection.get_server_info())  # type: ignore[no-untyped-call]


def _version(connection: Connection) -> tuple[int, ...]:
    match = re.match(r"(\d+)\.(\d+)\.(\d+)", _says(connection))
    return tuple(map(int, match.groups())) if match else ()


def _native_hash(password: str) -> str:
    """Return what mysql_native_password keeps of a password: the protocol's own hash."""
    once = hashlib.sha1(password.encode(), usedforsecurity=False).digest()
    return "*" + hashlib.sha1(once, usedforsecurity=False).hexdigest().upper()


def _quoted(connection: Connection, text: str) -> str:
    quoted: str = connection.escape(text)
    return quoted


def _library() -> Any:  # noqa: ANN401 - a module
    try:
        import pymysql
    except ImportError:
        raise missing_library("rotator", "mysql", "pymysql", "mysql") from None
    return pymysql
