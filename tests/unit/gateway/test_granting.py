"""What the kernel keeps an agent from, besides the state directory."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from openclaw_cli.agents.policy import code_of
from openclaw_cli.agents.spec import AgentSpec
from openclaw_cli.gateway.granting import confined
from openclaw_cli.home import find
from openclaw_cli.which import which

TABLES = """
[backends.vault]
address = "https://vault.example:8200"
token-file = "/srv/vault/token"
[backends.file]
root = "/srv/files"
[backends.aws-secrets-manager]
profile = "ours"
[backends.exec]
command = "/srv/bin/find-secret"
"""


def test_what_backends_sign_in_with_and_settings_elsewhere_are_hidden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("HOME", "home"), ("AWS_CONFIG_FILE", "aws"), ("OPENCLAW_STATE_DIR", "s")):
        monkeypatch.setenv(name, str(tmp_path / value))
    (tmp_path / "s").mkdir(mode=0o700)
    nothing = confined(find(os.environ), AgentSpec("a"), {})
    assert nothing["guarded"] == []  # an empty path would be where we are, which may be /
    before = nothing["keys"]
    (tmp_path / "s" / "settings.toml").write_text(TABLES)
    monkeypatch.setenv("OPENCLAW_CONFIG_PATH", str(tmp_path / "elsewhere" / "openclaw.json"))
    found = confined(find(os.environ), AgentSpec("a"), {})
    keys = found["keys"]
    assert "/srv/bin/find-secret" in found["guarded"]
    assert set(keys) - set(before) == {
        "/srv/vault/token",
        "/srv/files",
        "/var/run/secrets/kubernetes.io",
        f"{tmp_path}/home/.vault-token",
        f"{tmp_path}/home/.aws",
        f"{tmp_path}/aws",
        f"{tmp_path}/elsewhere/openclaw.json",
    }


def test_the_code_of_all_agents_is_kept_from_each(tmp_path: Path) -> None:
    (tmp_path / "agent.py").touch()
    agents = [
        AgentSpec("a", handler="m:f", python_path=(str(tmp_path),)),
        AgentSpec("b", command=("sh", "agent.py", "--flag"), directory=str(tmp_path)),
    ]
    code = [str(tmp_path), str(which("sh")), str(tmp_path / "agent.py")]
    assert code_of(agents) == code_of([*agents, agents[0]]) == sorted(code)
