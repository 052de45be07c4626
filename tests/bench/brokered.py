"""The same echoing agent, asked through a broker: Redis, a gateway as the front door, one node."""

from __future__ import annotations

import json
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from tests.bench import echoing
from tests.bench.report import Table, Target

if TYPE_CHECKING:
    from tests.bench.sections import Bench

_READY_SECONDS = 30.0


def section(bench: Bench) -> list[Table]:
    """Measure requests through a broker beside those that the gateway answers by itself."""
    table = Table("broker", ("", "measured", "quartiles", "promised", ""))
    found: dict[str, list[float]] = {"local": [], "celery": []}
    with (
        echoing.folder() as place,
        _redis(place) as broker,
        _gateway(place / "brokered", broker, "celery") as through,
        _gateway(place / "alone", broker, "local") as alone,
    ):
        for _ in range(bench.times(10)):
            found["celery"].append(echoing.by_gateway(through, 500))
            found["local"].append(echoing.by_gateway(alone, 500))
    rate = statistics.median(found["celery"])
    table.add(
        "through Redis and one node, 50 connections",
        f"{rate:.0f}/s",
        "",
        measured=rate,
        target=Target(250, "/s", at_least=True),
    )
    table.add("the gateway alone", f"{statistics.median(found['local']):.0f}/s", "", "", "")
    return [table]


@contextmanager
def _redis(place: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--save", ""]
    server = subprocess.Popen(
        [*words, "--appendonly", "no", "--dir", str(place)], stdout=subprocess.DEVNULL
    )
    try:
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.terminate()
        server.wait()


@contextmanager
def _gateway(place: Path, broker: str, engine: str) -> Iterator[echoing.Gateway]:
    """Run a gateway whose requests go that way, with a node beside it."""
    import tomllib

    (place / "handlers").mkdir(parents=True)
    place.chmod(0o700)
    (place / "handlers" / "echoes.py").write_text("def echo(given, ctx):\n    return given\n")
    echo = {"type": "thread-bound", "handler": "echoes:echo", "max-concurrency": 50}
    gateway = {"port": 0, "engine": engine, "broker": "broker"}
    (place / "openclaw.json").write_text(json.dumps({"agents": {"echo": echo}, "gateway": gateway}))
    environ = {**os.environ, "OPENCLAW_STATE_DIR": str(place)}
    openclaw = [sys.executable, "-m", "openclaw_cli"]

    def run(*words: str, given: bytes = b"") -> bytes:
        return subprocess.run(
            [*openclaw, *words], input=given, env=environ, check=True, capture_output=True
        ).stdout

    run("secrets", "create", "broker", given=broker.encode())
    said = json.loads(run("gateway", "start", "--json"))
    node = None
    try:
        if engine == "celery":
            node = subprocess.Popen(
                [*openclaw, "agents", "node", "--name", "one"],
                env=environ,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        token = tomllib.loads((place / "gateway" / "tokens.toml").read_text())["default"]["token"]
        port = int(said["address"].rpartition(":")[2])
        to = echoing.Gateway(place, port, token, psutil.Process(said["pid"]), 0.0)
        _ready(to)
        yield to
    finally:
        if node is not None:
            node.terminate()
            node.wait()
        run("gateway", "stop", "--wait", "1s")


def _ready(to: echoing.Gateway) -> None:
    """Wait until a request is answered: a node takes a while to come."""
    until = time.monotonic() + _READY_SECONDS
    while True:
        try:
            echoing.by_gateway(to, 1)
        except AssertionError:
            if time.monotonic() > until:
                raise
        else:
            return
