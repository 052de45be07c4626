"""A stand-in for a service's HTTP API, written from its documentation, which can go wrong.

A subclass has the routes. `fail(METHOD, PATH, how)` makes the next such request go wrong: a status,
`lost` (done, and no reply), `slow` (no reply for long), `html`, `list` or `deep` (an answer that is
none), `redirect` (to `elsewhere`). `requests` are what came, whole.
"""

from __future__ import annotations

import json
import re
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

FAULTS = ("401", "403", "404", "429", "500", "503", "lost", "slow", "html", "list", "deep")
_POLL = 0.02  # seconds
_SLOW = 30.0  # seconds, or until the server ends


@dataclass(frozen=True)
class Asked:
    """One request, as a route sees it."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Mapping[str, Any]

    @property
    def bearer(self) -> str:
        return self.headers.get("authorization", "").removeprefix("Bearer ")


Answer = tuple[int, dict[str, Any]]


class Standin:
    """Listens on a loopback port of its own while it is entered."""

    elsewhere = ""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self._faults: list[tuple[str, str, str]] = []
        self._over = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                outer.handle(self)

            do_POST = do_DELETE = do_GET  # noqa: N815 - as http.server names them

            def log_message(self, *_arguments: object) -> None:
                """Stay quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=[_POLL], daemon=True
        )

    def secure(self, certificate: Path, key: Path) -> None:
        """Speak TLS; before it is entered."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.address = self.address.replace("http:", "https:")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def route(self, asked: Asked) -> Answer:
        raise NotImplementedError

    def fail(self, method: str, path: str, how: str) -> None:
        """Let the next request of this method, whose path has this in it, go wrong."""
        self._faults.append((method, path, how))

    def mend(self) -> None:
        """Let nothing go wrong any more."""
        self._faults.clear()

    def saw(self, text: str) -> bool:
        """Tell whether any request held it."""
        return any(text in each for each in self.requests)

    def handle(self, handler: BaseHTTPRequestHandler) -> None:
        asked = self._read(handler)
        how = self._fault(asked)
        if how == "slow":
            self._over.wait(_SLOW)
            handler.close_connection = True
            return
        if how.isdigit():
            self._reply(handler, int(how), b'{"error": {"message": "hunter2 was refused"}}')
            return
        if how == "redirect":
            handler.send_response(307)
            handler.send_header("Location", self.elsewhere + handler.path)
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        status, answer = self.route(asked)
        if how == "lost":
            handler.close_connection = True
            return
        odd = {"html": b"<html>hunter2</html>", "list": b'["hunter2"]', "deep": b"[" * 100_000}
        body = json.dumps(answer).encode() if answer or status != 204 else b""
        self._reply(handler, status, odd.get(how, body))

    def _read(self, handler: BaseHTTPRequestHandler) -> Asked:
        text = handler.rfile.read(int(handler.headers.get("Content-Length", 0))).decode()
        self.requests.append(f"{handler.command} {handler.path}\n{handler.headers}\n{text}")
        parts = urlsplit(handler.path)
        body: Any = {}
        if "json" in handler.headers.get("Content-Type", ""):
            body = json.loads(text)
        elif text:
            body = {name: values[-1] for name, values in parse_qs(text).items()}
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        headers = {name.lower(): value for name, value in handler.headers.items()}
        return Asked(handler.command, parts.path, query, headers, body)

    def _fault(self, asked: Asked) -> str:
        for each in self._faults:
            if each[0] == asked.method and re.search(each[1], asked.path):
                self._faults.remove(each)
                return each[2]
        return ""

    @staticmethod
    def _reply(handler: BaseHTTPRequestHandler, status: int, body: bytes) -> None:
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        if status == 429:
            handler.send_header("Retry-After", "90")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)


def now() -> int:
    return int(time.time())
