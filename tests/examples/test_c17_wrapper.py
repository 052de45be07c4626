"""C17, C27: the same within `{"openclaw": {...}}`, and as YAML."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Openclaw

IN_JSON = """// pasted
{"openclaw": {
  "externalSecrets": {"claude-api-key": {"source": "env", "key": "CLAUDE_API_KEY"},},
  "secrets": {"openai": {"api-key": "sk-xxx"}},
}}"""
IN_YAML = """\
# pasted
openclaw:
  externalSecrets:
    claude-api-key: {source: env, key: CLAUDE_API_KEY}
  secrets:
    openai:
      api-key: sk-xxx
"""


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("openclaw.json", IN_JSON),
        ("openclaw.json", IN_YAML),
        ("openclaw.yaml", IN_YAML),
        ("openclaw.yml", IN_YAML),
    ],
)
def test_it_means_the_same(
    openclaw: Openclaw, tmp_path: Path, name: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAUDE_API_KEY", "sk-ant")
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    (state / name).write_text(text)
    openclaw("config", "check", str(state / name), check=0)
    assert openclaw("secrets", "get", "claude-api-key", check=0).out == b"sk-ant"
    assert openclaw("secrets", "get", "openai/api-key", check=0).out == b"sk-xxx"


def test_a_mistake_in_it_has_its_line(openclaw: Openclaw, tmp_path: Path) -> None:
    path = tmp_path / "openclaw.json"
    path.write_text(IN_JSON.replace('"key"', '"kye"'))
    found = openclaw("config", "check", str(path), "--json", check=78).json()["mistakes"]
    assert {each["line"] for each in found} == {3}
    assert found[0]["key"] == "openclaw.externalSecrets.claude-api-key.kye"
    assert found[0]["fix"] == "did you mean key?"
