"""The gateway itself: what its doors, its scheduler and its commands act upon."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from openclaw_cli import __version__, assembly
from openclaw_cli.agents.loading import load as load_agents
from openclaw_cli.agents.policy import code_of
from openclaw_cli.agents.spec import AgentSpec, Configuration
from openclaw_cli.audit.actor import present_actor
from openclaw_cli.config import load as load_settings
from openclaw_cli.errors import OpenclawError
from openclaw_cli.gateway import auth, delegation, paths, report, state
from openclaw_cli.gateway.granting import Granting, confined
from openclaw_cli.gateway.link import Links
from openclaw_cli.gateway.log import Log
from openclaw_cli.gateway.metrics import Metrics
from openclaw_cli.gateway.observing import EVERY, Observing
from openclaw_cli.gateway.placing import Placing
from openclaw_cli.gateway.scheduler import TICK, Scheduler
from openclaw_cli.gateway.watch import Watch
from openclaw_cli.home import Home
from openclaw_cli.runtime.request import Request
from openclaw_cli.runtime.session import Session
from openclaw_cli.runtime.supervisor import Supervisor
from openclaw_cli.service import Secrets
from openclaw_cli.settings import Settings

if TYPE_CHECKING:
    from openclaw_cli.rotation.runs import Report

_REMEMBER_SECONDS = 1.0


class Gateway:
    """One gateway of one home."""

    def __init__(self, home: Home) -> None:
        """Read the settings; raises `ConfigError` and `DeniedError` for what is wrong in them.

        And for the state of a later gateway, before anything is written over it.
        """
        self.home = home
        self._before = state.read(home.base)
        self.settings: Settings = load_settings(home, os.environ)
        self.configuration: Configuration = load_agents(home, os.environ)
        paths.make(home)
        self.tokens = auth.load(paths.tokens(home))
        self.links = Links()
        self.log = Log(paths.agent_log(home))
        self.metrics = Metrics(self.configuration.monitoring.agents)
        self.watch = Watch(self.log, self.metrics)
        self.watch.record = self._record
        self.watch.heard.append(self._heard)
        self.granting = Granting(
            home, self.opened_for, lambda: self.configuration.models, self._secret_denied
        )
        self.delegation = delegation.taken(home)
        guarded = self.delegation.guarded
        self.supervisor = Supervisor(
            self.configuration,
            folder=paths.handlers(home),
            environ=os.environ,
            watcher=self.watch,
            granted=self.granting.granted,
            asked=self.granting.asked,
            confine=lambda spec, models: confined(
                home,
                spec,
                models,
                guarded=[*guarded, *code_of(self.configuration.agents.values())],
            ),
            delegated=self.delegation.given,
        )
        self.metrics.watch(self.supervisor)
        self.observing = Observing(self)
        self.placing = Placing(self)
        self.began = time.time()
        self.scheduler = Scheduler(self._rotated, self.watch.happened)
        self.draining = False
        self.address = ("", 0)
        self.notes: list[str] = []
        self.refused_reads = 0
        self.stopping: asyncio.Event = asyncio.Event()
        self.restart_after = -1.0
        self.drain_seconds = 30.0
        self._changed = True
        self._written: set[Session] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def rules(self) -> auth.Rules:
        """Who is believed."""
        gateway = self.configuration.gateway
        return auth.Rules(self.tokens, gateway.trusted_proxies, gateway.hosts)

    def secrets(self) -> Secrets:
        """Return what reads secrets for the gateway itself; it asks nobody."""
        return assembly.secrets(self.home, self.settings, os.environ)

    def opened_for(self, actor: dict[str, Any], spec: AgentSpec) -> Secrets:
        """Return what reads secrets for an agent, held to its grants."""
        models = self.configuration.models
        return assembly.for_agent(self.home, self.settings, actor, spec, models)

    async def start(self) -> None:
        """Take up what was there before, and have every agent ready."""
        found = self._before
        ended = state.reconcile(found)
        groups = self.delegation.reaped(found.get("gateway", {}).get("cgroup"))
        if self.configuration.threads.startup_reconciliation:
            restored = state.restore(found, self.supervisor, paths.sessions(self.home))
            if ended or restored or groups:
                self.watch.happened("reconciled", "", ended=ended, sessions=restored, groups=groups)
        await self.supervisor.start()
        self.soon(self.observing.look())
        self.every(EVERY, self.observing.look)
        self.every(_REMEMBER_SECONDS, self._remember)
        self.every(TICK, lambda: self.scheduler.tick(self.configuration.cron))

    async def reload(self) -> dict[str, Any]:
        """Take the settings as they are now; raises what is wrong in them, and then all stays."""
        self.log.reopen()
        settings, configuration, tokens = self.read()
        self.settings, self.configuration, self.tokens = settings, configuration, tokens
        agents = await self.supervisor.reload(configuration)
        self.watch.happened("reloaded", "", agents=agents)
        return {"agents": agents}

    def read(self) -> tuple[Settings, Configuration, tuple[auth.Token, ...]]:
        """Return the settings and tokens as they are on disk; raises what is wrong in them."""
        settings = load_settings(self.home, os.environ)
        configuration = load_agents(self.home, os.environ)
        return settings, configuration, auth.load(paths.tokens(self.home))

    def status(self, *, verbose: bool = False) -> dict[str, Any]:
        """Return the state of everything, without a value."""
        threads = self.configuration.threads
        return {
            "version": __version__,
            "pid": os.getpid(),
            "began": self.began,
            "uptime_seconds": round(time.time() - self.began, 1),
            "address": f"{self.address[0]}:{self.address[1]}" if self.address[1] else None,
            "draining": self.draining,
            "notes": self.notes,
            "active": self.supervisor.means.everywhere.taken,
            "max_threads": threads.max_threads,
            "cgroup": self.delegation.plain(),
            "agents": report.agents(self.supervisor, verbose=verbose),
            "events": list(self.watch.last)[-20:] if verbose else [],
            **({"observed": self.observing.plain()} if verbose else {}),
        }

    async def close(self) -> None:
        """End every agent and write the last records."""
        for task in list(self._tasks):
            task.cancel()
        await self._tried(self.placing.close)
        await self._tried(self.supervisor.close)
        await self._tried(self.watch.flush)
        self._changed = True
        await self._tried(self._remember)
        self.log.close()

    def every(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        """Do something again and again until the gateway ends."""

        async def again() -> None:
            while True:
                await asyncio.sleep(seconds)
                await self._tried(work)

        self.soon(again())

    async def _tried(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do something whose failure keeps nothing else from being done."""
        try:
            await work()
        except Exception as crash:  # noqa: BLE001  told
            self.watch.happened("failed", "", error=f"a bug: {type(crash).__name__}")

    def soon(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something beside what is done now."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _heard(self, event: str, _agent: str, _fields: dict[str, Any]) -> None:
        if event not in ("printed", "agent_log"):
            self._changed = True

    async def _remember(self) -> None:
        """Write state and transcripts, where something happened."""
        if not self._changed:
            return
        self._changed = False
        folder = paths.sessions(self.home)
        known = {
            each for pool in self.supervisor.pools.values() for each in pool.sessions.known.values()
        }
        with suppress(OpenclawError, OSError, ValueError):  # the last of text that UTF-8 has not
            for each in known:
                if each.unsaved:
                    each.unsaved = False
                    state.remember(folder, each)
                    self._written.add(each)
            for each in self._written - known:
                state.forget(folder, each)
            self._written &= known
        with suppress(OpenclawError, OSError, ValueError):  # the last of text that UTF-8 has not
            here = {"address": list(map(str, self.address)), "cgroup": self.delegation.folder}
            state.write(self.home.base, self.supervisor, here)

    def _rotated(self) -> Report:
        """Rotate what is due: the same run as `secrets rotate --due`."""
        return assembly.rotation(self.secrets(), self.settings).due()

    def _record(self, records: list[dict[str, Any]]) -> None:
        """Append records of agents to the trail, as the gateway."""
        secrets = self.secrets()
        actor = present_actor(os.environ)
        secrets.opened().close()
        secrets.trail.append(
            [{**each, "actor": {**actor, **each.get("actor", {})}} for each in records]
        )

    def _secret_denied(self, spec: AgentSpec, request: Request, name: str) -> None:
        self.refused_reads += 1
        self.watch.happened(
            "secret_denied", spec.name, request=request.id, thread=request.session, name=name[:256]
        )


def spec_of(gateway: Gateway, name: str) -> AgentSpec:
    """Return an agent's spec, of the only agent when no name is given."""
    if name:
        return gateway.supervisor.pool(name).spec
    return gateway.configuration.only_agent()
