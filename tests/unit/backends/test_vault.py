"""What the Vault backend does before and without a Vault: settings, variables, hostile servers."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import socket
import subprocess
import sys
import time
import tomllib
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openclaw_cli.backends.protocols import UncertainError
from openclaw_cli.backends.vault import VaultBackend
from openclaw_cli.errors import (
    ConfigError,
    DeniedError,
    OpenclawError,
    RefusedError,
    TemporaryError,
    UsageError,
)
from openclaw_cli.model import SecretValue
from openclaw_cli.testing.backends import STRANGE_PATHS
from tests.hostile_http import BEHAVIOURS, HostileServer

TOKEN = "hvs.token-of-the-tests"
SECRET = "hunter2"  # what the hostile server says back
MIB = 1024 * 1024


@pytest.fixture(autouse=True)
def _signed_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAULT_TOKEN", TOKEN)


def refused_by(behaviour: str, act: Callable[[VaultBackend], object]) -> OpenclawError:
    with HostileServer(behaviour) as server:
        backend = VaultBackend({"address": server.address, "timeout": 0.7})
        with pytest.raises(OpenclawError) as refused:
            act(backend)
    return refused.value


OPERATIONS: dict[str, Callable[[VaultBackend], object]] = {
    "get": lambda backend: backend.get("team/db"),
    "put": lambda backend: backend.put("team/db", SecretValue(b"canary-value")),
    "delete": lambda backend: backend.delete("team/db"),
    "names": lambda backend: backend.names(),
    "versions": lambda backend: backend.versions("team/db"),
}

KINDS: dict[str, type[OpenclawError]] = {
    "redirect": RefusedError,
    "html": TemporaryError,
    "html-as-json": TemporaryError,
    "json-list": TemporaryError,
    "json-empty": TemporaryError,
    "json-null": TemporaryError,
    "json-deep": TemporaryError,
    "json-odd": TemporaryError,
    "not-http": TemporaryError,
    "huge": RefusedError,
    "packed": RefusedError,
    "drip-head": TemporaryError,
    "drip-body": TemporaryError,
    "hang": TemporaryError,
    "reset": TemporaryError,
    "nothing": TemporaryError,
    "429": TemporaryError,
    "429-for-ever": TemporaryError,
    "500": TemporaryError,
    "503": TemporaryError,
    "403-echo": DeniedError,
    "400-echo": RefusedError,
}


def test_each_way_to_misbehave_is_known_here() -> None:
    assert set(KINDS) == set(BEHAVIOURS)


@pytest.mark.parametrize("behaviour", sorted(KINDS))
def test_a_server_that_misbehaves_is_left_in_time_with_the_right_status(
    behaviour: str, caplog: pytest.LogCaptureFixture
) -> None:
    for library in (None, "hvac", "urllib3", "requests"):
        caplog.set_level(logging.DEBUG, logger=library)
    started = time.monotonic()
    refused = refused_by(behaviour, OPERATIONS["get"])
    assert time.monotonic() - started < 2
    assert isinstance(refused, KINDS[behaviour]), refused
    said = refused.message + refused.hint + caplog.text
    assert TOKEN not in said
    assert SECRET not in said
    assert refused.__cause__ is None


@pytest.mark.parametrize("operation", sorted(OPERATIONS))
@pytest.mark.parametrize("behaviour", ["html", "json-list", "drip-head", "redirect", "403-echo"])
def test_no_operation_outlasts_or_believes_it(behaviour: str, operation: str) -> None:
    started = time.monotonic()
    refused = refused_by(behaviour, OPERATIONS[operation])
    assert time.monotonic() - started < 2
    assert refused.kind != "internal"
    assert "canary" not in refused.message + refused.hint


@pytest.mark.parametrize("behaviour", ["drip-body", "huge", "json-odd", "nothing", "redirect"])
def test_a_check_says_what_is_wrong_and_does_not_fail(behaviour: str) -> None:
    with HostileServer(behaviour) as server:
        started = time.monotonic()
        health = VaultBackend({"address": server.address, "timeout": 0.5}).check()
        assert time.monotonic() - started < 2
    assert health.problems
    assert TOKEN not in repr(health)


@pytest.mark.parametrize("behaviour", ["huge", "packed"])
def test_a_huge_answer_takes_little_memory(behaviour: str) -> None:
    tracemalloc.start()
    try:
        refused_by(behaviour, OPERATIONS["get"])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # The server lives in this process, so what it sends is counted, too.
    assert peak < 8 * MIB


@pytest.mark.parametrize("operation", sorted(OPERATIONS))
def test_a_redirect_takes_no_token_anywhere(operation: str) -> None:
    with (
        HostileServer("html", host="127.0.0.2") as elsewhere,
        HostileServer("redirect", to=elsewhere.address) as server,
    ):
        with pytest.raises(RefusedError):
            OPERATIONS[operation](VaultBackend({"address": server.address}))
        assert server.saw(TOKEN.encode())
        assert not elsewhere.requests


def test_a_batch_ends_in_the_time_of_one() -> None:
    with HostileServer("hang") as server:
        backend = VaultBackend({"address": server.address, "timeout": 0.5})
        started = time.monotonic()
        found = backend.get_many([f"a/{number}" for number in range(100)])
        assert time.monotonic() - started < 1.5
    assert {type(one) for one in found.values()} == {UncertainError}
    assert len(found) == 100


_ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["", "1", "9" * 5000, "\ud800", "../x", "2026-01-01T00:00:00Z", "kv"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "data",
                    "metadata",
                    "version",
                    "versions",
                    "keys",
                    "value",
                    "created_time",
                    "options",
                    "current_version",
                    "deletion_time",
                    "type",
                    "ttl",
                    "policies",
                    "auth",
                    "client_token",
                    "lease_duration",
                    "1",
                    "9" * 5000,
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=_ODD, operation=st.sampled_from(sorted(OPERATIONS)))
def test_whatever_json_it_says_the_answer_is_one_of_ours(data: object, operation: str) -> None:
    with HostileServer("said") as server:
        server.answer = json.dumps({"data": data}).encode()
        backend = VaultBackend({"address": server.address, "token": TOKEN, "timeout": 2.0})
        with contextlib.suppress(OpenclawError):
            OPERATIONS[operation](backend)
        backend.check()
        login = {"auth": "userpass", "username": "ada", "password": "x"}
        server.answer = json.dumps({"auth": data}).encode()
        with contextlib.suppress(OpenclawError):
            VaultBackend({"address": server.address, **login, "timeout": 2.0}).get("a")


@pytest.mark.slow
def test_a_throttled_request_is_made_again_when_asked_to_and_time_is_left() -> None:
    for behaviour, timeout, expected in (
        ("429", 4.0, 3),
        ("429", 0.5, 1),
        ("429-for-ever", 4.0, 1),
    ):
        with HostileServer(behaviour) as server:
            backend = VaultBackend({"address": server.address, "timeout": timeout})
            with pytest.raises(TemporaryError, match="throttling"):
                backend.get("team/db")
            assert len(server.requests) == expected


def test_a_write_is_never_sent_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAULT_MAX_RETRIES", "5")
    with HostileServer("500") as server:
        backend = VaultBackend(
            {
                "address": server.address,
                "auth": "userpass",
                "username": "ada",
                "kv": "2",
                "password": "x",
            }
        )
        with pytest.raises(TemporaryError):
            backend.get("a")
        assert [request.split(b" ")[0] for request in server.requests] == [b"POST"]


def test_vault_s_own_number_of_retries_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    for said, expected in (("0", 1), ("1", 2)):
        monkeypatch.setenv("VAULT_MAX_RETRIES", said)
        with HostileServer("500") as server:
            with pytest.raises(TemporaryError):
                VaultBackend({"address": server.address}).get("a")
            assert len(server.requests) == expected


def test_a_path_goes_over_the_wire_as_it_was_written() -> None:
    with HostileServer("html") as server:
        backend = VaultBackend({"address": server.address, "kv": "2", "retries": 0})
        for path in ("a/%2e%2e/%2e%2e/sys", "a?b=c", "a#b", "a;b", "ü"):
            with pytest.raises(TemporaryError):
                backend.get(path)
        asked = [request.split(b" ")[1] for request in server.requests]
    start = b"/v1/secret/data/openclaw/"
    assert asked == [
        start + path
        for path in (b"a/%252e%252e/%252e%252e/sys", b"a%3Fb%3Dc", b"a%23b", b"a%3Bb", b"%C3%BC")
    ]


def test_a_strange_path_reaches_nobody() -> None:
    with HostileServer("html") as server:
        backend = VaultBackend({"address": server.address})
        for path in STRANGE_PATHS:
            for act in (backend.get, backend.delete, backend.versions):
                with pytest.raises(UsageError):
                    act(path)
        for prefix in ("../", "a/../", "/", "a//"):
            with pytest.raises(UsageError):
                backend.names(prefix)
        assert not server.requests


def test_a_dead_address_is_temporary() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(TemporaryError, match=f"http://127.0.0.1:{port}") as away:
        VaultBackend({"address": f"http://127.0.0.1:{port}"}).get("a")
    assert away.value.status == 75


def test_a_name_that_does_not_resolve_is_temporary_and_in_time() -> None:
    with pytest.raises(TemporaryError):
        VaultBackend({"address": "https://vault.invalid:8200", "timeout": 1.0}).get("a")


def test_an_address_that_takes_no_connection_ends_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        port = full.getsockname()[1]
        fillers = []
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
            fillers.append(filler)
        started = time.monotonic()
        with pytest.raises(TemporaryError):
            VaultBackend({"address": f"http://127.0.0.1:{port}", "timeout": 0.5}).get("a")
        assert time.monotonic() - started < 1.5
        for filler in fillers:
            filler.close()


class TestWhere:
    @pytest.mark.parametrize(
        "address",
        [
            "vault.example.com",
            "ftp://vault.example.com",
            "unix:///run/vault.sock",
            "https://user:pass@vault.example.com",
            "https://vault.example.com?x=1",
            "https://vault.example.com/#x",
            "https://vault.example.com/a/../b",
            "https://",
            "https://vault.example.com:port",
            "https://vault.example.com:99999",
            "https://ex\nample.com",
            "http://vault.example.com",
            "http://169.254.169.254",
            "http://[fd00:ec2::254]",
            "http://[::ffff:169.254.169.254]",
            "https://169.254.169.254",
        ],
    )
    def test_what_is_no_address_of_a_vault_is_refused(self, address: str) -> None:
        with pytest.raises(ConfigError) as refused:
            VaultBackend({"address": address}).get("a")
        assert "pass" not in refused.value.message + refused.value.hint
        assert refused.value.message.isprintable()

    def test_a_metadata_address_of_a_variable_is_refused_too(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("VAULT_ADDR", "http://169.254.169.254")
        with pytest.raises(ConfigError):
            VaultBackend({}).get("a")

    def test_no_address_is_said_with_the_variable_that_mends_it(self) -> None:
        with pytest.raises(ConfigError) as refused:
            VaultBackend({}).get("a")
        assert "VAULT_ADDR" in refused.value.hint

    def test_the_settings_win_over_the_variable_and_the_agent_s_over_the_other(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("VAULT_TOKEN")
        with HostileServer("html") as ours, HostileServer("html") as theirs:
            monkeypatch.setenv("VAULT_ADDR", theirs.address)
            with pytest.raises(TemporaryError):
                VaultBackend({"address": ours.address, "token": "x"}).get("a")
            assert ours.requests
            assert not theirs.requests
            monkeypatch.setenv("VAULT_TOKEN", TOKEN)
            monkeypatch.setenv("VAULT_AGENT_ADDR", ours.address)
            ours.requests.clear()
            with pytest.raises(TemporaryError):
                VaultBackend({}).get("a")
            assert ours.requests
            assert not theirs.requests

    def test_a_path_behind_a_proxy_is_kept(self) -> None:
        with HostileServer("html") as server:
            with pytest.raises(TemporaryError):
                VaultBackend({"address": server.address + "/vault/"}).get("a")
            assert server.saw(b"GET /vault/v1/secret/data/openclaw/a ")

    def test_a_proxy_is_used_when_it_is_meant_for_vault_and_never_otherwise(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with HostileServer("html") as proxy, HostileServer("html") as server:
            monkeypatch.setenv("HTTP_PROXY", proxy.address)
            monkeypatch.setenv("ALL_PROXY", proxy.address)
            monkeypatch.delenv("NO_PROXY")
            with pytest.raises(TemporaryError):
                VaultBackend({"address": server.address}).get("a")
            assert not proxy.requests
            monkeypatch.setenv("VAULT_PROXY_ADDR", proxy.address)
            with pytest.raises(TemporaryError):
                VaultBackend({"address": server.address, "retries": 0}).get("a")
            assert proxy.saw(f"GET {server.address}/v1/secret/data/openclaw/a".encode())

    def test_the_namespace_is_sent(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with HostileServer("html") as server:
            monkeypatch.setenv("VAULT_NAMESPACE", "of-the-variable")
            for more in ({}, {"namespace": "of-the-settings"}):
                with pytest.raises(TemporaryError):
                    VaultBackend({"address": server.address, **more}).get("a")
            monkeypatch.setenv("VAULT_NAMESPACE", "a\r\nX-Evil: 1")
            with pytest.raises(ConfigError):
                VaultBackend({"address": server.address}).get("a")
            assert server.saw(b"X-Vault-Namespace: of-the-variable\r\n")
            assert server.saw(b"X-Vault-Namespace: of-the-settings\r\n")

    @pytest.mark.slow
    def test_vault_s_own_time_limit_is_heard(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for said in ("1", "1s"):
            monkeypatch.setenv("VAULT_CLIENT_TIMEOUT", said)
            with HostileServer("hang") as server:
                started = time.monotonic()
                with pytest.raises(TemporaryError):
                    VaultBackend({"address": server.address}).get("a")
                assert 0.9 < time.monotonic() - started < 2

    @pytest.mark.parametrize(
        ("variable", "said"),
        [
            ("VAULT_CLIENT_TIMEOUT", "soon"),
            ("VAULT_MAX_RETRIES", "many"),
            ("VAULT_MAX_RETRIES", "-1"),
            ("VAULT_RATE_LIMIT", "fast"),
            ("VAULT_CACERT", "/no/such/file"),
            ("VAULT_CAPATH", "/no/such/folder"),
            ("VAULT_CACERT_BYTES", "no certificate"),
            ("VAULT_CLIENT_CERT", "/no/such/file"),
            ("VAULT_PROXY_ADDR", "not an address"),
        ],
    )
    def test_a_variable_that_cannot_be_meant_is_named(
        self, variable: str, said: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv(variable, said)
        with pytest.raises(ConfigError) as refused:
            VaultBackend({"address": "https://127.0.0.1:1"}).get("a")
        assert any(word in refused.value.message for word in (variable, said, "proxy"))

    def test_a_rate_limit_spaces_requests(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("VAULT_RATE_LIMIT", "20:2")
        with HostileServer("400-echo") as server:
            backend = VaultBackend({"address": server.address, "kv": "2"})
            started = time.monotonic()
            backend.get_many([f"a{number}" for number in range(10)])
            # Ten at 20 a second, two of them at once: nine tenths of the way of half a second.
            assert time.monotonic() - started > 0.35
            assert len(server.requests) == 10


class TestWho:
    def test_nobody_is_denied_with_the_way_in(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("VAULT_TOKEN")
        monkeypatch.setenv("VAULT_ADDR", "http://127.0.0.1:1")
        with pytest.raises(DeniedError) as denied:
            VaultBackend({}).get("a")
        assert denied.value.hint == "vault login"

    def test_the_token_that_vault_s_client_left_is_enough(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("VAULT_TOKEN")
        left = Path(os.environ["HOME"], ".vault-token")
        left.write_text("left-by-vault-login\n")
        with HostileServer("html") as server:
            monkeypatch.setenv("VAULT_ADDR", server.address)
            with pytest.raises(TemporaryError):
                VaultBackend({}).get("a")
            assert server.saw(b"X-Vault-Token: left-by-vault-login\r\n")

    @pytest.mark.parametrize(
        "credential",
        [
            {"token": SECRET},
            {"token-file": "FILE"},
            {"auth": "approle", "role-id": "r", "secret-id": SECRET},
            {"auth": "approle", "role-id": "r", "secret-id-file": "FILE"},
            {"auth": "userpass", "username": "ada", "password": SECRET},
            {"auth": "userpass", "username": "ada", "password-file": "FILE"},
            {"auth": "jwt", "role": "r", "jwt-file": "FILE"},
            {"auth": "kubernetes", "role": "r", "jwt-file": "FILE"},
        ],
    )
    def test_a_credential_of_the_settings_does_not_go_where_a_variable_says(
        self, credential: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "credential").write_text(SECRET)
        settings = {
            name: str(tmp_path / "credential") if value == "FILE" else value
            for name, value in credential.items()
        }
        with HostileServer("html") as server:
            monkeypatch.setenv("VAULT_ADDR", server.address)
            with pytest.raises(ConfigError) as refused:
                VaultBackend(settings).get("a")
            assert not server.requests
            assert SECRET not in refused.value.message + refused.value.hint
            with pytest.raises(TemporaryError):  # the control: with an address of its own it goes
                VaultBackend({**settings, "address": server.address}).get("a")
            assert server.saw(SECRET.encode())

    def test_the_shell_s_token_goes_only_where_the_shell_says(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with HostileServer("html") as server:
            monkeypatch.setenv("VAULT_ADDR", "https://vault.example.com")
            with pytest.raises(ConfigError, match=r"vault\.example\.com"):
                VaultBackend({"address": server.address}).get("a")
            monkeypatch.setenv("VAULT_ADDR", server.address + "/")
            with pytest.raises(TemporaryError):
                VaultBackend({"address": server.address}).get("a")
            assert server.saw(TOKEN.encode())

    @pytest.mark.parametrize("token", ["a\nX-Evil: 1", "a b", "", "ключ"])
    def test_what_cannot_be_a_token_is_not_sent(self, token: str, tmp_path: Path) -> None:
        (tmp_path / "token").write_text(token)
        with HostileServer("html") as server:
            settings = {"address": server.address, "token-file": str(tmp_path / "token")}
            with pytest.raises(ConfigError) as refused:
                VaultBackend(settings).get("a")
            assert not server.requests
        assert not token or token not in refused.value.message

    @pytest.mark.parametrize(
        ("settings", "missing"),
        [
            ({"auth": "approle"}, "role-id"),
            ({"auth": "approle", "role-id": "r"}, "secret-id"),
            ({"auth": "userpass"}, "username"),
            ({"auth": "userpass", "username": "ada"}, "password"),
            ({"auth": "jwt", "role": "r"}, "jwt-file"),
            ({"auth": "kubernetes", "role": "r"}, "the JWT"),
            ({"auth": "github"}, "github"),
            ({"auth": "userpass", "username": "a/../b", "password": "x"}, "a/../b"),
            ({"mount": "../sys"}, "../sys"),
            ({"prefix": "a//b"}, "a//b"),
            ({"kv": "3"}, "kv"),
            ({"field": ""}, "field"),
            ({"token-file": "/no/such/file"}, "/no/such/file"),
        ],
    )
    def test_what_a_sign_in_lacks_is_named(self, settings: dict[str, str], missing: str) -> None:
        with pytest.raises(ConfigError) as refused:
            VaultBackend({"address": "http://127.0.0.1:1", **settings}).get("a")
        assert missing in refused.value.message

    @pytest.mark.parametrize("behaviour", ["json-empty", "json-null", "html", "huge", "redirect"])
    def test_a_login_that_is_answered_with_nonsense_signs_nobody_in(self, behaviour: str) -> None:
        with HostileServer(behaviour) as server:
            settings = {"auth": "userpass", "username": "ada", "password": "canary-pass"}
            with pytest.raises((TemporaryError, RefusedError)) as refused:
                VaultBackend({"address": server.address, **settings}).get("a")
            assert len(server.requests) == 1
        assert "canary" not in refused.value.message + refused.value.hint

    def test_a_refused_login_is_denied_and_shows_no_credential(self) -> None:
        with HostileServer("400-echo") as server:
            settings = {"auth": "approle", "role-id": "r", "secret-id": SECRET}
            with pytest.raises(DeniedError, match="auth/approle") as denied:
                VaultBackend({"address": server.address, **settings}).get("a")
        assert SECRET not in denied.value.message + denied.value.hint


class TestNotices:
    def test_what_is_unsafe_is_said_with_its_mend(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("VAULT_ADDR", "https://vault.example.com")
        assert VaultBackend({}).notices() == ()
        monkeypatch.setenv("VAULT_SKIP_VERIFY", "true")
        assert "VAULT_SKIP_VERIFY" in VaultBackend({}).notices()[0][1]
        monkeypatch.setenv("VAULT_ADDR", "http://vault.example.com")
        assert "not encrypted" in VaultBackend({}).notices()[0][0]

    def test_a_token_file_that_others_can_read_is_said(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("VAULT_TOKEN")
        monkeypatch.setenv("VAULT_ADDR", "https://vault.example.com")
        left = Path(os.environ["HOME"], ".vault-token")
        left.write_text("x")
        assert VaultBackend({}).notices() == ()
        left.chmod(0o644)
        assert VaultBackend({}).notices()[0][1] == f"chmod 600 {left}"


def test_no_library_is_loaded_until_vault_is_asked() -> None:
    program = (
        "import sys; from openclaw_cli.backends.vault import VaultBackend as B;"
        "b = B({'address': 'http://127.0.0.1:1'}); b.notices();"
        "print(*sorted({'hvac', 'requests', 'urllib3', 'ssl', 'http'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.strip() == b""


def test_a_missing_library_is_said_with_its_command() -> None:
    program = (
        "import sys; sys.modules['hvac'] = None\n"
        "from openclaw_cli.backends.vault import VaultBackend\n"
        "from openclaw_cli.errors import ConfigError\n"
        "try: VaultBackend({'address': 'http://127.0.0.1:1'}).get('a')\n"
        "except ConfigError as refused: print(refused.message, '|', refused.hint)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.startswith(b"the vault backend needs the hvac package | pip install")


PAGE = Path(__file__).parents[3] / "docs" / "backends" / "vault.md"


def test_the_page_has_a_row_for_each_setting_and_no_other() -> None:
    table = PAGE.read_text().partition("| Setting | Default | Meaning |\n| --- | --- | --- |\n")[2]
    assert table.partition("\n\n")[0].splitlines() == [
        f"| `{one.name}` | {_shown(one.default)} | {one.meaning} |" for one in VaultBackend.SETTINGS
    ]


def test_the_example_of_the_page_is_taken() -> None:
    example = tomllib.loads(PAGE.read_text().rpartition("```toml\n")[2].partition("```")[0])
    VaultBackend(example["backends"]["vault"])


def _shown(default: object) -> str:
    if default == "":
        return "none"
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"
