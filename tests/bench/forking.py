"""What else gives each call a process of its own: rates, beside an agent's.

They answer calls of one program, with no limits, no log and nothing to clean up; `served` puts the
fork server behind HTTP, which is what an agent's clients have.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing import forkserver
from time import perf_counter

import psutil

from tests.bench import plain_echo

AT_ONCE = 4  # processes that these run at once: more makes them slower


def _caller() -> Callable[[int], None]:
    """Return what calls a fork server, that has loaded nothing but the function."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([plain_echo.__name__])

    def call(given: int) -> None:
        ours, theirs = context.Pipe()
        process = context.Process(target=plain_echo.answer, args=(theirs, given))
        process.start()
        theirs.close()
        assert ours.recv() == given
        process.join()

    call(0)
    return call


def by_fork_server(count: int) -> float:
    """Return how many calls a second a fork server gives a process each."""
    call = _caller()
    began = perf_counter()
    with ThreadPoolExecutor(AT_ONCE) as threads:
        list(threads.map(call, range(count)))
    return count / (perf_counter() - began)


def fork_server_cpu(count: int) -> float:
    """Return the CPU time of a call of a fork server, the caller's included, in milliseconds."""
    call = _caller()
    server = forkserver._forkserver._forkserver_pid  # type: ignore[attr-defined]  # noqa: SLF001
    every = [psutil.Process(), psutil.Process(server)]
    before = sum(map(used, every))
    for number in range(count):
        call(number)
    return (sum(map(used, every)) - before) / count * 1000


def used(process: psutil.Process) -> float:
    """Return the CPU time of a process and of its children that have ended, in seconds."""
    times = process.cpu_times()
    return times.user + times.system + times.children_user + times.children_system


def by_executor(count: int) -> float:
    """Return how many calls a second an executor gives a process each."""
    context = multiprocessing.get_context("forkserver")
    with ProcessPoolExecutor(AT_ONCE, mp_context=context, max_tasks_per_child=1) as pool:
        pool.submit(plain_echo.echo, 0).result()
        began = perf_counter()
        assert list(pool.map(plain_echo.echo, range(count))) == list(range(count))
        return count / (perf_counter() - began)


def by_fresh_python(count: int) -> float:
    """Return how many fresh interpreters a second answer."""

    def one(given: int) -> None:
        argv = [sys.executable, "-c", f"print({given})"]
        assert int(subprocess.check_output(argv)) == given

    began = perf_counter()
    with ThreadPoolExecutor(AT_ONCE) as threads:
        list(threads.map(one, range(count)))
    return count / (perf_counter() - began)


@contextmanager
def served() -> Iterator[int]:
    """Run the fork server behind HTTP, in a program of its own; give the port."""
    # Not by `-m`: each process of a fork server loads what the program was started from.
    argv = [sys.executable, "-c", "from tests.bench import forking; forking.serve()"]
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline())
    finally:
        process.terminate()
        process.wait()


async def _serve() -> None:
    """Answer as a gateway does, as far as the fork server goes: JSON in, JSON out."""
    from aiohttp import web

    call, threads = _caller(), ThreadPoolExecutor(AT_ONCE)
    loop = asyncio.get_running_loop()

    async def answer(request: web.BaseRequest) -> web.Response:
        given = json.loads(await request.read())["input"]
        await loop.run_in_executor(threads, call, given)
        return web.json_response({"output": given})

    server = await loop.create_server(web.Server(answer), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()


def serve() -> None:
    """Serve until it is ended, and say on which port."""
    asyncio.run(_serve())
