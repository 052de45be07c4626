"""C1 to C6, C12 to C17 and C24 to C26 as people paste them: what the settings then are."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Openclaw

C1 = (
    '"request-handler": {"type": "thread-bound", "model": "claude-sonnet-4.2",'
    ' "max-concurrency": 100}'
)
C2 = (
    '"x": {"runtime": "subagent", "threadBound": true, "auto-destroy": true, "timeout": 120,'
    ' "max-concurrent": 10, "max-duration": 300, "deterministic": true}'
)
C3 = """{"agents": {"defaults": {"threadBound": true}, "x": {}, "one": {"type": "singleton"}},
  "thread-bound-agents": {"memory-limit": "60MB", "timeout": "20s", "max-concurrency": "50"}}"""
C4 = """{"agents": {
  "a": {"type": "thread-bound", "threadId": "finance-threads", "maxThreads": 2},
  "b": {"type": "thread-bound", "threadId": "finance-threads", "maxThreads": 2}}}"""
C5 = '{"runtime": "acp", "mode": "session", "thread": true, "sessionKey": "acp-12345"}'
C6 = """{"threadManagement": {"defaultMode": "auto", "maxThreads": 100, "idleTimeout": "30m",
  "startupReconciliation": true}, "agents": {"x": {}}}"""
C12 = """{"auditLog": {"enabled": true, "capture": ["secret_reveal", "thread_spawn", "agent_exec"],
  "storage": "qdrant://audit-logs"}}"""
C13 = """{"agentPermissions": {"allowedCommands": ["read","write","exec","web_search"],
  "deniedCommands": ["rm","delete","network_connect"]}, "agents": {"x": {}}}"""
C14 = """{"monitoring": {"thread-bound-agents": {"metrics":
  ["execution-time","resource-usage","error-rate","timeout-count"]},
  "secrets": {"metrics": ["access-count","rotation-status","exposure-risk"]}}}"""
C15 = '{"gateway": {"host": "0.0.0.0", "port": 18789}}'
C16 = """{"cron": [{"name": "rotate-secrets", "schedule": "0 3 * * *"},
  {"name": "k", "schedule": "0 4 * * 1", "text": "Rotate API keys"},
  {"name": "news", "schedule": "0 7 * * *"}], "agents": {"x": {"memory/max-age": "30d"}}}"""
C24 = """{"defaultModel": "claude-sonnet-4.2", "sessionTarget": "isolated", "runtime": "acp",
  "agents": {"x": {}}}"""
C25 = """{"agents": {"a": {"model": "claude-sonnet-4.2", "fallback": ["local/gpt-oss-120b"]},
  "b": {"model": "gpt-5"}, "c": {"model": "house-model"}},
  "models": {"house-model": {"endpoint": "https://models.example.org", "protocol": "openai",
    "secret": "house-key"}}}"""
C26 = """{"sandbox": {"docker": {"enabled": true, "binds": ["/a:/b"]}},
  "agents": {"x": {"sandbox": "all", "memory": {"provider": "qdrant"}}}}"""

Shown = Callable[[str], dict[str, Any]]


@pytest.fixture
def shown(openclaw: Openclaw, tmp_path: Path) -> Shown:
    """Check a file as `config check` does, then return what `config show` makes of it."""
    state = tmp_path / "state"
    state.mkdir(mode=0o700)

    def show(text: str) -> dict[str, Any]:
        path = state / "openclaw.json"
        path.write_text(text)
        openclaw("config", "check", str(path), check=0)
        found: dict[str, Any] = openclaw("config", "show", "--json", check=0).json()
        path.write_text('{"openclaw": ' + text + "}")
        openclaw("config", "check", str(path), check=0)
        wrapped = openclaw("config", "show", "--json", check=0).json()
        assert _without_origin(wrapped) == _without_origin(found)  # C17
        return found

    return show


def _without_origin(found: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in found.items() if key != "origin"}


def test_c1_an_instance_a_request_a_hundred_at_once(shown: Shown) -> None:
    agents = shown(f'{{"agents": {{{C1}, "one": {{"type": "singleton"}}}}}}')["agents"]
    handler = agents["request-handler"]
    assert (handler["isolation"], handler["model"]) == ("thread-bound", "claude-sonnet-4.2")
    assert handler["max_concurrency"] == 100
    assert agents["one"]["isolation"] == "singleton"


@pytest.mark.parametrize("runtime", ["thread-bound", "thread", "subagent", "acp"])
def test_c2_the_same_agent_in_other_words(shown: Shown, runtime: str) -> None:
    x = shown(f'{{"agents": {{{C2.replace("subagent", runtime)}}}}}')["agents"]["x"]
    assert (x["isolation"], x["auto_destroy"], x["deterministic"]) == ("thread-bound", True, True)
    assert (x["timeout"], x["max_concurrency"]) == (120, 10)
    alone = shown('{"agents": {"x": {"runtime": "subagent"}}}')["agents"]["x"]
    assert alone["isolation"] == "singleton"


def test_c3_defaults_for_all_and_for_the_thread_bound_ones(shown: Shown) -> None:
    agents = shown(C3)["agents"]
    x, one = agents["x"], agents["one"]
    assert (x["isolation"], x["memory_limit"], x["timeout"]) == ("thread-bound", 60_000_000, 20)
    assert x["max_concurrency"] == 50
    assert (one["isolation"], one["memory_limit"], one["timeout"]) == ("singleton", 50_000_000, 30)


def test_c4_agents_of_one_thread_id_share_a_pool(shown: Shown) -> None:
    agents = shown(C4)["agents"].values()
    assert [(each["pool"], each["pool_size"]) for each in agents] == [("finance-threads", 2)] * 2


def test_c5_a_session_bound_to_its_key(shown: Shown) -> None:
    x = shown(f'{{"agents": {{"x": {C5}}}}}')["agents"]["x"]
    assert (x["backend"], x["mode"], x["session_key"]) == ("acp", "session", "acp-12345")
    assert x["isolation"] == "thread-bound"


def test_c6_what_holds_for_all_threads(shown: Shown) -> None:
    found = shown(C6)
    assert found["threads"] == {
        "default_mode": "auto",
        "max_threads": 100,
        "idle_timeout": 1800,
        "startup_reconciliation": True,
    }
    assert found["agents"]["x"]["idle_timeout"] == 1800


def test_c12_what_is_captured_and_where_a_copy_goes(
    shown: Shown, openclaw: Openclaw, tmp_path: Path
) -> None:
    audit = shown(C12)["audit"]
    assert audit["capture"] == ["secret_reveal", "thread_spawn", "agent_exec"]
    assert audit["storage"] == ["qdrant://audit-logs"]
    token = C12.replace("qdrant://audit-logs", "https://hooks.example/T0KEN?key=T0KEN")
    assert shown(token)["audit"]["storage"] == ["https://hooks.example"]
    assert b"T0KEN" not in openclaw("config", "show", check=0).out
    path = tmp_path / "openclaw.json"
    path.write_text(C12.replace("qdrant", "s3"))
    (mistake,) = openclaw("config", "check", str(path), "--json", check=78).json()["mistakes"]
    assert mistake["line"] == 2
    assert "file, syslog, https, http, qdrant" in mistake["mistake"]


def test_c13_what_a_handler_may_do(shown: Shown) -> None:
    assert shown(C13)["agents"]["x"]["permissions"] == {
        "allowed": ["read", "write", "exec", "web_search"],
        "denied": ["rm", "delete", "network_connect"],
        "strict": False,
    }


def test_c14_the_metrics_by_their_published_names(shown: Shown) -> None:
    monitoring = shown(C14)["monitoring"]
    published = json.loads(C14)["monitoring"]
    assert monitoring["agents"] == published["thread-bound-agents"]["metrics"]
    assert monitoring["secrets"] == published["secrets"]["metrics"]


def test_c15_an_open_gateway_is_taken_as_it_is_pasted(shown: Shown) -> None:
    gateway = shown(C15)["gateway"]
    assert (gateway["host"], gateway["port"]) == ("0.0.0.0", 18789)  # noqa: S104


def test_c16_what_means_rotation_is_ours(shown: Shown) -> None:
    found = shown(C16)
    assert [each["name"] for each in found["cron"]] == ["rotate-secrets", "k"]
    assert found["agents"]["x"]["max_age"] == 30 * 86400


def test_c16_other_entries_are_reported_as_not_ours(openclaw: Openclaw, tmp_path: Path) -> None:
    path = tmp_path / "openclaw.json"
    path.write_text(C16)
    said = openclaw("config", "check", str(path), "--explain", check=0).out
    assert b"news: not ours" in said


def test_c24_defaults_at_the_top(shown: Shown) -> None:
    x = shown(C24)["agents"]["x"]
    assert (x["model"], x["isolation"], x["backend"]) == (
        "claude-sonnet-4.2",
        "thread-bound",
        "acp",
    )


def test_c25_a_model_has_an_endpoint_or_it_is_said_what_to_add(
    shown: Shown, openclaw: Openclaw, tmp_path: Path
) -> None:
    found = shown(C25)
    assert found["models"]["house-model"]["secret"] == "house-key"
    path = tmp_path / "openclaw.json"
    path.write_text('{"agents": {"x":\n{"model": "frob-9"}}}')
    (mistake,) = openclaw("config", "check", str(path), "--json", check=78).json()["mistakes"]
    assert 'models."frob-9"' in mistake["fix"]


def test_c26_a_sandbox_is_accepted_and_what_isolates_instead_is_said(
    shown: Shown, openclaw: Openclaw, tmp_path: Path
) -> None:
    shown(C26)
    path = tmp_path / "openclaw.json"
    path.write_text(C26)
    said = openclaw("config", "check", str(path), "--explain", check=0).out.decode()
    assert said.count("no container is started") == 2
    assert "agentPermissions and requireIsolation" in said


def test_c27_the_same_as_yaml(openclaw: Openclaw, tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    (state / "openclaw.json").write_text(
        "agents:\n  x:\n    type: thread-bound\n    timeout: 20s\n    max-concurrency: '50'\n"
    )
    x = openclaw("config", "show", "--json", check=0).json()["agents"]["x"]
    assert (x["timeout"], x["max_concurrency"]) == (20, 50)
