"""`https://HOST/PATH`: records as lines of JSON in the body of a POST."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Sequence
from contextlib import closing, suppress

from openclaw_cli.audit.sinks.address import of_webhook
from openclaw_cli.errors import OpenclawError, RefusedError, TemporaryError
from openclaw_cli.within import within

SECONDS = 10.0
BATCH = 512 * 1024
"""Bytes of one request at most, as far as one record is not larger."""

_GOOD = range(200, 300)
_VAIN = frozenset((400, 401, 403, 404, 405, 410, 413, 415))


class WebhookSink:
    """Posts batches; only this machine is asked without TLS, and no redirect is followed."""

    def __init__(self, address: str, rest: str, root: str) -> None:
        del rest, root
        of_webhook(address)
        self._address = address

    def send(self, records: Sequence[bytes]) -> None:
        """Post every record, some at a time."""
        batch: list[bytes] = []
        size = 0
        for each in records:
            if batch and size + len(each) > BATCH:
                post(self._address, b"".join(batch), "application/x-ndjson")
                batch, size = [], 0
            batch.append(each)
            size += len(each)
        if batch:
            post(self._address, b"".join(batch), "application/x-ndjson")

    def close(self) -> None:
        """There is nothing to let go of."""


def post(address: str, body: bytes, kind: str, seconds: float = SECONDS) -> None:
    """Post a body; raises `TemporaryError` when it may work later, else `RefusedError`.

    All of it takes no longer than `seconds`, however the answer drips; its body is not read.
    """
    scheme, host, port, path = of_webhook(address)
    connection = _connection(scheme, host, port, seconds)
    given_up = threading.Event()

    def ask() -> int:
        connection.connect()
        if given_up.is_set():
            connection.close()
            raise TimeoutError
        headers = {"Content-Type": kind, "User-Agent": "openclaw-cli"}
        connection.request("POST", path, body=body, headers=headers)
        with closing(connection.getresponse()) as response:
            return response.status

    try:
        status = within(seconds, ask, f"the webhook at {host}")
    except (OSError, http.client.HTTPException):
        raise TemporaryError(f"the webhook at {host} cannot be reached") from None
    finally:
        given_up.set()
        _end(connection)
    if status not in _GOOD:
        kind_of: type[OpenclawError] = RefusedError if status in _VAIN else TemporaryError
        raise kind_of(f"the webhook at {host} answers {status}")


def _end(connection: http.client.HTTPConnection) -> None:
    """Close it, also under a thread that still reads from it: that one ends now."""
    with suppress(OSError):
        if connection.sock is not None:
            connection.sock.shutdown(socket.SHUT_RDWR)
    connection.close()


def _connection(
    scheme: str, host: str, port: int | None, seconds: float
) -> http.client.HTTPConnection:
    if scheme != "https":
        return http.client.HTTPConnection(host, port, timeout=seconds)
    context = ssl.create_default_context()
    return http.client.HTTPSConnection(host, port, timeout=seconds, context=context)
