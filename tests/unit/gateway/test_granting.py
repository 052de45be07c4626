"""What the kernel keeps an agent from, besides the state directory."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from openclaw_cli.agents.spec import AgentSpec
from openclaw_cli.gateway.granting import confined
from openclaw_cli.home import find

TABLES = """
[backends.vault]
address = "https://vault.example:8200"
token-file = "/srv/vault/token"
[backends.file]
root = "/srv/files"
[backends.aws-secrets-manager]
profile = "ours"
"""


def test_what_backends_sign_in_with_and_settings_elsewhere_are_hidden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("HOME", "home"), ("AWS_CONFIG_FILE", "aws"), ("OPENCLAW_STATE_DIR", "s")):
        monkeypatch.setenv(name, str(tmp_path / value))
    (tmp_path / "s").mkdir(mode=0o700)
    before = confined(find(os.environ), AgentSpec("a"), {})["keys"]
    (tmp_path / "s" / "settings.toml").write_text(TABLES)
    monkeypatch.setenv("OPENCLAW_CONFIG_PATH", str(tmp_path / "elsewhere" / "openclaw.json"))
    keys = confined(find(os.environ), AgentSpec("a"), {})["keys"]
    assert set(keys) - set(before) == {
        "/srv/vault/token",
        "/srv/files",
        "/var/run/secrets/kubernetes.io",
        f"{tmp_path}/home/.vault-token",
        f"{tmp_path}/home/.aws",
        f"{tmp_path}/aws",
        f"{tmp_path}/elsewhere/openclaw.json",
    }
