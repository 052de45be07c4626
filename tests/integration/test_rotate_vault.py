"""Vault's engines on a real OpenBao, its database engine on a real PostgreSQL."""

from __future__ import annotations

import itertools
import json
import logging
import re
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
from openclaw_cli.rotation import engines, login
from openclaw_cli.rotation.rotator import Rotator, Task
from openclaw_cli.rotation.rotators.postgres import SCHEMES
from openclaw_cli.rotation.rotators.vault import Vault
from openclaw_cli.rotation.rotators.vault_dynamic import VaultDynamic
from openclaw_cli.rotation.rotators.vault_static import VaultStatic
from openclaw_cli.testing.rotators import Accepts, ProviderContract, pending_of, promoted
from scripts.rotators import NEEDS
from tests.integration.postgres_server import ADMIN, PASSWORD, PostgresServer
from tests.integration.rotations import refused, task_of
from tests.integration.vault_server import ROOT, VaultServer
from tests.lossy_proxy import LossyProxy

pytestmark = pytest.mark.integration

_numbers = itertools.count()
_MADE = """CREATE ROLE "{{name}}" LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}'"""


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    with PostgresServer() as running:
        yield running


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, postgres: PostgresServer
) -> Iterator[VaultServer]:
    with VaultServer(tmp_path_factory.mktemp("vault")) as running:
        running.call("POST", "sys/mounts/database", {"type": "database"})
        config = {
            "plugin_name": "postgresql-database-plugin",
            "connection_url": f"postgresql://{{{{username}}}}:{{{{password}}}}@{postgres.address}"
            "/postgres",
            "username": ADMIN,
            "password": PASSWORD,
            "allowed_roles": "*",
        }
        running.call("POST", "database/config/pg", config)
        yield running


@pytest.fixture
def name() -> str:
    return f"r{next(_numbers)}"


def task_for(
    rotator: Any,  # noqa: ANN401 - of several classes
    server: VaultServer,
    value: str,
    token: str = ROOT,
    **settings: str,
) -> Task:
    given = {name.replace("_", "-"): each for name, each in settings.items()}
    given["address"] = given.get("address", server.address)
    return task_of(rotator, "app-db", value, given, {"token": token})


def soon(holds: Callable[[], bool]) -> bool:
    """Wait for what Vault does a moment after it said so."""
    until = time.monotonic() + 10
    while not holds() and time.monotonic() < until:
        time.sleep(0.05)
    return holds()


def allowed(server: VaultServer, hint: str) -> str:
    """Return a token with what a hint says to add to a policy."""
    _, _, policy = hint.partition("add to a policy: ")
    return server.token_for(*policy.replace("} path", "}\npath").split("\n"))


def policies(text: str, task: Task) -> list[tuple[str, str]]:
    """Return the paths and capabilities of a text, for a role called NAME."""
    found = re.findall(r'path "([^"]+)" \{ capabilities = \[([^]]*)\] \}', text)
    name = task.settings["name"]
    return sorted((path.replace(f"/{name}", "/NAME"), allowed) for path, allowed in found)


class TestAValueInTheKeyValueEngine(ProviderContract):
    @pytest.fixture
    def rotator(self) -> Vault:
        return Vault()

    @pytest.fixture
    def task(self, rotator: Vault, server: VaultServer, name: str) -> Task:
        server.keep(f"team/{name}", {"value": "before", "owner": "ada"})
        return task_for(rotator, server, "before", path=f"team/{name}")

    @pytest.fixture
    def accepts(self, server: VaultServer, task: Task) -> Accepts:
        def is_kept(value: SecretValue) -> bool:
            kept: str = server.fields(task.settings["path"])["value"]
            return kept.encode() == value.reveal()

        return is_kept

    @pytest.fixture
    def live(self) -> Callable[[], int]:
        return lambda: 1

    def test_the_other_fields_stay_and_a_repeat_writes_nothing(
        self, rotator: Vault, server: VaultServer, task: Task
    ) -> None:
        task, pending = pending_of(task, rotator.create(task))
        for _ in range(3):
            rotator.set(task, pending)
        found = server.call("GET", f"secret/data/{task.settings['path']}")["data"]
        assert found["data"]["owner"] == "ada"
        assert found["metadata"]["version"] == 2

    def test_what_somebody_else_wrote_meanwhile_is_not_undone(
        self, rotator: Vault, server: VaultServer, task: Task
    ) -> None:
        task, pending = pending_of(task, rotator.create(task))
        rotator.set(task, pending)
        server.keep(task.settings["path"], {"value": "of somebody else"})
        refused(RefusedError, rotator.test, task, pending)
        rotator.undo(task, pending)
        assert server.fields(task.settings["path"])["value"] == "of somebody else"

    def test_a_policy_that_is_missing_is_said_first_and_its_hint_is_enough(
        self, rotator: Vault, server: VaultServer, name: str
    ) -> None:
        for _ in range(3):
            token = server.token_for('path "x" { capabilities = ["read"] }')
            task = task_for(rotator, server, "before", token, path=f"team/{name}")
            policy = ""
            for _ in range(2):
                said = refused(DeniedError, rotator.check, task)
                policy += said.hint.partition("policy: ")[2] + "\n"
                token = server.token_for(*policy.split("\n"))
                task = replace(task, secrets={"token": SecretValue(token.encode())})
                if "update" in policy:
                    break
            rotator.check(task)
            task, pending = pending_of(task, rotator.create(task))
            rotator.set(task, pending)
            rotator.test(task, pending)


