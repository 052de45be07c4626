"""E5, E6: one secret's health, and fetching it again from where it lives."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import Openclaw


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """Configure an agent, and a name that leads to a file."""
    key = tmp_path / "claude.key"
    key.write_text("canary-first\n")
    key.chmod(0o600)
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    document = {
        "agents": {"writer": {"type": "thread-bound", "handler": ["/bin/cat"]}},
        "externalSecrets": {"claude-api-key": {"source": "file", "path": str(key)}},
    }
    (state / "openclaw.json").write_text(json.dumps(document, indent=2))
    return key


@pytest.mark.usefixtures("settings")
def test_e5_health_of_a_secret_of_the_store(openclaw: Openclaw) -> None:
    for value in (b"canary-old", b"canary-new"):
        openclaw("secrets", "set", "openai-api-key", "--provider", "openai", input=value, check=0)
    openclaw("secrets", "get", "openai-api-key", check=0)
    openclaw("secrets", "grant", "writer", "openai-*", "--uses", "3", check=0)
    done = openclaw("secrets", "status", "--name=openai-api-key", check=0)
    facts = dict(line.split(None, 1) for line in done.out.decode().splitlines())
    assert facts["state"] == "ok"
    assert facts["backend"].startswith("local (/")
    assert facts["versions"] == "2 current, 1 previous"
    assert ", 1 in all" in done.out.decode()
    assert "no schedule" in facts["rotation"]
    assert "writer (3 uses left)" in done.out.decode()
    assert "of 100" in facts["exposure"]
    assert b"canary" not in done.out + done.err


@pytest.mark.usefixtures("settings")
def test_e5_says_the_same_in_json(openclaw: Openclaw) -> None:
    openclaw("secrets", "create", "openai-api-key", input=b"canary", check=0)
    openclaw("secrets", "grant", "writer", "openai-api-key", "--expires", "24h", check=0)
    found = openclaw("secrets", "status", "--name=openai-api-key", "--json", check=0).json()
    assert [each.split(" (ends in 2")[0] for each in found["granted_to"]] == ["writer"]
    at_a_glance = openclaw("status", "--secrets", "--json", check=0).json()["secrets"][0]
    assert (found["risk"], found["lower"]) == (at_a_glance["risk"], at_a_glance["lower"])


def test_e5_a_secret_elsewhere_has_a_copy_of_some_age(openclaw: Openclaw, settings: Path) -> None:
    line = ("secrets", "status", "--name=claude-api-key")
    assert b"file" in openclaw(*line, check=0).out
    settings.unlink()
    assert openclaw("secrets", "get", "claude-api-key", check=3).out == b""
    assert b"last read" in openclaw(*line, check=0).out


def test_e6_says_whether_the_value_changed(openclaw: Openclaw, settings: Path) -> None:
    line = ("secrets", "refresh", "--name=claude-api-key")
    openclaw("secrets", "get", "claude-api-key", check=0)
    settings.write_text("canary-second\n")
    done = openclaw(*line, check=0)
    assert b"changed" in done.out + done.err
    assert openclaw("secrets", "get", "claude-api-key", check=0).out == b"canary-second"
    done = openclaw(*line, check=0)
    assert b"canary" not in done.out + done.err


def test_e6_a_secret_of_the_store_has_no_copy(openclaw: Openclaw) -> None:
    openclaw("secrets", "create", "openai-api-key", input=b"canary", check=0)
    done = openclaw("secrets", "refresh", "--name=openai-api-key", check=0)
    assert b"local store" in done.out + done.err
