"""E17: `/acp spawn --thread` and `/acp spawn --thread=acp-session-001`, as our commands."""

from __future__ import annotations

from tests.conftest import Openclaw
from tests.gateways import running, settings

TALK = {"talk": {"runtime": "thread", "mode": "session", "handler": "zoo:Talk"}}


def test_a_bare_thread_gets_an_id_and_the_name_may_be_left_out(openclaw: Openclaw) -> None:
    settings(TALK)
    with running(openclaw) as gateway:
        thread = openclaw("agents", "spawn", "--thread", check=0).out.decode().strip()
        first = gateway.agent("talk", "hello", session=thread).json
        second = gateway.agent("talk", "hello", session=thread).json
        assert first["output"][1] == second["output"][1]
        assert (first["output"][0], second["output"][0]) == (1, 2)


def test_a_named_thread_is_bound_and_reached_again(openclaw: Openclaw) -> None:
    settings(TALK)
    with running(openclaw) as gateway:
        spawned = openclaw(
            "agents", "spawn", "talk", "--thread=acp-session-001", "--json", check=0
        ).json()
        assert spawned["thread"] == "acp-session-001"
        answer = gateway.agent("talk", "hello", session="acp-session-001").json
        assert answer["output"][1] == spawned["pid"]
        again = openclaw("agents", "spawn", "talk", "--thread=acp-session-001", "--json", check=0)
        assert (again.json()["new"], again.json()["pid"]) == (False, spawned["pid"])


def test_manual_mode_wants_each_thread_named(openclaw: Openclaw) -> None:
    settings(TALK, threadManagement={"defaultMode": "manual"})
    with running(openclaw):
        refused = openclaw("agents", "spawn", "--thread", check=2)
        assert b"--thread=ID" in refused.err
        openclaw("agents", "spawn", "--thread=mine", check=0)


def test_several_agents_want_a_name(openclaw: Openclaw) -> None:
    settings({**TALK, "other": {"type": "thread-bound", "handler": "zoo:echo"}})
    with running(openclaw):
        assert b"several agents" in openclaw("agents", "spawn", "--thread", check=78).err