class TestAStaticRole(ProviderContract):
    def wrong(self, value: bytes) -> bytes:
        return value.replace(b"@", b"x@")

    @pytest.fixture
    def rotator(self) -> VaultStatic:
        return VaultStatic()

    @pytest.fixture
    def task(
        self, rotator: VaultStatic, server: VaultServer, postgres: PostgresServer, name: str
    ) -> Task:
        postgres.run(f"CREATE ROLE {name} LOGIN PASSWORD 'at first'")
        role = {"db_name": "pg", "username": name, "rotation_period": 86400}
        server.call("POST", f"database/static-roles/{name}", role)
        known = server.call("GET", f"database/static-creds/{name}")["data"]
        return task_for(rotator, server, postgres.url(name, known["password"]), name=name)

    @pytest.fixture
    def accepts(self, postgres: PostgresServer) -> Accepts:
        return lambda value: _signs_in(postgres, value)

    @pytest.fixture
    def live(self) -> Callable[[], int]:
        return lambda: 1

    def test_a_chosen_value_is_not_accepted_before_it_is_set(
        self, rotator: Rotator, task: Task, accepts: Accepts
    ) -> None:
        """Vault sets the password itself, so the old one ends before the new one is kept."""
        made = rotator.create(task)
        assert accepts(made.value)

    def test_a_value_that_was_never_kept_leaves_no_orphan(
        self, rotator: Rotator, task: Task, accepts: Accepts, live: Callable[[], int]
    ) -> None:
        """It is found again: Vault remembers it."""
        lost = rotator.create(task)
        assert live() == 1
        assert rotator.create(task).value.reveal() == lost.value.reveal()
        assert accepts(lost.value)

    def test_after_an_undo_all_is_as_before(
        self, rotator: Rotator, task: Task, accepts: Accepts, live: Callable[[], int]
    ) -> None:
        """What was given up is not lost: the next rotation takes it over."""
        task, pending = pending_of(task, rotator.create(task))
        rotator.undo(task, pending)
        assert live() == 1
        task = replace(task, held=task.held[:1])
        assert accepts(rotator.create(task).value)

    def test_one_that_vault_did_by_its_own_clock_is_taken_over(
        self, rotator: VaultStatic, server: VaultServer, task: Task, accepts: Accepts
    ) -> None:
        server.call("POST", f"database/rotate-role/{task.settings['name']}")
        known = server.call("GET", f"database/static-creds/{task.settings['name']}")["data"]
        made = rotator.create(task)
        assert login.read(made.value, "it", SCHEMES).password == known["password"]
        assert accepts(made.value)

    def test_the_first_value_is_json(self, rotator: VaultStatic, task: Task) -> None:
        first = json.loads(rotator.create(replace(task, held=())).value.reveal())
        assert list(first) == ["username", "password"]

    def test_the_policy_of_the_hint_is_enough(
        self, rotator: VaultStatic, server: VaultServer, task: Task
    ) -> None:
        token = server.token_for('path "x" { capabilities = ["read"] }')
        less = replace(task, secrets={"token": SecretValue(token.encode())})
        said = refused(DeniedError, rotator.check, less)
        assert policies(said.hint, task) == policies(NEEDS["vault-static"], task)
        token = allowed(server, said.hint)
        less = replace(task, secrets={"token": SecretValue(token.encode())})
        rotator.check(less)
        rotator.create(less)

    def test_a_role_that_is_not_there_is_said(
        self, rotator: VaultStatic, server: VaultServer
    ) -> None:
        task = task_for(rotator, server, "", name="nobody")
        assert "nobody" in refused(OpenclawError, rotator.check, task).message


