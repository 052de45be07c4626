"""What a zygote is told of its agent. Pure: from the spec and the models that it may need."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict

from openclaw_cli.agents.spec import ACP, AgentSpec, Model
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
        "keeps": keeps(spec),
        "cpu": math.ceil(spec.timeout) if spec.timeout else 0,
        "confine": confine,
        "settings": {
            **spec.plain(),
            "models": {name: asdict(each) for name, each in models.items()},
        },
    }


def keeps(spec: AgentSpec) -> bool:
    """Tell whether an instance stays after its answer: in sessions, and the only one there is.

    A program has one request and ends, so its sessions have a new process for each turn.
    """
    return spec.kind != "command" and (spec.keeps_session or not spec.is_thread_bound)
