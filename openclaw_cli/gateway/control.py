"""What the commands ask of a running gateway, over its control socket alone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from openclaw_cli.agents.spec import MANUAL, SESSION, is_thread
from openclaw_cli.errors import ConflictError, NotFoundError, OpenclawError, UsageError
from openclaw_cli.runtime.pool import Pool
from openclaw_cli.runtime.request import new_id

if TYPE_CHECKING:
    from openclaw_cli.gateway.core import Gateway

Given = dict[str, Any]

_CLOSE_SECONDS = 30.0


async def obey(gateway: Gateway, verb: str, given: Given) -> Given:
    """Do what a command asks; raises `NotFoundError` for an unknown one."""
    found = _VERBS.get(verb)
    if found is None:
        raise NotFoundError(f"there is nothing at /control/{verb[:100]}")
    return await found(gateway, given)


async def _status(gateway: Gateway, given: Given) -> Given:
    return gateway.status(verbose=bool(given.get("verbose")))


async def _reload(gateway: Gateway, _given: Given) -> Given:
    return await gateway.reload()


async def _stop(gateway: Gateway, given: Given) -> Given:
    gateway.restart_after = -1.0
    gateway.drain_seconds = _seconds(given, "wait", 30.0)
    gateway.stopping.set()
    return {"pid": gateway.status()["pid"]}


async def _restart(gateway: Gateway, given: Given) -> Given:
    """Begin anew; with settings that it could not begin with it goes on as it is."""
    gateway.read()
    gateway.restart_after = time.time()
    gateway.drain_seconds = 0.0 if given.get("force") else _seconds(given, "wait", 30.0)
    gateway.stopping.set()
    return {"pid": gateway.status()["pid"]}


async def _link(gateway: Gateway, given: Given) -> Given:
    text = gateway.links.make(_seconds(given, "expires", 300.0))
    host, port = gateway.address
    shown = f"[{host}]" if ":" in host else host
    return {"link": f"http://{shown}:{port}/__openclaw__/link?t={text}"}


async def _restart_agent(gateway: Gateway, given: Given) -> Given:
    """Start agents anew; of several those that cannot are told, and stay as they are."""
    done, failed = {}, {}
    for pool in _pools(gateway, given):
        pool.stopped = False
        try:
            seconds = await pool.restart(now=bool(given.get("now")))
        except OpenclawError as refused:
            if given.get("agent"):
                raise
            failed[pool.spec.name] = refused.message
        else:
            done[pool.spec.name] = round(seconds * 1000, 1)
    return {"restarted": done, "failed": failed}


async def _spawn(gateway: Gateway, given: Given) -> Given:
    """Bind a thread to an instance before its first request."""
    pool = gateway.supervisor.pool(str(given.get("agent") or _only(gateway)))
    spec = pool.spec
    thread = str(given.get("thread") or "")
    if not thread:
        if gateway.configuration.threads.default_mode == MANUAL:
            raise UsageError(
                "the settings want each thread to be named (defaultMode manual)",
                hint=f"openclaw agents spawn {spec.name} --thread=ID",
            )
        thread = spec.session_key or f"{spec.name}-{new_id()}"
    if not is_thread(thread):
        raise UsageError("this is not a thread's name", hint="letters, digits and . _ : @ / -")
    if _is_far(gateway, given) and spec.keeps_session:
        return await gateway.placing.spawn(spec, thread)
    known = thread in pool.sessions.known
    session = await pool.bind(thread)
    instance = session.instance
    return {
        "agent": spec.name,
        "thread": thread,
        "new": not known,
        "mode": SESSION,
        "pid": instance.pid if instance else None,
    }


async def _close(gateway: Gateway, given: Given) -> Given:
    """End a session when its present turn has ended."""
    thread = str(given.get("thread") or "")
    closed = []
    for pool in _pools(gateway, given):
        session = pool.sessions.known.get(thread)
        if session is None:
            continue
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await session.lock.acquire()
                session.lock.release()
        pool.sessions.end(thread, "closed")
        closed.append(pool.spec.name)
    if not closed:
        return await _elsewhere(gateway, "agents/close", given)
    return {"closed": closed, "thread": thread}


async def _stop_agent(gateway: Gateway, given: Given) -> Given:
    """End a thread now, with what it does; or an agent, until it is restarted."""
    thread = str(given.get("thread") or "")
    if thread:
        stopped = [pool.spec.name for pool in _pools(gateway, given) if pool.stop_thread(thread)]
        if not stopped:
            return await _elsewhere(gateway, "agents/stop", given)
        return {"stopped": stopped, "thread": thread}
    if not given.get("agent"):
        raise UsageError("say which agent, or which thread", hint="openclaw agents stop NAME")
    pool = gateway.supervisor.pool(str(given["agent"]))
    if pool.stopped:
        raise ConflictError(f"{pool.spec.name} is stopped already")
    await pool.stop()
    return {"stopped": [pool.spec.name]}


async def _holds(gateway: Gateway, given: Given) -> Given:
    """Tell which agents have a session, or a request, of a thread here."""
    thread = str(given.get("thread") or "")
    held = [pool.spec.name for pool in _pools(gateway, given) if _has(pool, thread)]
    return {"held": held}


def _has(pool: Pool, thread: str) -> bool:
    asked = {request.session for _, request in pool.running.values()}
    return bool(thread) and (thread in pool.sessions.known or thread in asked)


async def _cancel(gateway: Gateway, given: Given) -> Given:
    """End a request that the node brought; one that is not there is none."""
    return {"cancelled": gateway.placing.cancel(str(given.get("request") or ""))}


async def _elsewhere(gateway: Gateway, verb: str, given: Given) -> Given:
    """Have another machine do it; raises `NotFoundError` where none has the thread."""
    thread = str(given.get("thread") or "")
    found = None
    if thread and _is_far(gateway, given):
        found = await gateway.placing.command(verb, str(given.get("agent") or ""), thread)
    if not found:
        raise _no_thread(thread)
    return found


def _is_far(gateway: Gateway, given: Given) -> bool:
    """Tell whether there are other machines, and this was not asked by one of them."""
    return gateway.placing.far and not given.get("here")


async def _cleanup(gateway: Gateway, given: Given) -> Given:
    idle = _seconds(given, "idle", 1800.0)
    now = time.time()
    ended = {
        pool.spec.name: keys
        for pool in _pools(gateway, given)
        if (keys := pool.sessions.sweep(now, idle))
    }
    return {"ended": ended, "count": sum(map(len, ended.values()))}


def _pools(gateway: Gateway, given: Given) -> list[Pool]:
    if given.get("agent"):
        return [gateway.supervisor.pool(str(given["agent"]))]
    return list(gateway.supervisor.pools.values())


def _only(gateway: Gateway) -> str:
    return gateway.configuration.only_agent().name


def _seconds(given: Given, name: str, otherwise: float) -> float:
    found = given.get(name, otherwise)
    if isinstance(found, bool) or not isinstance(found, (int, float)) or found < 0:
        raise UsageError(f"{name} is a number of seconds")
    return float(found)


def _no_thread(thread: str) -> NotFoundError:
    return NotFoundError(
        f"no session is bound to the thread {thread[:128]}", hint="openclaw agents status --verbose"
    )


_VERBS: dict[str, Callable[[Any, Given], Awaitable[Given]]] = {
    "status": _status,
    "reload": _reload,
    "stop": _stop,
    "restart": _restart,
    "link": _link,
    "agents/restart": _restart_agent,
    "agents/spawn": _spawn,
    "agents/close": _close,
    "agents/stop": _stop_agent,
    "agents/cleanup": _cleanup,
    "agents/holds": _holds,
    "agents/cancel": _cancel,
}
