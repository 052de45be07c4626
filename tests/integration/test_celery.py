"""Several machines: gateways with a node each, one real Redis between them, one machine killed."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sysconfig
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Openclaw
from tests.gateways import HANDLERS, Gateway

pytestmark = [pytest.mark.integration, pytest.mark.slow]

PROGRAM = f"{sysconfig.get_path('scripts')}/openclaw"
AGENTS = {
    "echo": {"handler": "zoo:echo", "secrets": ["db"]},
    "talk": {"handler": "zoo:Talk", "mode": "session"},
    "slow": {
        "handler": "zoo:sleep",
        "idempotent": True,
        "timeout": "4s",
        "queue-timeout": "1s",
        "max-concurrency": 20,
    },
    "hog": {"handler": "zoo:hog"},
}


@dataclass
class Machine:
    """A state directory of its own, its gateway, and its node."""

    gateway: Gateway
    node: subprocess.Popen[bytes]
    environ: dict[str, str]

    def ask(self, name: str, given: Any, **more: Any) -> Any:  # noqa: ANN401
        """Ask by the front door, whose answer comes from any machine."""
        answer = self.gateway.ask(f"/v1/agents/{name}", {"input": given, **more}, seconds=60)
        return answer.json

    def kill(self) -> None:
        """Take the machine away without a word."""
        for process in (self.node.pid, self.gateway.pid):
            os.kill(process, signal.SIGKILL)
        self.node.wait()


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--save", ""]
    words += ["--appendonly", "no", "--dir", str(tmp_path), "--requirepass", "redis-pass"]
    server = subprocess.Popen(words, stdout=subprocess.DEVNULL)
    until = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            break
        except OSError:
            assert time.monotonic() < until
            time.sleep(0.05)
    yield f"redis://:redis-pass@127.0.0.1:{port}/0"
    server.kill()
    server.wait()


@contextmanager
def machine(openclaw: Openclaw, folder: Path, broker: str, name: str) -> Iterator[Machine]:
    state = folder / name
    state.mkdir(mode=0o700)
    (state / "handlers").symlink_to(HANDLERS)
    more = {"port": 0, "engine": "celery", "broker": "broker-url"}
    (state / "openclaw.json").write_text(json.dumps({"agents": AGENTS, "gateway": more}))
    environ = {"OPENCLAW_STATE_DIR": str(state)}
    openclaw("secrets", "create", "broker-url", input=broker.encode(), env=environ, check=0)
    openclaw("secrets", "create", "db", input=b"hunter2", env=environ, check=0)
    said = openclaw("gateway", "start", "--json", env=environ, check=0).json()
    gateway = Gateway(openclaw, state, said["address"], said["pid"])
    node = subprocess.Popen(
        [PROGRAM, "agents", "node", "--name", name],
        env={**os.environ, **environ},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield Machine(gateway, node, environ)
    finally:
        if node.poll() is None:
            node.terminate()
            try:
                node.wait(20)
            except subprocess.TimeoutExpired:
                node.kill()
                node.wait()
        openclaw("gateway", "stop", "--wait", "1s", env=environ)


def alive(broker: str, count: int) -> None:
    from openclaw_cli.engines.celery import Remote

    until = time.monotonic() + 40
    while len(Remote(broker, {}).nodes()) < count:
        assert time.monotonic() < until
        time.sleep(0.2)


def test_two_machines_share_the_work_and_one_may_die(
    openclaw: Openclaw, tmp_path: Path, redis: str
) -> None:
    from openclaw_cli.engines.celery import redis_of

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
        client = redis_of(redis)
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
