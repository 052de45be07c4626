"""`openclaw interop setup` with the real gateway: it boots, and calls a model with our key."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.conftest import Openclaw
from tests.integration.node_gateway import Model, NodeGateway

pytestmark = pytest.mark.integration

KEY = "sk-proj-Xq3yVtG8mWbD2nKfLrTz0123456789abcd"
TOKEN = "gw-Vt5Gq8mWbD2nKfLrTz01"


@pytest.fixture
def gateway(tmp_path: Path) -> NodeGateway:
    return NodeGateway(tmp_path / "user")


def configured(gateway: NodeGateway, url: str) -> str:
    """Write a configuration that refers to us, with a comment, and return its text."""
    reference = '{ source: "exec", provider: "ours", id: "%s" }'
    text = f"""// mine
{{
  gateway: {{
    mode: "local", port: {gateway.port}, bind: "loopback",
    auth: {{ mode: "token", token: {reference % "gateway/token"} }}, // not in plain text
  }},
  agents: {{ defaults: {{ model: {{ primary: "corp/small" }} }} }},
  models: {{
    providers: {{
      corp: {{
        baseUrl: "{url}", api: "openai-completions", apiKey: {reference % "corp/apiKey"},
        models: [{{ id: "small", name: "Small", contextWindow: 32000, maxTokens: 1000 }}],
      }},
    }},
  }},
}}
"""
    gateway.config.write_text(text)
    return text


def test_the_gateway_lives_on_references_to_us(gateway: NodeGateway, openclaw: Openclaw) -> None:
    ours = gateway.environment
    openclaw("secrets", "set", "corp/apiKey", input=KEY.encode(), env=ours, check=0)
    openclaw("secrets", "set", "gateway/token", input=TOKEN.encode(), env=ours, check=0)
    with Model() as model:
        text = configured(gateway, model.url)
        done = openclaw("interop", "setup", "--name", "ours", "--json", env=ours, check=0)
        assert done.json()["gateway"]["version"] == "2026.9.6"
        assert gateway.config.read_text().startswith(text.removesuffix("}\n"))
        report = gateway.audit()
        assert report["summary"]["unresolvedRefCount"] == 0
        assert report["resolution"]["refsChecked"] == 2
        with gateway.running():
            assert gateway.accepts(TOKEN)
            assert not gateway.accepts("wrong")
            gateway.run("agent", "--agent", "main", "--message", "hi", "--json")
            assert set(model.keys) == {f"Bearer {KEY}"}
            openclaw("secrets", "set", "corp/apiKey", input=b"sk-after", env=ours, check=0)
            line = ("secrets", "rotate", "gateway/token", "--with", "generate")
            openclaw(*line, env=ours, check=0)
            after = openclaw("secrets", "get", "gateway/token", env=ours, check=0).out.decode()
            assert after != TOKEN
            assert gateway.accepts(after)
            assert not gateway.accepts(TOKEN)
            gateway.run("agent", "--agent", "main", "--message", "hi", "--json")
            assert model.keys[-1] == "Bearer sk-after"


def test_nothing_of_ours_is_needed_in_the_environment(
    gateway: NodeGateway, openclaw: Openclaw
) -> None:
    ours = gateway.environment
    openclaw("secrets", "set", "corp/apiKey", input=KEY.encode(), env=ours, check=0)
    openclaw("secrets", "set", "gateway/token", input=TOKEN.encode(), env=ours, check=0)
    configured(gateway, "http://127.0.0.1:9/v1")
    done = openclaw("interop", "setup", "--name", "ours", "--json", env=ours, check=0)
    command = done.json()["provider"]
    asked = {"protocolVersion": 1, "provider": "ours", "ids": ["corp/apiKey"]}
    empty = dict.fromkeys(os.environ) | command["env"]
    program = os.path.basename(command["command"])
    answer = openclaw(program=program, input=json.dumps(asked).encode(), env=empty, check=0)
    assert answer.json()["values"] == {"corp/apiKey": KEY}
