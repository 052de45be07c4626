"""The door: HTTP over TCP and over the control socket.

| | scope |
|---|---|
| `POST /v1/agents/NAME` `{"input": ..., "session": "...", "stream": true}` | invoke |
| `POST /v1/dispatch` `{"agents": [...], "input": ..., "coalesce": true}` | invoke |
| `GET /v1/status` | read |
| `GET /healthz` | anybody |
| `GET /metrics` | read; without names of secrets anybody on this machine, unless `metrics.auth` |
| `GET /__openclaw__/status` | read |
| `POST /control/...` | the control socket alone |
"""

from __future__ import annotations

import asyncio
import functools
import json
import os
import socket
import struct
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from openclaw_cli.agents.spec import CANCEL
from openclaw_cli.errors import NotFoundError, OpenclawError, UsageError
from openclaw_cli.gateway import auth, control, page, web
from openclaw_cli.gateway.dispatch import dispatch
from openclaw_cli.gateway.link import COOKIE, COOKIE_SECONDS
from openclaw_cli.gateway.plain import (
    FROM_NODE,
    OTHER_STATUS,
    STATUS,
    checked_thread,
    plain,
    written,
)
from openclaw_cli.gateway.serving import Connection
from openclaw_cli.gateway.streaming import stream
from openclaw_cli.runtime import tree
from openclaw_cli.runtime.request import Ask, Reply, Request

if TYPE_CHECKING:
    from openclaw_cli.gateway.core import Gateway

BODY_SECONDS = 30.0
"""How long a client may take to send its request's body."""

