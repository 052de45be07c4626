"""Secrets of Vault and AWS as the commands show them, and the status of each way to fail."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import Result
from tests.hostile_http import HostileServer
from tests.integration.moto_server import Moto, policy, variables
from tests.integration.vault_server import VaultServer

pytestmark = pytest.mark.integration

Main = Callable[..., Result]
NOTHING = policy('{"Effect": "Allow", "Action": "sts:*", "Resource": "*"}')
AWS = ("aws-secrets-manager", "aws-parameter-store")
FAR = ("vault", *AWS)
WITHOUT = """
import sys
for name in ("hvac", "boto3", "botocore", "botocore.session"):
    sys.modules[name] = None
from openclaw_cli.cli.hot import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VaultServer]:
    with VaultServer(tmp_path_factory.mktemp("vault")) as running:
        running.keep("openclaw/team/db", {"value": "one"})
        running.keep("openclaw/team/db", {"value": "two"})
        yield running


@pytest.fixture
def signed_in(vault: VaultServer, moto: Moto, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAULT_ADDR", vault.address)
    monkeypatch.setenv("VAULT_TOKEN", vault.token)
    for name, value in variables(moto.address).items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("signed_in")
class TestShown:
    def test_status_is_where_it_is_its_versions_its_copy_and_its_last_reader(
        self, main: Main
    ) -> None:
        before = main("secrets", "status", "vault://team/db", check=0).out.decode()
        assert [line.split()[0] for line in before.splitlines()] == [
            *("name", "reference", "backend", "version", "versions", "copy", "last")
        ]
        assert "2, made" in before
        assert "none" in before
        assert main("secrets", "get", "vault://team/db", check=0).out == b"two"
        after = main("secrets", "status", "vault://team/db", "--json", check=0).json()
        assert [each["stage"] for each in after["versions"]] == ["current", "previous"]
        assert after["copied"]
        assert after["last_read"]["version"] == "2"
        assert (after["name"], after["backend"]) == ("team/db", "vault")

    def test_a_bare_name_is_the_one_that_the_order_of_backends_finds(
        self, main: Main, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        main("secrets", "set", "mine", input=b"x", check=0)
        monkeypatch.setenv("OPENCLAW_BACKEND", "vault,local")
        assert b"vault://team/db" in main("secrets", "status", "team/db", check=0).out
        assert b"local" in main("secrets", "status", "mine", check=0).out
        main("secrets", "status", "nowhere", check=3)

    def test_another_backend_s_secret_is_not_taken_for_the_local_one(self, main: Main) -> None:
        main("secrets", "set", "only-here", input=b"x", check=0)
        main("secrets", "status", "vault://only-here", check=3)
        main("secrets", "history", "vault://only-here", check=3)

    def test_history_lists_the_versions_that_the_backend_has(self, main: Main) -> None:
        listed = main("secrets", "history", "vault://team/db", check=0).out.decode().splitlines()
        assert [line.split()[:2] for line in listed] == [
            ["VERSION", "STAGE"],
            ["2", "current"],
            ["1", "previous"],
        ]

    def test_a_backend_that_tells_no_versions_says_so(self, main: Main) -> None:
        assert b"not told by this backend" in main("secrets", "status", "env://X", check=0).out


def get(main: Main, backend: str, name: str = "team/db") -> int:
    return main("secrets", "get", f"{backend}://{name}", "--no-cache").status


@pytest.fixture
def closed() -> str:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return f"http://127.0.0.1:{free.getsockname()[1]}"


@pytest.mark.parametrize("backend", FAR)
@pytest.mark.usefixtures("signed_in")
class TestStatuses:
    """Each may fail alone: what is said in the documentation of every backend, through the door."""

    def test_what_is_not_there_is_3(self, main: Main, backend: str) -> None:
        assert get(main, backend, "team/nothing") == 3

    def test_what_a_policy_forbids_is_6(
        self,
        main: Main,
        backend: str,
        vault: VaultServer,
        moto: Moto,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setenv("VAULT_TOKEN", vault.token_for())
        id_, secret = moto.user(NOTHING)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", id_)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
        with moto.strict():
            done = main("secrets", "get", f"{backend}://team/db", "--no-cache", check=6)
        assert b"policy" in done.err

    def test_what_it_refuses_is_7(
        self, main: Main, backend: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with HostileServer("redirect", to="http://127.0.0.1:1") as server:
            for name in ("VAULT_ADDR", "AWS_ENDPOINT_URL"):
                monkeypatch.setenv(name, server.address)
            assert get(main, backend) == 7

    @pytest.mark.parametrize("trouble", ["away", "429", "503", "html", "nothing"])
    def test_what_is_away_or_busy_or_somebody_else_is_75(
        self, main: Main, backend: str, closed: str, trouble: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with HostileServer("html" if trouble == "away" else trouble) as server:
            for name in ("VAULT_ADDR", "AWS_ENDPOINT_URL"):
                monkeypatch.setenv(name, closed if trouble == "away" else server.address)
            assert get(main, backend) == 75

    def test_a_wrong_setting_is_78(self, main: Main, backend: str, tmp_path: Path) -> None:
        state = tmp_path / "state"
        state.mkdir(mode=0o700, exist_ok=True)
        (state / "settings.toml").write_text(f"[backends.{backend}]\nno-such-setting = 1\n")
        assert get(main, backend) == 78

    def test_its_library_missing_is_78_with_the_command_that_installs_it(
        self, backend: str
    ) -> None:
        done = subprocess.run(
            [sys.executable, "-c", WITHOUT, "secrets", "get", f"{backend}://team/db"],
            capture_output=True,
            check=False,
        )
        assert done.returncode == 78
        assert b"pip install" in done.stderr
