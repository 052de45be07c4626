"""Runs the handlers of `tests/handlers` one by one and prints what came of each, as JSON.

A program of its own, so that it can run as another user: `agents_table.py FOLDER STATE [LEVEL]`.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from typing import Any

from openclaw_cli.agents.policy import confinement
from openclaw_cli.agents.spec import AgentSpec, Configuration
from openclaw_cli.runtime import guard, tree
from openclaw_cli.runtime.request import Given, Request
from openclaw_cli.runtime.supervisor import Supervisor

SECRET = b"canary-7f3a-of-the-first"

AGENTS: dict[str, dict[str, Any]] = {
    **{
        name: {"handler": f"zoo:{name}"}
        for name in (
            *("echo", "slowly", "hog", "crash", "leave", "fail", "remember", "family", "chatter"),
            *("asks", "secret", "reads", "open_files", "unwritable", "large", "environment"),
            *("looks", "stray", "limits", "who"),
        )
    },
    "larger": {"handler": "zoo:large", "memory_limit": 300_000_000},
    "sleep": {"handler": "zoo:sleep", "timeout": 1.0},
    "stubborn": {"handler": "zoo:stubborn", "timeout": 1.0},
    "bomb": {"handler": "zoo:bomb", "timeout": 3.0, "memory_limit": 0},
    "talk": {"handler": "zoo:Talk", "mode": "session"},
    "cat": {"command": ("cat",)},
    "false": {"command": ("false",)},
    "nothing": {"command": ("there-is-no-such-program",)},
    "shell": {"command": ("sh", "-c", "cat >/dev/null; cat <&3; env; ls /proc/self/fd")},
    "tells": {"handler": "zoo:tells"},
}


class Watch:
    """Keeps what happened and what was printed."""

    def __init__(self) -> None:
        self.lines: dict[str, str] = {}
        self.strays = 0

    def happened(self, event: str, agent: str, **fields: Any) -> None:  # noqa: ANN401, ARG002
        """Count what was left behind."""
        if event == "instance_end":
            self.strays += fields["strays"]

    def printed(self, agent: str, instance: int, request: str, line: str) -> None:  # noqa: ARG002
        """Keep what was printed."""
        self.lines[agent] = self.lines.get(agent, "") + line + "\n"


async def granted(spec: AgentSpec, _request: Request) -> Given:
    """Give a secret to some."""
    if spec.name in ("secret", "shell", "sleep", "tells"):
        return Given({"first": SECRET})
    return Given()


async def asked(_spec: AgentSpec, _request: Request, name: str) -> bytes:
    """Give nothing."""
    from openclaw_cli.errors import DeniedError

    raise DeniedError(f"not {name}")


async def table(folder: str, state: str, level: str = "") -> dict[str, Any]:  # noqa: PLR0915
    """Ask every agent, and return what came."""
    specs = {
        name: AgentSpec(name, preload=False, require_isolation=level, **more)
        for name, more in AGENTS.items()
    }
    watch = Watch()
    supervisor = Supervisor(
        Configuration(specs),
        folder=folder,
        confine=lambda spec, _: confinement(spec, {}, root=state, code=[folder]),
        environ={**os.environ, "PLANTED": "in the gateway's own environment"},
        watcher=watch,
        granted=granted,
        asked=asked,
    )
    rows: dict[str, Any] = {}

    async def row(label: str, agent: str, given: Any = None, session: str = "") -> Any:  # noqa: ANN401
        began = time.monotonic()
        reply = await supervisor.ask(Request(agent, given, session=session))
        rows[label] = {
            "outcome": reply.outcome,
            "output": reply.output,
            "error": reply.error,
            "seconds": time.monotonic() - began,
            "resumed": reply.resumed,
        }
        return reply.output

    await row("echo", "echo", {"a": [1, None, "ü"]})
    await row("async", "slowly", 1)
    await row("mark 1", "remember")
    await row("mark 2", "remember")
    await row("20 MiB", "hog", 20)
    await row("200 MiB", "hog", 200)
    await row("family", "family", 35)
    await row("sleeps", "sleep", 5)
    await row("stubborn", "stubborn")
    await row("segfault", "crash", 11)
    await row("status 3", "leave", 3)
    await row("raises", "fail", "the reason")
    await row("chatter", "chatter", 10_000)
    await row("unwritable", "unwritable")
    await row("too large", "larger", 17_000_000)
    await row("large", "large", 1_000_000)
    stray = await row("stray", "stray", ["setsid", "sleep", "300"])
    await row("limits", "limits")
    await row("bomb", "bomb")
    await row("who", "who")
    await row("open files", "open_files")
    await row("environment", "environment")
    await row("secret", "secret", "first")
    await row("not granted", "secret", "second")
    for turn, session in enumerate(("a", "b", "a")):
        await row(f"turn {turn}", "talk", turn, session)
    await row("turn crash", "talk", "crash", "a")
    await row("turn after", "talk", 3, "a")
    await row("calls", "asks", {"agent": "echo", "input": 5})
    await row("loop", "asks", {"agent": "asks", "input": {"agent": "asks", "input": 1}})
    await row("cat", "cat", "hello")
    await row("false", "false")
    await row("no program", "nothing")
    await row("shell", "shell")
    await row("tells", "tells", "first")
    holding = asyncio.create_task(supervisor.ask(Request("sleep", 0.9)))
    while not supervisor.pools["sleep"].running:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.2)
    victim = next(iter(supervisor.pools["sleep"].running.values()))[0].pid
    await row("looks", "looks", {"pid": victim, "gateway": os.getpid()})
    rows["held on"] = {"outcome": (await holding).outcome}
    pools = supervisor.pools.values()
    rows["left"] = {
        "taken": sum(each.room.taken for each in pools) + supervisor.means.everywhere.taken,
        "waiting": sum(map(supervisor.means.slots.waiting, supervisor.pools)),
        "stray alive": bool(tree.started(stray)),
        "strays": watch.strays,
        "printed": watch.lines,
        "users": {each.spec.name: each.zygote.owner for each in pools if each.zygote},
        "levels": sorted({each.zygote.level for each in pools if each.zygote}),
    }
    await supervisor.close()
    rows["left"]["processes"] = len(tree.children(os.getpid()))
    rows["left"]["descriptors"] = len(os.listdir("/proc/self/fd"))
    return rows


if __name__ == "__main__":
    guard.unreadable()
    guard.adopt_orphans()
    print(json.dumps(asyncio.run(table(*sys.argv[1:]))))  # noqa: T201