_AGENTS = "/v1/agents/"
_SIGN_IN = "a program sends Authorization: Bearer TOKEN; for a browser: openclaw gateway link"
_DISPATCH = "/v1/dispatch"
_LOOKING = frozenset(
    (
        *("/healthz", "/metrics", "/v1/status"),
        *("/__openclaw__", "/__openclaw__/", "/__openclaw__/link", "/__openclaw__/status"),
    )
)
_PROMETHEUS = {"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}
_PEERCRED = struct.Struct("3i")


class Door:
    """Answers every request of one gateway."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.open = 0

    async def over_tcp(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer somebody who has to say who they are."""
        return await self._counted(request, self._judged)

    async def over_socket(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer whoever has the same user id as we, or root; nobody else."""
        process, user = _peer(request)
        if user not in (os.geteuid(), 0):
            return _error(403, "denied", "this socket is another user's", close=True)
        began = getattr(request.protocol, "began", 0.0)
        if process >= 0 and not tree.is_apart(process, os.getpid(), began):
            return _error(403, "denied", "an agent does not command the gateway", close=True)
        return await self._counted(request, self._trusted)

    async def _counted(
        self,
        request: web.BaseRequest,
        answer: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
    ) -> web.StreamResponse:
        self.open += 1
        try:
            response = await answer(request)
        except OpenclawError as refused:
            response = _refusal(refused)
        except TimeoutError:
            response = _error(408, "timeout", "the request took too long to arrive", close=True)
        except web.HTTPRequestEntityTooLarge:
            most = self.gateway.configuration.gateway.max_body
            response = _error(413, "too_large", f"more than {most} bytes", close=True)
        finally:
            self.open -= 1
        if self.gateway.draining:
            response.force_close()
        return response

    async def _judged(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.path
        headers = _joined(request.headers.items())
        scope = self._scope(path, request.remote or "", headers)
        cookie = request.cookies.get(COOKIE, "") if "Cookie" in request.headers else ""
        asked = auth.Asked(
            request.remote or "",
            scope,
            headers,
            linked=bool(cookie) and self.gateway.links.knows(cookie),
        )
        verdict = auth.judged(asked, self.gateway.rules)
        if verdict.status:
            if verdict.status != 401 or "Authorization" in request.headers:  # noqa: PLR2004
                self.gateway.watch.often(
                    "refused", address=verdict.address, path=path[:200], why=verdict.why
                )
            hint = _SIGN_IN if verdict.status == 401 else ""  # noqa: PLR2004
            response = _error(verdict.status, "denied", verdict.why, hint=hint)
            if hint:
                response.headers["WWW-Authenticate"] = 'Bearer realm="openclaw"'
            return response
        if verdict.why:
            self.gateway.watch.often(
                "unexpected_client", address=verdict.address, path=path[:200], why=verdict.why
            )
        part = page.answer(request.path) if request.method in ("GET", "HEAD") else None
        return part or await self._answered(request, verdict.address, named=scope != auth.OPEN)

    async def _trusted(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path.startswith("/control/"):
            given = await self._object(request) if request.can_read_body else {}
            verb = request.path.removeprefix("/control/")
            return _json(200, await control.obey(self.gateway, verb, given))
        return await self._answered(request, "", named=True)

    def _scope(self, path: str, peer: str, headers: Mapping[str, str]) -> str:
        if path in ("/healthz", "/__openclaw__/link"):
            return auth.OPEN
        if path == "/metrics":
            wants = self.gateway.configuration.gateway.metrics_auth or "authorization" in headers
            near = auth.is_near(peer, headers, self.gateway.rules)
            return auth.OPEN if near and not wants else auth.READ
        return auth.INVOKE if path == _DISPATCH or path.startswith(_AGENTS) else auth.READ

    async def _answered(
        self, request: web.BaseRequest, address: str, *, named: bool
    ) -> web.StreamResponse:
        """Answer somebody who may ask; `named`: who may know the names of secrets, too."""
        path, method = request.path, request.method
        asks = path.startswith(_AGENTS) or path == _DISPATCH
        if not asks and path not in _LOOKING:
            raise NotFoundError(f"there is nothing at {path[:200]}")
        allowed = ("POST",) if asks else ("GET", "HEAD")
        if method not in allowed:
            response = _error(405, "usage", f"{path[:200]} takes {allowed[0]}")
            response.headers["Allow"] = ", ".join(allowed)
            return response
        if path == _DISPATCH:
            return await self._dispatched(request, address)
        if asks:
            return await self._invoked(request, path.removeprefix(_AGENTS), address)
        return self._looked(request, named=named)

    def _looked(self, request: web.BaseRequest, *, named: bool) -> web.StreamResponse:
        match request.path:
            case "/healthz":
                return _json(503 if self.gateway.draining else 200, {"ok": True})
            case "/metrics":
                of_secrets = self.gateway.observing.metrics(named=named)
                return web.Response(body=self.gateway.metrics.text(of_secrets), headers=_PROMETHEUS)
            case "/__openclaw__/link":
                return self._linked(request)
            case _:
                return _json(200, self.gateway.status(verbose="verbose" in request.query))

    def _linked(self, request: web.BaseRequest) -> web.StreamResponse:
        cookie = self.gateway.links.trade(request.query.get("t", ""))
        if not cookie:
            return _error(401, "denied", "this link was used already, or is too old")
        response = web.Response(status=303, headers={"Location": "/__openclaw__/"})
        response.headers["Referrer-Policy"] = "no-referrer"
        response.set_cookie(
            COOKIE,
            cookie,
            max_age=int(COOKIE_SECONDS),
            path="/__openclaw__",
            httponly=True,
            samesite="Strict",
        )
        return response

    # --- agents ---

    async def _invoked(
        self, request: web.BaseRequest, name: str, address: str
    ) -> web.StreamResponse:
        pool = self.gateway.supervisor.pool(name)
        asked = await self._asked(request, name, address)
        given, wants_stream = asked
        ask = self._placed(request, address)
        if wants_stream:
            return await stream(self.gateway, request, given, ask)
        connection = request.protocol
        assert isinstance(connection, Connection)  # noqa: S101  `serving` makes no other
        # What was accepted is finished when the client is gone, unless the agent says otherwise.
        connection.cancels = pool.spec.on_disconnect == CANCEL
        try:
            return answered(await ask(given))
        finally:
            connection.cancels = True

    async def _asked(
        self, request: web.BaseRequest, name: str, address: str
    ) -> tuple[Request, bool]:
        session = request.headers.get("X-Session-Key", "")
        if request.content_type == "text/plain":
            text = (await self._body(request)).decode(errors="replace")
            return Request(name, text, session=checked_thread(session), peer=address), False
        given = await self._object(request)
        if "input" not in given:
            raise UsageError("the body has no input", hint='{"input": ...}')
        session = given.get("session") or session
        wants = given.get("stream") is True
        made = Request(name, given["input"], session=checked_thread(session), peer=address)
        return made, wants

    async def _dispatched(self, request: web.BaseRequest, address: str) -> web.StreamResponse:
        given = await self._object(request)
        ask = self._placed(request, address)
        status, answer = await dispatch(self.gateway.supervisor, given, address, ask)
        return _json(status, answer)

    def _placed(self, request: web.BaseRequest, address: str) -> Ask:
        """Return who answers: what the node beside us brings is answered here."""
        placing = self.gateway.placing
        of_node = "" if address else request.headers.get(FROM_NODE, "")
        return functools.partial(placing.brought, of_node) if of_node else placing.ask

    # --- bodies ---

    async def _body(self, request: web.BaseRequest) -> bytes:
        if request.content.is_eof():
            return await request.read()  # all of it came with the head
        async with asyncio.timeout(BODY_SECONDS):
            return await request.read()

    async def _object(self, request: web.BaseRequest) -> dict[str, Any]:
        try:
            found = json.loads(await self._body(request), parse_constant=_no_number)
        except (ValueError, RecursionError):
            raise UsageError("the body is not JSON", hint='{"input": ...}') from None
        if not isinstance(found, dict):
            raise UsageError("the body is not a JSON object", hint='{"input": ...}')
        return found


def _joined(fields: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Put header fields together by their names; who sends one twice has said both."""
    found: dict[str, str] = {}
    for name, value in fields:
        lower = name.lower()
        found[lower] = f"{found[lower]}, {value}" if lower in found else value
    return found


def _no_number(text: str) -> NoReturn:
    """Refuse what Python takes for JSON and JSON has not: NaN and Infinity."""
    raise ValueError(text)


def answered(reply: Reply) -> web.Response:
    """Return the HTTP answer of a reply."""
    response = _json(STATUS.get(reply.outcome, OTHER_STATUS), plain(reply))
    if reply.retry:
        response.headers["Retry-After"] = str(max(1, int(reply.retry + 0.999)))
    return response


def _json(status: int, answer: Any) -> web.Response:  # noqa: ANN401  anything JSON has
    return web.Response(
        status=status,
        body=written(answer).encode() + b"\n",
        headers={"Content-Type": "application/json", "X-Content-Type-Options": "nosniff"},
    )


def _error(
    status: int, kind: str, message: str, *, hint: str = "", close: bool = False
) -> web.Response:
    words = {"code": status, "kind": kind, "message": message, "hint": hint}
    response = _json(status, {"error": words})
    if close:
        response.force_close()
    return response


def _refusal(refused: OpenclawError) -> web.Response:
    status = {
        "not_found": 404,
        "usage": 400,
        "config": 400,
        "conflict": 409,
        "denied": 403,
        "unavailable": 503,
        "temporary": 503,
    }.get(refused.kind, 500)
    response = _error(status, refused.kind, refused.message, hint=refused.hint)
    if status == 503:  # noqa: PLR2004
        response.headers["Retry-After"] = "1"
    return response


def _peer(request: web.BaseRequest) -> tuple[int, int]:
    """Return process and user at the other end of the control socket; -1 when it is not known."""
    transport = request.transport
    found = transport.get_extra_info("socket") if transport else None
    if found is None:
        return -1, -1
    if hasattr(socket, "SO_PEERCRED"):
        raw = found.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEERCRED.size)
        process, user, _ = _PEERCRED.unpack(raw)
        return int(process), int(user)
    return -1, os.geteuid()  # macOS: the socket's folder lets nobody else in
