"""Vault's AWS engine: leases read, renewed and revoked. Vault is a stand-in, AWS is moto."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from openclaw_cli.errors import DeniedError, OpenclawError, RefusedError, TemporaryError
from openclaw_cli.model import CURRENT, SecretValue
from openclaw_cli.rotation import aws
from openclaw_cli.rotation.rotator import Rotator, Task
from openclaw_cli.rotation.rotators.vault_dynamic import VaultDynamic
from openclaw_cli.rotation.rotators.vault_static import VaultStatic
from openclaw_cli.testing.rotators import Accepts, ProviderContract, pending_of, promoted
from tests.integration.moto_server import Moto, variables
from tests.integration.rotations import refused, task_of
from tests.standin_vault_aws import ROOT, Role, VaultAws

pytestmark = pytest.mark.integration

HOUR, DAY = 3600, 86400
HELD = '{"AccessKeyId": "AKIAAAAAAAAAAAAAAAAA", "SecretAccessKey": "' + "a" * 40 + '"}'


@pytest.fixture
def server(moto: Moto, monkeypatch: pytest.MonkeyPatch) -> Iterator[VaultAws]:
    moto.reset()
    for name, value in variables(moto.address).items():
        monkeypatch.setenv(name, value)
    with VaultAws(moto) as running:
        running.roles["deploy"] = Role()
        yield running


def task_for(
    rotator: Any,  # noqa: ANN401 - of two classes
    server: VaultAws,
    value: str = HELD,
    token: str = ROOT,
    **settings: str,
) -> Task:
    given = {"address": server.address, "mount": "aws", **settings}
    return task_of(rotator, "deploy-key", value, given, {"token": token})


def key_of(value: SecretValue) -> str:
    return aws.in_text(value, "it")[0]


class TestADynamicRole(ProviderContract):
    @pytest.fixture
    def rotator(self) -> VaultDynamic:
        return VaultDynamic()

    @pytest.fixture
    def task(self, rotator: VaultDynamic, server: VaultAws) -> Task:
        self.server = server
        task = task_for(rotator, server, name="deploy", lasts="9d")
        task, pending = pending_of(task, rotator.create(task))
        rotator.set(task, pending)
        return replace(task, held=(replace(pending, stage=CURRENT),))

    @pytest.fixture
    def accepts(self, server: VaultAws) -> Accepts:
        return lambda value: server.accepts(key_of(value))

    @pytest.fixture
    def live(self, server: VaultAws) -> Callable[[], int]:
        return lambda: len(server.users())

    def wrong(self, value: bytes) -> bytes:
        return re.sub(rb"AKIA.{4}", b"AKIAAAAA", value)

    def test_a_value_that_it_never_accepted_fails_the_test(
        self, rotator: Rotator, task: Task
    ) -> None:
        """What Vault made and took back is refused, whatever AWS says of it."""
        task, pending = pending_of(task, rotator.create(task))
        rotator.undo(task, pending)
        assert "has ended" in refused(RefusedError, rotator.test, task, pending).message

    def test_a_value_that_was_never_kept_leaves_no_orphan(
        self, rotator: Rotator, task: Task, accepts: Accepts, live: Callable[[], int]
    ) -> None:
        """Vault takes it away when the token ends that asked for it, which nobody renewed."""
        lost = rotator.create(task)
        task, kept = pending_of(task, rotator.create(task))
        rotator.set(task, kept)
        assert live() == 3
        self.server.later(121)
        assert not accepts(lost.value)
        assert accepts(kept.value)
        assert live() == 2

    def test_the_new_key_is_in_the_form_of_the_one_before(self, task: Task) -> None:
        assert task.current
        found = json.loads(task.current.value.reveal())
        assert set(found) == {"AccessKeyId", "SecretAccessKey"}
        assert found["AccessKeyId"] != json.loads(HELD)["AccessKeyId"]

    def test_it_lasts_as_long_as_it_must_and_no_longer(
        self, task: Task, server: VaultAws, accepts: Accepts
    ) -> None:
        assert task.current
        server.later(9 * DAY - HOUR)
        assert accepts(task.current.value)
        server.later(2 * HOUR)
        assert not accepts(task.current.value)

    def test_a_lease_that_somebody_revoked_is_noticed(
        self, rotator: Rotator, task: Task, server: VaultAws
    ) -> None:
        task, pending = pending_of(task, rotator.create(task))
        rotator.set(task, pending)
        rotator.test(task, pending)
        server._revoke(pending.handle.partition(" ")[2])  # noqa: SLF001 - an operator's hand
        assert "has ended" in refused(RefusedError, rotator.test, task, pending).message

    @pytest.mark.parametrize("how", ["lost", "503", "html"])
    def test_a_reply_that_is_lost_is_tried_again_and_leaves_nothing(
        self, rotator: Rotator, task: Task, server: VaultAws, how: str
    ) -> None:
        server.fail("GET", "aws/creds", how)
        refused(TemporaryError, rotator.create, task)
        task, pending = pending_of(task, rotator.create(task))
        rotator.set(task, pending)
        server.later(121)
        assert len(server.users()) == 2
        task, old = promoted(task)
        rotator.revoke(task, old)
        assert server.users() == [server.leases[pending.handle.partition(" ")[2]].user]

    @pytest.mark.parametrize("path", ["leases/renew", "renew-accessor"])
    def test_a_renewal_that_fails_leaves_nothing_for_long(
        self, rotator: Rotator, task: Task, server: VaultAws, path: str
    ) -> None:
        server.fail("POST", path, "503")
        server.fail("POST", path, "503")
        server.fail("POST", path, "503")
        with pytest.raises(TemporaryError):
            rotator.set(*pending_of(task, rotator.create(task)))
        server.later(121)
        assert len(server.users()) == 1


@pytest.fixture
def dynamic() -> VaultDynamic:
    return VaultDynamic()


def test_a_lease_that_cannot_last_is_refused_with_what_to_tune(
    dynamic: VaultDynamic, server: VaultAws
) -> None:
    server.roles["deploy"].most = HOUR
    said = refused(
        RefusedError, dynamic.create, task_for(dynamic, server, name="deploy", lasts="1d")
    )
    assert said.message == "what vault makes for the role deploy may not last 1d"
    assert said.hint.startswith("vault write aws/config/lease lease=86400s lease_max=86400s")
    assert server.users() == []


def test_a_key_of_sts_is_kept_as_it_is_where_it_lasts_long_enough(
    dynamic: VaultDynamic, server: VaultAws
) -> None:
    server.roles["reader"] = Role("assumed_role", lease=HOUR)
    task = task_for(dynamic, server, name="reader", lasts="1h")
    task, pending = pending_of(task, dynamic.create(task))
    dynamic.set(task, pending)
    dynamic.test(task, pending)
    found = json.loads(pending.value.reveal())
    assert set(found) == {"access_key", "secret_key", "security_token"}
    dynamic.revoke(task, pending)
    assert server.leases == {}


def test_a_key_of_sts_that_ends_too_soon_is_refused(
    dynamic: VaultDynamic, server: VaultAws
) -> None:
    server.roles["reader"] = Role("assumed_role", lease=HOUR)
    task = task_for(dynamic, server, name="reader", lasts="2d")
    assert "default_sts_ttl" in refused(RefusedError, dynamic.create, task).hint
    assert server.leases == {}


def test_a_role_that_is_not_there_is_said(dynamic: VaultDynamic, server: VaultAws) -> None:
    said = refused(
        OpenclawError, dynamic.create, task_for(dynamic, server, name="nobody", lasts="1h")
    )
    assert "aws/creds/nobody" in said.message + said.hint


def test_what_a_policy_is_to_allow_is_said_before_anything_is_made(
    dynamic: VaultDynamic, server: VaultAws
) -> None:
    token = server.token_for({"aws/creds/deploy": ["read"]})
    task = task_for(dynamic, server, token=token, name="deploy", lasts="1d")
    said = refused(DeniedError, dynamic.check, task)
    granted = re.findall(r'path "([^"]+)" \{ capabilities = \["(\w+)"\] \}', said.hint)
    assert ("sys/leases/renew", "update") in granted
    token = server.token_for({path: [capability] for path, capability in granted})
    task = task_for(dynamic, server, token=token, name="deploy", lasts="1d")
    dynamic.check(task)
    task, pending = pending_of(task, dynamic.create(task))
    dynamic.set(task, pending)
    dynamic.test(task, pending)
    dynamic.revoke(task, pending)
    assert server.users() == []


class TestAStaticRole:
    @pytest.fixture
    def rotator(self) -> VaultStatic:
        return VaultStatic()

    @pytest.fixture
    def task(self, rotator: VaultStatic, server: VaultAws) -> Task:
        server.serve_static("app", "app")
        first = rotator.create(task_for(rotator, server, "", name="app"))
        return task_for(rotator, server, first.value.reveal().decode(), name="app")

    def test_the_key_that_vault_set_since_is_taken_over(
        self, rotator: VaultStatic, server: VaultAws, task: Task
    ) -> None:
        server.rotate_static("app")
        rotator.check(task)
        task, pending = pending_of(task, rotator.create(task))
        rotator.set(task, pending)
        rotator.test(task, pending)
        assert server.accepts(key_of(pending.value))
        assert set(json.loads(pending.value.reveal())) == {"access_key", "secret_key"}

    def test_before_that_it_is_refused_and_says_when(
        self, rotator: VaultStatic, server: VaultAws, task: Task
    ) -> None:
        for step in (rotator.check, rotator.create):
            said = refused(RefusedError, step, task)
            assert re.search(r"does by itself, at 20\d\d-", said.message)
            assert said.hint == "vault read aws/static-roles/app says how often"
        assert not server.saw("rotate-role")

    def test_a_key_that_vault_replaced_meanwhile_fails_the_test(
        self, rotator: VaultStatic, server: VaultAws, task: Task
    ) -> None:
        server.rotate_static("app")
        task, pending = pending_of(task, rotator.create(task))
        server.rotate_static("app")
        assert "another value" in refused(RefusedError, rotator.test, task, pending).message

    def test_reading_is_all_that_it_needs(
        self, rotator: VaultStatic, server: VaultAws, task: Task
    ) -> None:
        server.rotate_static("app")
        assert task.current
        value = task.current.value.reveal().decode()
        poor = task_for(rotator, server, value, server.token_for({"x": ["read"]}), name="app")
        assert "aws/static-creds/app" in refused(DeniedError, rotator.check, poor).hint
        token = server.token_for({"aws/static-creds/app": ["read"]})
        rotator.check(task_for(rotator, server, value, token, name="app"))

    def test_a_role_that_is_not_there_is_said(self, rotator: VaultStatic, server: VaultAws) -> None:
        task = task_for(rotator, server, name="nobody")
        assert "nobody" in refused(OpenclawError, rotator.check, task).message
