"""The faults of `test_rotation.py`, with the real rotators on real servers.

PostgreSQL is PostgreSQL, MySQL is MariaDB, Vault is OpenBao with its database engine on it, AWS is
moto that checks keys and signatures. What must hold is asked of the server, by another road than
the rotator's, after each effect and each commit: the current value is accepted at every instant.
"""

from __future__ import annotations

import itertools
import json
import os
import time
import urllib.error
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from openclaw_cli import assembly
from openclaw_cli.changes import Changes
from openclaw_cli.duration import DAY, HOUR
from openclaw_cli.home import find
from openclaw_cli.model import SecretValue
from openclaw_cli.names import parse
from openclaw_cli.rotation import login, schedule
from openclaw_cli.rotation.rotator import Held, Made, Task
from openclaw_cli.rotation.rotators import ROTATORS
from openclaw_cli.rotation.rotators.mysql import SCHEMES as MYSQL_SCHEMES
from openclaw_cli.rotation.rotators.postgres import SCHEMES
from openclaw_cli.rotation.view import Wish
from openclaw_cli.rotation.wishes import Asked
from openclaw_cli.settings import Settings
from tests.faults.test_rotation import (
    FAULTS,
    GOOD,
    NAME,
    NIGHTLY,
    Plan,
    World,
    places,
    schedules,
)
from tests.integration.mariadb_server import MariadbServer
from tests.integration.moto_server import Moto, variables
from tests.integration.postgres_server import ADMIN, PASSWORD, PostgresServer
from tests.integration.vault_server import ROOT, VaultServer

pytestmark = [pytest.mark.slow, pytest.mark.integration]

ADMIN_NAME = "admin"
ACCOUNT_LOCKED = 4151  # MariaDB's word for it
__all__ = ["places"]  # a fixture

PLANS = [
    *(Plan(kill=kill) for kill in range(1, 13)),
    *(Plan(call=call, fault=fault) for call in range(1, 6) for fault in FAULTS),
    *(Plan(full=full) for full in range(1, 5)),
]
"""What a sample is taken from: the nightly run tries every one that differs, as it finds them."""
SAMPLES = {
    "postgres": 5,
    "postgres-turns": 4,
    "mysql-turns": 7,
    "aws-iam": 7,
    "aws-secrets": 7,
    "vault": 5,
}

_numbers = itertools.count()


class Service:
    """A real service as a world needs it: the first value, who may, and who is accepted."""

    rotator = ""
    single = False

    def __init__(self) -> None:
        self.first = b""
        self.admin = b""
        self.settings: dict[str, str] = {}

    def accepts(self, value: bytes) -> bool:
        raise NotImplementedError

    def live(self) -> int:
        """Return how many values are accepted, or will be for long."""
        raise NotImplementedError


class OnPostgres(Service):
    rotator = "postgres"
    single = True

    def __init__(self, postgres: PostgresServer) -> None:
        super().__init__()
        self._postgres = postgres
        self.name = f"app{next(_numbers)}"
        postgres.run(f"CREATE ROLE {self.name}_a LOGIN PASSWORD 'before'")
        self.first = postgres.url(f"{self.name}_a", "before").encode()
        self.admin = postgres.url().encode()
        self.settings = {"admin": ADMIN_NAME}

    def accepts(self, value: bytes) -> bool:
        who = login.read(SecretValue(value), "it", SCHEMES)
        return self._postgres.accepts(who.user, who.password)

    def live(self) -> int:
        rows = self._postgres.run("SELECT rolname, rolpassword FROM pg_authid")
        return sum(bool(password) for name, password in rows if name.startswith(f"{self.name}_"))


class OnPostgresInTurns(OnPostgres):
    single = False

    def __init__(self, postgres: PostgresServer) -> None:
        super().__init__(postgres)
        postgres.run(f"CREATE ROLE {self.name}_b LOGIN")
        self.settings["users"] = f"{self.name}_a,{self.name}_b"


