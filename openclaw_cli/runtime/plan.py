"""What a zygote is told of its agent. Pure: from the spec and the models that it may need."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict

from openclaw_cli.agents.spec import ACP, UID, AgentSpec, Model
from openclaw_cli.errors import ConfigError
from openclaw_cli.runtime.owner import COUNT
from openclaw_cli.runtime.wire import Message

PROCESSES = 64
"""Processes that an instance may have below it."""

THREADS = 256
"""Threads, each process being one at least, that a user may have more during a request.

The kernel's own limit, for a fork bomb that is faster than whoever counts the processes. It is per
user and not per tree, so there is room for what else the user begins meanwhile.
"""


def plan(spec: AgentSpec, models: Mapping[str, Model], *, folder: str, confine: Message) -> Message:
    """Return what the zygote of an agent is told; `folder` is where handlers are looked for."""
    return {
        "agent": spec.name,
        "kind": spec.kind,
        "handler": spec.handler,
        "command": list(spec.command) if spec.kind != ACP else [],
        "python_path": [*spec.python_path, folder],
        "directory": spec.directory,
        # An ACP agent's own child has the memory; our end of it is small.
        "memory": spec.memory_limit if spec.kind != ACP else 0,
        "tree_memory": spec.memory_limit,
        "processes": PROCESSES,
        "threads": THREADS,
        "owner": owner(spec, folder) if spec.require_isolation == UID else 0,
        "concurrency": spec.concurrency,
        "keeps": keeps(spec),
        "cpu": math.ceil(spec.timeout) if spec.timeout else 0,
        "confine": confine,
        "settings": {
            **spec.plain(),
            "models": {name: asdict(each) for name, each in models.items()},
        },
    }


def owner(spec: AgentSpec, folder: str) -> int:
    """Return which of the ids of `runtime.owner` an agent has: always the same, to own files."""
    digest = hashlib.sha256(f"{folder}\0{spec.name}".encode()).digest()
    return 1 + int.from_bytes(digest[:8]) % (COUNT - 1)


def check_owners(agents: Iterable[AgentSpec], folder: str) -> None:
    """See that no two agents have come to the same id; raises `ConfigError`."""
    found: dict[int, str] = {}
    for each in agents:
        if each.require_isolation != UID:
            continue
        other = found.setdefault(owner(each, folder), each.name)
        if other != each.name:
            raise ConfigError(
                f"the agents {other} and {each.name} have the same user id, which is chance",
                hint="give one of them another name",
            )


def keeps(spec: AgentSpec) -> bool:
    """Tell whether an instance stays after its answer: in sessions, and the only one there is.

    A program has one request and ends, so its sessions have a new process for each turn.
    """
    return spec.kind != "command" and (spec.keeps_session or not spec.is_thread_bound)
