"""How the commands ask a running gateway: HTTP over its control socket. Standard library only."""

from __future__ import annotations

import http.client
import json
import os
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from openclaw_cli.errors import (
    ConfigError,
    ConflictError,
    DeniedError,
    NotFoundError,
    OpenclawError,
    RefusedError,
    StorageError,
    TemporaryError,
    UsageError,
)
from openclaw_cli.gateway import paths
from openclaw_cli.gateway.plain import FROM_NODE
from openclaw_cli.home import Home

_KINDS: dict[str, type[OpenclawError]] = {
    each.kind: each
    for each in (
        ConfigError,
        ConflictError,
        DeniedError,
        NotFoundError,
        RefusedError,
        StorageError,
        TemporaryError,
        UsageError,
    )
}


class NotRunningError(TemporaryError):
    """No gateway answers here."""

    def __init__(self) -> None:
        super().__init__("no gateway is running here", hint="openclaw gateway start")


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: str, seconds: float | None) -> None:
        super().__init__("localhost", timeout=seconds)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def ask(
    home: Home, verb: str, given: dict[str, Any] | None = None, *, seconds: float | None = 60.0
) -> dict[str, Any]:
    """Have the gateway do something and return its answer.

    Raises `NotRunningError`, and what the gateway itself answers.
    """
    status, answer = post(home, f"/control/{verb}", given or {}, seconds=seconds)
    if status >= 400:  # noqa: PLR2004
        raise error(answer)
    return answer


def post(
    home: Home, path: str, given: dict[str, Any], *, seconds: float | None = 60.0
) -> tuple[int, dict[str, Any]]:
    """Send JSON to a path and return the status and the answer. Raises `NotRunningError`."""
    with _asked(home, path, given, seconds, {}) as response:
        return response.status, json.loads(response.read())


def brought(
    home: Home,
    path: str,
    given: dict[str, Any],
    request: str,
    emit: Callable[[str], None] | None,
) -> dict[str, Any]:
    """Return the answer to what a node brings, under the id that it has everywhere.

    `emit` takes its parts. Raises as `post` does.
    """
    wanted = {**given, "stream": emit is not None}
    answer: dict[str, Any] = {}
    with _asked(home, path, wanted, None, {FROM_NODE: request}) as response:
        if emit is None or response.getheader("Content-Type") != "text/event-stream":
            answer = json.loads(response.read())
        else:
            for line in response:
                if line.startswith(b"data: "):
                    answer = json.loads(line[6:])
                    if set(answer) == {"text"}:
                        emit(answer["text"])
    return answer


@contextmanager
def _asked(
    home: Home,
    path: str,
    given: dict[str, Any],
    seconds: float | None,
    headers: Mapping[str, str],
) -> Iterator[http.client.HTTPResponse]:
    connection = _Connection(paths.control_socket(home), seconds)
    try:
        sent = {"Content-Type": "application/json", **headers}
        connection.request("POST", path, json.dumps(given), sent)
        yield connection.getresponse()
    except (FileNotFoundError, ConnectionRefusedError):
        raise NotRunningError from None
    except TimeoutError:
        raise TemporaryError(
            f"the gateway did not answer within {seconds:g} s",
            hint="openclaw gateway status; its log is logs/gateway.log",
        ) from None
    except (OSError, http.client.HTTPException, ValueError) as refused:
        if isinstance(refused, PermissionError):
            raise DeniedError(
                "the gateway here is another user's",
                hint="ls -l of its run/gateway.sock; be that user",
            ) from None
        raise TemporaryError("the gateway went away while it was asked", hint="try again") from None
    finally:
        connection.close()


def error(answer: dict[str, Any]) -> OpenclawError:
    """Return the error that an answer tells of."""
    told = answer.get("error", {})
    kind = _KINDS.get(told.get("kind", ""), RefusedError)
    return kind(str(told.get("message", "refused")), hint=str(told.get("hint", "")))


def running(home: Home) -> dict[str, Any] | None:
    """Return the status of the gateway, or None where none is running."""
    if not os.path.exists(paths.control_socket(home)):
        return None
    try:
        return ask(home, "status", seconds=5.0)
    except NotRunningError:
        return None