class OnMysqlInTurns(Service):
    """Two accounts, of which one is locked; the admin's secret is another one's."""

    rotator = "mysql"

    def __init__(self, mariadb: MariadbServer) -> None:
        super().__init__()
        self._mariadb = mariadb
        self.name = f"app{next(_numbers)}"
        mariadb.run("CREATE USER %s@'%%' IDENTIFIED BY 'before'", f"{self.name}_a")
        mariadb.run("CREATE USER %s@'%%' ACCOUNT LOCK", f"{self.name}_b")
        more = f"?ssl-ca={mariadb.authority}"
        self.first = mariadb.url(f"{self.name}_a", "before", more).encode()
        self.admin = mariadb.url(more=more).encode()
        self.settings = {"admin": ADMIN_NAME, "users": f"{self.name}_a,{self.name}_b"}

    def accepts(self, value: bytes) -> bool:
        import pymysql

        who = login.read(SecretValue(value), "it", MYSQL_SCHEMES)
        try:
            return self._mariadb.accepts(who.user, who.password)
        except pymysql.err.OperationalError as refused:
            if refused.args[0] != ACCOUNT_LOCKED:
                raise
            return False

    def live(self) -> int:
        found = self._mariadb.run(
            "SELECT Priv FROM mysql.global_priv WHERE User LIKE %s", f"{self.name}\\_%"
        )
        return sum(not json.loads(row[0]).get("account_locked") for row in found)


class OnIam(Service):
    rotator = "aws-iam"

    def __init__(self, moto: Moto) -> None:
        super().__init__()
        self._moto = moto
        self._iam = moto.client("iam")
        self._clients: dict[str, Any] = {}
        self.name = f"app{next(_numbers)}"
        self._iam.create_user(UserName=self.name)
        allow = {"Effect": "Allow", "Action": "iam:*", "Resource": "*"}
        self._iam.put_user_policy(
            UserName=self.name,
            PolicyName="its",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allow]}),
        )
        key = self._iam.create_access_key(UserName=self.name)["AccessKey"]
        self.first = f"{key['AccessKeyId']}:{key['SecretAccessKey']}".encode()

    def accepts(self, value: bytes) -> bool:
        id_, _, _ = value.decode().partition(":")
        return any(key["AccessKeyId"] == id_ and key["Status"] == "Active" for key in self._keys())

    def live(self) -> int:
        return len(self._keys())

    def _keys(self) -> list[dict[str, Any]]:
        keys: list[dict[str, Any]] = self._iam.list_access_keys(UserName=self.name)[
            "AccessKeyMetadata"
        ]
        return keys


class OnSecretsManager(Service):
    rotator = "aws-secrets-manager"
    single = True

    def __init__(self, moto: Moto) -> None:
        super().__init__()
        self._client = moto.client("secretsmanager")
        self.name = f"app/{next(_numbers)}"
        self.first = b"before"
        self._client.create_secret(Name=self.name, SecretString="before")
        self.settings = {"id": self.name}

    def accepts(self, value: bytes) -> bool:
        now = self._client.get_secret_value(SecretId=self.name, VersionStage="AWSCURRENT")
        return bool(now["SecretString"].encode() == value)

    def live(self) -> int:
        stages = self._client.describe_secret(SecretId=self.name)["VersionIdsToStages"]
        return sum("AWSCURRENT" in each or "AWSPENDING" in each for each in stages.values())


class OnVault(Service):
    """A dynamic role: what nobody kept is taken back by Vault within two minutes."""

    rotator = "vault-dynamic"

    def __init__(self, vault: VaultServer, postgres: PostgresServer) -> None:
        super().__init__()
        self._vault, self._postgres = vault, postgres
        self.name = f"app{next(_numbers)}"
        made = """CREATE ROLE "{{name}}" LOGIN PASSWORD '{{password}}'"""
        role = {"db_name": "pg", "creation_statements": [made], "max_ttl": "240h"}
        vault.call("POST", f"database/roles/{self.name}", role)
        first = vault.call("GET", f"database/creds/{self.name}")["data"]
        self.first = postgres.url(first["username"], first["password"]).encode()
        self.admin = ROOT.encode()
        self.settings = {
            "name": self.name,
            "lasts": "2d",
            "address": vault.address,
            "token": ADMIN_NAME,
        }
        self._before = self._tokens()

    def accepts(self, value: bytes) -> bool:
        who = login.read(SecretValue(value), "it", SCHEMES)
        return self._postgres.accepts(who.user, who.password)

    def live(self) -> int:
        """Count the tokens that live on; the first value was not Vault's to rotate."""
        return sum(self._ttl(each) > 120 for each in self._tokens() - self._before)

    def _tokens(self) -> set[str]:
        return set(self._vault.call("LIST", "auth/token/accessors")["data"]["keys"])

    def _ttl(self, accessor: str) -> int:
        try:
            found = self._vault.call("POST", "auth/token/lookup-accessor", {"accessor": accessor})
        except urllib.error.HTTPError:
            return 0
        return int(found["data"]["ttl"])


