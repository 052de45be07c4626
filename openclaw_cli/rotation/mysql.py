"""MySQL and MariaDB as rotators reach them: who is let in, by which TLS, what a refusal means."""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from openclaw_cli.errors import (
    ConfigError,
    DeniedError,
    OpenclawError,
    RefusedError,
    TemporaryError,
)
from openclaw_cli.registry import missing_library
from openclaw_cli.rotation.accounts import Accounts
from openclaw_cli.rotation.login import Login
from openclaw_cli.sanitize import safe

if TYPE_CHECKING:
    import pymysql

    Connection = pymysql.Connection[Any]

NOT_ALLOWED = (1044, 1142, 1227, 1370)
_PORT = 3306
_AUTHORITY = ("ssl-ca", "ssl_ca", "sslca")
_SOCKET = ("unix_socket", "socket")
_LOOPBACK = ("", "localhost", "127.0.0.1", "::1")
_NOT_LET_IN = (1045, 1698)
_NOBODY = 1396  # also said to who may not know
_POLICY = 1819
_CLEAR = 2061  # what MySQL's own client says of a way to sign in that it will not use
_AS_IT_IS = (b"mysql_clear_password", b"dialog")
_READ_ONLY = (1290, 1836)
_AWAY = (1040, 1053, 1129, 1130, 1152, 1205, 1213, 2002, 2003, 2006, 2013, 2055)


class NotLetInError(RefusedError):
    """The server does not accept user and password."""


class _Never:
    """A way to sign in that would tell the password to whoever answers."""

    def __init__(self, connection: object) -> None:
        """Take what PyMySQL gives."""

    def authenticate(self, _asked: object) -> None:
        raise library().err.OperationalError(_CLEAR)


def where(whole: Accounts, who: Login) -> dict[str, Any]:
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


def connected(whole: Accounts, who: Login) -> Connection:
    pymysql = library()
    reached = where(whole, who)
    seconds = max(int(whole.task.seconds()), 1)
    place = safe(str(reached["host"]))
    try:
        connection: Connection = pymysql.connect(
            **reached,
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
        number = code(refused)
        if number in _NOT_LET_IN:
            raise NotLetInError(
                f"MySQL at {place} did not let {safe(who.user)} in with that password",
                hint="is it the right one, for the host that we come from?",
            ) from None
        raise TemporaryError(
            f"MySQL cannot be reached at {place}, or TLS does not fit ({number})",
            hint="mysqladmin ping; ssl-ca=FILE of the URL",
        ) from None
    return connection


def run(connection: Connection, statement: str, user: str) -> None:
    pymysql = library()
    try:
        with connection.cursor() as cursor:
            # Without arguments, so that a % is a %.
            cursor.execute(statement)
    except pymysql.err.MySQLError as refused:
        raise refusal(connection, refused, user) from None


def refusal(connection: Connection, refused: Exception, user: str) -> OpenclawError:
    number, name = code(refused), safe(user)
    ours = safe(plain(getattr(connection, "user", b"")))
    if number in NOT_ALLOWED:
        more = "" if is_mariadb(connection) else ", APPLICATION_PASSWORD_ADMIN ON *.*"
        return DeniedError(
            f"{ours} may not alter the user {name}",
            hint=f"GRANT CREATE USER ON *.*{more} TO {ours};",
        )
    if number == _NOBODY:
        return RefusedError(f"MySQL has no user {name} that could be altered")
    if number == _POLICY:
        return RefusedError(
            f"the password policy of MySQL refuses what is made for {name}",
            hint="--setting kind=password:length=40",
        )
    if number in _READ_ONLY:
        return RefusedError("this MySQL is read only: name the primary in the URL")
    if number in _AWAY or not number:
        return TemporaryError(f"MySQL did not finish altering {name} ({number or 'no answer'})")
    return RefusedError(f"MySQL refuses to alter the user {name} ({number})")


def code(refused: Exception) -> int:
    """Return the server's number for what is wrong, or 0."""
    number = refused.args[0] if refused.args else 0
    return number if isinstance(number, int) else 0


def is_mariadb(connection: Connection) -> bool:
    return "mariadb" in _says(connection).lower()


def _says(connection: Connection) -> str:
    return str(connection.get_server_info())  # type: ignore[no-untyped-call]


def version(connection: Connection) -> tuple[int, ...]:
    match = re.match(r"(\d+)\.(\d+)\.(\d+)", _says(connection))
    return tuple(map(int, match.groups())) if match else ()


def plain(found: object) -> str:
    return found.decode() if isinstance(found, bytes) else str(found)


def library() -> Any:  # noqa: ANN401 - a module
    try:
        import pymysql
    except ImportError:
        raise missing_library("rotator", "mysql", "pymysql", "mysql") from None
    return pymysql
