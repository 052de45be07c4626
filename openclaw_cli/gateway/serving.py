"""What serves the listening sockets: aiohttp's server, with limits."""

from __future__ import annotations

import asyncio
import errno
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from openclaw_cli.gateway import web

CONNECTIONS = 1024
"""Connections at once; of more, the one that has been silent for longest is closed."""

HEAD_SECONDS = 10.0
"""How long a client may take to send the head of its first request."""

AGAIN_SECONDS = 60.0
"""After how long a failure is said again."""

_HEAD = 16 * 1024  # bytes of one line, or of all header fields' values
_Answer = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class Connection(web.RequestHandler):
    """A connection that repeats nothing of what it does not understand: it may be a token.

    What is done for it is cancelled when it is lost, unless `cancels` says otherwise.
    """

    __slots__ = ("began", "cancels")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note when it came, in seconds since the machine began, as processes have theirs."""
        super().connection_made(transport)
        self.cancels = True
        self.began = time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))

    def connection_lost(self, exc: BaseException | None) -> None:
        """Cancel what is done for it."""
        handler = self._task_handler if self.cancels else None
        super().connection_lost(exc)
        if handler is not None:
            handler.cancel()

    def handle_error(
        self,
        request: web.BaseRequest,  # noqa: ARG002
        status: int = 500,
        exc: BaseException | None = None,  # noqa: ARG002
        message: str | None = None,  # noqa: ARG002
    ) -> web.StreamResponse:
        """Answer a request that cannot be read, or that we failed at."""
        told = b'{"error":{"code":%d,"kind":"usage","message":"not understood","hint":""}}\n'
        if status >= 500:  # noqa: PLR2004
            told = told.replace(b"usage", b"internal").replace(b"not understood", b"a bug")
        response = web.Response(status=status, body=told % status, content_type="application/json")
        response.force_close()
        return response

    def log_exception(self, *arguments: Any, **more: Any) -> None:  # noqa: ANN401, ARG002
        """Say where an error of ours came from, and not what it said."""
        found = more.get("exc_info") or sys.exc_info()[1]
        if isinstance(found, BaseException):
            sys.stderr.write(f"openclaw: {_where(found)}\n")


class Troubles:
    """Says of what failed beside all requests where it came from, and not what it said.

    The same is said once a minute: without descriptors the loop fails a thousand times a second.
    """

    def __init__(self) -> None:
        self._said: dict[str, float] = {}

    def __call__(self, _loop: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:
        """Take what the loop tells of a failure; its own words stand for one without an error."""
        crash = context.get("exception")
        line = _where(crash) if isinstance(crash, BaseException) else str(context.get("message"))
        now = time.monotonic()
        if now - self._said.get(line, -AGAIN_SECONDS) >= AGAIN_SECONDS:
            self._said[line] = now
            sys.stderr.write(f"openclaw: {line}\n")


def _where(crash: BaseException) -> str:
    trace = crash.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "?"
    code = getattr(crash, "errno", None)
    number = f" ({errno.errorcode.get(code, code)})" if isinstance(code, int) else ""
    return f"{type(crash).__name__}{number} at {place}"


class Server(web.Server):
    """aiohttp's server, with a time limit for the first request and a bound on connections."""

    def __init__(self, answer: _Answer, *, most_body: int) -> None:
        super().__init__(
            answer,
            request_factory=_factory(most_body),
            keepalive_timeout=15.0,
            lingering_time=2.0,
            max_line_size=_HEAD,
            max_field_size=_HEAD,
            access_log=None,
        )

    def __call__(self) -> web.RequestHandler:
        """Make what serves one connection."""
        made = Connection(self, loop=asyncio.get_running_loop(), **self._kwargs)
        connections = self.connections
        if len(connections) >= CONNECTIONS:
            _drop(next((each for each in connections if each._current_request is None), None))  # noqa: SLF001
        asyncio.get_running_loop().call_later(HEAD_SECONDS, _drop_silent, made)
        return made

    @property
    def has_silent(self) -> bool:
        """Whether somebody was let in and has not asked anything yet."""
        return any(each._request_count == 0 for each in self.connections)  # noqa: SLF001


def _factory(most_body: int) -> Any:  # noqa: ANN401  aiohttp's own type is private
    def make(
        message: Any,  # noqa: ANN401
        payload: Any,  # noqa: ANN401
        protocol: Any,  # noqa: ANN401
        writer: Any,  # noqa: ANN401
        task: Any,  # noqa: ANN401
    ) -> web.BaseRequest:
        loop = asyncio.get_running_loop()
        return web.BaseRequest(
            message, payload, protocol, writer, task, loop, client_max_size=most_body
        )

    return make


def _drop_silent(connection: web.RequestHandler) -> None:
    """Close a connection that has sent no whole head of a request yet."""
    if connection._request_count == 0:  # noqa: SLF001
        _drop(connection)


def _drop(connection: web.RequestHandler | None) -> None:
    if connection is not None and connection.transport is not None:
        connection.transport.abort()
