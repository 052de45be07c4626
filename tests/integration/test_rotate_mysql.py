"""A password is rotated on a real MariaDB, and on a stand-in for MySQL, which keeps the old one."""

from __future__ import annotations

import itertools
import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from openclaw_cli.errors import (
    ConfigError,
    DeniedError,
    OpenclawError,
    RefusedError,
    TemporaryError,
)
from openclaw_cli.model import CURRENT, SecretValue
from openclaw_cli.rotation import login
from openclaw_cli.rotation.rotator import Task
from openclaw_cli.rotation.rotators.mysql import SCHEMES, Mysql
from openclaw_cli.testing.rotators import Accepts, ProviderContract, pending_of, promoted
from tests.integration.mariadb_server import PASSWORD, MariadbServer
from tests.integration.rotations import refused, task_of
from tests.lossy_proxy import LossyProxy
from tests.standin_mysql import StandinMysql

pytestmark = pytest.mark.integration

ACCOUNT_LOCKED = 4151

_numbers = itertools.count()


@pytest.fixture(scope="module")
def server() -> Iterator[MariadbServer]:
    with MariadbServer() as running:
        yield running


@pytest.fixture
def rotator() -> Mysql:
    return Mysql()


def task_for(value: str, *, admin: str = "", **settings: str) -> Task:
    given = {name.replace("_", "-"): each for name, each in settings.items()}
    return task_of(Mysql, "db", value, given, {"admin": admin})


class MysqlContract(ProviderContract):
    @pytest.fixture
    def rotator(self) -> Mysql:
        return Mysql()

    @pytest.fixture
    def accepts(self, server: MariadbServer, task: Task) -> Accepts:
        url = task.settings["url"]
        user = login.read(SecretValue(url.encode()), "it", SCHEMES).user if url else ""

        def signs_in(value: SecretValue) -> bool:
            found = login.read(value, "it", SCHEMES, user=user)
            return _accepts(server, found.user, found.password)

        return signs_in

    @pytest.fixture
    def live(self) -> Callable[[], int]:
        return lambda: 1


def _accepts(server: MariadbServer, user: str, password: str) -> bool:
    import pymysql

    try:
        return server.accepts(user, password)
    except pymysql.err.OperationalError as refused:
        if refused.args[0] != ACCOUNT_LOCKED:
            raise
        return False


class TestAUserThatChangesItsOwn(MysqlContract):
    @pytest.fixture
    def task(self, server: MariadbServer) -> Task:
        name = f"o'clock \"{next(_numbers)}"
        server.run("CREATE USER %s@'127.0.0.1' IDENTIFIED BY 'before'", name)
        return task_for("before", url=server.url(name, "").replace(":@", "@"))

    def test_a_set_whose_reply_was_lost_is_repeated(
        self, rotator: Mysql, server: MariadbServer, task: Task, accepts: Accepts
    ) -> None:
        with LossyProxy(server.port) as way:
            url = task.settings["url"].replace(f":{server.port}", f":{way.port}")
            url += "?ssl-mode=DISABLED"
            lossy = replace(task, settings={**task.settings, "url": url})
            lossy, pending = pending_of(lossy, rotator.create(lossy))
            way.lose(b"SET PASSWORD")
            refused(TemporaryError, rotator.set, lossy, pending)
            assert way.lost == 1
            rotator.set(lossy, pending)
        assert accepts(pending.value)


class TestOneOfAnAdmin(MysqlContract):
    @pytest.fixture
    def task(self, server: MariadbServer) -> Task:
        name = f"app{next(_numbers)}"
        server.run("CREATE USER %s@'%%' IDENTIFIED BY 'before'", name)
        value = {"host": "127.0.0.1", "port": server.port, "username": name, "password": "before"}
        return task_for(json.dumps(value), admin=server.url())

    def test_of_several_accounts_of_that_name_one_must_be_named(
        self, rotator: Mysql, server: MariadbServer, task: Task
    ) -> None:
        name = json.loads(task.held[0].value.reveal())["username"]
        server.run("CREATE USER %s@'10.0.0.1' IDENTIFIED BY 'other'", name)
        assert "2 accounts" in refused(RefusedError, rotator.check, task).message
        rotator.check(replace(task, settings={**task.settings, "host": "%"}))


