"""C1 to C6 at work: pools, sessions by key, what a restart takes up again."""

from __future__ import annotations

import threading
import time
from typing import Any

from tests.conftest import Openclaw
from tests.gateways import Gateway, running, settings


def peak(gateway: Gateway, names: list[str], seconds: float) -> int:
    """Ask all at once and return how many ran at the same time at most."""
    asking = [threading.Thread(target=gateway.agent, args=(name, seconds)) for name in names]
    for each in asking:
        each.start()
    most = 0
    while any(each.is_alive() for each in asking):
        rows = gateway.ask("/v1/status").json["agents"]
        most = max(most, sum(each["active"] for each in rows))
        time.sleep(0.02)
    return most


def test_c1_a_singleton_is_one_instance_for_all(openclaw: Openclaw) -> None:
    settings({"one": {"type": "singleton", "handler": "zoo:Talk"}})
    with running(openclaw) as gateway:
        answers = [gateway.agent("one", 1).json["output"] for _ in range(3)]
        assert [each[0] for each in answers] == [1, 2, 3]
        assert len({each[1] for each in answers}) == 1
        assert gateway.agent("one", "crash").status == 502
        assert gateway.agent("one", 1).json["output"][0] == 1


def test_c2_max_concurrent_and_a_full_line(openclaw: Openclaw) -> None:
    settings({"x": {"threadBound": True, "handler": "zoo:sleep", "max-concurrent": 2, "queue": 1}})
    with running(openclaw) as gateway:
        seen: list[Any] = []
        asking = [
            threading.Thread(target=lambda: seen.append(gateway.agent("x", 0.5))) for _ in range(6)
        ]
        for each in asking:
            each.start()
        for each in asking:
            each.join()
        statuses = sorted(each.status for each in seen)
        assert statuses == [200, 200, 200, 429, 429, 429]
        busy = next(each for each in seen if each.status == 429)
        assert int(busy.headers["retry-after"]) >= 1
        assert busy.json["error"]["kind"] == "busy"


def test_c4_agents_of_one_thread_id_share_one_pool(openclaw: Openclaw) -> None:
    shared = {
        "type": "thread-bound",
        "threadId": "finance-threads",
        "maxThreads": 2,
        "handler": "zoo:sleep",
    }
    settings({"a": shared, "b": shared})
    with running(openclaw) as gateway:
        assert peak(gateway, ["a", "b", "a", "b", "a", "b"], 0.3) == 2


def test_c6_one_limit_for_all_agents_together(openclaw: Openclaw) -> None:
    agent = {"type": "thread-bound", "handler": "zoo:sleep"}
    settings({"a": agent, "b": agent}, threadManagement={"maxThreads": 3})
    with running(openclaw) as gateway:
        assert peak(gateway, ["a", "b"] * 4, 0.3) == 3


def test_c5_and_c6_sessions_are_taken_up_again_after_a_restart(openclaw: Openclaw) -> None:
    talk = {"mode": "session", "thread": True, "sessionKey": "acp-12345", "handler": "zoo:Talk"}
    settings({"talk": talk}, threadManagement={"startupReconciliation": True, "idleTimeout": "30m"})
    with running(openclaw) as gateway:
        before = gateway.agent("talk", 1, session="acp-12345").json
        openclaw("gateway", "restart", check=0)
        after = gateway.agent("talk", 2, session="acp-12345").json
        assert before["output"][1] != after["output"][1]
        assert (after["output"][2], after["resumed"]) == (1, True)
        openclaw("agents", "close", "--thread", "acp-12345", check=0)
        again = gateway.agent("talk", 3, session="acp-12345").json
        assert again["output"][2] == 0


def test_idle_sessions_end_and_cleanup_ends_them_sooner(openclaw: Openclaw) -> None:
    talk = {"mode": "session", "thread": True, "handler": "zoo:Talk"}
    settings({"talk": {**talk, "idleTimeout": "1s"}, "kept": talk})
    with running(openclaw) as gateway:
        for name in ("talk", "kept"):
            gateway.agent(name, 1, session="x")
        deadline = time.monotonic() + 15
        while live(gateway) != {"talk": 0, "kept": 1}:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        said = openclaw("agents", "cleanup", "--idle", "0s", "--json", check=0).json()
        assert said["ended"] == {"kept": ["x"]}
        assert live(gateway)["kept"] == 0


def test_a_thread_is_stopped_and_an_agent_until_it_is_restarted(openclaw: Openclaw) -> None:
    talk = {"mode": "session", "thread": True, "handler": "zoo:sleep"}
    settings({"talk": talk})
    with running(openclaw) as gateway:
        answers: list[Any] = []
        asking = threading.Thread(
            target=lambda: answers.append(gateway.agent("talk", 20, session="stuck"))
        )
        asking.start()
        while not gateway.ask("/v1/status").json["agents"][0]["active"]:
            time.sleep(0.02)
        openclaw("agents", "stop", "--thread", "stuck", check=0)
        asking.join(10)
        assert (answers[0].status, answers[0].json["outcome"]) == (409, "closed")
        openclaw("agents", "stop", "--thread", "stuck", check=3)
        openclaw("agents", "stop", "talk", check=0)
        refused = gateway.agent("talk", 0)
        assert refused.status == 503
        assert "agents restart talk" in refused.json["error"]["hint"]
        openclaw("agents", "restart", "talk", check=0)
        assert gateway.agent("talk", 0).status == 200


def test_reload_starts_anew_what_changed_and_keeps_all_for_a_mistake(openclaw: Openclaw) -> None:
    agent = {"type": "thread-bound", "handler": "zoo:echo"}
    path = settings({"a": agent, "b": agent})
    with running(openclaw) as gateway:
        pids = {each["name"]: each["pid"] for each in gateway.ask("/v1/status").json["agents"]}
        settings({"a": {**agent, "max-concurrency": 3}, "b": agent, "c": agent})
        said = openclaw("gateway", "reload", "--json", check=0).json()
        assert said["agents"] == {"a": "restarted"}
        rows = {each["name"]: each for each in gateway.ask("/v1/status").json["agents"]}
        assert rows["a"]["max_concurrency"] == 3
        assert rows["a"]["pid"] != pids["a"]
        assert rows["b"]["pid"] == pids["b"]
        assert gateway.agent("c", "new").json["output"] == "new"
        path.write_text('{"agents": {"a": {"type": "thread-bund"}}}')
        openclaw("gateway", "reload", check=78)
        assert gateway.agent("a", "still").json["output"] == "still"


def live(gateway: Gateway) -> dict[str, int]:
    rows = gateway.ask("/v1/status").json["agents"]
    return {each["name"]: each["sessions"] for each in rows}
