"""Every published spelling of an agent, and what belongs to the OpenClaw gateway."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_cli.agents.building import build, problems
from openclaw_cli.agents.config import Said, read
from openclaw_cli.agents.spec import AgentSpec, Configuration, SecretUse

Built = Callable[..., Configuration]


def one(built: Built, table: dict[str, Any], **top: object) -> AgentSpec:
    return built({"agents": {"x": table}, **top}).agents["x"]


@pytest.mark.parametrize(
    ("table", "isolation"),
    [
        ({"type": "thread-bound"}, "thread-bound"),
        ({"type": "singleton"}, "singleton"),
        ({"runtime": "thread-bound"}, "thread-bound"),
        ({"runtime": "thread"}, "thread-bound"),
        ({"threadBound": True}, "thread-bound"),
        ({"thread_bound": "yes"}, "thread-bound"),
        ({"thread": True}, "thread-bound"),
        ({"runtime": "subagent", "threadBound": True}, "thread-bound"),
        ({"runtime": "subagent"}, "singleton"),
        ({"thread": False}, "singleton"),
        ({"sessionTarget": "isolated"}, "thread-bound"),
        ({"runtime": "acp"}, "thread-bound"),
        ({}, "thread-bound"),
    ],
)
def test_isolation(built: Built, table: dict[str, Any], isolation: str) -> None:
    assert one(built, table).isolation == isolation


@pytest.mark.parametrize(
    ("key", "value", "name", "meant"),
    [
        ("max-concurrency", "50", "max_concurrency", 50),
        ("maxConcurrent", 10, "max_concurrency", 10),
        ("max_threads", 7, "max_concurrency", 7),
        ("timeout", 120, "timeout", 120.0),
        ("timeout", "30s", "timeout", 30.0),
        ("max-duration", 300, "timeout", 300.0),
        ("memory-limit", "50MB", "memory_limit", 50_000_000),
        ("memoryLimit", "64MiB", "memory_limit", 64 * 1024 * 1024),
        ("memory_limit", "512m", "memory_limit", 512 * 1024 * 1024),
        ("autoDestroy", False, "auto_destroy", False),
        ("idleTimeout", "30m", "idle_timeout", 1800.0),
        ("max-age", "1d", "max_age", 86400.0),
        ("memory/max-age", "1h", "max_age", 3600.0),
        ("memory", {"max-age": "1h", "backend": "qdrant"}, "max_age", 3600.0),
        ("deterministic", True, "deterministic", True),
        ("sessionKey", "acp-12345", "session_key", "acp-12345"),
        ("fallback", "local/x", "fallback", ("local/x",)),
        ("handler", "mail:answer", "handler", "mail:answer"),
        ("handler", ["cat", "-"], "command", ("cat", "-")),
        ("command", "python3 agent.py 'a b'", "command", ("python3", "agent.py", "a b")),
        ("python-path", "lib", "python_path", ("/conf/lib",)),
        ("secrets", ["a", "t/*"], "secrets", (SecretUse("a"), SecretUse("t/*"))),
        ("secrets", {"KEY": "a"}, "secrets", (SecretUse("a", "KEY"),)),
        ("secrets", [{"name": "a", "envVar": "KEY"}], "secrets", (SecretUse("a", "KEY"),)),
        ("requireIsolation", "landlock", "require_isolation", "landlock"),
        ("onDisconnect", "cancel", "on_disconnect", "cancel"),
    ],
)
def test_a_setting_of_an_agent(
    built: Built, key: str, value: object, name: str, meant: object
) -> None:
    assert getattr(one(built, {key: value}), name) == meant


@pytest.mark.parametrize(
    "table",
    [
        {"max-concurrency": 0},
        {"max-concurrency": "many"},
        {"max-concurrency": True},
        {"timeout": "soon"},
        {"timeout": 0},
        {"timeout": "8d"},
        {"memory-limit": "1kB"},
        {"memory-limit": -1},
        {"type": "tread-bound"},
        {"type": "thread-bound", "threadBound": False},
        {"handler": "no colon"},
        {"handler": "a:b:c"},
        {"command": []},
        {"command": "unclosed 'quote"},
        {"handler": "a:b", "command": ["c"]},
        {"secrets": ["../x"]},
        {"secrets": ["*/../x"]},
        {"secrets": [{"name": "t/*", "envVar": "K"}]},
        {"secrets": [{"name": "a", "envVar": "LD_PRELOAD"}]},
        {"secrets": [1]},
        {"sessionKey": "a b"},
        {"requireIsolation": "some"},
        {"modle": "x"},
    ],
)
def test_what_cannot_be_meant_is_a_mistake_at_its_key(
    said: Callable[..., Said], table: dict[str, Any]
) -> None:
    slips = said({"agents": {"x": table}}).slips
    assert slips
    assert all(each.path[:2] == ("agents", "x") for each in slips)
    assert all(each.fix for each in slips)


def test_an_unknown_key_has_the_one_that_was_meant(said: Callable[..., Said]) -> None:
    (slip,) = said({"agents": {"x": {"memory-limt": "50MB"}}}).slips
    assert (slip.path, slip.fix) == (("agents", "x", "memory-limt"), "did you mean memory-limit?")


def test_defaults_are_for_all_and_those_of_thread_bound_ones_for_them_alone(built: Built) -> None:
    found = built(
        {
            "defaultModel": "claude-x",
            "agents": {
                "defaults": {"threadBound": True, "timeout": 60},
                "a": {},
                "b": {"type": "singleton", "model": "gpt-5"},
            },
            "thread-bound-agents": {
                "memory-limit": "60MB",
                "timeout": "20s",
                "max-concurrency": "50",
            },
        }
    ).agents
    a, b = found["a"], found["b"]
    assert (a.model, a.timeout, a.memory_limit, a.max_concurrency) == (
        "claude-x",
        20,
        60 * 10**6,
        50,
    )
    assert (b.model, b.timeout, b.memory_limit) == ("gpt-5", 60, 50_000_000)


def test_dotted_keys_are_nested_ones(built: Built) -> None:
    found = built({"agents.defaults.threadBound": True, "agents": {"x": {"runtime": "subagent"}}})
    assert found.agents["x"].isolation == "thread-bound"


def test_agents_of_one_pool_share_its_one_size(built: Built) -> None:
    found = built(
        {
            "agents": {
                "a": {"type": "thread-bound", "threadId": "finance-threads", "maxThreads": 2},
                "b": {"type": "thread-bound", "threadId": "finance-threads"},
            }
        }
    ).agents
    assert [(each.pool, each.pool_size) for each in found.values()] == [("finance-threads", 2)] * 2
    assert found["a"].max_concurrency == 10


def test_a_later_file_wins_key_by_key(built: Built) -> None:
    found = built(
        {"agents": {"x": {"timeout": 5, "model": "claude-x"}}}, {"agents": {"x": {"timeout": 9}}}
    )
    assert (found.agents["x"].timeout, found.agents["x"].model) == (9, "claude-x")


def test_a_denial_of_all_holds_for_each(built: Built) -> None:
    found = one(
        built,
        {"permissions": {"allowed": ["read"], "denied": "rm"}},
        agentPermissions={"deniedCommands": ["network_connect"], "enforce": "strict"},
    ).permissions
    assert (found.allowed, found.denied, found.strict) == (
        ("read",),
        ("network_connect", "rm"),
        True,
    )


def test_what_the_node_gateway_says_of_agents_is_left_alone(said: Callable[..., Said]) -> None:
    theirs = {
        "agents": {
            "defaults": {"model": {"primary": "x"}, "workspace": "~/w", "sandbox": {"mode": "all"}},
            "list": [{"id": "main"}],
            "entries": {"main": {}},
        },
        "gateway": {"mode": "local", "port": 18789, "auth": {"token": "t"}},
        "models": {"mode": "merge", "providers": {"openai": {}}},
        "channels": {"telegram": {}},
        "cron": {"enabled": True},
        "memory": {"backend": "builtin"},
    }
    found = said(theirs)
    assert not found
    assert not found.slips
    for key, value in theirs.items():
        assert not said({key: value, "channels": {}}), key


def test_in_the_wrapper_all_is_ours(said: Callable[..., Said]) -> None:
    found = said({"channels": {}, "openclaw": {"agents": {"defaults": {"timeout": 3}}}})
    assert found.defaults == {"timeout": 3.0}


def test_a_sandbox_is_not_used_and_it_is_said_what_isolates(said: Callable[..., Said]) -> None:
    for table in ({"docker": {"enabled": True, "binds": ["/a:/b"]}}, "all"):
        found = said({"sandbox": table, "agents": {"x": {"sandbox": table}}})
        assert not found.slips
        assert [path for path, _ in found.understood] == [("sandbox",), ("agents", "x", "sandbox")]
        assert "process of its own" in found.understood[0][1]


def test_only_entries_that_mean_rotation_are_ours(said: Callable[..., Said]) -> None:
    found = said(
        {
            "cron": [
                {"name": "rotate-secrets", "schedule": "0 3 * * *"},
                {
                    "id": "k",
                    "schedule": {"kind": "cron", "expr": "0 4 * * *"},
                    "text": "Rotate keys",
                },
                {"name": "weather", "schedule": "0 7 * * *"},
            ]
        }
    )
    assert [(each.name, each.schedule) for each in found.cron] == [
        ("rotate-secrets", "cron:0 3 * * *"),
        ("k", "cron:0 4 * * *"),
    ]
    assert any("weather: not ours" in text for _, text in found.understood)


def test_a_storage_that_we_do_not_have_names_those_we_have(said: Callable[..., Said]) -> None:
    (slip,) = said({"auditLog": {"enabled": True, "storage": "s3://bucket"}}).slips
    assert "file, syslog, https, http, qdrant" in slip.what


def test_a_log_that_is_off_copies_nothing(built: Built) -> None:
    assert built({"auditLog": {"enabled": False, "storage": "qdrant://a"}}).audit.storage == ()


@pytest.mark.parametrize(
    "endpoint",
    ["http://example.org", "ftp://x", "https://u:p@x", "https://", "//x", "https://x?k=v", 5],
)
def test_an_endpoint_beyond_this_machine_is_asked_by_tls_alone(
    said: Callable[..., Said], endpoint: object
) -> None:
    assert said({"models": {"m": {"endpoint": endpoint}}}).slips
    assert not said({"models": {"m": {"endpoint": "http://127.0.0.1:8080/v1/"}}}).slips


def test_a_model_nobody_knows_is_said_with_what_to_add(said: Callable[..., Said]) -> None:
    wrong = problems(build([said({"agents": {"x": {"model": "frob-1"}}})]))
    assert wrong["agents.x"].status == 78
    assert 'models."frob-1"' in wrong["agents.x"].hint


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "agents",
                        "x",
                        "type",
                        "handler",
                        "secrets",
                        "cron",
                        "models",
                        "gateway",
                        "monitoring",
                        "auditLog",
                        "alerts",
                        "permissions",
                        "memory",
                        "a.b",
                        "host",
                    ]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_no_document_is_a_crash(document: object) -> None:
    if isinstance(document, dict):
        for shared in (True, False):
            problems(build([read(document, "/", shared=shared)]))
