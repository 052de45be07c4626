"""One question to one endpoint over HTTP: in time, within bounds, never redirected.

The standard library's client, since an instance is new for each request: 2 ms and 14 MB a call,
where httpx takes 5 ms and 25 MB and a service's own library 43 to 68 MB.
"""

from __future__ import annotations

import http.client
import json
import os
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from typing import Any
from urllib.parse import SplitResult, urlsplit

LARGEST = 16 * 1024 * 1024
"""Bytes of an answer at most."""
LINE = 1024 * 1024
"""Bytes of one event of a stream at most."""
CONNECT_SECONDS = 10.0

_OK = 200
_ERROR = 64 * 1024
_MOST_WAIT = 24 * 3600


class Unreachable(Exception):  # noqa: N818  the endpoint's state, not a mistake of ours
    """There was no answer, or it broke off."""


class Status(Exception):  # noqa: N818  the same
    """The endpoint answered with another status than 200.

    `body` is its JSON, or None; `wait` the seconds after which it wants to be asked again, or 0.
    """

    def __init__(self, status: int, body: Any, wait: float) -> None:  # noqa: ANN401  JSON
        super().__init__(status)
        self.status = status
        self.body = body
        self.wait = wait


_contexts: list[ssl.SSLContext] = []


def warm() -> None:
    """Make ready what each question needs: the zygote does it once, before any request."""
    if not _contexts:
        _contexts.append(ssl.create_default_context())


class Asked:
    """An answer that is being read: at once, or event by event."""

    def __init__(
        self,
        connection: http.client.HTTPConnection,
        response: http.client.HTTPResponse,
        seconds: Callable[[], float],
    ) -> None:
        self._connection = connection
        self._response = response
        self._seconds = seconds
        self._read = 0

    @property
    def is_stream(self) -> bool:
        """Whether it comes in events."""
        kind = self._response.getheader("Content-Type", "")
        return kind.partition(";")[0].strip().lower() == "text/event-stream"

    def all(self) -> bytes:
        """Return the whole of it; raises `Unreachable`."""
        data = b"".join(self._pieces(lambda: self._response.read1(65536)))
        left = self._response.length
        if left:
            raise Unreachable("it broke off")
        return data

    def events(self) -> Iterator[bytes]:
        """Give the data of each event; raises `Unreachable`."""
        data: list[bytes] = []
        for line in self._pieces(lambda: self._response.readline(LINE + 1)):
            if len(line) > LINE:
                raise Unreachable("an event is too long")
            text = line.rstrip(b"\r\n")
            if not text and data:
                yield b"\n".join(data)
                data = []
            elif text.startswith(b"data:"):
                data.append(text[5:].removeprefix(b" "))
        if data:
            yield b"\n".join(data)

    def _pieces(self, read: Callable[[], bytes]) -> Iterator[bytes]:
        while True:
            _limit(self._connection, self._seconds())
            try:
                piece = read()
            except (OSError, http.client.HTTPException):
                raise Unreachable("it broke off") from None
            self._read += len(piece)
            if self._read > LARGEST:
                raise Unreachable("its answer is too large")
            if not piece:
                return
            yield piece


def ask(
    endpoint: str,
    path: str,
    headers: Mapping[str, str],
    body: object,
    seconds: Callable[[], float],
    take: Callable[[Asked], None],
) -> None:
    """Send a question and let `take` read the answer.

    `seconds` says how much time is left. Raises `Unreachable`, `Status`.
    """
    address = urlsplit(endpoint)
    data = json.dumps(body, separators=(",", ":")).encode()
    try:
        connection = _connection(address, min(seconds(), CONNECT_SECONDS))
        with closing(connection):
            connection.connect()
            _limit(connection, seconds())
            connection.request("POST", path, body=data, headers=dict(headers))
            with closing(connection.getresponse()) as response:
                if response.status != _OK:
                    raise _refused(response)
                take(Asked(connection, response, seconds))
    except (OSError, http.client.HTTPException):
        # The library's text may quote a header, and one of them is the key.
        raise Unreachable("it cannot be reached") from None


def _connection(address: SplitResult, timeout: float) -> http.client.HTTPConnection:
    host, timeout = address.hostname or "", max(timeout, 0.01)
    if address.scheme != "https":
        return http.client.HTTPConnection(host, address.port, timeout=timeout)
    warm()
    proxy = _proxy(host)
    if proxy is None:
        return http.client.HTTPSConnection(
            host, address.port, timeout=timeout, context=_contexts[0]
        )
    connection = http.client.HTTPSConnection(
        proxy.hostname or "", proxy.port, timeout=timeout, context=_contexts[0]
    )
    connection.set_tunnel(host, address.port)
    return connection


def _proxy(host: str) -> SplitResult | None:
    """Return the proxy that the environment names for TLS, unless the host is an exception."""
    named = os.environ.get("HTTPS_PROXY") or os.environ.get("https_proxy") or ""
    spared = os.environ.get("NO_PROXY") or os.environ.get("no_proxy") or ""
    for each in spared.split(","):
        word = each.strip().lstrip(".").lower()
        if word and (word in ("*", host) or host.endswith(f".{word}")):
            return None
    proxy = urlsplit(named if "://" in named else f"//{named}")
    return proxy if proxy.hostname else None


def _limit(connection: http.client.HTTPConnection, seconds: float) -> None:
    if connection.sock is not None:
        connection.sock.settimeout(max(seconds, 0.01))


def _refused(response: http.client.HTTPResponse) -> Status:
    try:
        body = json.loads(response.read(_ERROR))
    except (ValueError, RecursionError, OSError, http.client.HTTPException):
        body = None
    asked = response.getheader("Retry-After", "").strip()
    wait = float(asked) if asked.isascii() and asked.isdigit() and len(asked) < 7 else 0.0  # noqa: PLR2004
    return Status(response.status, body, min(wait, _MOST_WAIT))