class TestADynamicRole(ProviderContract):
    @pytest.fixture
    def rotator(self) -> VaultDynamic:
        return VaultDynamic()

    @pytest.fixture
    def task(
        self, rotator: VaultDynamic, server: VaultServer, postgres: PostgresServer, name: str
    ) -> Task:
        role = {"db_name": "pg", "creation_statements": [_MADE], "default_ttl": "1h"}
        server.call("POST", f"database/roles/{name}", {**role, "max_ttl": "240h"})
        task = task_for(rotator, server, postgres.url("x", "x"), name=name, lasts="9d")
        task, pending = pending_of(task, rotator.create(task))
        rotator.set(task, pending)
        return replace(task, held=(replace(pending, stage=CURRENT),))

    @pytest.fixture
    def accepts(self, postgres: PostgresServer) -> Accepts:
        return lambda value: _signs_in(postgres, value)

    @pytest.fixture
    def live(self, postgres: PostgresServer, task: Task) -> Callable[[], int]:
        like = f"v-%-{task.settings['name']}-%"
        return lambda: len(postgres.run(f"SELECT 1 FROM pg_roles WHERE rolname LIKE '{like}'"))  # noqa: S608

    def wrong(self, value: bytes) -> bytes:
        return value.replace(b"@", b"x@")

    def test_a_value_that_was_never_kept_leaves_no_orphan(
        self, rotator: Rotator, task: Task, accepts: Accepts, live: Callable[[], int]
    ) -> None:
        """Vault takes it away when the token ends that asked for it, which nobody renewed."""
        rotator.create(task)
        lost = rotator.create(task)
        accessor, _, lease = lost.handle.partition(" ")
        server = task.settings["address"]
        assert live() == 3
        for token in (accessor, rotator.create(task).handle.partition(" ")[0]):
            known = _call(server, "auth/token/lookup-accessor", {"accessor": token})
            assert 0 < known["data"]["ttl"] <= 120
        assert lease
        _call(server, "auth/token/revoke-accessor", {"accessor": accessor})  # as its end does
        assert soon(lambda: not accepts(lost.value))

    def test_what_was_kept_lasts_as_long_as_it_must(
        self, rotator: VaultDynamic, task: Task
    ) -> None:
        assert task.current
        accessor, _, lease = task.current.handle.partition(" ")
        server = task.settings["address"]
        for found in (
            _call(server, "auth/token/lookup-accessor", {"accessor": accessor}),
            _call(server, "sys/leases/lookup", {"lease_id": lease}),
        ):
            assert found["data"]["ttl"] > 8 * 86400
        rotator.test(task, task.current)

    def test_a_role_whose_lease_cannot_last_is_refused_and_leaves_nothing(
        self, rotator: VaultDynamic, task: Task, server: VaultServer, live: Callable[[], int]
    ) -> None:
        before = live()
        longer = replace(task, settings={**task.settings, "lasts": "11d"})
        said = refused(RefusedError, rotator.create, longer)
        assert live() == before
        assert said.hint.startswith(f"vault write database/roles/{task.settings['name']} max_ttl=")
        server.call("POST", f"database/roles/{task.settings['name']}", {"max_ttl": "270h"})
        rotator.create(longer)

    def test_a_sign_in_that_ends_sooner_is_said_first_and_a_token_role_mends_it(
        self, rotator: VaultDynamic, server: VaultServer, task: Task, accepts: Accepts
    ) -> None:
        token = server.token_for('path "x" { capabilities = ["read"] }')
        less = replace(task, secrets={"token": SecretValue(token.encode())})
        policy = refused(DeniedError, rotator.check, less).hint
        assert policies(policy, task) == policies(NEEDS["vault-dynamic"], task)
        less = replace(less, secrets={"token": SecretValue(allowed(server, policy).encode())})
        said = refused(ConfigError, rotator.check, less)
        assert "ends in" in said.message
        server.call("POST", "auth/token/roles/openclaw", {"orphan": True, "renewable": True})
        settings = {**less.settings, "token-role": "openclaw"}
        policy = policy.replace("auth/token/create", "auth/token/create/openclaw")
        token = allowed(server, policy)
        less = replace(less, settings=settings, secrets={"token": SecretValue(token.encode())})
        rotator.check(less)
        less, pending = pending_of(less, rotator.create(less))
        rotator.set(less, pending)
        server.call("POST", "auth/token/revoke", {"token": token})  # the sign-in has ended
        assert accepts(pending.value)

    def test_a_lost_reply_leaves_what_vault_will_take_away(
        self, rotator: VaultDynamic, server: VaultServer, task: Task, live: Callable[[], int]
    ) -> None:
        before = live()
        with LossyProxy(int(server.address.rpartition(":")[2])) as way:
            lossy = replace(task, settings={**task.settings, "address": way.address})
            way.lose(b"GET /v1/database/creds/")
            refused(TemporaryError, rotator.create, lossy)
        assert way.lost == 1
        assert live() == before + 1
        tokens = server.call("LIST", "auth/token/accessors")["data"]["keys"]
        short = [
            token
            for token in tokens
            if 0 < _call(server.address, LOOKUP, {"accessor": token})["data"]["ttl"] <= 120
        ]
        for token in short:
            _call(server.address, "auth/token/revoke-accessor", {"accessor": token})
        assert soon(lambda: live() == before)

    def test_one_that_a_person_put_there_is_not_vault_s_to_revoke(
        self, rotator: VaultDynamic, task: Task, accepts: Accepts
    ) -> None:
        assert task.current
        rotator.revoke(task, replace(task.current, handle=""))
        assert accepts(task.current.value)

    def test_the_fields_of_another_engine_are_kept_as_json(self, task: Task) -> None:
        fields = {"access_key": "AKIA", "secret_key": "s", "security_token": "t"}
        assert json.loads(engines.formed(task, fields).reveal()) == fields

    @pytest.mark.parametrize("settings", [{"lasts": "soon"}, {"token-role": "../x"}])
    def test_settings_that_cannot_work_are_said(
        self, rotator: VaultDynamic, task: Task, settings: dict[str, str]
    ) -> None:
        refused(ConfigError, rotator.check, replace(task, settings={**task.settings, **settings}))


