"""`secrets migrate --plan` with the real gateway: its own `secrets apply` takes the file.

And what decision 15 says of those means: they keep no comments, and leave the values beside.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Openclaw
from tests.integration.node_gateway import OLD, VERSION, NodeGateway

pytestmark = pytest.mark.integration

KEY = "corp-q8Xw3LmZ7pTr9V"
HEADER = "hdr-q8Xw3LmZ7pTr9V"
CONFIG = """// mine
{{
  gateway: {{ mode: "local", port: {port}, bind: "loopback" }},
  models: {{ providers: {{
    corp: {{ baseUrl: "http://127.0.0.1:9/v1", apiKey: "{key}", /* why */ models: [],{headers} }},
  }} }},
  skills: {{ entries: {{ image: {{ apiKey: "skill-q8Xw3LmZ7pTr9V" }} }} }},
}}
"""


@pytest.mark.parametrize(
    "version", [VERSION, pytest.param(OLD, marks=pytest.mark.nightly)], ids=str
)
def test_the_gateway_takes_the_plan(tmp_path: Path, openclaw: Openclaw, version: str) -> None:
    gateway = NodeGateway(tmp_path / "user", version)
    ours = gateway.environment
    headers = f' headers: {{ "X-Api-Key": "{HEADER}" }},' if version == VERSION else ""
    text = CONFIG.format(port=gateway.port, key=KEY, headers=headers)
    gateway.config.write_text(text)
    path = tmp_path / "plan.json"
    line = ("secrets", "migrate", "--plan", str(path), "--yes", "--json")
    done = openclaw(*line, env=ours, check=0).json()
    assert (gateway.config.read_text(), done["left"]) == (text, [])
    allow = ["--allow-exec"] if version == VERSION else []
    gateway.run("secrets", "apply", "--from", str(path), *allow)
    report = gateway.audit()
    assert report["summary"]["unresolvedRefCount"] == 0
    assert report["summary"]["plaintextCount"] == 0

    applied = gateway.config.read_text()
    assert KEY not in applied
    assert HEADER not in applied
    assert "// mine" not in applied
    assert "/* why */" not in applied
    assert KEY in gateway.config.with_name("openclaw.json.bak").read_text()

    openclaw("secrets", "migrate", "--yes", "--shred", env=ours, check=0)
    openclaw("secrets", "scan", str(gateway.state), env=ours, check=0)
    assert gateway.config.read_text() == applied
