"""A link that opens the status page once, soon, on this node: `openclaw gateway link`.

The link is traded for a cookie at its first use, so that what stays in a browser's history opens
nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time

SECONDS = 300.0
COOKIE = "openclaw_status"
COOKIE_SECONDS = 8 * 3600.0

_LINK, _COOKIE = b"link", b"cookie"


class Links:
    """Makes links and cookies, and knows its own; the key is this gateway's alone."""

    def __init__(self, key: bytes | None = None) -> None:
        self.key = key or secrets.token_bytes(32)
        self._used: dict[str, float] = {}

    def make(self, seconds: float = SECONDS) -> str:
        """Return what to put behind the address."""
        return self._signed(_LINK, time.time() + seconds)

    def trade(self, text: str) -> str:
        """Return a cookie for a link that is used for the first time; empty for any other."""
        now = time.time()
        self._used = {each: until for each, until in self._used.items() if until > now}
        until = self._checked(_LINK, text)
        if not until or text in self._used:
            return ""
        self._used[text] = until
        return self._signed(_COOKIE, now + COOKIE_SECONDS)

    def knows(self, cookie: str) -> bool:
        """Tell whether a cookie is one of ours, and still good."""
        return bool(self._checked(_COOKIE, cookie))

    def _signed(self, purpose: bytes, until: float) -> str:
        text = f"{int(until)}.{secrets.token_urlsafe(16)}"
        return f"{text}.{self._mac(purpose, text)}"

    def _checked(self, purpose: bytes, text: str) -> float:
        signed, _, mac = text.rpartition(".")
        if not text.isascii() or not hmac.compare_digest(self._mac(purpose, signed), mac):
            return 0.0
        until = float(signed.partition(".")[0])
        return until if until > time.time() else 0.0

    def _mac(self, purpose: bytes, text: str) -> str:
        return hmac.new(self.key, purpose + b"\0" + text.encode(), hashlib.sha256).hexdigest()