def _signs_in(postgres: PostgresServer, value: SecretValue) -> bool:
    who = login.read(value, "it", SCHEMES)
    return postgres.accepts(who.user, who.password)


def _call(address: str, path: str, content: object) -> Any:  # noqa: ANN401
    import urllib.request

    request = urllib.request.Request(  # noqa: S310 - our own server
        f"{address}/v1/{path}",
        method="POST",
        headers={"X-Vault-Token": ROOT},
        data=json.dumps(content).encode(),
    )
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
        body = answer.read()
    return json.loads(body) if body else {}


LOOKUP = "auth/token/lookup-accessor"
ROTATORS: list[tuple[type[Any], dict[str, str]]] = [
    (Vault, {"path": "team/x"}),
    (VaultStatic, {"name": "x"}),
    (VaultDynamic, {"name": "x", "lasts": "1d"}),
]


@pytest.mark.parametrize(("kind", "settings"), ROTATORS)
def test_a_vault_that_is_away_or_does_not_know_us_is_said(
    kind: type[Any], settings: dict[str, str], server: VaultServer
) -> None:
    rotator = kind()
    task = task_for(rotator, server, "before", "s.hunter2hunter2hunter2", **settings)
    said = refused(DeniedError, rotator.check, task)
    assert "hunter2" not in said.message + said.hint
    away = replace(task, settings={**task.settings, "address": "http://127.0.0.1:9"})
    refused(TemporaryError, rotator.check, away)
    elsewhere = replace(task, settings={**task.settings, "address": ""})
    refused(ConfigError, rotator.check, elsewhere)


def test_no_value_and_no_token_is_in_a_log(
    server: VaultServer, caplog: pytest.LogCaptureFixture
) -> None:
    rotator = Vault()
    with caplog.at_level(logging.DEBUG):
        for each in ("hvac", "urllib3", "requests"):
            logging.getLogger(each).setLevel(logging.DEBUG)
        task = task_for(rotator, server, "before", path="team/quiet")
        task, pending = pending_of(task, rotator.create(task))
        rotator.set(task, pending)
        task, old = promoted(task)
        rotator.revoke(task, old)
    assert pending.value.reveal().decode() not in caplog.text
    assert ROOT not in caplog.text
