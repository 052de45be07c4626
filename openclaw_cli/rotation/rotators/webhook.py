"""A web server of yours that rotates: each step is one POST of the JSON that `command` is given.

Status 2xx says that it is done, 408, 425, 429 and 5xx that it may work later, any other that it is
refused. Only https is spoken, and http to this machine; no redirect is followed; an answer has at
most 128 KiB. With the setting `key` each request has `X-Openclaw-Signature: sha256=...`, the
HMAC-SHA-256 of its body.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import ssl
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import urlsplit

from openclaw_cli.errors import ConfigError, RefusedError, TemporaryError
from openclaw_cli.providers.provider import MINTED
from openclaw_cli.rotation import generators
from openclaw_cli.rotation.rotator import Held, Made, Setting, Task
from openclaw_cli.rotation.rotators.command import Command, made, request
from openclaw_cli.within import within

_MOST = 128 * 1024
_LATER = (408, 425, 429)
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_URL = Setting("url", "Where each step is posted: https, or http to this machine.", required=True)
_MORE = (
    Setting("overlap", "Whether the old value is accepted until it is revoked: yes or no.", "yes"),
    Setting("options", "A text that the server is given."),
    Setting("key", "The secret that requests are signed with.", secret=True),
)


class Webhook(Command):
    """We make the value; the server is told of it."""

    name: ClassVar[str] = "webhook"
    SETTINGS: ClassVar[tuple[Setting, ...]] = (
        _URL,
        Setting("kind", "What to make, as --generate takes it.", default=generators.DEFAULT),
        *_MORE,
    )

    def _trust(self, task: Task) -> None:
        _place(task.settings["url"])

    def _ask(self, task: Task, step: str, value: Held | None) -> dict[str, Any]:
        told = request(task, step, value)
        told = {name: each for name, each in told.items() if name not in ("key", "key_base64")}
        return within(
            task.seconds(), lambda: _post(task.settings["url"], told, task), "the webhook"
        )


class WebhookMints(Webhook):
    """The server has the service make the value."""

    name = "webhook-mints"
    kind = MINTED
    SETTINGS = (_URL, *_MORE)

    def create(self, task: Task) -> Made:
        return made(self._ask(task, "create", None), self.name)

    def _check_kind(self, task: Task) -> None:
        """Choose nothing."""


def _place(url: str) -> tuple[str, str, int | None, str]:
    """Return scheme, host, port and path; raises `ConfigError` for what values may not go to."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port, parts = "", None, urlsplit("")
    plain = parts.scheme == "http" and host in _LOOPBACK
    if not host or not (plain or parts.scheme == "https") or parts.username or not url.isascii():
        raise ConfigError(
            "the setting url of the webhook rotator is https://..., or http:// to this machine",
            hint="--setting url=https://rotate.example.com/acme",
        )
    path = parts.path or "/"
    return parts.scheme, host, port, f"{path}?{parts.query}" if parts.query else path


def _post(url: str, told: Mapping[str, Any], task: Task) -> dict[str, Any]:
    scheme, host, port, path = _place(url)
    body = json.dumps(told).encode()
    headers = {"Content-Type": "application/json", "User-Agent": "openclaw-cli"}
    if "key" in task.secrets:
        digest = hmac.new(task.secrets["key"].reveal(), body, hashlib.sha256).hexdigest()
        headers["X-Openclaw-Signature"] = f"sha256={digest}"
    connection = _connection(scheme, host, port, task.seconds())
    try:
        connection.request("POST", path, body, headers)
        with connection.getresponse() as response:
            status, data = response.status, response.read(_MOST + 1)
    except ssl.SSLError:
        raise RefusedError(
            f"the certificate of {host} is not one to be trusted", hint=f"curl -v https://{host}/"
        ) from None
    except (OSError, http.client.HTTPException):
        raise TemporaryError(f"{host} does not answer") from None
    finally:
        connection.close()
    return _answer(host, status, data)


def _connection(
    scheme: str, host: str, port: int | None, seconds: float
) -> http.client.HTTPConnection:
    if scheme == "http":
        return http.client.HTTPConnection(host, port, timeout=seconds)
    context = ssl.create_default_context()
    return http.client.HTTPSConnection(host, port, timeout=seconds, context=context)


def _answer(host: str, status: int, data: bytes) -> dict[str, Any]:
    if status in _LATER or status >= http.client.INTERNAL_SERVER_ERROR:
        raise TemporaryError(f"{host} answered {status}: it may work later")
    if not http.client.OK <= status < http.client.MULTIPLE_CHOICES:
        raise RefusedError(f"{host} answered {status}")
    if len(data) > _MOST:
        raise RefusedError(f"{host} answered with more than 128 KiB")
    try:
        found = json.loads(data) if data.strip() else {}
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise RefusedError(f"{host} did not answer with a JSON object")
    return found
