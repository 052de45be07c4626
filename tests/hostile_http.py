"""A server that misbehaves on purpose, and one that writes down who came to it.

    with HostileServer("html") as server:
        ...  # talk to server.address
    assert not server.saw(b"the-token")

A behaviour is a word of `BEHAVIOURS`; `redirect` needs `to`, the address of another server. Or it
is `said`: then what stands in `answer` is the body of a good answer, and a test may change it.
Each request is answered the same way, on a thread of its own, and kept whole in `requests`.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

from tests.listening import Listening

_HEAD = 64 * 1024
_CHUNK = 64 * 1024
_GIB = 1024 * 1024 * 1024
_LINGER = 60.0  # seconds a drip goes on: far beyond any time limit of ours


class HostileServer(Listening):
    """Listens on its own loopback address and port while it is entered."""

    def __init__(self, behaviour: str, *, to: str = "", host: str = "127.0.0.1") -> None:
        super().__init__(host)
        self._behave = _said if behaviour == "said" else BEHAVIOURS[behaviour]
        self.answer = b"{}"
        self.to = to
        self.requests: list[bytes] = []
        self.sent = 0  # bytes of answers, over all requests

    def saw(self, text: bytes) -> bool:
        """Tell whether any request held it, in its head or its body."""
        return any(text in request for request in self.requests)

    def talk(self, connection: socket.socket) -> None:
        self.requests.append(_request(connection))
        self._behave(self, connection)

    def send(self, connection: socket.socket, data: bytes) -> None:
        connection.sendall(data)
        self.sent += len(data)

    def wait(self, seconds: float) -> bool:
        """Wait, and tell whether the server is still to go on."""
        return not self.over.wait(seconds)


def _request(connection: socket.socket) -> bytes:
    got = b""
    while b"\r\n\r\n" not in got and len(got) < _HEAD:
        more = connection.recv(_HEAD)
        if not more:
            break
        got += more
    head, _, body = got.partition(b"\r\n\r\n")
    wanted = _content_length(head)
    while len(body) < wanted:
        more = connection.recv(_HEAD)
        if not more:
            break
        body += more
    return head + b"\r\n\r\n" + body


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            return int(value)
    return 0


def _plain(status: str, body: bytes, *headers: str, kind: str = "application/json") -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, *headers, "Connection: close", "", ""]).encode() + body


def _always(answer: bytes) -> Callable[[HostileServer, socket.socket], None]:
    return lambda server, connection: server.send(connection, answer)


def _redirect(server: HostileServer, connection: socket.socket) -> None:
    path = server.requests[-1].split(b" ", 2)[1].decode()
    server.send(connection, _plain("307 Temporary Redirect", b"", f"Location: {server.to}{path}"))


def _said(server: HostileServer, connection: socket.socket) -> None:
    server.send(connection, _plain("200 OK", server.answer))


def _huge(server: HostileServer, connection: socket.socket) -> None:
    """Send a JSON text of 1 GiB in chunks."""
    head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    server.send(connection, head.encode() + b'5\r\n{"a":\r\n')
    chunk = f"{_CHUNK:x}\r\n".encode() + b" " * _CHUNK + b"\r\n"
    while server.sent < _GIB and server.wait(0):
        server.send(connection, chunk)


def _packed(server: HostileServer, connection: socket.socket) -> None:
    """Send what unpacks to 1 GiB: as dense as gzip can be."""
    import gzip

    body = gzip.compress(b" " * (1024 * 1024)) * 1024  # members one after another are one file
    server.send(connection, _plain("200 OK", body, "Content-Encoding: gzip"))


def _drip_head(server: HostileServer, connection: socket.socket) -> None:
    _drip(server, connection, b"HTTP/1.1 200 OK\r\nX-Padding: ")


def _drip_body(server: HostileServer, connection: socket.socket) -> None:
    head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n"
    _drip(server, connection, head.encode() + b"{")


def _drip(server: HostileServer, connection: socket.socket, start: bytes) -> None:
    """Send one byte every 0.2 s: each of them in time, all of them never."""
    server.send(connection, start)
    until = time.monotonic() + _LINGER
    while time.monotonic() < until and server.wait(0.2):
        server.send(connection, b" ")


def _hang(server: HostileServer, _connection: socket.socket) -> None:
    server.wait(_LINGER)


def _reset(server: HostileServer, connection: socket.socket) -> None:
    head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
    server.send(connection, head.encode() + b'{"data": {"data": ')
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def _nothing(_server: HostileServer, _connection: socket.socket) -> None:
    """Close without a word."""


BEHAVIOURS: dict[str, Callable[[HostileServer, socket.socket], None]] = {
    "redirect": _redirect,
    "html": _always(_plain("200 OK", b"<html>Please sign in</html>", kind="text/html")),
    "html-as-json": _always(_plain("200 OK", b"<html>Please sign in</html>")),
    "json-list": _always(_plain("200 OK", b'["not", "an", "object"]')),
    "json-empty": _always(_plain("200 OK", b"{}")),
    "json-null": _always(_plain("200 OK", b'{"data": null}')),
    "json-deep": _always(_plain("200 OK", b"[" * 200_000)),
    "json-odd": _always(_plain("200 OK", b'{"data": {"data": ["hunter2"], "metadata": 7}}')),
    "not-http": _always(b"\x00\xff\x16\x03 this is not HTTP\r\n\r\n"),
    "huge": _huge,
    "packed": _packed,
    "drip-head": _drip_head,
    "drip-body": _drip_body,
    "hang": _hang,
    "reset": _reset,
    "nothing": _nothing,
    "429": _always(_plain("429 Too Many Requests", b"{}", "Retry-After: 1")),
    "429-for-ever": _always(_plain("429 Too Many Requests", b"{}", "Retry-After: 86400")),
    "500": _always(_plain("500 Internal Server Error", b'{"errors": ["hunter2"]}')),
    "503": _always(_plain("503 Service Unavailable", b'{"errors": ["hunter2"]}')),
    "403-echo": _always(_plain("403 Forbidden", b'{"errors": ["hunter2 was refused"]}')),
    "400-echo": _always(_plain("400 Bad Request", b'{"errors": ["hunter2 is bad"]}')),
}