class Faulty:
    """A real rotator, each of whose calls may go wrong before it begins or after it is done."""

    def __init__(self, name: str, fault: Callable[[str, str], None]) -> None:
        self._real: Any = ROTATORS.get(name)()
        self._fault = fault
        self.name = self._real.name
        self.kind = self._real.kind
        self.SETTINGS = self._real.SETTINGS

    def overlaps(self, settings: Mapping[str, str]) -> bool:
        return bool(self._real.overlaps(settings))

    def check(self, task: Task) -> None:
        self._call("check", task)

    def create(self, task: Task) -> Made:
        made: Made = self._call("create", task)
        return made

    def set(self, task: Task, pending: Held) -> None:
        self._call("set", task, pending)

    def test(self, task: Task, value: Held) -> None:
        self._call("test", task, value)

    def undo(self, task: Task, pending: Held) -> None:
        self._call("undo", task, pending)

    def revoke(self, task: Task, old: Held) -> None:
        self._call("revoke", task, old)

    def _call(self, what: str, task: Task, *more: Held) -> Any:  # noqa: ANN401
        self._fault("before", what)
        # The world's clock runs ahead of the servers', who say when they made something.
        task = replace(task, began=min(task.began, time.time()))
        found = getattr(self._real, what)(task, *more)
        self._fault("after", what)
        return found


class RealWorld(World):
    serves = False

    def __init__(self, service: Service) -> None:
        self.service = service
        self.now = time.time()
        self.rotator: Any = Faulty(service.rotator, self.fault)
        self.begin(Plan())
        self.broken: list[str] = []
        self.secrets = assembly.secrets(find(os.environ), Settings({}, {}), os.environ)
        self.single = service.single
        self.looking = False
        changes = Changes(self.secrets)
        changes.create(NAME, SecretValue(service.first))
        if service.admin:
            changes.create(ADMIN_NAME, SecretValue(service.admin))
        wish = Asked(
            schedule.parse("weekly"),
            rotator=self.rotator.name,
            grace=HOUR,
            settings=service.settings,
        )
        self.runs().wishes.keep(NAME, wish)
        self.now += 8 * DAY
        self.looking = True

    def look(self, after: str) -> None:
        if self.looking:
            super().look(after)

    def value(self) -> bytes:
        """Return the value that consumers are given."""
        return self.secrets.read(parse(NAME)).value.reveal()

    def is_accepted(self, value: bytes) -> bool:
        return self.service.accepts(value)

    def crowd(self) -> int:
        return self.service.live()


def wrong(service: Service, *plans: Plan) -> list[str]:
    world = RealWorld(service)
    for plan in plans:
        world.run(plan)
    world.settle()
    world.look("all")
    found = list(world.broken)
    if not world.idle():
        found.append(f"stuck: {world.policy()}")
    if world.promotions() != 1:
        found.append(f"{world.promotions()} promotions")
    if service.live() != 1:
        found.append(f"{service.live()} live values at the end")
    return [f"{plans}: {each}" for each in found]


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    with PostgresServer() as running:
        yield running


@pytest.fixture(scope="module")
def mariadb() -> Iterator[MariadbServer]:
    with MariadbServer() as running:
        yield running


@pytest.fixture(scope="module")
def vault(
    tmp_path_factory: pytest.TempPathFactory, postgres: PostgresServer
) -> Iterator[VaultServer]:
    with VaultServer(tmp_path_factory.mktemp("vault")) as running:
        running.call("POST", "sys/mounts/database", {"type": "database"})
        where = f"postgresql://{{{{username}}}}:{{{{password}}}}@{postgres.address}/postgres"
        config = {
            "plugin_name": "postgresql-database-plugin",
            "connection_url": where,
            "username": ADMIN,
            "password": PASSWORD,
            "allowed_roles": "*",
        }
        running.call("POST", "database/config/pg", config)
        yield running


