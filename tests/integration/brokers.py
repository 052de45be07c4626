"""Several machines for a test: brokers, and gateways with a node each."""

from __future__ import annotations

import base64
import http.client
import json
import os
import select
import signal
import socket
import subprocess
import sysconfig
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.conftest import Openclaw
from tests.gateways import HANDLERS, Gateway
from tests.listening import Listening

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
    "recite": {
        "handler": "zoo:recite",
        "idempotent": True,
        "timeout": "4s",
        "queue-timeout": "1s",
    },
    "leave": {"handler": "zoo:sleep", "onDisconnect": "cancel", "secrets": ["db"]},
    "hog": {"handler": "zoo:hog"},
    "parts": {"handler": "zoo:parts"},
}


@dataclass
class Machine:
    """A state directory of its own, its gateway, and its node."""

    gateway: Gateway
    argv: list[str]
    environ: dict[str, str]
    node: subprocess.Popen[bytes] = field(init=False)

    def start_node(self) -> None:
        """Have it take requests from the broker."""
        self.node = subprocess.Popen(
            self.argv,
            env={**os.environ, **self.environ},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def ask(self, name: str, given: Any, **more: Any) -> Any:  # noqa: ANN401
        """Ask by the front door, whose answer comes from any machine."""
        answer = self.gateway.ask(f"/v1/agents/{name}", {"input": given, **more}, seconds=60)
        return answer.json

    def leave(self, name: str, given: Any, **more: Any) -> None:  # noqa: ANN401
        """Ask by the front door, and go away before there is an answer."""
        with suppress(TimeoutError):
            self.gateway.ask(f"/v1/agents/{name}", {"input": given, **more}, seconds=0.7)

    def stream(self, name: str, given: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401
        """Ask by the front door, and give each event as it comes: its name, and what it has."""
        connection = http.client.HTTPConnection("127.0.0.1", self.gateway.port, timeout=60)
        head = {"Authorization": f"Bearer {self.gateway.token}"}
        body = json.dumps({"input": given, "stream": True})
        connection.request("POST", f"/v1/agents/{name}", body, head)
        event = ""
        for line in connection.getresponse():
            if line.startswith(b"event: "):
                event = line[7:].decode().strip()
            elif line.startswith(b"data: "):
                yield event, json.loads(line[6:])
        connection.close()

    def events(self, event: str, agent: str) -> list[dict[str, Any]]:
        """Return what its log has of an agent."""
        log = self.gateway.log()
        return [each for each in log if (each["event"], each["agent"]) == (event, agent)]

    def kill(self) -> None:
        """Take the machine away without a word."""
        for process in (self.node.pid, self.gateway.pid):
            os.kill(process, signal.SIGKILL)
        self.node.wait()


@contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """Run Redis on a port of its own; give its address."""
    port = _free()
    words = ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--save", ""]
    words += ["--appendonly", "no", "--dir", str(folder), "--requirepass", "redis-pass"]
    server = subprocess.Popen(words, stdout=subprocess.DEVNULL)
    until = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            break
        except OSError:
            assert time.monotonic() < until
            time.sleep(0.05)
    try:
        yield f"redis://:redis-pass@127.0.0.1:{port}/0"
    finally:
        server.kill()
        server.wait()


@contextmanager
def rabbit_server(folder: Path) -> Iterator[str]:
    """Run RabbitMQ and its name service on ports of their own; give its address."""
    ports = [_free() for _ in range(3)]
    home = folder / "rabbit"
    home.mkdir()
    environ = {
        **os.environ,
        "HOME": str(home),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_EPMD_PORT": str(ports[0]),
        "RABBITMQ_NODENAME": f"openclaw{ports[1]}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(ports[1]),
        "RABBITMQ_DIST_PORT": str(ports[2]),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        "RABBITMQ_MNESIA_BASE": str(home),
        "RABBITMQ_LOG_BASE": str(home),
        "RABBITMQ_PID_FILE": str(home / "pid"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "plugins"),
        "RABBITMQ_CONF_ENV_FILE": "/dev/null",
    }
    names = subprocess.Popen(
        ["epmd", "-port", str(ports[0]), "-address", "127.0.0.1"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    with open(home / "said", "wb") as said:
        server = subprocess.Popen(
            ["/usr/lib/rabbitmq/bin/rabbitmq-server"],  # not the one that changes to its own user
            env=environ,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
    try:
        until = time.monotonic() + 90
        while b"Starting broker... completed" not in (home / "said").read_bytes():
            assert time.monotonic() < until, (home / "said").read_text()[-2000:]
            assert server.poll() is None, (home / "said").read_text()[-2000:]
            time.sleep(0.2)
        yield f"amqp://guest:guest@127.0.0.1:{ports[1]}//"
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()
        names.kill()
        names.wait()


class Witness(Listening):
    """Passes bytes both ways between machines and a broker, and keeps them all."""

    def __init__(self, broker: str) -> None:
        super().__init__()
        head, _, rest = broker.rpartition(":")
        self._target = int(rest.split("/")[0])
        self.broker = f"{head}:{self.port}/{rest.partition('/')[2]}"
        self.seen: dict[int, bytearray] = {}

    def talk(self, connection: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", self._target)) as server:
            kept = self.seen[id(connection)] = bytearray()
            others = {connection: server, server: connection}
            while not self.over.is_set():
                for each in select.select(list(others), [], [], 0.2)[0]:
                    data = each.recv(64 * 1024)
                    if not data:
                        return
                    kept.extend(data)
                    others[each].sendall(data)

    def saw(self, text: bytes) -> bool:
        """Tell whether a text went by, as it is or in base64."""
        return any(form in kept for kept in self.seen.values() for form in _forms(text))


def _forms(text: bytes) -> list[bytes]:
    """Return a text as it is, and what is sure of it in base64, wherever it begins."""
    inside = [base64.b64encode(bytes(each) + text)[each + (each > 0) : -4] for each in range(3)]
    return [text, *inside]


def _free() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def machine(
    openclaw: Openclaw,
    folder: Path,
    broker: str,
    name: str,
    inside: Sequence[str] = (),
    *,
    value: bytes = b"hunter2",
) -> Iterator[Machine]:
    """Run a machine, whose agents may read `value`."""
    state = folder / name
    state.mkdir(mode=0o700)
    (state / "handlers").symlink_to(HANDLERS)
    more = {"port": 0, "engine": "celery", "broker": "broker-url"}
    (state / "openclaw.json").write_text(json.dumps({"agents": AGENTS, "gateway": more}))
    environ = {"OPENCLAW_STATE_DIR": str(state)}
    openclaw("secrets", "create", "broker-url", input=broker.encode(), env=environ, check=0)
    openclaw("secrets", "create", "db", input=value, env=environ, check=0)
    said = openclaw("gateway", "start", "--json", env=environ, check=0).json()
    gateway = Gateway(openclaw, state, said["address"], said["pid"])
    made = Machine(gateway, [*inside, PROGRAM, "agents", "node", "--name", name], environ)
    made.start_node()
    try:
        yield made
    finally:
        if made.node.poll() is None:
            made.node.terminate()
            try:
                made.node.wait(20)
            except subprocess.TimeoutExpired:
                made.node.kill()
                made.node.wait()
        openclaw("gateway", "stop", "--wait", "1s", env=environ)


def alive(broker: str, count: int) -> None:
    """Wait until so many machines are there, where the broker is Redis."""
    from openclaw_cli.engines.redis import RedisWay

    until = time.monotonic() + 40
    while len(RedisWay(broker).nodes()) < count:
        assert time.monotonic() < until
        time.sleep(0.2)


def total(machine: Machine, what: str) -> int:
    """Return a figure of a machine's agents together."""
    return sum(each[what] for each in machine.gateway.ask("/v1/status").json["agents"])
