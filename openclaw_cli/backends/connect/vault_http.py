"""How hvac's requests travel: in time, within bounds, to one origin, and never redirected.

hvac's own way follows redirects with the token, reads an answer of any size and has no time limit
for the whole of it. This module loads hvac; `vault.py` imports it when Vault is first asked.
"""

from __future__ import annotations

import json
import random
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Self
from urllib.parse import urlencode

import hvac
import urllib3

from openclaw_cli.backends.connect.timed import (
    Deadline,
    Late,
    Pools,
    TooLarge,
    Unreachable,
    Untrusted,
)
from openclaw_cli.backends.protocols import UncertainError
from openclaw_cli.errors import ConfigError, RefusedError, TemporaryError

MAX_ANSWER = 1024 * 1024  # bytes
_MULTIPLE_CHOICES, _BAD_REQUEST = 300, 400
_AGAIN = frozenset((412, 429, 500, 502, 503, 504))


class Rejected(Exception):  # noqa: N818 - not an error of ours: who asked knows what it means
    """Vault answered with a status from 400 on; `body` is its JSON object, or empty.

    `after` are the seconds that it asks to wait, or 0.
    """

    def __init__(self, status: int, body: dict[str, Any], after: float = 0.0) -> None:
        super().__init__(status)
        self.status = status
        self.body = body
        self.after = after


class _Rate:
    """At most so many requests a second, after `burst` that need not wait; 0 is no limit."""

    def __init__(self, a_second: float, burst: int) -> None:
        self._every = 1 / a_second if a_second else 0.0
        self._slack = self._every * max(burst - 1, 0)
        self._next = 0.0
        self._lock = threading.Lock()

    def wait(self, deadline: Deadline) -> None:
        """Wait for our turn; raises `Late` when it comes after that."""
        if not self._every:
            return
        with self._lock:
            now = time.monotonic()
            self._next = max(self._next, now - self._slack)
            turn, self._next = self._next, self._next + self._every
        if turn > now and not deadline.sleep(turn - now):
            raise Late