def plans(start: Callable[[], World], every: int) -> Iterator[tuple[Plan, ...]]:
    """Give the schedules to be tried, of one run that rotates or of one that revokes."""
    if NIGHTLY:
        yield from schedules(start)
        yield from schedules(start, GOOD)
    else:
        yield from ((plan,) for plan in PLANS[::every])
        yield from ((*GOOD, plan) for plan in PLANS[every // 2 :: 2 * every])


@pytest.fixture
def services(
    postgres: PostgresServer,
    mariadb: MariadbServer,
    vault: VaultServer,
    moto: Moto,
    monkeypatch: pytest.MonkeyPatch,
) -> dict[str, Callable[[], Service]]:
    """Give what makes each service anew; Amazon's variables lead to moto."""
    for name, value in variables(moto.address).items():
        monkeypatch.setenv(name, value)
    return {
        "postgres": lambda: OnPostgres(postgres),
        "postgres-turns": lambda: OnPostgresInTurns(postgres),
        "mysql-turns": lambda: OnMysqlInTurns(mariadb),
        "aws-iam": lambda: OnIam(moto),
        "aws-secrets": lambda: OnSecretsManager(moto),
        "vault": lambda: OnVault(vault, postgres),
    }


@pytest.mark.parametrize("kind", SAMPLES)
def test_no_fault_leaves_a_wrong_state_on_a_real_service(
    services: dict[str, Callable[[], Service]],
    places: Callable[[], None],
    kind: str,
    record_testsuite_property: Callable[[str, object], None],
) -> None:
    def start() -> World:
        places()
        return RealWorld(services[kind]())

    found, count = [], 0
    for every in plans(start, SAMPLES[kind]):
        places()
        found += wrong(services[kind](), *every)
        count += 1
    record_testsuite_property(f"schedules of {kind}", count)
    assert not found, f"{len(found)} violations in {count} schedules"
    assert count


@pytest.mark.parametrize("kind", SAMPLES)
def test_killed_at_each_step_and_again_on_resuming(
    services: dict[str, Callable[[], Service]],
    places: Callable[[], None],
    kind: str,
) -> None:
    found = []
    for kill in range(1, 13, 1 if NIGHTLY else 3):
        places()
        found += wrong(services[kind](), Plan(kill=kill), Plan(kill=13 - kill))
    assert not found


@pytest.mark.parametrize("kind", SAMPLES)
def test_what_leaked_is_not_accepted_any_more_and_the_new_one_is(
    services: dict[str, Callable[[], Service]],
    places: Callable[[], None],
    kind: str,
) -> None:
    """Where the rotator signs in with a secret of its own, the leaked one goes first of all."""
    places()
    service = services[kind]()
    world = RealWorld(service)
    world.runs().one(NAME, Wish(wanted=True))
    world.now += 2 * DAY
    world.settle()
    leaked = world.value()
    world.looking = False
    world.runs().one(NAME, Wish(wanted=True, hurry=True, compromised=True))
    assert not service.accepts(leaked)
    assert world.value() != leaked
    assert service.accepts(world.value())
    assert service.live() == 1


def test_control_a_rotator_that_forgets_the_old_password_is_found(
    services: dict[str, Callable[[], Service]],
    places: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With one role that is said to be two, the current value ends before the promotion."""
    monkeypatch.setattr(OnPostgres, "single", False)
    places()
    assert wrong(services["postgres"](), Plan())


def test_control_a_key_that_is_not_found_again_is_an_orphan(
    services: dict[str, Callable[[], Service]],
    places: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from openclaw_cli.rotation.rotators import aws_iam

    monkeypatch.setattr(RealWorld, "rounds", 3)
    monkeypatch.setattr(aws_iam._Iam, "ours_to_delete", lambda *_: [])  # noqa: SLF001
    places()
    assert wrong(services["aws-iam"](), Plan(call=2, fault="lost"))
