"""One request with no gateway: `openclaw agents run` in cron, CI, or a shell."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Mapping

from openclaw_cli.agents.spec import AgentSpec, Configuration
from openclaw_cli.runtime import guard
from openclaw_cli.runtime.means import Watcher
from openclaw_cli.runtime.request import Given, Reply, Request
from openclaw_cli.runtime.supervisor import Confine, Supervisor


def run(
    configuration: Configuration,
    request: Request,
    *,
    folder: str,
    environ: Mapping[str, str],
    watcher: Watcher,
    granted: Callable[[AgentSpec, Request], Awaitable[Given]],
    asked: Callable[[AgentSpec, Request, str], Awaitable[bytes]],
    confine: Confine,
) -> Reply:
    """Answer one request in processes below this one, which are gone afterwards."""
    guard.unreadable()
    guard.adopt_orphans()

    async def answered() -> Reply:
        supervisor = Supervisor(
            configuration,
            folder=folder,
            environ=environ,
            watcher=watcher,
            granted=granted,
            asked=asked,
            confine=confine,
            ahead=False,
        )
        task = asyncio.current_task()
        loop = asyncio.get_running_loop()
        if task is not None:
            loop.add_signal_handler(signal.SIGTERM, task.cancel)
        try:
            return await supervisor.ask(request)
        finally:
            await supervisor.close()

    return asyncio.run(answered())
