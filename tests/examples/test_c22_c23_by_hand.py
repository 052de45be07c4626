"""C22, C23: a key file made with openssl, and the token that Vault's own client left."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Openclaw
from tests.integration.vault_server import VaultServer


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """`openssl rand -base64 32 > claude.key; chmod 600`."""
    made = tmp_path / "claude.key"
    with made.open("wb") as out:
        subprocess.run(["openssl", "rand", "-base64", "32"], stdout=out, check=True)
    made.chmod(0o600)
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    document = {"externalSecrets": {"claude-api-key": {"source": "file", "path": str(made)}}}
    (state / "openclaw.json").write_text(json.dumps(document))
    return made


def test_c22_one_final_newline_is_not_part_of_the_value(openclaw: Openclaw, key: Path) -> None:
    written = key.read_bytes()
    assert written.endswith(b"=\n")
    assert openclaw("secrets", "get", "claude-api-key", check=0).out == written[:-1]
    key.write_bytes(b"two lines\n\n")
    assert openclaw("secrets", "get", "claude-api-key", check=0).out == b"two lines\n"


def test_c22_a_file_that_we_may_not_read_is_refused_with_the_mend(
    openclaw: Openclaw, key: Path
) -> None:
    key.chmod(0o644)
    done = openclaw("secrets", "get", "claude-api-key", check=6)
    assert b"chmod 600" in done.err
    assert done.out == b""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VaultServer]:
    with VaultServer(tmp_path_factory.mktemp("vault")) as running:
        yield running


@pytest.mark.integration
def test_c23_the_token_of_vault_s_own_client_is_enough(
    openclaw: Openclaw, server: VaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.keep("openclaw/openai-api-key", {"value": "sk-from-vault"})
    home = tmp_path / "home"
    home.mkdir(mode=0o700, exist_ok=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("VAULT_ADDR", server.address)
    monkeypatch.setenv("OPENCLAW_BACKEND", "vault")
    monkeypatch.delenv("VAULT_TOKEN", raising=False)
    without = openclaw("secrets", "get", "openai-api-key")
    assert (without.status, without.out) != (0, b"sk-from-vault")
    left = home / ".vault-token"
    left.write_text(server.token)
    os.chmod(left, 0o600)
    assert openclaw("secrets", "get", "openai-api-key", check=0).out == b"sk-from-vault"
