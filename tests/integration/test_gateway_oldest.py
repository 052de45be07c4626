"""The oldest gateway that is served, 2026.2.26: it takes references at a few places only."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import Openclaw
from tests.integration.node_gateway import OLD, Model, NodeGateway

pytestmark = [pytest.mark.integration, pytest.mark.nightly]

KEY = "corp-q8Xw3LmZ7pTr9V"
TOKEN = "gw-Vt5Gq8mWbD2nKfLrTz01"


def test_it_goes_over_to_references_as_far_as_it_takes_them(
    tmp_path: Path, openclaw: Openclaw
) -> None:
    gateway = NodeGateway(tmp_path / "user", OLD)
    ours = gateway.environment
    agent = gateway.state / "agents" / "main" / "agent"
    agent.mkdir(parents=True)
    profile = {"type": "token", "provider": "anthropic", "token": "sk-ant-oat01-Xq3yVtG8mWbD"}
    store = {"version": 1, "profiles": {"anthropic:default": profile}}
    (agent / "auth-profiles.json").write_text(json.dumps(store))
    (gateway.state / ".env").write_text(f"CORP_LLM_KEY={KEY}\n")
    with Model() as model:
        gateway.config.write_text(
            f"""// mine
{{
  gateway: {{ mode: "local", port: {gateway.port}, auth: {{ mode: "token", token: "{TOKEN}" }} }},
  agents: {{ defaults: {{ model: {{ primary: "corp/small" }} }} }},
  models: {{
    providers: {{
      corp: {{
        baseUrl: "{model.url}", api: "openai-completions", apiKey: "${{CORP_LLM_KEY}}",
        models: [{{ id: "small", name: "Small", contextWindow: 32000, maxTokens: 1000 }}],
      }},
    }},
  }},
}}
"""
        )
        done = openclaw("secrets", "migrate", "--yes", "--json", env=ours, check=0).json()
        assert {each["name"] for each in done["moves"]} == {
            "corp-api-key",
            "profiles/anthropic:default",
        }
        assert [each["place"].split()[-1] for each in done["left"]] == ["gateway.auth.token"]
        assert done["audit"] == []
        assert gateway.config.read_text().startswith("// mine\n")
        assert (gateway.state / ".env").read_text() == ""
        report = json.loads(gateway.run("secrets", "audit", "--check", "--json").stdout)
        assert report["summary"]["unresolvedRefCount"] == 0
        with gateway.running():
            gateway.run("agent", "--agent", "main", "--message", "hi", "--json")
            assert set(model.keys) == {f"Bearer {KEY}"}
            openclaw("secrets", "set", "corp-api-key", input=b"corp-after", env=ours, check=0)
            openclaw("interop", "reload", env=ours, check=0)
            gateway.run("agent", "--agent", "main", "--message", "hi", "--json")
            assert model.keys[-1] == "Bearer corp-after"
        openclaw("secrets", "migrate", "--undo", "--yes", env=ours, check=0)
        assert f"CORP_LLM_KEY={KEY}\n" == (gateway.state / ".env").read_text()
