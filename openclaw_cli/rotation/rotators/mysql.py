"""MySQL and MariaDB: a user's password by ALTER USER; with the old one kept valid, or in turns.

MySQL keeps an account's old password valid beside the new one when it is asked to (`keep-old`);
MariaDB cannot, and there two users take turns (`users`). MariaDB writes a statement into its logs
as it is, so it is given a hash; MySQL takes passwords out of what it logs.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from openclaw_cli.errors import ConfigError, RefusedError
from openclaw_cli.providers.provider import CHOSEN
from openclaw_cli.rotation import accounts, generators, mysql
from openclaw_cli.rotation.accounts import Accounts
from openclaw_cli.rotation.login import Login
from openclaw_cli.rotation.rotator import Held, Made, Setting, Task
from openclaw_cli.sanitize import safe
from openclaw_cli.within import within

if TYPE_CHECKING:
    import pymysql

    Connection = pymysql.Connection[Any]

SCHEMES = ("mysql", "mariadb")
_DUAL = (8, 0, 14)  # the first version of MySQL that keeps an old password
_NATIVE = "mysql_native_password"


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
        mysql.where(who, who.current())

        def look() -> None:
            with _privileged(who) as connection:
                _require_dual(task, connection)
                account = _account(who, connection, user)
                _require_native(connection, account)
                if who.by_admin:
                    # An account that is not there: who may not alter one is told so before that.
                    nobody = f"'openclaw-{task.token}'@'localhost'"
                    mysql.run(connection, f"ALTER USER IF EXISTS {nobody} ACCOUNT UNLOCK", user)

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
        _do(task, lambda: mysql.connected(who, who.of(value)).close())

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


def _privileged(who: Accounts, pending: Held | None = None) -> Connection:
    """Sign in as the admin, else as the user itself.

    Its password may be the pending one already, when the reply to setting it was lost.
    """
    if who.by_admin:
        return mysql.connected(who, who.admin())
    try:
        return mysql.connected(who, who.current())
    except mysql.NotLetInError:
        if pending is None:
            raise
        return mysql.connected(who, who.of(pending))


def _is_let_in(whole: Accounts, who: Login) -> bool:
    try:
        mysql.connected(whole, who).close()
    except mysql.NotLetInError:
        return False
    return True


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
    pymysql = mysql.library()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT Host FROM mysql.user WHERE User = %s", [user])
            return [mysql.plain(row[0]) for row in cursor.fetchall()]
    except pymysql.err.MySQLError as refused:
        if mysql.code(refused) in mysql.NOT_ALLOWED:
            return ["%"]  # the usual one; ALTER USER says whether it is there
        raise mysql.refusal(connection, refused, user) from None


def _alter(whole: Accounts, connection: Connection, wanted: Login, *, keep: bool) -> None:
    account = _account(whole, connection, wanted.user)
    if not mysql.is_mariadb(connection):
        statement = f"ALTER USER {account} IDENTIFIED BY {_quoted(connection, wanted.password)}"
        statement += " RETAIN CURRENT PASSWORD" if keep else ""
    elif whole.by_admin:
        kept = _native_hash(wanted.password)
        statement = f"ALTER USER {account} IDENTIFIED BY PASSWORD '{kept}'"
    else:  # MariaDB lets nobody ALTER USER without a right, even their own
        statement = f"SET PASSWORD = '{_native_hash(wanted.password)}'"
    mysql.run(connection, statement, wanted.user)
    if whole.task.settings["users"]:
        mysql.run(connection, f"ALTER USER {account} ACCOUNT UNLOCK", wanted.user)


def _discard(whole: Accounts, connection: Connection, user: str) -> None:
    account = _account(whole, connection, user)
    mysql.run(connection, f"ALTER USER {account} DISCARD OLD PASSWORD", user)


def _lock(whole: Accounts, connection: Connection, user: str) -> None:
    mysql.run(connection, f"ALTER USER {_account(whole, connection, user)} ACCOUNT LOCK", user)


def _require_dual(task: Task, connection: Connection) -> None:
    if task.settings["keep-old"] != "yes":
        return
    if mysql.is_mariadb(connection) or mysql.version(connection) < _DUAL:
        raise ConfigError(
            "this server keeps no old password: MySQL does from 8.0.14 on, MariaDB does not",
            hint="two users that take turns: --setting users=app_a,app_b",
        )


def _require_native(connection: Connection, account: str) -> None:
    """Refuse what MariaDB cannot be given a hash for."""
    if not mysql.is_mariadb(connection):
        return
    pymysql = mysql.library()
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"SHOW CREATE USER {account}")
            made = mysql.plain((cursor.fetchone() or ("",))[0])
    except pymysql.err.MySQLError:
        return  # we may not look; ALTER USER says what is wrong
    via = re.search(r"IDENTIFIED VIA (\w+)", made)
    if via and via[1] != _NATIVE:
        raise RefusedError(
            f"{safe(account)} signs in by {via[1]}, so MariaDB would log the password as it is",
            hint=f"ALTER USER {safe(account)} IDENTIFIED VIA {_NATIVE}",
        )


def _native_hash(password: str) -> str:
    """Return what mysql_native_password keeps of a password: the protocol's own hash."""
    once = hashlib.sha1(password.encode(), usedforsecurity=False).digest()
    return "*" + hashlib.sha1(once, usedforsecurity=False).hexdigest().upper()


def _quoted(connection: Connection, text: str) -> str:
    quoted: str = connection.escape(text)
    return quoted
