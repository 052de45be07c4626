"""C9, C10, E19: names and references that lead to a real Vault server."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import SCRIPTS, Openclaw
from tests.integration.vault_server import VaultServer

pytestmark = pytest.mark.integration

C9 = """{"externalSecrets": {"anthropic": {"apiKey": {
  "source": "vault://aws-kms/anthropic/api-key", "cacheDuration": "1h", "rotationPolicy": "daily",
  "envVar": "ANTHROPIC_API_KEY"}}}}"""
C10 = """{"secrets": {
  "aws": {"provider": "external", "source": "vault", "rotation": "daily"},
  "other": {"provider": "external", "source": "hashiCorp-vault"}}}"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VaultServer]:
    with VaultServer(tmp_path_factory.mktemp("vault")) as running:
        yield running


@pytest.fixture
def vault(server: VaultServer, monkeypatch: pytest.MonkeyPatch) -> VaultServer:
    monkeypatch.setenv("VAULT_ADDR", server.address)
    monkeypatch.setenv("VAULT_TOKEN", server.token)
    return server


@pytest.fixture
def state(tmp_path: Path) -> Path:
    made = tmp_path / "state"
    made.mkdir(mode=0o700)
    return made


def test_c9_the_name_gives_what_is_in_vault_under_its_variable(
    openclaw: Openclaw, vault: VaultServer, state: Path
) -> None:
    (state / "openclaw.json").write_text(C9)
    vault.keep("openclaw/aws-kms/anthropic/api-key", {"value": "sk-ant-in-vault"})
    assert openclaw("secrets", "get", "anthropic/apiKey", check=0).out == b"sk-ant-in-vault"
    line = ("--env", "anthropic/apiKey", "--no-mask", "--", "printenv", "ANTHROPIC_API_KEY")
    assert openclaw("secrets", "run", *line, check=0).out == b"sk-ant-in-vault\n"
    last = json.loads((state / "audit" / "trail.jsonl").read_text().splitlines()[-1])
    assert (last["name"], last["backend"]) == ("anthropic/apiKey", "vault")


def test_c9_its_copies_are_good_for_as_long_as_it_says(
    openclaw: Openclaw, vault: VaultServer, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = json.loads(C9)
    both["externalSecrets"]["brief"] = {"source": "vault://brief", "cacheDuration": "0s"}
    (state / "openclaw.json").write_text(json.dumps(both))
    monkeypatch.setenv("OPENCLAW_CACHE_SECONDS", "0")
    for value in ("one", "two"):
        vault.keep("openclaw/aws-kms/anthropic/api-key", {"value": value})
        vault.keep("openclaw/brief", {"value": value})
        assert openclaw("secrets", "get", "brief", check=0).out == value.encode()
        assert openclaw("secrets", "get", "anthropic/apiKey", check=0).out == b"one"
        time.sleep(0.01)
    fresh = openclaw("secrets", "get", "anthropic/apiKey", "--no-cache", check=0)
    assert fresh.out == b"two"
    changed = openclaw("secrets", "refresh", "--name", "anthropic/apiKey", check=0)
    assert b"anthropic/apiKey" in changed.err


def test_c9_setting_the_name_writes_where_it_leads(
    openclaw: Openclaw, vault: VaultServer, state: Path
) -> None:
    (state / "openclaw.json").write_text(C9)
    openclaw("secrets", "set", "anthropic/apiKey", input=b"sk-ant-new", check=0)
    assert vault.fields("openclaw/aws-kms/anthropic/api-key") == {"value": "sk-ant-new"}


def test_c10_a_name_is_in_vault_under_itself(
    openclaw: Openclaw, vault: VaultServer, state: Path
) -> None:
    (state / "openclaw.json").write_text(C10)
    vault.keep("openclaw/aws", {"value": "AKIA"})
    vault.keep("openclaw/other", {"value": "more"})
    assert openclaw("secrets", "get", "aws", check=0).out == b"AKIA"
    assert openclaw("secrets", "get", "other", check=0).out == b"more"
    doctor = openclaw("doctor", "--json").json()["checks"]
    assert [each["state"] for each in doctor if each["name"] == "vault"][:1] == ["ok"]


def test_c20_api_keys_are_in_vault_unless_they_are_named(
    openclaw: Openclaw, vault: VaultServer, state: Path
) -> None:
    text = '{"secrets": {"api-keys": {"source": "vault", "rotation": "weekly"}}}'
    (state / "openclaw.json").write_text(text)
    vault.keep("openclaw/deepseek-api-key", {"value": "sk-in-vault"})
    assert openclaw("secrets", "get", "deepseek-api-key", check=0).out == b"sk-in-vault"


@pytest.mark.parametrize("by_hand", [True, False], ids=["vault", "set"])
def test_c9_is_due_daily_and_a_new_value_in_vault_is_the_answer(
    openclaw: Openclaw, vault: VaultServer, state: Path, by_hand: bool
) -> None:
    (state / "openclaw.json").write_text(C9)
    vault.keep("openclaw/aws-kms/anthropic/api-key", {"value": "sk-ant-old"})
    openclaw("secrets", "rotate", "--due", check=0)
    shift = ["faketime", "-f", "+2d", f"{SCRIPTS}/openclaw", "secrets"]
    due = [*shift, "rotate", "--due"]
    reminded = subprocess.run(due, capture_output=True, check=False)
    assert reminded.returncode == 10
    assert b"a person must renew anthropic/apiKey" in reminded.stderr
    if by_hand:
        vault.keep("openclaw/aws-kms/anthropic/api-key", {"value": "sk-ant-new"})
    else:
        subprocess.run([*shift, "set", "anthropic/apiKey"], input=b"sk-ant-new", check=True)
    assert subprocess.run(due, capture_output=True, check=False).returncode == 0
