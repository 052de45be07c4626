"""An agent that echoes, each request in a new process: how many, how soon, how large.

Beside it, in turn, what else gives each call a process of its own: `multiprocessing` by a fork
server, a `ProcessPoolExecutor` with one task a process, and a fresh `python -c`.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import subprocess
import sys
import time
import tomllib
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import psutil

CLIENTS = 50
AT_ONCE = 4  # processes that the others run at once: more makes them slower
MIB = 1024 * 1024

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


def echo(given: int) -> int:
    """Answer what was asked; what the alternatives run."""
    return given


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

    def pss(self) -> float:
        """Return the memory of it and of all below, shared pages shared out, in MiB."""
        every = [self.process, *self.process.children(recursive=True)]
        return sum(_pss(each.pid) for each in every) / MIB


@contextmanager
def gateway(place: Path) -> Iterator[Gateway]:
    """Run a gateway; its start is measured to its first answer."""
    place.mkdir(mode=0o700)
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
    """Return how many requests a second are answered, each in a new process."""

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


def by_fork_server(count: int) -> float:
    """Return how many calls a second a fork server gives a process each."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])

    def one(given: int) -> None:
        ours, theirs = context.Pipe()
        process = context.Process(target=_answer, args=(theirs, given))
        process.start()
        theirs.close()
        assert ours.recv() == given
        process.join()

    one(0)
    began = time.perf_counter()
    with ThreadPoolExecutor(AT_ONCE) as threads:
        list(threads.map(one, range(count)))
    return count / (time.perf_counter() - began)


def _answer(to: Connection, given: int) -> None:
    to.send(echo(given))


def by_executor(count: int) -> float:
    """Return how many calls a second an executor gives a process each."""
    context = multiprocessing.get_context("forkserver")
    with ProcessPoolExecutor(AT_ONCE, mp_context=context, max_tasks_per_child=1) as pool:
        pool.submit(echo, 0).result()
        began = time.perf_counter()
        assert list(pool.map(echo, range(count))) == list(range(count))
        return count / (time.perf_counter() - began)


def by_fresh_python(count: int) -> float:
    """Return how many fresh interpreters a second answer."""

    def one(given: int) -> None:
        argv = [sys.executable, "-c", f"print({given})"]
        assert int(subprocess.check_output(argv)) == given

    began = time.perf_counter()
    with ThreadPoolExecutor(AT_ONCE) as threads:
        list(threads.map(one, range(count)))
    return count / (time.perf_counter() - began)


def _pss(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0
