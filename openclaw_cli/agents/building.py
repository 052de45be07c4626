"""One configuration from what each file of settings says, every default filled in. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from openclaw_cli.agents import models, spec
from openclaw_cli.agents.config import AGENTS, Said
from openclaw_cli.agents.fields import is_loopback
from openclaw_cli.errors import ConfigError


def build(said: Sequence[Said], origin: dict[str, str] | None = None) -> spec.Configuration:
    """Return the configuration of several documents, the weakest first."""
    defaults = _merged(each.defaults for each in said)
    bound = _merged(each.thread_bound for each in said)
    parts = {
        name: _merged(each.parts.get(name, {}) for each in said)
        for name in ("thread-management", "gateway", "monitoring", "audit-log")
    }
    threads = spec.ThreadManagement(**parts["thread-management"])
    names = list(dict.fromkeys(name for each in said for name in each.agents))
    agents = {}
    for name in names:
        own = _merged(each.agents.get(name, {}) for each in said)
        found = _agent(name, own, defaults, bound, threads)
        if found is not None:
            agents[name] = found
    return spec.Configuration(
        _pooled(agents),
        threads,
        spec.GatewaySpec(**parts["gateway"]),
        _merged(each.models for each in said),
        spec.Monitoring(**parts["monitoring"]),
        spec.AuditLog(**parts["audit-log"]),
        tuple(entry for each in said for entry in each.cron),
        origin or {},
    )


def problems(configuration: spec.Configuration) -> dict[str, ConfigError]:
    """Return what cannot work, by the part it is in: `agents.NAME`."""
    found = {}
    for name, agent in configuration.agents.items():
        try:
            check(agent, configuration)
        except ConfigError as wrong:
            found[f"{AGENTS}.{name}"] = wrong
    return found


def check(agent: spec.AgentSpec, configuration: spec.Configuration) -> None:
    """Raise `ConfigError` where an agent cannot work as its settings say."""
    for name in (agent.model, *agent.fallback) if agent.kind == spec.CHAT else ():
        models.resolve(name, configuration.models)
    if agent.grace >= agent.timeout:
        raise ConfigError(
            f"the grace of {agent.name} is as long as its timeout", hint="make grace shorter"
        )
    if agent.max_age and agent.idle_timeout > agent.max_age:
        raise ConfigError(
            f"{agent.name} would idle longer than its max-age", hint="make idle-timeout shorter"
        )


def is_open(gateway: spec.GatewaySpec) -> bool:
    """Tell whether the gateway is asked to listen beyond this machine."""
    return not is_loopback(gateway.host)


def _agent(
    name: str,
    own: dict[str, Any],
    defaults: dict[str, Any],
    bound: dict[str, Any],
    threads: spec.ThreadManagement,
) -> spec.AgentSpec | None:
    isolation = _isolation({**defaults, **own})
    below = {**defaults, **bound} if isolation == spec.THREAD_BOUND else defaults
    found = {**below, **own, "isolation": isolation}
    if not found.pop("enabled", True):
        return None
    if "handler" in own or "command" in own:
        found = {key: each for key, each in found.items() if key in own or key not in _PROGRAM}
    found.setdefault("idle_timeout", threads.idle_timeout)
    if found.get("max_age"):
        found["idle_timeout"] = min(found["idle_timeout"], found["max_age"])
    is_session = found.get("mode") == spec.SESSION or not found.get("auto_destroy", True)
    if found.get("backend") == spec.ACP and found.get("command"):
        found.setdefault("memory_limit", spec.MEMORY_ACP)
        found.setdefault("timeout", spec.SECONDS_SESSION)
    elif is_session:
        found.setdefault("timeout", spec.SECONDS_SESSION)
    found["permissions"] = _permissions(below.get("permissions"), own.get("permissions"))
    return spec.AgentSpec(name, **found)


_PROGRAM = ("handler", "command")


def _isolation(found: dict[str, Any]) -> str:
    """Return what was said, else what the words around it mean.

    `runtime: subagent` alone does not make an agent thread-bound; who says nothing gets the safer.
    """
    if "isolation" in found:
        return str(found["isolation"])
    return spec.SINGLETON if found.get("backend") == spec.SUBAGENT else spec.THREAD_BOUND


def _permissions(common: spec.Permissions | None, own: spec.Permissions | None) -> spec.Permissions:
    """Return an agent's permissions: what is denied to all is denied to each."""
    common, own = common or spec.Permissions(), own or spec.Permissions()
    return spec.Permissions(
        own.allowed or common.allowed,
        tuple(dict.fromkeys((*common.denied, *own.denied))),
        own.strict or common.strict,
    )


def _pooled(agents: dict[str, spec.AgentSpec]) -> dict[str, spec.AgentSpec]:
    """Give the agents that name one pool its one size: the smallest that any of them says."""
    from dataclasses import replace

    sizes: dict[str, int] = {}
    for each in agents.values():
        if each.pool and each.pool_size:
            sizes[each.pool] = min(each.pool_size, sizes.get(each.pool, each.pool_size))
    for each in agents.values():
        if each.pool:
            sizes.setdefault(each.pool, each.max_concurrency)
    return {
        name: replace(each, pool_size=sizes[each.pool]) if each.pool else each
        for name, each in agents.items()
    }


def _merged(tables: Any) -> dict[str, Any]:  # noqa: ANN401  an iterable of tables
    found: dict[str, Any] = {}
    for each in tables:
        found.update(each)
    return found
