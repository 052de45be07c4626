"""What an instance says is judged before it is believed: it is the agent's, whatever it says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Openclaw
from tests.gateways import Gateway, running, settings

pytestmark = pytest.mark.slow

NO_THREADS = ["\ud800", "two words", "x" * 200, ["a"], {"a": 1}]
NO_ANSWERS: list[dict[str, Any]] = [
    {},
    {"outcome": None},
    {"outcome": ["ok"]},
    {"outcome": {"ok": 1}},
    {"outcome": 200},
    {"outcome": ""},
    {"outcome": "fine"},
    {"outcome": "\ud800"},
    {"outcome": 'ok"} 1\nopenclaw_secrets_access_total{secret="x'},
    {"outcome": "long "},
]


@pytest.fixture
def gateway(openclaw: Openclaw) -> Iterator[Gateway]:
    openclaw("secrets", "create", "key", input=b"value", check=0)
    settings(
        {
            "asks": {"handler": "zoo:asks"},
            "boss": {"handler": "zoo:Talk", "mode": "session", "secrets": ["key"]},
            "forges": {"handler": "zoo:forges", "restart": {"max": 1000, "period": "10s"}},
        }
    )
    with running(openclaw) as made:
        yield made


def test_a_thread_that_an_agent_names_is_a_threads_name(
    gateway: Gateway, openclaw: Openclaw
) -> None:
    for session in NO_THREADS:
        said = gateway.agent("asks", {"agent": "boss", "input": 1, "session": session})
        assert said.status == 500, session
        assert "not a thread's name" in said.json["error"]["message"]
    right = gateway.agent("asks", {"agent": "boss", "input": 1, "session": "t-1"})
    assert right.json["output"][0] == 1
    openclaw("gateway", "restart", check=0)
    assert gateway.agent("boss", 2, session="t-1").json["resumed"]
    found = openclaw("secrets", "audit", "--json", "--period", "1h", check=0).json()
    assert [each["rule"] for each in found["findings"]] == []
    readings = [each for each in found["events"] if each["kind"] == "secret_reveal"]
    assert {each["actor"]["thread"] for each in readings} == {"t-1"}


def test_an_answer_that_is_none_is_a_death(gateway: Gateway) -> None:
    before = gateway.agent("boss", 1, session="t-1").json["output"][0]
    for each in NO_ANSWERS:
        said = gateway.agent("forges", each)
        assert (said.status, said.json["outcome"]) == (502, "died"), each
        assert len(said.body) < 1000
    assert gateway.agent("boss", 1, session="t-1").json["output"][0] == before + 1
    text = gateway.ask("/metrics", token="").body.decode()
    outcomes = [line for line in text.splitlines() if 'agent="forges"' in line]
    assert all('outcome="died"' in each for each in outcomes if "outcome=" in each)
    assert len(text) < 100_000
    assert _largest(gateway.state) < 1_000_000


def test_the_words_of_a_failure_are_texts_and_bounded(gateway: Gateway) -> None:
    said = gateway.agent("forges", {"outcome": "handler_error", "error": "long ", "hint": "long "})
    error = said.json["error"]
    assert (said.status, len(error["message"]), len(error["hint"])) == (500, 500, 500)
    said = gateway.agent("forges", {"outcome": "handler_error", "error": {"a": 1}, "hint": [1]})
    assert (said.json["error"]["message"], said.json["error"]["hint"]) == ("", "")
    assert gateway.agent("forges", {"outcome": "ok", "output": 1}).json["output"] == 1
    assert _largest(gateway.state) < 1_000_000


def test_what_an_agent_logs_is_bounded(gateway: Gateway) -> None:
    fields = {f"{number:03}" + "n" * 500: "f" for number in range(500)}
    for message in ("long ", "\ud800"):
        said = gateway.agent("forges", {"op": "log", "message": message, "fields": fields})
        assert said.status == 200
    logged = [each for each in gateway.log() if each["event"] == "agent_log"]
    assert len(logged) == 2
    assert len(logged[0]["message"]) == 4096
    names = [name for each in logged for name in each if name.startswith("x_")]
    assert (len(names), {len(name) for name in names}) == (64, {66})
    assert _largest(gateway.state) < 1_000_000


def _largest(state: Path) -> int:
    """Return the size of the largest file that the gateway writes of its own accord."""
    return max(
        each.stat().st_size for name in ("logs", "audit") for each in state.glob(f"{name}/*")
    )
