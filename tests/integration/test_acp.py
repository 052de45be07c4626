"""Agents that speak the Agent Client Protocol, in the gateway: one written with its library."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Openclaw
from tests.gateways import HANDLERS, Answer, Gateway, running, settings

pytestmark = pytest.mark.integration

COMMAND = [sys.executable, str(HANDLERS / "acp_agent.py")]
C13 = {
    "allowedCommands": ["read", "write", "exec", "web_search"],
    "deniedCommands": ["rm", "delete", "network_connect"],
}


@pytest.fixture
def gateway(openclaw: Openclaw, tmp_path: Path) -> Iterator[Gateway]:
    openclaw("secrets", "create", "agent-key", input=b"sk-acp", check=0)
    coder = {"runtime": "acp", "mode": "session", "thread": True, "command": COMMAND}
    granted = [{"name": "agent-key", "envVar": "AGENT_KEY"}]
    (tmp_path / "work").mkdir()
    settings(
        {
            "coder": {
                **coder,
                "sessionKey": "acp-12345",
                "secrets": granted,
                "directory": str(tmp_path / "work"),
            },
            "reader": {**coder, "permissions": {"allowed": ["read"]}},
            "forgets": {
                **coder,
                "command": [*COMMAND, "--forgets"],
                "directory": str(tmp_path / "work"),
            },
            "gone": {**coder, "command": ["/no/such/agent"]},
        },
        agentPermissions=C13,
    )
    with running(openclaw) as made:
        yield made


def said(answer: Answer) -> str:
    assert answer.status == 200, answer
    return str(answer.json["output"]["text"])


def test_c5_one_session_a_thread_kept_between_requests(gateway: Gateway) -> None:
    first = said(gateway.agent("coder", "hello", session="acp-12345"))
    second = said(gateway.agent("coder", {"prompt": "hello"}, session="acp-12345"))
    other = said(gateway.agent("coder", "hello", session="another"))
    assert first.startswith("turn 1 in ")
    assert second == first.replace("turn 1", "turn 2")
    assert other.startswith("turn 1 in ")
    assert other != first
    assert said(gateway.agent("coder", "environment AGENT_KEY", session="acp-12345")) == "sk-acp"


def test_an_agent_takes_up_its_session_where_it_keeps_sessions(
    gateway: Gateway, tmp_path: Path
) -> None:
    for agent, later in (("coder", "turn 3 in {} after 0"), ("forgets", "turn 1 in {} after 1")):
        said(gateway.agent(agent, "hello", session="t"))
        assert gateway.agent(agent, "leave", session="t").json["outcome"] == "handler_error"
        answer = gateway.agent(agent, "hello", session="t")
        text = said(answer)
        assert text == later.format(text.split()[3])
        assert answer.json["resumed"]
    said(gateway.agent("coder", "hello", session="u"))
    gateway.agent("coder", "leave", session="u")
    (tmp_path / "work" / "sessions.json").unlink()  # the control: there is nothing to take up
    assert said(gateway.agent("coder", "hello", session="u")).startswith("turn 1")


def test_c13_tools_are_permitted_by_the_settings_and_never_for_good(gateway: Gateway) -> None:
    wanted = {
        "tool read": "once",
        "tool edit": "once",
        "tool delete": "no",
        "tool move": "no",
        "tool fetch": "once",
        "tool execute ls": "once",
        "tool execute rm -rf /": "no",
        "tool think": "once",
    }
    assert {line: said(gateway.agent("coder", line, session="t")) for line in wanted} == wanted


def test_files_and_programs_are_given_as_far_as_permitted(gateway: Gateway, tmp_path: Path) -> None:
    path = tmp_path / "work" / "note"
    assert said(gateway.agent("coder", f"write {path} hello", session="t")) == "written"
    assert path.read_text() == "hello"
    assert said(gateway.agent("coder", f"read {path}", session="t")) == "hello"
    assert said(gateway.agent("coder", "run echo done", session="t")) == "0 done\n"
    refused = said(gateway.agent("coder", f"run rm {path}", session="t"))
    assert refused == "REFUSED not permitted: the program rm"
    assert said(gateway.agent("reader", f"read {path}", session="t")) == "hello"
    for line in (f"write {path} x", "run echo x"):
        assert said(gateway.agent("reader", line, session="t")).startswith("REFUSED")
    assert path.read_text() == "hello"
    key = gateway.state / "secrets" / "key"
    assert said(gateway.agent("coder", f"read {key}", session="t")).startswith("REFUSED")
    logged = [str(each) for each in gateway.log() if each["event"] == "agent_log"]
    assert any("the program rm" in each for each in logged)


def test_what_goes_wrong_is_said_in_our_words(gateway: Gateway) -> None:
    wrong = gateway.agent("coder", "sign-in", session="t")
    assert "turn" in said(gateway.agent("coder", "hello", session="t"))
    assert "REFUSED" in said(wrong) or "signed in" in str(wrong.json["error"])
    left = gateway.agent("coder", "leave", session="t").json
    assert left["outcome"] == "handler_error"
    assert "process ended" in left["error"]["message"]
    absent = gateway.agent("gone", "hello", session="t").json
    assert absent["outcome"] in ("handler_error", "unavailable", "config")
    assert "no such file" in str(absent)


def test_closing_a_thread_ends_its_agent(openclaw: Openclaw, gateway: Gateway) -> None:
    pid = int(said(gateway.agent("coder", "hello", session="t")).split()[3])
    assert os.path.isdir(f"/proc/{pid}")
    openclaw("agents", "close", "--thread", "t", check=0)
    until = time.monotonic() + 5
    while os.path.isdir(f"/proc/{pid}"):
        assert time.monotonic() < until
        time.sleep(0.05)
