"""E15, E16: what somebody wrote with Vault's own client is found, and listed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import Openclaw
from tests.integration.vault_server import VaultServer

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VaultServer]:
    with VaultServer(tmp_path_factory.mktemp("vault")) as running:
        yield running


@pytest.fixture
def by_hand(server: VaultServer, monkeypatch: pytest.MonkeyPatch) -> VaultServer:
    """`vault kv put secret/openclaw/openai-api-key value="sk-by-hand"`, by HashiCorp's library."""
    import hvac

    client = hvac.Client(url=server.address, token=server.token)
    client.secrets.kv.v2.create_or_update_secret(
        mount_point="secret", path="openclaw/openai-api-key", secret={"value": "sk-by-hand"}
    )
    monkeypatch.setenv("VAULT_ADDR", server.address)
    monkeypatch.setenv("VAULT_TOKEN", server.token)
    monkeypatch.setenv("OPENCLAW_BACKEND", "vault")
    return server


@pytest.mark.usefixtures("by_hand")
def test_e15_the_value_is_found(openclaw: Openclaw) -> None:
    done = openclaw("secrets", "get", "--name", "openai-api-key", check=0)
    assert (done.out, done.err) == (b"sk-by-hand", b"")


@pytest.mark.usefixtures("by_hand")
def test_e16_the_names_are_listed(openclaw: Openclaw) -> None:
    listed = openclaw("secrets", "list", "--backend", "vault", "--columns", "name", check=0).out
    assert b"openai-api-key" in listed.split()


def test_e16_a_refusal_says_why_and_what_would_mend_it(
    openclaw: Openclaw, by_hand: VaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VAULT_TOKEN", by_hand.token_for('path "secret/data/other" {}'))
    for line in (("get", "openai-api-key"), ("list", "--backend", "vault")):
        done = openclaw("secrets", *line, check=6)
        assert b'path "secret/' in done.err
    doctor = openclaw("doctor", "--json").json()["checks"]
    assert [each for each in doctor if each["name"] == "vault" and each["state"] != "ok"]
