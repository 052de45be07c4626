"""`POST /v1/dispatch`: one input for several agents, their answers in one."""

from __future__ import annotations

import asyncio
from typing import Any

from openclaw_cli.errors import UsageError
from openclaw_cli.gateway.plain import checked_thread, plain
from openclaw_cli.runtime.request import OK, Ask, Reply, Request
from openclaw_cli.runtime.supervisor import Supervisor

MOST = 32
"""Agents of one dispatch."""


async def dispatch(
    supervisor: Supervisor,
    given: dict[str, Any],
    peer: str,
    ask: Ask,
) -> tuple[int, dict[str, Any]]:
    """Ask each agent at once; return the HTTP status and the answer, ordered as asked.

    The status is 200 when all ended well, else 207. With `coalesce` the answers that are texts are
    joined into one as well. Raises `UsageError`, and `NotFoundError` for an unknown agent.
    """
    names = given.get("agents")
    if not isinstance(names, list) or not 1 <= len(names) <= MOST:
        raise UsageError(f"agents is a list of 1 to {MOST} names", hint='{"agents": ["a", "b"]}')
    if "input" not in given:
        raise UsageError("the body has no input", hint='{"agents": [...], "input": ...}')
    session = checked_thread(given.get("session"))
    for each in names:
        supervisor.pool(each if isinstance(each, str) else "")
    replies = await asyncio.gather(
        *[ask(Request(each, given["input"], session=session, peer=peer)) for each in names]
    )
    answer: dict[str, Any] = {"schema": 1, "replies": [plain(each) for each in replies]}
    if given.get("coalesce"):
        answer["output"] = coalesced(replies)
    well = all(each.outcome == OK for each in replies)
    return (200 if well else 207), answer


def coalesced(replies: list[Reply]) -> str:
    """Join what agents answered, in their order, each under its name; one that failed says so."""
    parts = []
    for each in replies:
        said = each.output if isinstance(each.output, str) else _shown(each)
        parts.append(f"[{each.agent}] {said}")
    return "\n".join(parts)


def _shown(reply: Reply) -> str:
    import json

    if reply.outcome != OK:
        return f"({reply.outcome}: {reply.error})"
    return json.dumps(reply.output, separators=(",", ":"))
