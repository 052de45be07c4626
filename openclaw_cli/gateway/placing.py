"""Where a request that came over TCP is answered: here, or on a machine that the broker finds."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from openclaw_cli.engines import broker
from openclaw_cli.errors import OpenclawError
from openclaw_cli.runtime.request import OK, RETRY_SECONDS, Reply, Request

if TYPE_CHECKING:
    from openclaw_cli.gateway.core import Gateway


class Placing:
    """Answers here while `engine` is `local`, else through the broker."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._remote: Any = None
        self._waiting: ThreadPoolExecutor | None = None

    async def ask(self, request: Request) -> Reply:
        """Answer a request, wherever that is; raises `NotFoundError` for an unknown agent."""
        gateway = self._gateway
        spec = gateway.supervisor.pool(request.agent).spec
        if gateway.configuration.gateway.engine == broker.LOCAL:
            return await gateway.supervisor.ask(request)
        if self._waiting is None:
            most = gateway.configuration.threads.max_threads
            self._waiting = ThreadPoolExecutor(most, "placed")
        given = {"agent": spec.name, "input": request.input, "request_id": request.id}
        if request.session or spec.session_key:
            given["session"] = request.session or spec.session_key
        loop = asyncio.get_running_loop()
        emit = None
        if request.emit is not None:
            emit = functools.partial(_handed, loop, request.emit)
        try:
            answer = await loop.run_in_executor(self._waiting, self._asked, spec, given, emit)
        except OpenclawError as refused:
            return Reply(
                spec.name,
                request.id,
                "unavailable",
                error=refused.message,
                hint=refused.hint,
                retry=RETRY_SECONDS,
            )
        return _reply(request, answer)

    def close(self) -> None:
        """Wait for nobody any more."""
        if self._waiting is not None:
            self._waiting.shutdown(wait=False, cancel_futures=True)

    def _asked(
        self,
        spec: Any,  # noqa: ANN401
        given: dict[str, Any],
        emit: Callable[[str], None] | None,
    ) -> dict[str, Any]:
        configuration = self._gateway.configuration
        if self._remote is None:
            address = broker.address(configuration.gateway, self._gateway.secrets())
            self._remote = broker.remote(configuration.gateway)(address, configuration.agents)
        found: dict[str, Any] = self._remote.ask(spec, given, emit)
        return found


def _handed(loop: asyncio.AbstractEventLoop, emit: Callable[[str], None], part: str) -> None:
    loop.call_soon_threadsafe(emit, part)


def _reply(request: Request, answer: dict[str, Any]) -> Reply:
    told = answer.get("error") or {}
    return Reply(
        request.agent,
        request.id,
        str(answer["outcome"]),
        answer.get("output") if answer["outcome"] == OK else None,
        str(told.get("message", "")),
        str(told.get("hint", "")),
        str(answer.get("session") or ""),
        answer.get("resumed"),
        float(answer.get("ms") or 0) / 1000,
    )
