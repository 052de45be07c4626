"""An agent that echoes, each request in a new process: how many, how soon, how large.

`forking` has what else gives each call a process of its own.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.bench.forking import used

CLIENTS = 50
MIB = 1024 * 1024
# Each neighbour of the state directory is a rule that the kernel copies for an instance. A home has
# some dozens, as this folder; a machine's /tmp may have thousands.
BESIDE = "/var/tmp"

_HANDLER = """
def echo(given, ctx):
    return given


class Wait:
    def turn(self, given, ctx):
        return given
"""
_SETTINGS = {
    "agents": {
        "echo": {"type": "thread-bound", "handler": "echoes:echo", "max-concurrency": 50},
        "wait": {
            "type": "thread-bound",
            "mode": "session",
            "handler": "echoes:Wait",
            "max-concurrency": 50,
        },
    },
    "gateway": {"port": 0},
}


@dataclass
class Gateway:
    """A gateway that runs: where, its token, its process, and how long it took to start."""

    state: Path
    port: int
    token: str
    process: psutil.Process
    seconds: float

    def request(self, path: str, given: object) -> bytes:
        """Return the bytes of a request."""
        body = json.dumps(given).encode()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nContent-Length: {len(body)}"
            f"\r\nAuthorization: Bearer {self.token}\r\nContent-Type: application/json\r\n\r\n"
        )
        return head.encode() + body

    def cpu(self) -> tuple[float, float, float]:
        """Return the CPU time of the gateway, the zygotes, and ended instances, in milliseconds."""
        gateway = self.process.cpu_times()
        zygotes = [each.cpu_times() for each in self.process.children()]
        return (
            (gateway.user + gateway.system) * 1000,
            sum(each.user + each.system for each in zygotes) * 1000,
            sum(each.children_user + each.children_system for each in zygotes) * 1000,
        )

    def pss(self) -> float:
        """Return the memory of it and of all below, shared pages shared out, in MiB."""
        every = [self.process, *self.process.children(recursive=True)]
        return sum(_pss(each.pid) for each in every) / MIB


@contextmanager
def folder() -> Iterator[Path]:
    """Give a folder for a state directory, and take it away."""
    with tempfile.TemporaryDirectory(prefix="openclaw-bench-", dir=BESIDE) as made:
        yield Path(made)


@contextmanager
def gateway() -> Iterator[Gateway]:
    """Run a gateway; its start is measured to its first answer."""
    with folder() as place:
        yield from _running(place)


def _running(place: Path) -> Iterator[Gateway]:
    (place / "handlers").mkdir()
    (place / "handlers" / "echoes.py").write_text(_HANDLER)
    (place / "openclaw.json").write_text(json.dumps(_SETTINGS))
    environment = {**os.environ, "OPENCLAW_STATE_DIR": str(place)}
    argv = [sys.executable, "-P", "-m", "openclaw_cli.gateway"]
    for measured in (False, True):  # the first start makes the token and compiles the settings
        ready, told = os.pipe()
        began = time.perf_counter()
        process = subprocess.Popen(
            [*argv, "", str(told)], env=environment, pass_fds=(told,), stderr=subprocess.DEVNULL
        )
        os.close(told)
        try:
            said = json.loads(os.read(ready, 65536))
            token = tomllib.loads((place / "gateway" / "tokens.toml").read_text())["default"]
            found = Gateway(
                place,
                int(said["address"].rpartition(":")[2]),
                token["token"],
                psutil.Process(process.pid),
                0.0,
            )
            asyncio.run(_client(found, iter([0])))
            found.seconds = time.perf_counter() - began
            if measured:
                yield found
        finally:
            os.close(ready)
            process.terminate()
            process.wait()


async def _client(to: Gateway, numbers: Iterator[int], *, path: str = "/v1/agents/echo") -> None:
    """Ask again and again on one connection, and compare each answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", to.port)
    for number in numbers:
        given = {"input": number}
        if path.endswith("wait"):
            given["session"] = f"s{number}"  # type: ignore[assignment]
        writer.write(to.request(path, given))
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        answer = json.loads(await reader.readexactly(length))
        assert head.startswith(b"HTTP/1.1 200"), (head, answer)
        assert answer["output"] == number
        if b"connection: close" in head.lower():
            writer.close()
            reader, writer = await asyncio.open_connection("127.0.0.1", to.port)
    writer.close()


def by_gateway(to: Gateway, count: int) -> float:
    """Return how many requests a second are answered over HTTP, each in a new process."""

    async def main() -> float:
        numbers = iter(range(count))
        began = time.perf_counter()
        await asyncio.gather(*[_client(to, numbers) for _ in range(CLIENTS)])
        return count / (time.perf_counter() - began)

    return asyncio.run(main())


def restarted(to: Gateway, count: int, environment: dict[str, str]) -> tuple[float, float]:
    """Restart the agent and the gateway under 30 clients; return how long each took, in seconds.

    Every request is answered, or this fails.
    """
    openclaw = [sys.executable, "-m", "openclaw_cli"]

    async def main() -> tuple[float, float]:
        numbers = iter(range(count))
        asking = [asyncio.create_task(_client(to, numbers)) for _ in range(30)]
        await asyncio.sleep(0.3)
        run: Callable[[list[str]], Awaitable[str]] = lambda words: asyncio.to_thread(  # noqa: E731
            subprocess.check_output, [*openclaw, *words, "--json"], env=environment, text=True
        )
        agent = json.loads(await run(["agents", "restart", "echo"]))["restarted"]["echo"] / 1000
        began = time.perf_counter()
        await run(["gateway", "restart"])
        whole = time.perf_counter() - began
        await asyncio.gather(*asking)
        return agent, whole

    return asyncio.run(main())


def fifty_live(to: Gateway) -> float:
    """Return the memory with 50 sessions alive, in MiB."""

    async def main() -> None:
        await asyncio.gather(
            *[_client(to, iter([number]), path="/v1/agents/wait") for number in range(50)]
        )

    asyncio.run(main())
    return to.pss()


def cpu_by_part(to: Gateway, count: int) -> dict[str, float]:
    """Return the CPU time of a request by whose it is, in milliseconds."""
    before, ours = to.cpu(), used(psutil.Process())
    by_gateway(to, count)
    time.sleep(0.1)  # the last are buried
    parts = zip(("gateway", "zygote", "instance"), before, to.cpu(), strict=True)
    found = {name: (after - first) / count for name, first, after in parts}
    return {**found, "client": (used(psutil.Process()) - ours) * 1000 / count}


def over_http(port: int, count: int) -> float:
    """Return how many requests a second another server answers, asked in the same way."""
    return by_gateway(Gateway(Path(), port, "", psutil.Process(), 0.0), count)


def _pss(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0
