"""Several machines: gateways with a node each, a real broker between them, one machine killed.

With Redis, and with Redis in network namespaces, where a machine's network is cut; what holds over
RabbitMQ as well is in `test_brokered.py`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Openclaw, runner
from tests.integration.brokers import alive, machine, redis_server, total

pytestmark = [pytest.mark.integration, pytest.mark.slow]


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[str]:
    with redis_server(tmp_path) as broker:
        yield broker


def test_two_machines_share_the_work_and_one_may_die(
    openclaw: Openclaw, tmp_path: Path, redis: str
) -> None:
    from redis import Redis

    with (
        machine(openclaw, tmp_path, redis, "one") as one,
        machine(openclaw, tmp_path, redis, "two") as two,
    ):
        alive(redis, 2)
        first = one.ask("echo", {"a": [1, "é"]})
        assert (first["outcome"], first["output"]) == ("ok", {"a": [1, "é"]})
        assert one.ask("hog", 200)["outcome"] == "memory_limit"
        assert one.gateway.ask("/v1/agents/echo", {"input": 1}).status == 200

        turns = [one.ask("talk", "x", session="t-1")["output"] for _ in range(2)]
        turns.append(two.ask("talk", "x", session="t-1")["output"])
        assert [turn for turn, _, _ in turns] == [1, 2, 3]
        assert len({pid for _, pid, _ in turns}) == 1

        everything = b""
        client = Redis.from_url(redis)
        for key in client.scan_iter():
            everything += key + (client.dump(key) or b"")
        assert b"hunter2" not in everything

        with ThreadPoolExecutor(8) as pool:
            asked = [pool.submit(one.ask, "slow", 1.5) for _ in range(8)]
            time.sleep(0.8)
            two.kill()
            answers = [each.result() for each in asked]
        assert [each["outcome"] for each in answers] == ["ok"] * 8

        again = one.ask("talk", "x", session="t-1")
        assert again["outcome"] == "ok"


def test_streams_dispatches_and_the_command_line_are_answered_by_any_machine(
    openclaw: Openclaw, tmp_path: Path, redis: str
) -> None:
    with (
        machine(openclaw, tmp_path, redis, "one") as one,
        machine(openclaw, tmp_path, redis, "two") as two,
    ):
        one.node.terminate()  # so that whatever one is asked is answered by two
        one.node.wait()
        alive(redis, 1)
        given = {"input": ["a ", "b ", "c"], "stream": True}
        answer = one.gateway.ask("/v1/agents/parts", given, seconds=60)
        events = [each.split("\n") for each in answer.body.decode().strip().split("\n\n")]
        told = [(name, json.loads(data[6:])) for name, data in events]
        assert "".join(each["text"] for name, each in told if name == "event: chunk") == "a b c"
        assert (told[-1][0], told[-1][1]["output"]) == ("event: reply", "a b c")
        both = one.gateway.ask("/v1/dispatch", {"agents": ["echo", "parts"], "input": ["x"]})
        assert [each["output"] for each in both.json["replies"]] == [["x"], "x"]
        line = ("agents", "run", "echo", "--input", "-")
        assert openclaw(*line, input=b"7", env=one.environ, check=0).out == b"7\n"
        assert total(one, "requests") == 0
        assert total(two, "requests") == 4


def test_a_request_that_is_lost_on_its_way_to_a_machine_is_sent_once_more(
    openclaw: Openclaw, tmp_path: Path, redis: str
) -> None:
    from redis import Redis

    from openclaw_cli.engines.names import COMMON

    with machine(openclaw, tmp_path, redis, "one") as one, ThreadPoolExecutor(1) as pool:
        one.node.kill()
        one.node.wait()
        asked = pool.submit(one.ask, "slow", 0.1)
        until = time.monotonic() + 20
        while (
            Redis.from_url(redis).lpop(COMMON) is None
        ):  # as one does whose network is cut just then
            assert time.monotonic() < until
            time.sleep(0.02)
        one.start_node()
        assert asked.result()["outcome"] == "ok"


IN_A_NAMESPACE = """
import http.client, json, sys, threading
port, token, agent, given, count = sys.argv[1:]
found = []
def one():
    connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=60)
    body = json.dumps({"input": json.loads(given)})
    head = {"Authorization": "Bearer " + token}
    connection.request("POST", "/v1/agents/" + agent, body, head)
    found.append(json.loads(connection.getresponse().read()))
