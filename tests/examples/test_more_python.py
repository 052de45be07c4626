"""What articles paste besides commands: a scheduler in Python, three agents in one thread."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest

from openclaw_cli import client
from openclaw_cli.acp import AgentError, ThreadBoundAgent
from openclaw_cli.errors import ConfigError, DeniedError, NotFoundError
from tests.conftest import Openclaw
from tests.gateways import Gateway, running, settings
from tests.model_server import Scripted

SAID = {"choices": [{"message": {"content": "up"}, "finish_reason": "stop"}]}


@pytest.fixture
def model() -> Iterator[Scripted]:
    server = Scripted(*[(200, {"Content-Type": "application/json"}, SAID)] * 5)
    yield server
    server.close()


@pytest.fixture
def desk(openclaw: Openclaw) -> Iterator[Gateway]:
    session = {"mode": "session", "handler": "zoo:Talk"}
    settings({"collect": session, "analyse": session, "trade": session})
    with running(openclaw) as gateway:
        yield gateway


def test_a_scheduler_spawns_an_agent_with_a_key_of_the_store_and_ends_idle_ones(
    openclaw: Openclaw, model: Scripted
) -> None:
    openclaw("secrets", "create", "openai-api-key", input=b"sk-hunter2", check=0)
    settings({}, models={"gpt-5": {"endpoint": model.address, "secret": "openai-api-key"}})
    agent = ThreadBoundAgent(
        runtime="thread-bound",
        session_key="trading-001",
        model="gpt-5",
        api_key=client.get_secret("openai-api-key"),
    )
    agent.start()
    assert agent.prompt("What moved today?") == "up"
    assert agent.prompt("And why?") == "up"
    assert [len(body["messages"]) for _, _, body in model.requests] == [1, 3]
    assert model.requests[0][1]["authorization"] == "Bearer sk-hunter2"
    assert agent.idle_for() < 5
    time.sleep(0.2)
    if agent.idle_for() > 0.1:
        agent.terminate()
    agent.terminate()
    assert "sk-hunter2" not in repr(vars(agent)["_configuration"])
    trail = openclaw("secrets", "audit", "--name", "openai-api-key", "--json", check=0).out
    assert b"secret_reveal" in trail


def test_an_agent_of_ones_own_has_limits_and_is_gone_at_the_end() -> None:
    settings({})
    with ThreadBoundAgent(handler="zoo:Talk", session_key="t-1") as agent:
        first, second = agent.prompt("a"), agent.prompt("b")
        assert (first[0], second[0], first[1]) == (1, 2, second[1])
        assert os.path.isdir(f"/proc/{first[1]}")
    assert not os.path.isdir(f"/proc/{first[1]}")
    with (
        ThreadBoundAgent(handler="zoo:sleep", timeout=0.3) as slow,
        pytest.raises(AgentError) as refused,
    ):
        slow.prompt(5)
    assert refused.value.outcome == "timeout"


@pytest.mark.parametrize(
    "wrong", [{}, {"model": "frob"}, {"handler": "no colon"}, {"agent": "a", "model": "gpt-5"}]
)
def test_what_the_settings_would_not_take_is_not_taken_here(wrong: dict[str, str]) -> None:
    with pytest.raises(ConfigError):
        ThreadBoundAgent(**wrong)


def test_three_agents_work_in_one_thread_and_answer_as_one(desk: Gateway) -> None:
    text = client.dispatch(["collect", "analyse", "trade"], "go", session="trading-001")
    lines = text.split("\n")
    assert [each.partition(" ")[0] for each in lines] == ["[collect]", "[analyse]", "[trade]"]
    again = client.dispatch(["collect", "analyse", "trade"], "go", session="trading-001")
    assert all("[2," in each for each in again.split("\n"))
    rows = {each["name"]: each for each in client.status()["agents"]}
    assert [rows[name]["threads"][0]["thread"] for name in ("collect", "analyse", "trade")] == [
        "trading-001"
    ] * 3
    answer = desk.ask(
        "/v1/dispatch",
        {"agents": ["collect", "trade"], "input": 1, "session": "trading-001", "coalesce": True},
    )
    assert answer.json["output"].startswith("[collect] ")


def test_an_agent_of_the_settings_is_reached_by_its_thread(desk: Gateway) -> None:
    agent = ThreadBoundAgent(agent="collect", session_key="t-9")
    first = agent.start().prompt("a")
    assert agent.prompt("b") == [2, first[1], 0]
    assert client.ask("collect", "c", session="t-9") == [3, first[1], 0]
    agent.terminate()
    assert client.ask("collect", "d", session="t-9")[0] == 1
    with pytest.raises(NotFoundError):
        client.ask("nobody", "x")
    with pytest.raises(AgentError) as refused:
        client.ask("trade", "crash", session="t-9")
    assert refused.value.outcome == "crashed"
    assert desk.pid


def test_idle_threads_are_cleaned_up(openclaw: Openclaw, desk: Gateway) -> None:
    for number in range(3):
        client.ask("collect", "a", session=f"t-{number}")
    assert client.cleanup(1800) == 0
    time.sleep(0.3)
    openclaw("agents", "cleanup", "--idle", "30m", check=0)
    assert client.cleanup(0.2) == 3
    assert desk.pid


def test_a_program_that_is_an_agent_reads_what_it_was_granted(
    openclaw: Openclaw, monkeypatch: pytest.MonkeyPatch
) -> None:
    openclaw("secrets", "create", "db", input=b"\xffx", check=0)
    assert client.get_secret_bytes("db") == b"\xffx"
    assert client.get_secret("db") == "\udcffx"
    monkeypatch.setenv("OPENCLAW_AGENT", "mailer")
    with pytest.raises(DeniedError):
        client.get_secret("db")
