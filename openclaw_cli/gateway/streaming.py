"""An answer as it comes: Server-Sent Events, small pieces put together."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import TYPE_CHECKING

from openclaw_cli.agents.spec import CANCEL
from openclaw_cli.gateway import web
from openclaw_cli.gateway.plain import plain

if TYPE_CHECKING:
    from openclaw_cli.gateway.core import Gateway
    from openclaw_cli.runtime.request import Ask, Request

TOGETHER = 0.3
"""Seconds for which pieces are gathered after the first one was sent."""

MOST = 4096
"""Characters after which they are sent before that."""

_WAITING = 1024 * 1024  # characters that may wait for a client that does not read


async def stream(
    gateway: Gateway,
    asked: web.BaseRequest,
    request: Request,
    ask: Ask,
) -> web.StreamResponse:
    """Answer with events: `chunk` for each part, then `reply` with the whole as JSON.

    Before parts that do not go on with those before, `again`: the answer begins again.
    """
    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
    )
    await response.prepare(asked)
    pieces: list[str | None] = []
    arrived = asyncio.Event()

    def emit(piece: str) -> None:
        if _length(pieces) < _WAITING:
            pieces.append(piece)
        arrived.set()

    def again() -> None:
        pieces[:] = [None]
        arrived.set()

    request.emit, request.again = emit, again
    work = asyncio.get_running_loop().create_task(ask(request))
    work.add_done_callback(lambda _done: arrived.set())
    try:
        while not work.done():
            await arrived.wait()
            arrived.clear()
            await _send(response, pieces)
            if not work.done():
                await _gathered(pieces, work)
        await _send(response, pieces)
        await _event(response, "reply", plain(await work))
        with suppress(ConnectionError):
            await response.write_eof()
    except (asyncio.CancelledError, ConnectionError):
        if gateway.supervisor.pool(request.agent).spec.on_disconnect == CANCEL:
            work.cancel()
        raise
    return response


async def _gathered(pieces: list[str | None], work: asyncio.Task[object]) -> None:
    """Wait until enough has come, or long enough."""
    for _ in range(10):
        if work.done() or _length(pieces) >= MOST:
            return
        await asyncio.wait([work], timeout=TOGETHER / 10)


async def _send(response: web.StreamResponse, pieces: list[str | None]) -> None:
    """Send what waits; None among it means that the answer begins again."""
    begins_again = None in pieces
    text = "".join(filter(None, pieces))
    pieces.clear()
    if begins_again:
        await _event(response, "again", {})
    if text:
        await _event(response, "chunk", {"text": text})


def _length(pieces: list[str | None]) -> int:
    return sum(len(each) for each in pieces if each)


async def _event(response: web.StreamResponse, name: str, data: object) -> None:
    line = json.dumps(data, separators=(",", ":"), default=str)
    await response.write(f"event: {name}\ndata: {line}\n\n".encode())
