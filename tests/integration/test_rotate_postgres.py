"""A role's password is rotated on a real PostgreSQL, whose log holds every statement."""

from __future__ import annotations

import itertools
import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from psycopg import sql

from openclaw_cli.errors import (
    ConfigError,
    DeniedError,
    OpenclawError,
    RefusedError,
    TemporaryError,
)
from openclaw_cli.model import CURRENT, SecretValue
from openclaw_cli.rotation import login
from openclaw_cli.rotation.rotator import Held, Task
from openclaw_cli.rotation.rotators.postgres import SCHEMES, Postgres
from openclaw_cli.testing.rotators import Accepts, ProviderContract, pending_of, promoted
from tests.integration.certificates import Authority
from tests.integration.postgres_server import ADMIN, PASSWORD, PostgresServer
from tests.integration.rotations import refused, task_of

pytestmark = pytest.mark.integration

_numbers = itertools.count()


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with PostgresServer() as running:
        yield running


@pytest.fixture
def role(server: PostgresServer) -> str:
    """Make a role with a name that must be quoted."""
    name = f'App "{next(_numbers)}" o\'clock'
    _create(server, name, "before")
    return name


def _create(server: PostgresServer, name: str, password: str | None, more: str = "") -> None:
    statement = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {} " + more)
    server.run(statement.format(sql.Identifier(name), sql.Literal(password)).as_string())


def task_for(value: str, *, admin: str = "", **settings: str) -> Task:
    return task_of(Postgres, "db", value, settings, {"admin": admin})


class PostgresContract(ProviderContract):
    @pytest.fixture
    def rotator(self) -> Postgres:
        return Postgres()

    @pytest.fixture
    def accepts(self, server: PostgresServer, task: Task) -> Accepts:
        def signs_in(value: SecretValue) -> bool:
            found = login.read(value, "it", SCHEMES, user=self.user(task))
            return server.accepts(found.user, found.password)

        return signs_in

    @pytest.fixture
    def live(self, server: PostgresServer, task: Task) -> Callable[[], int]:
        def count() -> int:
            held = login.read(task.held[0].value, "it", SCHEMES, user=self.user(task))
            stem = held.user.removesuffix("_a")
            rows = server.run("SELECT rolname, rolpassword FROM pg_authid")
            return sum(bool(password) for name, password in rows if name.startswith(stem))

        return count

    def user(self, task: Task) -> str:
        """Return who signs in with a bare password."""
        url = task.settings["url"]
        return login.read(SecretValue(url.encode()), "it", SCHEMES).user if url else ""


class TestARoleThatChangesItsOwn(PostgresContract):
    @pytest.fixture
    def task(self, server: PostgresServer, role: str) -> Task:
        return task_for("before", url=server.url(role, "").replace(":@", "@"))

    def test_it_stays_a_bare_password(self, rotator: Postgres, task: Task) -> None:
        assert len(rotator.create(task).value) == 24

    def test_a_set_whose_reply_was_lost_is_repeated(
        self, rotator: Postgres, task: Task, accepts: Accepts
    ) -> None:
        task, pending = pending_of(task, rotator.create(task))
        rotator.set(task, pending)
        rotator.set(task, pending)  # signs in with the pending one: the current has ended
        assert accepts(pending.value)


class TestOneOfAnAdmin(PostgresContract):
    @pytest.fixture
    def task(self, server: PostgresServer, role: str) -> Task:
        value = {
            "engine": "postgres",
            "host": "127.0.0.1",
            "port": server.port,
            "username": role,
            "password": "before",
            "dbname": "postgres",
        }
        return task_for(json.dumps(value, indent=2), admin=server.url())

    def test_the_other_fields_and_the_layout_stay(self, rotator: Postgres, task: Task) -> None:
        assert task.current
        before, made = task.current.value.reveal(), rotator.create(task).value.reveal()
        old, new = json.loads(before), json.loads(made)
        assert list(new) == list(old)
        assert {**new, "password": "before"} == old
        assert made.replace(new["password"].encode(), b"before") == before

    def test_an_admin_with_a_bare_password_goes_to_the_same_server(
        self, rotator: Postgres, server: PostgresServer, task: Task
    ) -> None:
        settings = {
            **task.settings,
            "admin-user": ADMIN,
            "url": server.url("nobody", "").replace(":@", "@"),
        }
        bare = replace(task, settings=settings, secrets={"admin": SecretValue(PASSWORD.encode())})
        rotator.check(bare)

    def test_a_password_that_was_lost_is_replaced(
        self, rotator: Postgres, server: PostgresServer, role: str, task: Task, accepts: Accepts
    ) -> None:
        server.run(f"ALTER ROLE {_quoted(role)} PASSWORD 'somebody else set it'")
        rotator.check(task)
        task, pending = pending_of(task, rotator.create(task))
        rotator.set(task, pending)
        assert accepts(pending.value)


