"""Has an agent fork up to 150 processes, each in a session of its own, and prints what is left.

A program of its own, that adopts orphans as a gateway does: `bombs.py FOLDER STATE HOW`, where HOW
is `watched` (nothing is done), `few` (nor are there too many), `killed` (its zygote is) or
`drowned` (its zygote does nothing any more), and for the control `killed-unswept` and
`drowned-unswept`. `watched-orphans` and `few-orphans` are the same in one session, without parents.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from typing import Any

from openclaw_cli.agents.policy import confinement
from openclaw_cli.agents.spec import AgentSpec, Configuration
from openclaw_cli.runtime import guard, host, tree
from openclaw_cli.runtime.request import Request
from openclaw_cli.runtime.supervisor import Supervisor
from tests.faults.agents_table import Watch, asked, granted

FEW, MANY = 20, 150  # around the 64 that an agent may have


async def main(folder: str, state: str, how: str) -> dict[str, Any]:
    """Answer the request, do what was said, and return what came of it."""
    seconds = 1.5 if how.startswith("few") else 10.0
    handler = "zoo:orphans" if how.endswith("orphans") else "zoo:breed"
    spec = AgentSpec("breed", handler=handler, timeout=seconds, memory_limit=0, preload=False)
    supervisor = Supervisor(
        Configuration({"breed": spec}),
        folder=folder,
        confine=lambda spec, _: confinement(spec, {}, root=state, code=[folder]),
        environ=os.environ,
        watcher=Watch(),
        granted=granted,
        asked=asked,
    )
    began = time.monotonic()
    number = MANY if how.startswith("watched") else FEW
    asking = asyncio.create_task(supervisor.ask(Request("breed", number)))
    most = 0
    if not how.startswith(("watched", "few")):
        pool = supervisor.pools["breed"]
        while not (pool.zygote and len(tree.below(pool.zygote.pid, 1000)) > FEW):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        zygote = pool.zygote
        most = len(tree.below(zygote.pid, 1000))
        os.kill(zygote.pid, signal.SIGKILL if how.startswith("killed") else signal.SIGSTOP)
        if how.startswith("drowned"):
            zygote.kill()
        await zygote.gone
        await zygote.buried()
    reply = await asking
    deadline = time.monotonic() + 2
    zygotes = sum(each.zygote is not None for each in supervisor.pools.values())
    while len(tree.below(os.getpid(), 1000)) > zygotes and time.monotonic() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    found = {
        "outcome": reply.outcome,
        "seconds": time.monotonic() - began,
        "most": most,
        "left": len(tree.below(os.getpid(), 1000)) - zygotes,
    }
    tree.end(tree.children(os.getpid()))
    await supervisor.close()
    return found


async def _not_swept(_zygote: host.Zygote, _ended: list[int]) -> None:
    """Do nothing, for the control."""


if __name__ == "__main__":
    guard.adopt_orphans()
    host.OWN_SECONDS = 0.3
    if sys.argv[3].endswith("-unswept"):
        host.Zygote._sweep = _not_swept  # type: ignore[assignment,method-assign]  # noqa: SLF001
        tree.end = lambda roots: [each for each in roots if tree.send(each, signal.SIGKILL)]
    print(json.dumps(asyncio.run(main(*sys.argv[1:]))))  # noqa: T201