class TestUsersThatTakeTurns(MysqlContract):
    @pytest.fixture
    def task(self, server: MariadbServer) -> Task:
        name = f"turn{next(_numbers)}"
        server.run("CREATE USER %s@'%%' IDENTIFIED BY 'before'", f"{name}_a")
        server.run("CREATE USER %s@'%%' ACCOUNT LOCK", f"{name}_b")
        url = server.url(f"{name}_a", "before", f"?ssl-ca={server.authority}")
        return task_for(url, admin=server.url(), users=f"{name}_a,{name}_b")

    def wrong(self, value: bytes) -> bytes:
        return value.replace(b"@", b"x@")

    def test_no_login_fails_while_it_is_rotated(
        self, rotator: Mysql, server: MariadbServer, task: Task
    ) -> None:
        assert task.current
        current = [task.current.value]
        stop = threading.Event()
        failed: list[str] = []
        logins = itertools.count()

        def client() -> None:
            while not stop.is_set():
                who = login.read(current[0], "it", SCHEMES)
                if not _accepts(server, who.user, who.password):
                    failed.append(who.user)
                next(logins)

        clients = [threading.Thread(target=client) for _ in range(2)]
        for each in clients:
            each.start()
        for _ in range(6):
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


class TestAUserWhoseOldPasswordMysqlKeeps(ProviderContract):
    @pytest.fixture
    def mysql(self) -> Iterator[StandinMysql]:
        with StandinMysql() as running:
            running.accounts = {"app": ["before"], "admin": ["its"]}
            running.admins = {"admin"}
            yield running

    @pytest.fixture
    def rotator(self) -> Mysql:
        return Mysql()

    @pytest.fixture(params=["own", "admin"])
    def task(self, mysql: StandinMysql, request: pytest.FixtureRequest) -> Task:
        admin = mysql.url("admin", "its") if request.param == "admin" else ""
        return task_for(mysql.url("app", "before"), admin=admin, keep_old="yes")

    @pytest.fixture
    def accepts(self, mysql: StandinMysql) -> Accepts:
        def signs_in(value: SecretValue) -> bool:
            found = login.read(value, "it", SCHEMES)
            return mysql.accepts(found.user, found.password)

        return signs_in

    @pytest.fixture
    def live(self, mysql: StandinMysql) -> Callable[[], int]:
        return lambda: len(mysql.accounts["app"])

    def wrong(self, value: bytes) -> bytes:
        return value.replace(b"@", b"x@")

    def test_a_lost_reply_does_not_make_it_forget_the_old_one(
        self, rotator: Mysql, mysql: StandinMysql, accepts: Accepts
    ) -> None:
        with LossyProxy(mysql.port) as way:
            url = mysql.url("app", "before").replace(f":{mysql.port}", f":{way.port}")
            task = task_for(url, keep_old="yes")
            task, pending = pending_of(task, rotator.create(task))
            way.lose(b"RETAIN CURRENT PASSWORD")
            refused(TemporaryError, rotator.set, task, pending)
            rotator.set(task, pending)
            assert task.current
            assert accepts(pending.value)
            assert accepts(task.current.value)
            rotator.undo(task, pending)
        assert mysql.accounts["app"] == ["before"]

    def test_a_message_of_the_server_is_not_shown(
        self, rotator: Mysql, mysql: StandinMysql
    ) -> None:
        task = task_for(mysql.url("app", "before"), admin=mysql.url("app", "before"), users="a,b")
        task = replace(task, settings={**task.settings, "host": "%", "users": "app,other"})
        mysql.accounts["other"] = ["x"]
        said = refused(DeniedError, rotator.check, task)
        assert "hunter2" not in said.message + said.hint
        assert said.hint.startswith("GRANT CREATE USER ON *.*, APPLICATION_PASSWORD_ADMIN")


def test_mariadb_keeps_no_old_password_and_that_is_said_first(
    rotator: Mysql, server: MariadbServer
) -> None:
    task = task_for(server.url(), keep_old="yes")
    said = refused(ConfigError, rotator.check, task)
    assert "users=app_a,app_b" in said.hint


