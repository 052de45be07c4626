"""What an agent is once every default is filled in."""

from __future__ import annotations

import json

import pytest

from openclaw_cli.agents.spec import (
    ACP,
    SESSION,
    SINGLETON,
    AgentSpec,
    Configuration,
    is_handler,
    is_thread,
)
from openclaw_cli.errors import ConfigError, NotFoundError


@pytest.mark.parametrize(
    ("spec", "kind"),
    [
        (AgentSpec("a", handler="mail:answer", model="claude-x"), "python"),
        (AgentSpec("a", command=("cat",)), "command"),
        (AgentSpec("a", command=("codex-acp",), backend=ACP), "acp"),
        (AgentSpec("a", model="claude-x"), "chat"),
        (AgentSpec("a", model="claude-x", backend=ACP), "chat"),
        (AgentSpec("a"), ""),
    ],
)
def test_what_runs_is_the_first_of_handler_command_and_model(spec: AgentSpec, kind: str) -> None:
    assert spec.kind == kind


def test_a_singleton_has_one_instance_whatever_its_concurrency() -> None:
    spec = AgentSpec("a", isolation=SINGLETON, max_concurrency=100)
    assert spec.concurrency == 1
    assert spec.queue_limit == 2
    assert not spec.keeps_session


def test_twice_as_many_may_wait_as_run_unless_said() -> None:
    assert AgentSpec("a", max_concurrency=50).queue_limit == 100
    assert AgentSpec("a", max_concurrency=50, queue=0).queue_limit == 0


def test_a_session_or_an_instance_that_is_not_destroyed_is_kept() -> None:
    assert AgentSpec("a", mode=SESSION).keeps_session
    assert AgentSpec("a", auto_destroy=False).keeps_session
    assert not AgentSpec("a").keeps_session


def test_it_can_be_written_as_json() -> None:
    assert json.loads(json.dumps(AgentSpec("a", model="m").plain()))["kind"] == "chat"


def test_an_agent_that_is_not_there_is_3_with_what_was_meant() -> None:
    some = Configuration({"mailer": AgentSpec("mailer"), "clerk": AgentSpec("clerk")})
    with pytest.raises(NotFoundError) as refused:
        some.agent("mailr")
    assert refused.value.hint == "did you mean mailer?"
    with pytest.raises(ConfigError, match="several agents"):
        some.only_agent()
    with pytest.raises(ConfigError, match="no agent"):
        Configuration().only_agent()
    assert Configuration({"x": AgentSpec("x")}).only_agent().name == "x"


@pytest.mark.parametrize("text", ["mail:answer", "pkg.mod:Class", "m:Outer.inner"])
def test_a_handler_is_a_module_and_a_name_in_it(text: str) -> None:
    assert is_handler(text)


@pytest.mark.parametrize("text", ["", "mail", ":f", "a b:c", "m:f()", "../m:f", "m:f\n"])
def test_anything_else_is_no_handler(text: str) -> None:
    assert not is_handler(text)


def test_a_thread_is_a_short_word() -> None:
    assert is_thread("acp-12345")
    assert not is_thread("a b")
    assert not is_thread("")
    assert not is_thread("x" * 200)