class TestRolesThatTakeTurns(PostgresContract):
    @pytest.fixture
    def task(self, server: PostgresServer) -> Task:
        name = f"turn{next(_numbers)}"
        _create(server, f"{name}_a", "before")
        _create(server, f"{name}_b", None)
        tls = f"?sslmode=verify-full&sslrootcert={server.authority}"
        url = server.url(f"{name}_a", "before", tls).replace("ql:", "ql+psycopg:", 1)
        return task_for(url, admin=server.url(), users=f"{name}_a, {name}_b")

    def wrong(self, value: bytes) -> bytes:
        return value.replace(b"@", b"x@")

    def test_the_url_is_the_same_but_for_who_signs_in(self, rotator: Postgres, task: Task) -> None:
        assert task.current
        old, new = task.current.value.reveal(), rotator.create(task).value.reveal()
        assert old.startswith(b"postgresql+psycopg://turn")
        assert old.partition(b"@")[2] == new.partition(b"@")[2]
        assert b"_b:" in new

    def test_no_login_fails_while_it_is_rotated(
        self, rotator: Postgres, server: PostgresServer, task: Task
    ) -> None:
        """A client that reads the current value and signs in, in a loop, through 10 rotations."""
        assert task.current
        current = [task.current.value]
        stop = threading.Event()
        failed: list[str] = []
        logins = itertools.count()

        def client() -> None:
            while not stop.is_set():
                who = login.read(current[0], "it", SCHEMES)
                if not server.accepts(who.user, who.password):
                    failed.append(who.user)
                next(logins)

        clients = [threading.Thread(target=client) for _ in range(2)]
        for each in clients:
            each.start()
        for _ in range(10):
            rotator.check(task)
            task, pending = pending_of(task, rotator.create(task))
            rotator.set(task, pending)
            rotator.test(task, pending)
            task, old = promoted(task)
            current[0] = pending.value
            time.sleep(0.1)  # the grace time: a login that read the old value ends in it
            rotator.revoke(task, old)
            task = replace(task, held=(replace(pending, stage=CURRENT),))
        stop.set()
        for each in clients:
            each.join()
        assert failed == []
        assert next(logins) > 20

    def test_control_one_role_alone_does_fail_such_logins(
        self, rotator: Postgres, server: PostgresServer, role: str
    ) -> None:
        task = task_for(server.url(role, "before"), admin=server.url())
        task, pending = pending_of(task, rotator.create(task))
        rotator.set(task, pending)
        assert not server.accepts(role, "before")


def _quoted(name: str) -> str:
    return sql.Identifier(name).as_string()


@pytest.fixture
def rotator() -> Postgres:
    return Postgres()


def test_a_missing_right_is_said_before_anything_changed_and_its_hint_mends_it(
    rotator: Postgres, server: PostgresServer, role: str
) -> None:
    _create(server, "small", "its")
    task = task_for(server.url(role, "before"), admin=server.url("small", "its"))
    denied = refused(DeniedError, rotator.check, task)
    assert denied.hint.startswith('ALTER ROLE "small" CREATEROLE;')
    assert server.accepts(role, "before")
    server.run(denied.hint)
    rotator.check(task)
    assert server.accepts(role, "before")


@pytest.mark.parametrize("way", ["own", "admin"])
def test_no_password_is_in_the_server_s_log_or_ours(
    rotator: Postgres, server: PostgresServer, way: str, caplog: pytest.LogCaptureFixture
) -> None:
    name = f"quiet{next(_numbers)}"
    _create(server, name, "before-in-the-log")
    task = task_for(
        server.url(name, "before-in-the-log"), admin=server.url() if way == "admin" else ""
    )
    with caplog.at_level(logging.DEBUG):
        rotator.check(task)
        task, pending = pending_of(task, rotator.create(task))
        rotator.set(task, pending)
        rotator.test(task, pending)
        wrong = Held(SecretValue(server.url(name, "wrong-in-the-log").encode()), CURRENT)
        refused(RefusedError, rotator.test, task, wrong)
    password = login.read(pending.value, "it", SCHEMES).password
    logged = server.log
    assert b"ALTER ROLE" in logged
    assert b"before-in-the-log" in logged, "the control: CREATE ROLE had it as it is"
    for each in (password, "wrong-in-the-log", PASSWORD):
        assert each.encode() not in logged
        assert each not in caplog.text


