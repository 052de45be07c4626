"""A service's HTTP API as rotators use it: to one origin, in time, within bounds, never redirected.

A token goes to the origin of the setting `endpoint` and nowhere else, and over TLS unless that is
this machine. No text of an answer is shown: what a service says may repeat what it was sent.
"""

from __future__ import annotations

import ipaddress
import json
import ssl
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

from openclaw_cli import duration
from openclaw_cli.errors import (
    ConfigError,
    DeniedError,
    NotFoundError,
    OpenclawError,
    RefusedError,
    TemporaryError,
)
from openclaw_cli.rotation.rotator import Setting, Task
from openclaw_cli.sanitize import safe

if TYPE_CHECKING:
    from openclaw_cli.backends.connect.timed import Pools

MAX_ANSWER = 1024 * 1024  # bytes
LIST = "list"
_ABSENT, _THROTTLED, _SERVER = 404, 429, 500
_DENIED = (401, 403)
_AGAIN = (408, 425, _THROTTLED)
_METADATA = ipaddress.ip_address("fd00:ec2::254")


def settings(endpoint: str) -> tuple[Setting, ...]:
    """Return the settings of where an API is."""
    return (
        Setting("endpoint", "Where the API is, or a proxy that is one.", default=endpoint),
        Setting("ca-cert", "A file of certificates to trust, in place of the system's."),
        Setting("proxy", "An HTTP proxy. HTTPS_PROXY is not looked at."),
    )


class Rejected(Exception):  # noqa: N818 - not an error of ours: who asked knows what it means
    """The service answered with a status from 400 on; `body` is its JSON object, or empty."""

    def __init__(self, status: int, body: Mapping[str, Any]) -> None:
        super().__init__(status)
        self.status = status
        self.body = body


