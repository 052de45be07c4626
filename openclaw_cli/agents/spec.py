"""What an agent is, in our own words, whatever the settings called it. Pure: it only knows itself.

`config.py` makes these from every published spelling; the runtime, the gateway and the tests need
nothing else. Times are seconds, sizes bytes; 0 means "no limit" where a limit may be left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from openclaw_cli.errors import ConfigError, NotFoundError

MIB = 1024 * 1024

THREAD_BOUND = "thread-bound"
SINGLETON = "singleton"
ISOLATIONS = (THREAD_BOUND, SINGLETON)

SUBAGENT = "subagent"
ACP = "acp"
BACKENDS = (SUBAGENT, ACP)

RUN = "run"
SESSION = "session"
MODES = (RUN, SESSION)

FINISH = "finish"
CANCEL = "cancel"
DISCONNECTS = (FINISH, CANCEL)

AUTO = "auto"
MANUAL = "manual"
THREAD_MODES = (AUTO, MANUAL)

PYTHON = "python"
COMMAND = "command"
CHAT = "chat"

PROCESS = "process"
LANDLOCK = "landlock"
UID = "uid"
LEVELS = ("", PROCESS, LANDLOCK, UID)
"""How far instances are kept apart, each with what the one before has: a process of its own that
no sibling can look into; files, programs and connections held by Landlock; another user id."""

MEMORY = 50_000_000
MEMORY_ACP = 1_000_000_000
SECONDS = 30.0
SECONDS_SESSION = 120.0
CONCURRENCY = 10
LONGEST = 7 * 24 * 3600.0
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_HANDLER = re.compile(r"[A-Za-z_][\w.]{0,199}:[A-Za-z_][\w.]{0,99}", re.ASCII)
_THREAD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@/-]{0,127}")


@dataclass(frozen=True, slots=True)
class SecretUse:
    """Secrets that the settings let an agent read: a name, or a pattern with `*`.

    `variable` names the environment variable it is put into; without one it travels on the
    instance's own socket only.
    """

    pattern: str
    variable: str = ""


@dataclass(frozen=True, slots=True)
class Permissions:
    """What a handler may do: `read`, `write`, `exec`, ..., and program names. A denial wins.

    Nothing in `allowed` means that everything is allowed which is not denied. With `strict`, an
    agent whose permissions the kernel cannot hold does not start.
    """

    allowed: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()
    strict: bool = False

    @property
    def said(self) -> bool:
        """Whether anything was said at all."""
        return bool(self.allowed or self.denied)


@dataclass(frozen=True, slots=True)
class AgentSpec:
    """One agent, every default filled in."""

    name: str
    isolation: str = THREAD_BOUND
    backend: str = SUBAGENT
    mode: str = RUN
    session_key: str = ""
    handler: str = ""
    command: tuple[str, ...] = ()
    python_path: tuple[str, ...] = ()
    directory: str = ""
    model: str = ""
    fallback: tuple[str, ...] = ()
    system: str = ""
    max_tokens: int = 1024
    deterministic: bool = False
    max_concurrency: int = CONCURRENCY
    queue: int = -1
    queue_timeout: float = SECONDS
    pool: str = ""
    pool_size: int = 0
    timeout: float = SECONDS
    grace: float = 0.2
    memory_limit: int = MEMORY
    idle_timeout: float = 1800.0
    max_age: float = 0.0
    auto_destroy: bool = True
    preload: bool = True
    secrets: tuple[SecretUse, ...] = ()
    permissions: Permissions = field(default_factory=Permissions)
    require_isolation: str = ""
    on_disconnect: str = FINISH
    idempotent: bool = False
    crashes: int = 5
    crash_period: float = 10.0

    @property
    def kind(self) -> str:
        """What runs: `python`, `command`, `acp`, `chat`; empty where nothing was named."""
        if self.handler:
            return PYTHON
        if self.command:
            return ACP if self.backend == ACP else COMMAND
        return CHAT if self.model else ""

    @property
    def is_thread_bound(self) -> bool:
        """Whether each request or thread has an instance of its own."""
        return self.isolation == THREAD_BOUND

    @property
    def keeps_session(self) -> bool:
        """Whether an instance stays for the next request of its thread."""
        return self.is_thread_bound and (self.mode == SESSION or not self.auto_destroy)

    @property
    def concurrency(self) -> int:
        """How many instances there may be at once."""
        return self.max_concurrency if self.is_thread_bound else 1

    @property
    def queue_limit(self) -> int:
        """How many requests may wait for an instance."""
        return self.queue if self.queue >= 0 else 2 * self.concurrency

    def plain(self) -> dict[str, Any]:
        """Return it as JSON knows it."""
        return {**asdict(self), "kind": self.kind}

    def __str__(self) -> str:
        """Write it in a line, for people."""
        runs = self.handler or self.model or " ".join(self.command[:1]) or "nothing to run"
        kept = ", a session" if self.keeps_session else ""
        many = f", {self.concurrency} at once" if self.is_thread_bound else ""
        limit = f"{self.timeout:g}s, {self.memory_limit // 1_000_000}MB"
        return f"{self.isolation}{kept}: {runs}{many}, {limit}"


@dataclass(frozen=True, slots=True)
class ThreadManagement:
    """What holds for the threads of all agents together."""

    default_mode: str = AUTO
    max_threads: int = 100
    idle_timeout: float = 1800.0
    startup_reconciliation: bool = True


@dataclass(frozen=True, slots=True)
class GatewaySpec:
    """Where the gateway listens and whom it believes."""

    host: str = "127.0.0.1"
    port: int = 18789
    trusted_proxies: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    metrics_auth: bool = False
    max_body: int = MIB
    engine: str = "local"
    broker: str = ""


@dataclass(frozen=True, slots=True)
class Model:
    """A model: where it answers, in which protocol, which secret opens it, its name there."""

    name: str
    endpoint: str
    protocol: str
    secret: str = ""
    called: str = ""


@dataclass(frozen=True, slots=True)
class CronEntry:
    """An entry of `cron`; `rotates` where its name or text means rotation."""

    name: str
    schedule: str
    rotates: bool


@dataclass(frozen=True, slots=True)
class Monitoring:
    """Which metrics are exported, by their published names, and where alerts go."""

    agents: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    concurrency: float = 0.9
    concurrency_for: float = 30.0
    command: tuple[str, ...] = ()
    webhook: str = ""


@dataclass(frozen=True, slots=True)
class AuditLog:
    """Which kinds of events are copied elsewhere, all where none is named, and where to.

    The local trail has them all, whatever is said here.
    """

    capture: tuple[str, ...] = ()
    storage: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Configuration:
    """Everything that the settings say of agents and of the gateway.

    `origin` tells from which file and line a part comes: `agents.NAME`, `gateway`, ...
    """

    agents: dict[str, AgentSpec] = field(default_factory=dict)
    threads: ThreadManagement = field(default_factory=ThreadManagement)
    gateway: GatewaySpec = field(default_factory=GatewaySpec)
    models: dict[str, Model] = field(default_factory=dict)
    monitoring: Monitoring = field(default_factory=Monitoring)
    audit: AuditLog = field(default_factory=AuditLog)
    cron: tuple[CronEntry, ...] = ()
    origin: dict[str, str] = field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        """Return it as JSON knows it, without what of an address may be a token."""
        from openclaw_cli.audit.sinks.address import shown

        rest = {name: asdict(getattr(self, name)) for name in _PARTS}
        rest["audit"]["storage"] = [shown(each) for each in self.audit.storage]
        if self.monitoring.webhook:
            rest["monitoring"]["webhook"] = shown(self.monitoring.webhook)
        return {
            "agents": {name: each.plain() for name, each in self.agents.items()},
            "models": {name: asdict(each) for name, each in self.models.items()},
            "cron": [asdict(each) for each in self.cron],
            **rest,
            "origin": self.origin,
        }

    def agent(self, name: str) -> AgentSpec:
        """Return an agent by its name; raises `NotFoundError` with what may have been meant."""
        found = self.agents.get(name)
        if found is None:
            raise unknown_agent(name, self.agents)
        return found

    def only_agent(self) -> AgentSpec:
        """Return the agent where there is one; raises `ConfigError` otherwise."""
        if len(self.agents) == 1:
            return next(iter(self.agents.values()))
        if not self.agents:
            raise no_agents()
        raise ConfigError(
            "there are several agents, so say which", hint=f"one of: {', '.join(self.agents)}"
        )


_PARTS = ("threads", "gateway", "monitoring", "audit")


def no_agents() -> ConfigError:
    """Return the error where the settings have no agent at all."""
    return ConfigError(
        "the settings have no agent",
        hint='"agents": {"NAME": {"type": "thread-bound", "handler": "module:function"}}',
    )


def unknown_agent(name: str, known: Iterable[str]) -> NotFoundError:
    """Return the error for an agent that is not among those that are known."""
    from difflib import get_close_matches

    from openclaw_cli.sanitize import safe

    known = [*known]
    if not known:
        none = no_agents()
        return NotFoundError(none.message, hint=none.hint)
    close = get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]}?" if close else f"known: {', '.join(known)}"
    return NotFoundError(f"no agent is called {safe(name)}", hint=hint)


def is_handler(text: str) -> bool:
    """Tell whether a text names a Python handler: `module:function`."""
    return bool(_HANDLER.fullmatch(text))


def is_thread(text: str) -> bool:
    """Tell whether a text can name a thread, or a pool of them."""
    return bool(_THREAD.fullmatch(text))
