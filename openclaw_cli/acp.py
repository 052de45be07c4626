"""An agent bound to one thread, from Python: started, asked turn after turn, ended.

    agent = ThreadBoundAgent(runtime="thread-bound", session_key="trading-001",
                             model="claude-sonnet-4.2", api_key=get_secret("anthropic-api-key"))
    agent.start()
    print(agent.prompt("What moved today?"))
    if agent.idle_for() > 1800:
        agent.terminate()

It has a process of its own with limits of its own, like any instance of the gateway's. With
`agent=NAME` it is a thread of that agent of the settings, in the gateway.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from typing import Any, Self, TypeVar

from openclaw_cli import client
from openclaw_cli.agents import config, loading, models, spec
from openclaw_cli.agents.building import build
from openclaw_cli.agents.policy import code_of
from openclaw_cli.client import AgentError
from openclaw_cli.errors import ConfigError, ConflictError, DeniedError
from openclaw_cli.gateway import paths
from openclaw_cli.gateway.granting import confined
from openclaw_cli.home import find
from openclaw_cli.runtime.request import OK, Given, Request
from openclaw_cli.runtime.supervisor import Supervisor

__all__ = ["AgentError", "ThreadBoundAgent"]

T = TypeVar("T")

KEY = "api-key"
"""What the key that is given is called within the instance."""

_NAME = "agent"
_log = logging.getLogger("openclaw_cli.acp")


class ThreadBoundAgent:
    """One thread's agent. Not started until `start`, or the first `prompt`; usable with `with`.

    `runtime` is as in the settings (`thread-bound`, `acp`, ...); what runs is a `model` to chat
    with, a `command` or a `handler`. `more` are further settings of an agent: `timeout="60s"`.
    """

    def __init__(
        self,
        runtime: str = spec.THREAD_BOUND,
        session_key: str = "",
        model: str = "",
        api_key: str | bytes = "",
        *,
        agent: str = "",
        command: Sequence[str] = (),
        handler: str = "",
        **more: Any,  # noqa: ANN401  as the settings take them
    ) -> None:
        """Make it; raises `ConfigError` for what the settings would not take either."""
        self.session_key = session_key or f"thread-{os.urandom(6).hex()}"
        self._agent = agent
        self._local: _Local | None = None
        self._bound = False
        self._used = time.monotonic()
        if not agent:
            table = {"runtime": runtime, "model": model, "command": list(command), **more}
            wanted = {**table, "handler": handler, "mode": spec.SESSION}
            self._configuration = _configuration({k: v for k, v in wanted.items() if v})
            self._key = api_key.encode() if isinstance(api_key, str) else api_key
        elif model or api_key or command or handler or more:
            raise ConfigError(
                f"{agent} is an agent of the settings, which say the rest", hint="agent=NAME alone"
            )

    def start(self) -> Self:
        """Start its instance, unless it has one."""
        if self._agent:
            if not self._bound:
                self.session_key = client.spawn(self._agent, thread=self.session_key)
                self._bound = True
        elif self._local is None:
            self._local = _Local(self._configuration, self._key)
        self._used = time.monotonic()
        return self

    def prompt(self, given: Any) -> Any:  # noqa: ANN401  any JSON
        """Give it a turn and return the answer, of a model its text; raises `AgentError`."""
        self.start()
        try:
            if self._local is None:
                answer = client.ask(self._agent, given, session=self.session_key)
            else:
                answer = self._local.ask(given, self.session_key)
        finally:
            self._used = time.monotonic()
        is_chat = isinstance(answer, dict) and isinstance(answer.get("text"), str)
        return answer["text"] if is_chat and "model" in answer else answer

    def idle_for(self) -> float:
        """Return for how many seconds it has had nothing to do."""
        return time.monotonic() - self._used

    def terminate(self) -> None:
        """End its instance; what it remembered is gone. Ending it twice is as good."""
        if self._local is not None:
            self._local.close()
            self._local = None
        if self._bound:
            self._bound = False
            client.close(self.session_key)

    def __enter__(self) -> Self:
        """Start it for a block."""
        return self.start()

    def __exit__(self, *_exception: object) -> None:
        """End it."""
        self.terminate()


class _Watch:
    """Writes what happens to the program's own log."""

    def happened(self, event: str, agent: str, **fields: Any) -> None:  # noqa: ANN401
        """Take note of an event."""
        _log.debug("%s of %s: %s", event, agent, fields)
        if event == "agent_log":
            _log.warning("%s", fields.get("message", ""))

    def printed(self, agent: str, _instance: int, _request: str, line: str) -> None:
        """Log what the agent printed."""
        _log.info("%s: %s", agent, line)


class _Local:
    """A pool of one, on a thread of this program that does nothing else."""

    def __init__(self, configuration: spec.Configuration, key: bytes) -> None:
        self._given = Given({KEY: key}) if key else Given()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        home = find(os.environ)

        async def made() -> Supervisor:
            return Supervisor(
                configuration,
                folder=paths.handlers(home),
                environ=os.environ,
                watcher=_Watch(),
                granted=self._granted,
                asked=self._asked,
                confine=lambda each, known: confined(
                    home, each, known, guarded=code_of(configuration.agents.values())
                ),
                ahead=False,
            )

        self._supervisor = self._done(made())

    def ask(self, given: Any, session: str) -> Any:  # noqa: ANN401  any JSON
        """Ask, and wait for the answer."""
        reply = self._done(self._supervisor.ask(Request(_NAME, given, session=session)))
        if reply.outcome != OK:
            raise AgentError(reply.outcome, reply.error, hint=reply.hint)
        return reply.output

    def close(self) -> None:
        """End every process, then the thread."""
        self._done(self._supervisor.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _done(self, work: Coroutine[Any, Any, T]) -> T:
        if threading.current_thread() is self._thread:
            work.close()
            raise ConflictError("an agent cannot be asked from its own thread")
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _granted(self, _spec: spec.AgentSpec, _request: Request) -> Given:
        return self._given

    async def _asked(self, _spec: spec.AgentSpec, _request: Request, name: str) -> bytes:
        raise DeniedError(
            f"this agent was not granted {name}", hint=f"openclaw secrets grant AGENT {name}"
        )


def _configuration(table: dict[str, Any]) -> spec.Configuration:
    said = config.read({"agents": {_NAME: table}}, os.getcwd(), shared=False)
    for slip in said.slips:
        raise ConfigError(slip.what.removeprefix(f"agents.{_NAME}."), hint=slip.fix)
    built = build([said])
    made = built.agents[_NAME]
    if not made.kind:
        raise ConfigError("there is nothing to run", hint="model=, command= or handler=")
    known = {}
    if made.kind == spec.CHAT:
        found = models.resolve(made.model, loading.load(find(os.environ), os.environ).models)
        known = {made.model: replace(found, secret=KEY if found.secret else "")}
    return replace(built, models=known)