def test_no_password_is_in_the_server_s_log_or_ours(
    rotator: Mysql, server: MariadbServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.run("CREATE USER quiet@'%%' IDENTIFIED BY %s", "before-in-the-log")
    task = task_for(server.url("quiet", "before-in-the-log"), admin=server.url())
    with caplog.at_level(logging.DEBUG):
        rotator.check(task)
        task, pending = pending_of(task, rotator.create(task))
        rotator.set(task, pending)
        rotator.test(task, pending)
    assert b"before-in-the-log" in server.log, "the control: CREATE USER had it as it is"
    for each in (login.read(pending.value, "it", SCHEMES).password, PASSWORD):
        assert each.encode() not in server.log.replace(b"IDENTIFIED BY '" + PASSWORD.encode(), b"")
        assert each not in caplog.text


def test_who_signs_in_otherwise_would_be_logged_and_is_refused(
    rotator: Mysql, server: MariadbServer
) -> None:
    server.run("CREATE USER sock@'127.0.0.1' IDENTIFIED VIA unix_socket")
    task = task_for(server.url("sock", "x"), admin=server.url())
    assert "by unix_socket" in refused(RefusedError, rotator.check, task).message


def test_a_missing_right_is_said_and_its_hint_mends_it(
    rotator: Mysql, server: MariadbServer
) -> None:
    server.run("CREATE USER small@'127.0.0.1' IDENTIFIED BY 'its'")
    server.run("CREATE USER other@'%' IDENTIFIED BY 'before'")
    task = task_for(server.url("other", "before"), admin=server.url("small", "its"))
    said = refused(DeniedError, rotator.check, task)
    assert said.hint == "GRANT CREATE USER ON *.* TO small;"
    assert server.accepts("other", "before")
    server.run("GRANT CREATE USER ON *.* TO small@'127.0.0.1'")
    rotator.check(task)
    task, pending = pending_of(task, rotator.create(task))
    rotator.set(task, pending)
    rotator.test(task, pending)


@pytest.mark.parametrize(
    ("value", "settings", "words"),
    [
        ("bare", {}, "nothing says which user"),
        ("mysql://u:p@h/d", {"users": "a,b"}, "somebody who may alter both"),
        ("mysql://u:p@h/d", {"keep_old": "maybe"}, "yes or no"),
        ("mysql://u:p@h/d", {"keep_old": "yes", "users": "a,b"}, "no keep-old"),
        ("mysql://u:p@h:x/d", {}, "cannot be read"),
        ("mysql://u:p@h/d?ssl-ca=/no/such", {}, "cannot be used"),
        ('{"username": "u", "password": "p"}', {}, "nothing says where"),
        ('{"username": "u", "password": "p", "host": "h", "port": "x"}', {}, "not a number"),
        ("mysql://u:p@h/d", {"kind": "no-such"}, "no generator"),
    ],
)
def test_what_cannot_work_is_said_before_anything_is_asked(
    rotator: Mysql, value: str, settings: dict[str, str], words: str
) -> None:
    said = refused(OpenclawError, rotator.check, task_for(value, **settings))
    assert words in said.message


def test_a_server_that_is_away_or_hangs_is_a_reason_to_come_again(
    rotator: Mysql, server: MariadbServer
) -> None:
    refused(TemporaryError, rotator.check, task_for("mysql://u:p@127.0.0.1:9/d"))
    task = replace(task_for(server.url()), deadline=time.monotonic() + 1)
    with server.stopped():
        started = time.monotonic()
        refused(TemporaryError, rotator.check, task)
        assert time.monotonic() - started < 10


def test_a_certificate_that_is_not_to_be_trusted_is_not(
    rotator: Mysql,
    server: MariadbServer,
    tmp_path: Any,  # noqa: ANN401
) -> None:
    from tests.integration.certificates import Authority

    other = Authority(tmp_path).path
    refused(TemporaryError, rotator.check, task_for(server.url(more=f"?ssl-ca={other}")))
    rotator.check(task_for(server.url(more=f"?ssl-ca={server.authority}")))


def test_where_tls_is_asked_for_nothing_is_sent_without_it(rotator: Mysql, tmp_path: Any) -> None:  # noqa: ANN401
    """The stand-in says that it has no TLS, as somebody between would."""
    from tests.integration.certificates import Authority

    with StandinMysql() as mysql:
        mysql.accounts = {"app": ["before"]}
        url = mysql.url("app", "before") + f"?ssl-ca={Authority(tmp_path).path}"
        refused(TemporaryError, rotator.check, task_for(url))
        assert mysql.statements == []


def test_without_the_library_the_command_that_installs_it_is_said(
    rotator: Mysql, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pymysql", None)
    said = refused(ConfigError, rotator.check, task_for("mysql://u:p@h/d"))
    assert said.hint == "pip install 'openclaw-cli[mysql]'"
