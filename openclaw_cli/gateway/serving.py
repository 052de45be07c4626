"""The listening sockets: bound, inherited over a restart, given to aiohttp with limits."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import stat
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from openclaw_cli.errors import ConflictError, DeniedError, StorageError
from openclaw_cli.files import failure

BACKLOG = 1024
CONNECTIONS = 1024
"""Connections at once; of more, the one that has been silent for longest is closed."""

HEAD_SECONDS = 10.0
"""How long a client may take to send the head of its first request."""

_HEAD = 16 * 1024  # bytes of one line, or of all header fields' values
_Answer = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class _Connection(RequestHandler):
    """A connection that repeats nothing of what it does not understand: it may be a token."""

    __slots__ = ("began",)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note when it came, in seconds since the machine began, as processes have theirs."""
        super().connection_made(transport)
        self.began = time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))

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
            trace = found.__traceback__
            while trace and trace.tb_next:
                trace = trace.tb_next
            place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "?"
            sys.stderr.write(f"openclaw: {type(found).__name__} at {place}\n")


class Server(web.Server):
    """aiohttp's server, with a time limit for the first request and a bound on connections."""

    def __init__(self, answer: _Answer, *, most_body: int) -> None:
        super().__init__(
            answer,
            request_factory=_factory(most_body),
            handler_cancellation=True,
            keepalive_timeout=15.0,
            lingering_time=2.0,
            max_line_size=_HEAD,
            max_field_size=_HEAD,
            access_log=None,
        )

    def __call__(self) -> RequestHandler:
        """Make what serves one connection."""
        made = _Connection(self, loop=asyncio.get_running_loop(), **self._kwargs)
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


def _drop_silent(connection: RequestHandler) -> None:
    """Close a connection that has sent no whole head of a request yet."""
    if connection._request_count == 0:  # noqa: SLF001
        _drop(connection)


def _drop(connection: RequestHandler | None) -> None:
    if connection is not None and connection.transport is not None:
        connection.transport.abort()


def bind_tcp(host: str, port: int) -> socket.socket:
    """Return a socket that listens; raises `ConflictError` where somebody else does."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, kind, protocol, _, address = found[0]
    made = socket.socket(family, kind, protocol)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.listen(BACKLOG)
    except OSError as refused:
        made.close()
        if refused.errno == errno.EADDRINUSE:
            raise held(host, port) from None
        if refused.errno in (errno.EACCES, errno.EPERM):
            raise DeniedError(f"we may not listen on {host}:{port}") from None
        reason = os.strerror(refused.errno or errno.EIO).lower()
        raise StorageError(f"cannot listen on {host}:{port}: {reason}") from None
    return made


def held(host: str, port: int) -> ConflictError:
    """Return the error for a port that is taken: by whom, and which one is free."""
    who = _holder(port)
    free = _free(host, port)
    return ConflictError(
        f"port {port} is held by {who}",
        hint=f"openclaw gateway start --port {free}; to keep it: gateway.port in the settings",
    )


def _holder(port: int) -> str:
    """Say who listens on a port, as far as we may know."""
    import psutil

    with suppress(psutil.Error, OSError):
        for each in psutil.net_connections("tcp"):
            if each.status == psutil.CONN_LISTEN and _port(each.laddr) == port and each.pid:
                process = psutil.Process(each.pid)
                words = " ".join(process.cmdline())
                node = "node" in process.name().lower() or words.startswith("openclaw")
                if node and "openclaw" in words:
                    return f"the OpenClaw gateway (Node), process {each.pid}"
                return f"{process.name()}, process {each.pid}"
    return "another program"


def _free(host: str, port: int) -> int:
    for each in range(port + 1, port + 20):
        with suppress(OSError), socket.create_server((host, each)):
            return each
    return 0


def bind_unix(path: str) -> socket.socket:
    """Return the listening control socket, in place of one that a crash left behind.

    The caller holds the gateway's lock, so nobody listens there any more.
    """
    with suppress(FileNotFoundError):
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            raise ConflictError(f"{path} is no socket", hint=f"ls -l {path}")
        os.unlink(path)
    made = socket.socket(socket.AF_UNIX)
    try:
        before = os.umask(0o177)
        try:
            made.bind(path)
        finally:
            os.umask(before)
        made.listen(BACKLOG)
    except OSError as refused:
        made.close()
        raise failure("listen on", path, refused) from None
    return made


def _port(address: object) -> int:
    return int(getattr(address, "port", 0))
