"""Where a request is answered: here, or on a machine that the broker finds; and how it is ended."""

from __future__ import annotations

import asyncio
import functools
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from openclaw_cli.agents.spec import AgentSpec
from openclaw_cli.engines import broker
from openclaw_cli.engines.parts import Parts
from openclaw_cli.errors import OpenclawError, RefusedError
from openclaw_cli.runtime.request import (
    CANCELLED,
    OK,
    RETRY_SECONDS,
    UNWANTED,
    Reply,
    Request,
    is_id,
    new_id,
)

if TYPE_CHECKING:
    from openclaw_cli.gateway.core import Gateway

_TELLING = 4  # threads that tell the broker something beside the requests
_LAST_WORDS = 2.0  # seconds for what is to be told when the gateway ends
_COMMAND_SECONDS = 40.0


class Placing:
    """Answers here while `engine` is `local`, else through the broker."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._remote: Any = None
        self._making = threading.Lock()
        self._waiting: ThreadPoolExecutor | None = None
        self._telling: ThreadPoolExecutor | None = None
        self._brought: dict[str, asyncio.Task[Reply]] = {}

    @property
    def far(self) -> bool:
        """Whether requests go to several machines."""
        return self._gateway.configuration.gateway.engine != broker.LOCAL

    # --- what goes to other machines ---

    async def ask(self, request: Request) -> Reply:
        """Answer a request, wherever that is; raises `NotFoundError` for an unknown agent.

        One that is cancelled is cancelled on the machine where it runs, too.
        """
        spec = self._gateway.supervisor.pool(request.agent).spec
        if not self.far:
            return await self._gateway.supervisor.ask(request)
        given = {"agent": spec.name, "input": request.input, "request_id": request.id}
        if request.session or spec.session_key:
            given["session"] = request.session or spec.session_key
        try:
            answer = await self._placed(spec, given, request)
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

    async def spawn(self, spec: AgentSpec, thread: str) -> dict[str, Any]:
        """Bind a thread to an instance on the machine that its requests will go to."""
        request = Request(spec.name, None, session=thread)
        given = {"agent": spec.name, "request_id": request.id, "session": thread, "spawn": True}
        answer = await self._placed(spec, given, request)
        if answer["outcome"] != OK:
            raise RefusedError(str(answer["error"]["message"]))
        found: dict[str, Any] = answer["spawned"]
        return found

    async def command(self, verb: str, agent: str, thread: str) -> dict[str, Any] | None:
        """Have the machine that has a thread do something with it; None where none has it."""
        given = {"agent": agent, "thread": thread, "request_id": new_id()}
        work = functools.partial(self._commanded, verb, given)
        found: dict[str, Any] | None = await asyncio.get_running_loop().run_in_executor(
            self._teller(), work
        )
        return found

    async def _placed(
        self, spec: AgentSpec, given: dict[str, Any], request: Request
    ) -> dict[str, Any]:
        if self._waiting is None:
            most = self._gateway.configuration.threads.max_threads
            self._waiting = ThreadPoolExecutor(most, "placed")
        loop = asyncio.get_running_loop()
        work = functools.partial(self._asked, spec, given, request, loop)
        try:
            return await loop.run_in_executor(self._waiting, work)
        except asyncio.CancelledError:
            self._gateway.watch.happened(
                "request_cancelled",
                spec.name,
                request=request.id,
                thread=request.session or None,
            )
            self._teller().submit(self._cancelled, spec, request.id)
            raise

    # --- what the node beside us brings ---

    async def brought(self, name: str, request: Request) -> Reply:
        """Answer what the node brings under the id that it has everywhere, unless it is ended."""
        request.id = name if is_id(name) else request.id
        work = asyncio.get_running_loop().create_task(self._gateway.supervisor.ask(request))
        self._brought[request.id] = work
        try:
            return await work
        except asyncio.CancelledError:
            if request.id in self._brought:
                raise
            return Reply(request.agent, request.id, CANCELLED, error=UNWANTED)
        finally:
            self._brought.pop(request.id, None)

    def cancel(self, name: str) -> bool:
        """End a request that the node brought; tell whether it was there."""
        work = self._brought.pop(name, None)
        return work is not None and work.cancel()

    # --- the end ---

    async def close(self) -> None:
        """Wait for nobody any more; what was to be told is told."""
        if self._telling is not None:
            telling = self._telling
            with suppress(TimeoutError):
                async with asyncio.timeout(_LAST_WORDS):
                    await asyncio.to_thread(telling.shutdown)
        if self._remote is not None:
            self._remote.close()
        if self._waiting is not None:
            self._waiting.shutdown(wait=False, cancel_futures=True)

    # --- in threads ---

    def _teller(self) -> ThreadPoolExecutor:
        if self._telling is None:
            self._telling = ThreadPoolExecutor(_TELLING, "telling")
        return self._telling

    def _sender(self) -> Any:  # noqa: ANN401  a `Remote`, whose library may not be there
        configuration = self._gateway.configuration
        with self._making:
            if self._remote is None:
                address = broker.address(configuration.gateway, self._gateway.secrets())
                self._remote = broker.remote(configuration.gateway)(address, configuration.agents)
            self._remote.agents = configuration.agents  # as they are since the last reload
            return self._remote

    def _asked(
        self,
        spec: AgentSpec,
        given: dict[str, Any],
        request: Request,
        loop: asyncio.AbstractEventLoop,
    ) -> dict[str, Any]:
        emit, again = request.emit, request.again
        parts = None
        if emit is not None and again is not None:
            parts = Parts(
                lambda text: loop.call_soon_threadsafe(emit, text),
                lambda: loop.call_soon_threadsafe(again),
                repeats=spec.idempotent,
            )
        found: dict[str, Any] = self._sender().ask(spec, given, parts)
        return found

    def _cancelled(self, spec: AgentSpec, request: str) -> None:
        with suppress(OpenclawError):  # then it ends at its own time limit
            self._sender().cancel(spec, request)

    def _commanded(self, verb: str, given: dict[str, Any]) -> dict[str, Any] | None:
        found: dict[str, Any] | None = self._sender().command(verb, given, _COMMAND_SECONDS)
        return found


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