def test_a_value_whose_server_asks_for_no_password_proves_nothing(
    rotator: Postgres, server: PostgresServer
) -> None:
    """`trust` lets everybody in: a test of the new password would always succeed."""
    rules = server.folder / "data" / "pg_hba.conf"
    before = rules.read_text()
    _create(server, "trusted", "before")
    rules.write_text("host all trusted 127.0.0.1/32 trust\n" + before)
    server.run("SELECT pg_reload_conf()")
    try:
        task = task_for(server.url("trusted", "any other"), admin=server.url())
        time.sleep(0.2)
        assert server.accepts("trusted", "any other")
        assert task.current
        refused((TemporaryError, RefusedError), rotator.test, task, task.current)  # type: ignore[arg-type]
        checked_tls = f"?sslmode=verify-full&sslrootcert={server.authority}"
        task = task_for(server.url("trusted", "any other", checked_tls), admin=server.url())
        assert task.current
        said = refused(RefusedError, rotator.test, task, task.current)
        assert "no password" in said.message
    finally:
        rules.write_text(before)
        server.run("SELECT pg_reload_conf()")


@pytest.mark.parametrize(
    ("value", "settings", "words"),
    [
        ("bare", {}, "nothing says which user"),
        ("bare", {"url": "postgresql://h/d"}, "nothing says which user"),
        ("bare", {"url": "postgresql://u:p@h/d"}, "without a password"),
        ("bare", {"url": "h/d"}, "without a password"),
        ("postgresql://u:p@h/d", {"users": "a,b", "admin": ""}, "somebody who may alter both"),
        ("postgresql://u:p@h/d", {"users": "a"}, "not two names"),
        ("postgresql://u:p@h/d", {"users": "a,a"}, "not two names"),
        ("bare", {"url": "postgresql://u@h/d", "users": "a,b"}, "a bare password"),
        ("postgresql://u:p@h/d", {"kind": "no-such"}, "no generator"),
        ("postgresql://u:p@h/d?password=p", {}, "before the @"),
        ("postgresql://h/d?user=u", {"url": "postgresql://u@h/d"}, "before the @"),
        ("postgresql://u:p@h:x/d?=", {}, "cannot be read"),
        ('{"username": "u"}', {}, "without a text in its field password"),
        ('{"username": ', {}, "begins as JSON"),
        ('{"username": "u", "password": "p"}', {}, "nothing says where"),
        ("postgresql://u:p%00@h/d", {}, "NUL"),
        ("\udcff", {}, "no text"),
    ],
)
def test_what_cannot_work_is_said_before_anything_is_asked(
    rotator: Postgres, value: str, settings: dict[str, str], words: str
) -> None:
    task = task_for("x", **settings)
    held = SecretValue(value.encode(errors="surrogateescape"))
    secrets = {} if "admin" in settings else {"admin": SecretValue(b"postgresql://a:p@h/d")}
    task = replace(task, held=(Held(held, CURRENT),), secrets=secrets)
    said = refused(OpenclawError, rotator.check, task)
    assert words in said.message
    assert said.status in (2, 78)


def test_a_role_that_is_not_there_is_named(rotator: Postgres, server: PostgresServer) -> None:
    task = task_for(server.url("nobody", "x"), admin=server.url())
    assert refused(RefusedError, rotator.check, task).hint == 'CREATE ROLE "nobody" LOGIN;'


def test_a_secret_without_a_value_is_to_be_set_first(rotator: Postgres) -> None:
    task = replace(task_for("x"), held=())
    assert refused(ConfigError, rotator.check, task).hint == "openclaw secrets set db"


def test_a_standby_is_not_where_a_password_is_set(
    rotator: Postgres, server: PostgresServer, role: str
) -> None:
    server.run(f"ALTER ROLE {_quoted(role)} SET default_transaction_read_only = on")
    task = task_for(server.url(role, "before"))
    assert "read only" in refused(RefusedError, rotator.check, task).message


def test_a_server_that_is_away_or_hangs_is_a_reason_to_come_again(
    rotator: Postgres, server: PostgresServer, role: str
) -> None:
    closed = task_for("postgresql://u:p@127.0.0.1:9/d")
    refused(TemporaryError, rotator.check, closed)
    task = replace(task_for(server.url(role, "before")), deadline=time.monotonic() + 1)
    with server.stopped():
        started = time.monotonic()
        refused(TemporaryError, rotator.check, task)
        assert time.monotonic() - started < 10


def test_a_certificate_that_is_not_to_be_trusted_is_not(
    rotator: Postgres,
    server: PostgresServer,
    tmp_path: Path,
) -> None:
    _create(server, "mistrustful", "before")
    other = Authority(tmp_path).path
    url = server.url("mistrustful", "before", f"?sslmode=verify-full&sslrootcert={other}")
    refused(TemporaryError, rotator.check, task_for(url))
    assert b"user=mistrustful" not in server.log
    url = server.url(
        "mistrustful", "before", f"?sslmode=verify-full&sslrootcert={server.authority}"
    )
    rotator.check(task_for(url))
    assert b"user=mistrustful" in server.log


def test_without_the_library_the_command_that_installs_it_is_said(
    rotator: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "psycopg", None)
    said = refused(ConfigError, rotator.check, task_for("postgresql://u:p@h/d"))
    assert said.hint == "pip install 'openclaw-cli[postgres]'"
