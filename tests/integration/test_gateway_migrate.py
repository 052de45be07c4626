"""A long-used installation of the real gateway: scan, migrate, scan clean, and it still works."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import Openclaw
from tests.integration.node_gateway import Model, NodeGateway

pytestmark = pytest.mark.integration

KEY = "corp-q8Xw3LmZ7pTr9V"
TOKEN = "gw-Vt5Gq8mWbD2nKfLrTz01"
PROFILE = "sk-ant-oat01-Xq3yVtG8mWbD2nKfLrTz"


def used(gateway: NodeGateway, url: str) -> None:
    """Make the state of an installation that has seen versions, tools and people."""
    text = f"""// mine
{{
  gateway: {{
    mode: "local", port: {gateway.port}, bind: "loopback",
    auth: {{ mode: "token", token: "{TOKEN}" }}, // the token
  }},
  agents: {{ defaults: {{ model: {{ primary: "corp/small" }} }} }},
  models: {{
    providers: {{
      corp: {{
        baseUrl: "{url}", api: "openai-completions", apiKey: "${{CORP_LLM_KEY}}", /* by .env */
        models: [{{ id: "small", name: "Small", contextWindow: 32000, maxTokens: 1000 }}],
      }},
      other: {{
        baseUrl: "{url}", apiKey: 'sk-proj-Xq3yVtG8mWbD2nKfLrTz0123456789', models: [],
        headers: {{ "X-Api-Key": "hdr-q8Xw3LmZ7pTr9V" }},
      }},
    }},
  }},
  skills: {{ entries: {{ image: {{ apiKey: "skill-q8Xw3LmZ7pTr9V" }} }} }},
}}
"""
    gateway.config.write_text(text)
    gateway.config.with_name("openclaw.json.bak").write_text(text)
    (gateway.state / ".env").write_text(
        f"CORP_LLM_KEY={KEY}\nLANG_X=de\nOPENAI_API_KEY=sk-proj-Envq3yVtG8mWbD2nKfLrTz\n"
    )
    for agent in ("main", "ops"):
        folder = gateway.state / "agents" / agent / "agent"
        folder.mkdir(parents=True)
        token = PROFILE.replace("Xq3", agent)
        profile = {"type": "token", "provider": "anthropic", "token": token}
        store = {"version": 1, "profiles": {"anthropic:default": profile}}
        (folder / "auth-profiles.json").write_text(json.dumps(store))
    gateway.run("doctor", "--fix", "--non-interactive", check=False)  # into SQLite, with copies
    gateway.config.write_text(text)  # somebody put the comments back


def test_a_long_used_installation_goes_over_to_references(
    tmp_path: Path, openclaw: Openclaw
) -> None:
    gateway = NodeGateway(tmp_path / "user")
    ours = gateway.environment
    with Model() as model:
        used(gateway, model.url)
        before = openclaw("secrets", "scan", "--json", env=ours, check=10).json()["findings"]
        kinds = {Path(each["path"]).name.partition(".migrated")[0] for each in before}
        assert kinds >= {".env", "openclaw.json", "openclaw.json.bak", "auth-profiles.json"}
        assert kinds >= {"openclaw.sqlite", "openclaw-agent.sqlite"}
        assert gateway.audit()["summary"]["plaintextCount"] > 5

        done = openclaw("secrets", "migrate", "--yes", "--shred", "--json", env=ours, check=0)
        assert (done.json()["done"], done.json()["left"], done.json()["audit"]) == (True, [], [])
        after = gateway.config.read_text()
        assert after.startswith("// mine\n")
        assert "// the token" in after
        assert "/* by .env */" in after
        assert (gateway.state / ".env").read_text() == "LANG_X=de\n"
        openclaw("secrets", "scan", env=ours, check=0)
        gateway.run("secrets", "audit", "--check", "--allow-exec")

        with gateway.running():
            assert gateway.accepts(TOKEN)
            assert not gateway.accepts("wrong")
            gateway.run("agent", "--agent", "main", "--message", "hi", "--json")
            assert set(model.keys) == {f"Bearer {KEY}"}
        openclaw("secrets", "scan", env=ours, check=0)

        openclaw("secrets", "migrate", "--undo", "--yes", env=ours, check=0)
        assert TOKEN in gateway.config.read_text()
        assert gateway.audit()["summary"]["plaintextCount"] > 5