class Transport:
    """The way to one Vault: its connections are kept, and shared by operations and threads."""

    def __init__(
        self,
        origin: str,
        *,
        tls: ssl.SSLContext | None,
        server_name: str,
        proxy: str,
        threads: int,
        rate: tuple[float, int],
    ) -> None:
        self.origin = origin
        self._rate = _Rate(*rate)
        options: dict[str, Any] = {"ssl_context": tls} if tls else {}
        if tls and tls.verify_mode == ssl.CERT_NONE:
            options["cert_reqs"] = "CERT_NONE"
            # `Connection.notices` says it, in our words.
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        if tls and server_name:
            options["server_hostname"] = server_name
        self._pools = Pools(proxy=proxy, threads=threads, largest=MAX_ANSWER, tls=options)

    def send(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, deadline: Deadline
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Return status, headers and body; raises `TemporaryError`, `ConfigError`, `RefusedError`.

        Nothing is tried again and no redirect is followed.
        """
        try:
            self._rate.wait(deadline)
            headers = {**headers, "Accept-Encoding": "identity"}
            return self._pools.send(method, self.origin + path, headers, body, deadline)
        except Late as late:
            raise _unanswered(late)(
                f"vault at {self.origin} did not answer within the time limit",
                hint=_reach(self.origin),
            ) from None
        except Unreachable as lost:
            raise _unanswered(lost)(
                f"vault cannot be reached at {self.origin}", hint=_reach(self.origin)
            ) from None
        except Untrusted:
            raise ConfigError(
                f"{self.origin} and we cannot agree on TLS: its certificate is not one to trust, "
                "it wants one of ours, or it speaks plain HTTP",
                hint="export VAULT_CACERT=/path/to/ca.pem",
            ) from None
        except TooLarge:
            raise RefusedError(f"vault's answer is larger than {MAX_ANSWER // 1024} KiB") from None


class Adapter(hvac.adapters.Adapter):  # type: ignore[misc] # hvac has no types
    """What hvac sends through: one operation, signed in with one token."""

    def __init__(
        self,
        transport: Transport,
        *,
        deadline: Deadline,
        namespace: str,
        retries: int,
    ) -> None:
        super().__init__(base_uri=transport.origin, namespace=namespace, allow_redirects=False)
        self.session.close()  # requests is not what we send through
        self._transport = transport
        self.deadline = deadline
        self._retries = retries
        self.renewed: Callable[[Self], str] | None = None  # another token, after a refusal

    def get_login_token(self, response: Any) -> Any:  # noqa: ANN401 - as hvac calls it
        return response["auth"]["client_token"]

    def request(
        self,
        method: str,
        url: str,
        headers: dict[str, str] | None = None,
        raise_exception: bool = True,  # noqa: ARG002 - as hvac calls it
        **options: Any,  # noqa: ANN401
    ) -> dict[str, Any]:
        """Return the JSON object that Vault answered, or an empty one.

        Raises `Rejected` for a status from 400 on, and what `Transport.send` raises.
        """
        query = dict(options.get("params") or {})
        if method == "list":  # a verb of Vault's own, which proxies drop
            method, query["list"] = "get", "true"
        path = f"{url}?{urlencode(query)}" if query else url
        content = options.get("json")
        body = json.dumps(content).encode() if content is not None else b""
        try:
            return self._sent(method.upper(), path, body, headers or {})
        except Rejected as rejected:
            fresh = self.renewed(self) if rejected.status == 403 and self.renewed else ""  # noqa: PLR2004
            if not fresh:
                raise
        self.token = fresh
        return self._sent(method.upper(), path, body, headers or {})

    def _sent(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> dict[str, Any]:
        """Send, and send again what changes nothing when Vault is busy or was not reached."""
        headers = {**headers, **self._own_headers(body)}
        for attempt in range(self._retries + 1):
            again = method == "GET" and attempt < self._retries
            try:
                status, answered, found = self._transport.send(
                    method, path, headers, body, self.deadline
                )
            except TemporaryError:
                if again and self.deadline.sleep(_pause(attempt)):
                    continue
                raise
            again = again and status in _AGAIN and not self._is_sealed(status)
            if again and self.deadline.sleep(_after(answered) or _pause(attempt)):
                continue
            return self._understood(status, answered, found)
        raise AssertionError("unreachable")

    def _own_headers(self, body: bytes) -> dict[str, str]:
        own = {"X-Vault-Request": "true"}  # against requests forged by a page in a browser
        if self.token:
            own["X-Vault-Token"] = self.token
        if self.namespace:
            own["X-Vault-Namespace"] = self.namespace
        if body:
            own["Content-Type"] = "application/json"
        return own

    def _understood(self, status: int, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
        if _MULTIPLE_CHOICES <= status < _BAD_REQUEST:
            raise RefusedError(
                f"{self._transport.origin} sends us to another address, which we do not follow "
                "with a token",
                hint="name the address of the active node: export VAULT_ADDR=https://...",
            )
        found = _object(body) if not headers.get("Content-Encoding") else None
        if status >= _BAD_REQUEST:
            raise Rejected(status, found or {}, _after(headers))
        if found is None and body:
            raise UncertainError(
                f"what answers at {self._transport.origin} does not answer as vault does",
                hint=_reach(self._transport.origin),
            )
        return found or {}

    def _is_sealed(self, status: int) -> bool:
        """Tell whether waiting is vain: only a person unseals."""
        return status == 503 and bool(self.health().get("sealed"))  # noqa: PLR2004

    def lookup(self) -> dict[str, Any]:
        """Return what Vault knows of our token, or nothing when it does not accept it."""
        try:
            found = self._sent("GET", "/v1/auth/token/lookup-self", b"", {}).get("data")
        except Rejected:
            return {}
        return found if isinstance(found, dict) else {}

    def health(self) -> dict[str, Any]:
        """Return what Vault says of itself to anybody, or nothing; without the token."""
        path = "/v1/sys/health?" + urlencode(
            dict.fromkeys(("standbycode", "perfstandbycode", "sealedcode", "uninitcode"), 200)
        )
        status, _, body = self._transport.send(
            "GET", path, {"X-Vault-Request": "true"}, b"", self.deadline
        )
        return (_object(body) or {}) if status == 200 else {}  # noqa: PLR2004


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _after(headers: Mapping[str, str]) -> float:
    """Return the seconds that Vault asks to wait, or 0."""
    asked = headers.get("Retry-After", "")
    return float(asked) if asked.isascii() and asked.isdigit() else 0


def _pause(attempt: int) -> float:
    return 0.1 * 2.0**attempt * (1 + random.random())  # noqa: S311 - to keep retries apart


def _reach(origin: str) -> str:
    return f"curl {origin}/v1/sys/health"


def _unanswered(trouble: Unreachable) -> type[TemporaryError]:
    return UncertainError if trouble.sent else TemporaryError
