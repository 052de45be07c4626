"""`agents run` without a gateway: the same pools, secrets and trail, for one request."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Any

from openclaw_cli import assembly
from openclaw_cli.agents.policy import code_of
from openclaw_cli.agents.spec import AgentSpec, Configuration
from openclaw_cli.audit.actor import present_actor
from openclaw_cli.errors import TemporaryError
from openclaw_cli.gateway import paths
from openclaw_cli.gateway.granting import Granting, confined
from openclaw_cli.gateway.watch import TRAILED
from openclaw_cli.home import Home
from openclaw_cli.runtime import local
from openclaw_cli.runtime.request import Reply, Request
from openclaw_cli.service import Secrets
from openclaw_cli.settings import Settings


class _Watch:
    """Gives what instances print to the caller, and remembers what the trail has to have."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say = say
        self.records: list[dict[str, Any]] = []

    def happened(self, event: str, agent: str, **fields: Any) -> None:  # noqa: ANN401
        """Keep what the trail has to have."""
        if event in TRAILED:
            kept = {name: fields[name] for name in ("outcome", "ms", "request") if fields.get(name)}
            actor = {**present_actor(os.environ), "agent": agent}
            if fields.get("thread"):
                actor["thread"] = fields["thread"]
            self.records.append({"kind": event, "name": agent, **kept, "actor": actor})

    def printed(self, _agent: str, _instance: int, _request: str, line: str) -> None:
        """Say each line."""
        self.say(line)


def run(
    home: Home,
    settings: Settings,
    configuration: Configuration,
    request: Request,
    *,
    ask: Callable[[str], bytes] | None,
    say: Callable[[str], None],
) -> Reply:
    """Answer a request; `ask` is for a store's passphrase, `say` takes what the agent prints."""
    spec = configuration.agent(request.agent)
    watch = _Watch(say)

    def opened(actor: dict[str, Any], spec: AgentSpec) -> Secrets:
        who = {**present_actor(os.environ), **actor, "via": "agent"}
        return assembly.for_agent(home, settings, who, spec, configuration.models, ask)

    granting = Granting(
        home,
        opened,
        lambda: configuration.models,
        lambda spec, _request, name: say(f"{spec.name} was not granted the secret {name}"),
    )
    try:
        reply = local.run(
            configuration,
            request,
            folder=paths.handlers(home),
            environ=os.environ,
            watcher=watch,
            granted=granting.granted,
            asked=granting.asked,
            confine=lambda spec, models: confined(
                home, spec, models, guarded=code_of(configuration.agents.values())
            ),
        )
    except asyncio.CancelledError:
        raise TemporaryError(f"{spec.name} was ended") from None
    keeper = assembly.secrets(home, settings, os.environ, ask)
    keeper.opened().close()
    keeper.trail.append(watch.records)
    return reply