threads = [threading.Thread(target=one) for _ in range(int(count))]
for each in threads: each.start()
for each in threads: each.join()
print(json.dumps(found))
"""
NODES = """
import sys
from openclaw_cli.engines.redis import RedisWay
print(len(RedisWay(sys.argv[1]).nodes()))
"""


@pytest.fixture
def networks(tmp_path: Path) -> Iterator[tuple[str, list[str]]]:
    """Give two network namespaces that see each other's by a third, in which Redis listens."""
    mine = f"oc{os.getpid()}"
    hub, *machines = names = [f"{mine}{each}" for each in ("h", "a", "b")]
    lines = [f"ip netns add {each}" for each in names]
    lines += [f"ip -n {each} link set lo up" for each in names]
    lines += [f"ip -n {hub} link add name hub0 type bridge", f"ip -n {hub} link set hub0 up"]
    lines += [f"ip -n {hub} addr add 10.77.0.1/24 dev hub0"]
    for number, each in enumerate(machines):
        lines += [
            f"ip -n {hub} link add p{number} type veth peer name eth0 netns {each}",
            f"ip -n {hub} link set p{number} master hub0 up",
            f"ip -n {each} addr add 10.77.0.{number + 2}/24 dev eth0",
            f"ip -n {each} link set eth0 up",
        ]
    server = None
    try:
        for line in lines:
            subprocess.run(line.split(), check=True, capture_output=True)
        words = ["redis-server", "--bind", "10.77.0.1", "--port", "6379", "--save", ""]
        words += ["--appendonly", "no", "--dir", str(tmp_path), "--requirepass", "redis-pass"]
        server = subprocess.Popen(["ip", "netns", "exec", hub, *words], stdout=subprocess.DEVNULL)
        yield hub, machines
    finally:
        if server is not None:
            server.kill()
            server.wait()
        for each in names:
            subprocess.run(["ip", "netns", "del", each], check=False, capture_output=True)


def test_a_machine_whose_network_is_cut_loses_nothing_that_was_accepted(
    tmp_path: Path, networks: tuple[str, list[str]]
) -> None:
    hub, names = networks
    broker = "redis://:redis-pass@10.77.0.1:6379/0"
    inside = [["ip", "netns", "exec", each] for each in names]
    with (
        machine(runner(inside[0]), tmp_path, broker, "one", inside[0]) as one,
        machine(runner(inside[1]), tmp_path, broker, "two", inside[1]) as two,
    ):
        argv = ["ip", "netns", "exec", hub, sys.executable, "-c", NODES, broker]
        until = time.monotonic() + 60
        while subprocess.run(argv, capture_output=True, check=False).stdout != b"2\n":
            assert time.monotonic() < until
            time.sleep(0.2)

        def asking(agent: str, given: Any, count: int) -> subprocess.Popen[bytes]:  # noqa: ANN401
            asked = [str(one.gateway.port), one.gateway.token, agent, json.dumps(given), str(count)]
            argv = [*inside[0], sys.executable, "-c", IN_A_NAMESPACE, *asked]
            return subprocess.Popen(argv, stdout=subprocess.PIPE)

        with asking("echo", {"a": 1}, 4) as client:
            assert client.stdout is not None
            assert [each["output"] for each in json.loads(client.stdout.read())] == [{"a": 1}] * 4
        with asking("slow", 1.5, 8) as client:
            assert client.stdout is not None
            log = two.gateway.state / "logs" / "agent.log"
            until = time.monotonic() + 20
            while '"thread_spawn"' not in log.read_text():  # it has taken some of them
                assert time.monotonic() < until
                time.sleep(0.05)
            cut = ["ip", "-n", hub, "link", "set", "p1", "down"]
            subprocess.run(cut, check=True)
            answers = json.loads(client.stdout.read())
        assert [each["outcome"] for each in answers] == ["ok"] * 8
        two.kill()


def test_a_broker_that_is_away_and_settings_without_one_are_said(
    openclaw: Openclaw, tmp_path: Path
) -> None:
    gone = "redis://127.0.0.1:9/0"
    with machine(openclaw, tmp_path, gone, "one") as one:
        answer = one.gateway.ask("/v1/agents/echo", {"input": 1}, seconds=60)
        assert answer.status == 503
        assert "broker cannot be reached" in answer.json["error"]["message"]
    state = tmp_path / "bare"
    state.mkdir(mode=0o700)
    environ = {"OPENCLAW_STATE_DIR": str(state)}
    assert b"no broker" in openclaw("agents", "node", env=environ, check=78).err