class Api:
    """One service's API, for one step of a rotation."""

    def __init__(self, task: Task, title: str) -> None:
        """Read the settings; raises `ConfigError`. Nothing is sent."""
        self._task = task
        self.title = title
        self.origin = _origin(task.settings["endpoint"])
        self._pools: Pools | None = None

    def send(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        *,
        content: Mapping[str, Any] | None = None,
        form: Mapping[str, str] | None = None,
        listed: bool = False,
    ) -> dict[str, Any]:
        """Return the JSON object that the service answered, an empty one where it said nothing.

        With `listed` a list is what it answers: the only field, LIST, of the object.
        Raises `Rejected`, and `TemporaryError` or `RefusedError` where it comes to no such answer.
        Nothing is sent twice: whether that would do harm, who asks knows.
        """
        body, kind = b"", ""
        if content is not None:
            body, kind = json.dumps(content).encode(), "application/json"
        elif form is not None:
            body, kind = urlencode(form).encode(), "application/x-www-form-urlencoded"
        whole = {"Accept": "application/json", "Accept-Encoding": "identity"}
        whole |= {"User-Agent": "openclaw-cli", **headers}
        if kind:
            whole["Content-Type"] = kind
        found = self._understood(*self._sent(method, path, whole, body))
        if listed != (LIST in found):
            raise self.odd()
        return found

    def meaning(self, rejected: Rejected, to_do: str, needs: str) -> OpenclawError:
        """Return our error for a rejection; `needs` says what must be allowed, as a hint."""
        if rejected.status in _DENIED:
            return DeniedError(f"{self.title} does not allow us to {to_do}", hint=needs)
        if rejected.status == _ABSENT:
            return NotFoundError(f"{self.title} has nothing there to {to_do}", hint=needs)
        return RefusedError(f"{self.title} refuses to {to_do} (status {rejected.status})")

    def odd(self) -> TemporaryError:
        """Return the error for an answer that is none of the service's."""
        return TemporaryError(
            f"what answers at {self.origin} does not answer as {self.title} does",
            hint="is there a proxy or a sign-in page between?",
        )

    def _sent(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Mapping[str, str], bytes]:
        from openclaw_cli.backends.connect import timed

        if self._pools is None:
            self._pools = self._new_pools()
        deadline = timed.Deadline(self._task.seconds())
        try:
            return self._pools.send(method, self.origin + path, headers, body, deadline)
        except timed.Late:
            raise TemporaryError(f"{self.title} did not answer within the time limit") from None
        except timed.Unreachable:
            raise TemporaryError(
                f"{self.title} cannot be reached at {self.origin}", hint=f"curl {self.origin}"
            ) from None
        except timed.Untrusted:
            raise ConfigError(
                f"the certificate of {self.origin} is not one to trust",
                hint="--setting ca-cert=FILE, if it is yours",
            ) from None
        except timed.TooLarge:
            raise self.odd() from None

    def _understood(self, status: int, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
        if 300 <= status < 400:  # noqa: PLR2004 - redirects
            raise RefusedError(
                f"{self.origin} sends us to another address, which we do not follow with a token",
                hint="--setting endpoint=ADDRESS",
            )
        if status >= _SERVER or status in _AGAIN:
            said = headers.get("Retry-After", "")
            after = int(said) if said.isascii() and said.isdigit() and len(said) < 7 else 0  # noqa: PLR2004
            what = "is throttling us" if status == _THROTTLED else f"is in trouble ({status})"
            raise TemporaryError(
                f"{self.title} {what}",
                hint=f"it says to come back in {duration.exact(after)}" if after else "",
            )
        found = _object(body) if body else {}
        if status >= 400:  # noqa: PLR2004 - refusals
            raise Rejected(status, found or {})
        if found is None:
            raise self.odd()
        return found

    def _new_pools(self) -> Pools:
        from openclaw_cli.backends.connect.timed import Pools

        authority = self._task.settings["ca-cert"]
        try:
            context = ssl.create_default_context(cafile=authority or None)
        except (OSError, ValueError):
            raise ConfigError(f"the certificates in {safe(authority)} cannot be used") from None
        proxy = self._task.settings["proxy"]
        return Pools(
            proxy=_origin(proxy, "proxy", plain=True) if proxy else "",
            threads=1,
            largest=MAX_ANSWER,
            tls={"ssl_context": context},
        )


def segment(text: str) -> str:
    """Return a text as one segment of a path; raises `ConfigError` for what can be none."""
    if text in ("", ".", ".."):
        raise ConfigError("a setting that stands in an address is empty, . or ..")
    return quote(text, safe="")


def texts(found: Mapping[str, Any], *names: str) -> tuple[str, ...] | None:
    """Return some fields that must all be texts, or None."""
    values = [found.get(name) for name in names]
    if not all(isinstance(value, str) and value for value in values):
        return None
    return tuple(str(value) for value in values)


def objects(found: object) -> list[dict[str, Any]]:
    """Return the objects of what should be a list."""
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def token(secret: bytes, name: str) -> str:
    """Return a secret as it stands in a header; raises `ConfigError`."""
    try:
        text = secret.decode("ascii")
    except UnicodeDecodeError:
        text = ""
    if not text or not text.isprintable() or " " in text:
        raise ConfigError(f"{name} is no token: it is empty or has odd characters")
    return text


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if isinstance(found, list):
        return {LIST: found}
    return found if isinstance(found, dict) else None


def _origin(address: str, name: str = "endpoint", *, plain: bool = False) -> str:
    """Return scheme, host, port and path; raises `ConfigError` for what no token may be sent to."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        raise ConfigError(f"the setting {name} is not an address") from None
    odd = parts.username is not None or parts.query or parts.fragment
    if parts.scheme not in ("http", "https") or not parts.hostname or odd or not address.isascii():
        raise ConfigError(f"the setting {name} is not an address: https://HOST[:PORT]")
    host, loopback = parts.hostname, parts.hostname == "localhost"
    try:
        ip = ipaddress.ip_address(host)
    except ValueError:
        pass
    else:
        loopback = ip.is_loopback
        if ip.is_link_local or ip == _METADATA:
            raise ConfigError(f"the setting {name} is the machine's metadata service")
    if parts.scheme == "http" and not (loopback or plain):
        raise ConfigError(
            f"the setting {name} is not encrypted, and a token would be sent there",
            hint=f"--setting {name}=https://...",
        )
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + (f":{port}" if port else "") + parts.path.rstrip("/")
