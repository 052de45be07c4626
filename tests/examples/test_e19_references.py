"""E19: references where names are; `vault://local/` is the store and needs no Vault."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from tests.conftest import Openclaw
from tests.integration.vault_server import VaultServer

LINE = """export ANTHROPIC_API_KEY=$(if [ "$CLOUD_MODE" = "true" ]; then \
openclaw secrets get vault://aws-kms/anthropic/api-key; \
else openclaw secrets get vault://local/ollama/gpt-oss-120b; fi); printf %s "$ANTHROPIC_API_KEY\""""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VaultServer]:
    with VaultServer(tmp_path_factory.mktemp("vault")) as running:
        yield running


def typed() -> bytes:
    return subprocess.run(["bash", "-c", LINE], capture_output=True, check=True).stdout


def test_e19_the_local_branch_needs_no_vault(
    openclaw: Openclaw, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VAULT_ADDR", "http://127.0.0.1:9")
    openclaw("secrets", "set", "ollama/gpt-oss-120b", input=b"local-key", check=0)
    assert typed() == b"local-key"


@pytest.mark.integration
def test_e19_the_cloud_branch_reads_vault(
    server: VaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLOUD_MODE", "true")
    monkeypatch.setenv("VAULT_ADDR", server.address)
    monkeypatch.setenv("VAULT_TOKEN", server.token)
    server.keep("openclaw/aws-kms/anthropic/api-key", {"value": "sk-cloud"})
    assert typed() == b"sk-cloud"


@pytest.mark.parametrize(
    ("kept", "asked"),
    [("anthropic/api-key", "anthropic-api-key"), ("anthropic-api-key", "anthropic/api-key")],
)
def test_e19_two_spellings_are_two_names_and_a_miss_suggests_the_other(
    openclaw: Openclaw, kept: str, asked: str
) -> None:
    openclaw("secrets", "set", kept, input=b"value", check=0)
    done = openclaw("secrets", "get", asked, check=3)
    assert f"did you mean {kept}?".encode() in done.err
