"""`https://HOST/PATH`: records as lines of JSON in the body of a POST."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Sequence
from contextlib import closing
from urllib.parse import urlsplit

from openclaw_cli.errors import ConfigError, OpenclawError, RefusedError, TemporaryError

SECONDS = 10.0
BATCH = 512 * 1024
"""Bytes of one request at most, as far as one record is not larger."""

_GOOD = range(200, 300)
_VAIN = frozenset((400, 401, 403, 404, 405, 410, 413, 415))
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class WebhookSink:
    """Posts batches; only this machine is asked without TLS, and no redirect is followed."""

    def __init__(self, address: str, rest: str, root: str) -> None:
        del rest, root
        check(address)
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


def check(address: str) -> None:
    """Raise `ConfigError` for an address that is not to be posted to."""
    parts = urlsplit(address)
    try:
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host = ""
    if not host or parts.username or (parts.scheme == "http" and host not in _LOOPBACK):
        raise ConfigError(
            "a webhook is https://HOST/PATH; only this machine is asked by http",
            hint="the token of one can stand in its path",
        )


def post(address: str, body: bytes, kind: str, seconds: float = SECONDS) -> None:
    """Post a body; raises `TemporaryError` when it may work later, else `RefusedError`."""
    parts = urlsplit(address)
    host = parts.hostname or ""
    path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    try:
        with closing(_connection(parts.scheme, host, parts.port, seconds)) as connection:
            headers = {"Content-Type": kind, "User-Agent": "openclaw-cli"}
            connection.request("POST", path, body=body, headers=headers)
            with closing(connection.getresponse()) as response:
                status = response.status
    except (OSError, http.client.HTTPException):
        raise TemporaryError(f"the webhook at {host} cannot be reached") from None
    if status not in _GOOD:
        kind_of: type[OpenclawError] = RefusedError if status in _VAIN else TemporaryError
        raise kind_of(f"the webhook at {host} answers {status}")


def _connection(
    scheme: str, host: str, port: int | None, seconds: float
) -> http.client.HTTPConnection:
    if scheme != "https":
        return http.client.HTTPConnection(host, port, timeout=seconds)
    context = ssl.create_default_context()
    return http.client.HTTPSConnection(host, port, timeout=seconds, context=context)
