"""E8 and E10 to E14: status, restart, the log, the metrics, and who is let in, as pasted."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator

import pytest

from tests.conftest import SCRIPTS, Openclaw
from tests.gateways import Gateway, running, settings

E12 = 'tail -f "$OPENCLAW_STATE_DIR/logs/agent.log" | grep --line-buffered "thread-bound"'


@pytest.fixture
def gateway(openclaw: Openclaw) -> Iterator[Gateway]:
    settings(
        {
            "request-handler": {
                "type": "thread-bound",
                "handler": "zoo:echo",
                "max-concurrency": 100,
            },
            "slow": {"type": "thread-bound", "handler": "zoo:sleep"},
            "talk": {"runtime": "thread", "mode": "session", "handler": "zoo:Talk"},
        }
    )
    with running(openclaw) as started:
        yield started


def test_e8_status_of_agents(gateway: Gateway) -> None:
    assert gateway.agent("request-handler", "hello").status == 200
    shown = gateway.openclaw("status", "--agents", check=0).out.decode()
    assert "request-handler" in shown
    assert "0/100" in shown


def test_e8_verbose_shows_each_instance_with_thread_age_and_memory(gateway: Gateway) -> None:
    pid = gateway.agent("talk", "hello", session="acp-12345").json["output"][1]
    shown = gateway.openclaw("status", "--agents", "--verbose", check=0).out.decode()
    line = next(line for line in shown.splitlines() if "acp-12345" in line)
    assert str(pid) in line
    assert "MB" in line


def test_e8_without_a_gateway_shows_what_is_set_up(openclaw: Openclaw) -> None:
    settings({"request-handler": {"type": "thread-bound", "handler": "zoo:echo"}})
    shown = openclaw("status", "--agents", check=0).out.decode()
    assert "request-handler" in shown
    assert "openclaw gateway start" in shown


def test_e10_an_agent_is_restarted_and_what_was_accepted_is_answered(gateway: Gateway) -> None:
    before = gateway.openclaw("agents", "status", "--json", check=0).json()["agents"]
    with subprocess.Popen(
        [os.path.join(SCRIPTS, "openclaw"), "agents", "run", "slow", "--input", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as asking:
        assert asking.stdin is not None
        asking.stdin.write(b"1")
        asking.stdin.close()
        _until(lambda: _active(gateway, "slow") == 1)
        gateway.openclaw("agents", "restart", "--name=slow", check=0)
        assert asking.stdout is not None
        assert asking.stdout.read() == b"slept\n"
    after = gateway.openclaw("agents", "status", "--json", check=0).json()["agents"]
    pids = [{each["name"]: each["pid"] for each in rows} for rows in (before, after)]
    assert pids[0]["slow"] != pids[1]["slow"]
    assert pids[0]["talk"] == pids[1]["talk"]


def test_e11_start_is_ready_when_it_returns_and_harmless_twice(gateway: Gateway) -> None:
    assert gateway.agent("request-handler", 1).json["output"] == 1
    assert b"runs already" in gateway.openclaw("gateway", "start", check=0).err


def test_e11_restart_keeps_process_and_port(gateway: Gateway) -> None:
    said = gateway.openclaw("gateway", "restart", "--json", check=0).json()
    assert (said["pid"], said["address"]) == (gateway.pid, gateway.address)
    assert gateway.agent("request-handler", 2).json["output"] == 2


def test_e12_tail_and_grep_see_every_event(gateway: Gateway) -> None:
    event: dict[str, object] = {}
    with subprocess.Popen(
        ["sh", "-c", E12], stdout=subprocess.PIPE, start_new_session=True
    ) as tail:
        try:
            time.sleep(0.2)
            asked = gateway.agent("talk", "hello", session="acp-12345").json["request_id"]
            assert tail.stdout is not None
            for line in tail.stdout:
                event = json.loads(line)
                if event["event"] == "agent_exec" and event["request"] == asked:
                    break
        finally:
            os.killpg(tail.pid, signal.SIGKILL)
    assert (event["agent"], event["thread"], event["outcome"]) == ("talk", "acp-12345", "ok")


def test_e13_metrics(gateway: Gateway) -> None:
    gateway.agent("request-handler", 1)
    typed = f"curl -s http://localhost:{gateway.port}/metrics | grep thread_bound"
    shown = subprocess.run(["sh", "-c", typed], capture_output=True, check=True).stdout.decode()
    assert 'openclaw_thread_bound_requests_total{agent="request-handler",outcome="ok"} 1.0' in shown
    assert 'openclaw_thread_bound_max_concurrency{agent="request-handler"} 100.0' in shown
    for name in ("execution_seconds_count", "peak_rss_bytes", "cpu_seconds_total", "error_ratio"):
        assert f"openclaw_thread_bound_{name}" in shown
    for name in ("timeouts_total", "active", "queue_depth", "restarts_total", "sessions"):
        assert f"openclaw_thread_bound_{name}" in shown
    checked = subprocess.run(
        ["curl", "-s", f"http://localhost:{gateway.port}/metrics"], capture_output=True, check=True
    )
    assert checked.stdout.decode().startswith("# HELP")


def test_e14_canvas_and_a2ui_ask_for_credentials_and_are_not_here(gateway: Gateway) -> None:
    for path in ("/__openclaw__/canvas/snapshot", "/__openclaw__/a2ui/x"):
        assert gateway.ask(path, token="").status == 401
        assert gateway.ask(path).status == 404


def test_e14_status_with_and_without_a_token(gateway: Gateway) -> None:
    assert gateway.ask("/__openclaw__/status", token="").status == 401
    assert gateway.ask("/__openclaw__/status").json["agents"]


def test_e14_a_trusted_proxy_has_to_say_for_whom_it_asks(openclaw: Openclaw) -> None:
    settings(
        {"a": {"type": "thread-bound", "handler": "zoo:echo"}},
        gateway={"port": 0, "trustedProxies": ["127.0.0.1"]},
    )
    path, host = "/__openclaw__/canvas/snapshot", {"Host": "your-host"}
    with running(openclaw) as gateway:
        assert gateway.ask(path, headers=host).status == 401
        for name, text in {
            "X-Forwarded-For": "203.0.113.7",
            "Forwarded": "for=203.0.113.7",
            "X-Real-IP": "203.0.113.7",
        }.items():
            assert gateway.ask(path, headers={**host, name: text}).status == 404
            assert gateway.ask(path, token="", headers={**host, name: text}).status == 401


def test_e14_a_header_that_only_a_proxy_may_send(gateway: Gateway) -> None:
    forged = {"X-Forwarded-For": "127.0.0.1"}
    assert gateway.ask("/__openclaw__/status", headers=forged).status == 403


def test_e14_a_link_opens_the_status_once(gateway: Gateway) -> None:
    link = gateway.openclaw("gateway", "link", check=0).out.decode().strip()
    path = link.partition(f":{gateway.port}")[2]
    first = gateway.ask(path, token="")
    assert (first.status, first.headers["location"]) == (303, "/__openclaw__/")
    cookie = first.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    opened = {"Cookie": cookie.partition(";")[0]}
    assert gateway.ask("/__openclaw__/status", token="", headers=opened).status == 200
    refused = gateway.ask("/v1/agents/talk", {"input": 1}, token="", headers=opened)
    assert refused.status == 401
    assert gateway.ask(path, token="").status == 401
    assert gateway.ask(path[:-1] + "x", token="").status == 401


def _active(gateway: Gateway, name: str) -> int:
    rows = gateway.ask("/v1/status").json["agents"]
    return int(next(each["active"] for each in rows if each["name"] == name))


def _until(true: object, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not true():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.02)
