"""All agents of a gateway, or of one `agents run`: who is asked, who is started anew."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

from openclaw_cli.agents.spec import AgentSpec, Configuration, Model, unknown_agent
from openclaw_cli.errors import OpenclawError
from openclaw_cli.runtime.cgroup import Delegated
from openclaw_cli.runtime.means import Means, Watcher
from openclaw_cli.runtime.plan import check_owners, plan
from openclaw_cli.runtime.pool import Pool
from openclaw_cli.runtime.request import Given, Reply, Request
from openclaw_cli.runtime.slots import Room, Slots
from openclaw_cli.runtime.wire import Message

Confine = Callable[[AgentSpec, Mapping[str, Model]], Message]
"""Says what the kernel is to hold an agent to, for `landlock.confine`."""

_TICK = 1.0


class Supervisor:
    """The pools of all agents that the settings have."""

    def __init__(
        self,
        configuration: Configuration,
        *,
        folder: str,
        environ: Mapping[str, str],
        watcher: Watcher,
        granted: Callable[[AgentSpec, Request], Awaitable[Given]],
        asked: Callable[[AgentSpec, Request, str], Awaitable[bytes]],
        confine: Confine,
        ahead: bool = True,
        delegated: Delegated | None = None,
    ) -> None:
        """Make it; `folder` is where handlers are looked for, `granted` gives secrets.

        `confine` says what the kernel is to hold an agent to, `ahead` keeps an instance ready for
        the next request of each agent, `delegated` has control groups for them.
        """
        check_owners(configuration.agents.values(), folder)
        self.configuration = configuration
        self.folder = folder
        self.confine = confine
        self.watcher = watcher
        self.began = time.time()
        self.means = Means(
            environ,
            Slots(),
            Room(configuration.threads.max_threads),
            {},
            watcher,
            granted,
            self.ask,
            asked,
            ahead,
            delegated,
        )
        self.pools: dict[str, Pool] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._take(configuration)

    def _take(self, configuration: Configuration) -> None:
        self.configuration = configuration
        self.means.everywhere.size = configuration.threads.max_threads
        for name, size in pool_sizes(configuration).items():
            self.means.rooms.setdefault(name, Room(size)).size = size
        for spec in configuration.agents.values():
            if spec.name not in self.pools:
                self.pools[spec.name] = self._pool(spec)

    def _pool(self, spec: AgentSpec) -> Pool:
        return Pool(spec, self._plan(spec, self.configuration), self.means)

    def _plan(self, spec: AgentSpec, configuration: Configuration) -> Message:
        models = configuration.models
        return plan(spec, models, folder=self.folder, confine=self.confine(spec, models))

    def pool(self, name: str) -> Pool:
        """Return an agent's pool; raises `NotFoundError`."""
        found = self.pools.get(name)
        if found is None:
            raise unknown_agent(name, self.configuration.agents)
        return found

    async def ask(self, request: Request) -> Reply:
        """Answer a request; raises `NotFoundError` where there is no such agent."""
        return await self.pool(request.agent).ask(request)

    async def start(self) -> None:
        """Start every agent that is to be ready beforehand; one that cannot is told, and rests."""
        wanted = [each for each in self.pools.values() if each.spec.preload and each.spec.kind]
        await asyncio.gather(*[_started(each) for each in wanted])
        self._every(_TICK, self._sweep)

    async def reload(self, configuration: Configuration) -> dict[str, str]:
        """Take new settings: agents that changed are started anew, none is refused meanwhile.

        Return what became of each agent that is not as before.
        """
        check_owners(configuration.agents.values(), self.folder)
        done = {}
        for name in [each for each in self.pools if each not in configuration.agents]:
            gone = self.pools.pop(name)
            self._later(_closed_when_idle(gone))
            done[name] = "removed"
        changed = [
            each
            for each in configuration.agents.values()
            if each.name in self.pools and self._changed(each, configuration)
        ]
        self._take(configuration)
        for spec in changed:
            new, old = self._pool(spec), self.pools[spec.name]
            with suppress(OpenclawError):
                await new.start()
            new.counters = old.counters
            self.pools[spec.name] = new
            self._later(_closed_when_idle(old))
            done[spec.name] = "restarted"
        return done

    def _changed(self, spec: AgentSpec, configuration: Configuration) -> bool:
        told = self._plan(spec, configuration)
        return spec != self.pools[spec.name].spec or told != self.pools[spec.name].plan

    @property
    def active(self) -> int:
        """How many requests are under way or wait."""
        return sum(
            each.room.taken + self.means.slots.waiting(name) for name, each in self.pools.items()
        )

    async def drain(self, seconds: float) -> bool:
        """Wait until nothing is under way; say whether that came about."""
        deadline = time.monotonic() + seconds
        while self.active and time.monotonic() < deadline:  # noqa: ASYNC110  rare, and short
            await asyncio.sleep(0.01)
        return not self.active

    async def close(self) -> None:
        """End every agent."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*[each.close() for each in self.pools.values()])

    async def _sweep(self) -> None:
        now = time.time()
        for each in self.pools.values():
            each.sessions.sweep(now)

    def _every(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        async def again() -> None:
            while True:
                await asyncio.sleep(seconds)
                await work()

        self._later(again())

    def _later(self, work: Any) -> None:  # noqa: ANN401  a coroutine
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def pool_sizes(configuration: Configuration) -> dict[str, int]:
    """Return how many places each pool of threads has: what its agents say, the least of it."""
    sizes: dict[str, int] = {}
    for each in configuration.agents.values():
        if each.pool:
            size = each.pool_size or each.max_concurrency
            sizes[each.pool] = min(size, sizes.get(each.pool, size))
    return sizes


async def _started(pool: Pool) -> None:
    with suppress(OpenclawError):  # told to the watcher, and the next request tries again
        await pool.start()


async def _closed_when_idle(pool: Pool) -> None:
    pool.sessions.detach()
    while pool.room.taken:  # noqa: ASYNC110  rare, and short
        await asyncio.sleep(0.05)
    await pool.close()
