"""The state of all agents as `status`, `agents list` and the status page show it. No value."""

from __future__ import annotations

import time
from typing import Any

from openclaw_cli.runtime import tree
from openclaw_cli.runtime.plan import PROCESSES
from openclaw_cli.runtime.pool import Pool
from openclaw_cli.runtime.supervisor import Supervisor


def agents(supervisor: Supervisor, *, verbose: bool = False) -> list[dict[str, Any]]:
    """Return a row for each agent; with `verbose` its running instances and sessions."""
    waiting = supervisor.means.slots.waiting
    return [
        _agent(pool, waiting(name), verbose=verbose)
        for name, pool in sorted(supervisor.pools.items())
    ]


def state(pool: Pool) -> str:
    """Return an agent's state in a word."""
    if pool.closing:
        return "stopping"
    if pool.stopped:
        return "stopped"
    if pool.backoff.resting(time.monotonic()):
        return "resting"
    if pool.trouble:
        return "failed"
    if pool.zygote is None:
        return "asleep"
    return "ready"


def _agent(pool: Pool, waiting: int, *, verbose: bool) -> dict[str, Any]:
    spec, counters = pool.spec, pool.counters
    every = sum(counters.requests.values())
    row: dict[str, Any] = {
        "name": spec.name,
        "isolation": spec.isolation,
        "kind": spec.kind,
        "mode": spec.mode,
        "state": state(pool),
        "trouble": pool.trouble or None,
        "active": pool.room.taken,
        "max_concurrency": spec.concurrency,
        "queued": waiting,
        "sessions": pool.sessions.live(),
        "requests": every,
        "errors": counters.errors,
        "timeouts": counters.requests.get("timeout", 0),
        "outcomes": counters.requests,
        "restarts": counters.restarts,
        "strays_killed": counters.strays,
        "cpu_seconds": round(counters.cpu_seconds, 3),
        "peak_bytes": counters.peak_bytes,
        "pid": pool.zygote.pid if pool.zygote else None,
    }
    if verbose:
        row["level"] = pool.zygote.level if pool.zygote else None
        row["holds"] = _holds(pool)
        row["uid"] = (pool.zygote.owner if pool.zygote else 0) or None
        row["instances"] = _instances(pool)
        row["threads"] = _threads(pool)
    return row


def _holds(pool: Pool) -> list[str]:
    """Return what holds an agent's memory and processes, in the kernel's words and ours."""
    if pool.zygote is None:
        return []
    each = ["RLIMIT_DATA"] if pool.plan["memory"] else []
    whole = pool.zygote.groups.holds if pool.zygote.groups else []
    return [*each, *whole, "watchdog"]


def _instances(pool: Pool) -> list[dict[str, Any]]:
    now = time.time()
    rows = []
    sessions = {each.instance: each.key for each in pool.sessions.known.values() if each.instance}
    running = dict(pool.running.values())
    for instance in [*running, *[each for each in sessions if each not in running]]:
        if not instance.alive:
            continue
        request = running.get(instance)
        tree_bytes = sum(
            map(tree.private_bytes, [instance.pid, *tree.below(instance.pid, PROCESSES)])
        )
        rows.append(
            {
                "pid": instance.pid,
                "thread": sessions.get(instance) or (request.session if request else "") or None,
                "request": request.id if request else None,
                "age_seconds": round(now - instance.began, 1),
                "turns": instance.turns,
                "memory_bytes": tree_bytes,
            }
        )
    return rows


def _threads(pool: Pool) -> list[dict[str, Any]]:
    now = time.time()
    return [
        {
            "thread": each.key,
            "state": "busy" if each.busy else "idle" if each.instance else "detached",
            "turns": each.turns,
            "age_seconds": round(now - each.born, 1),
            "idle_seconds": round(now - each.used, 1),
        }
        for each in pool.sessions.known.values()
    ]
