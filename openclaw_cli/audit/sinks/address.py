"""Addresses of audit sinks, judged before anything is opened or asked. Pure.

Each raises `ConfigError` for an address that its sink cannot mean; a token can stand in one, so a
message shows no more of it than `shown` does.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from urllib.parse import unquote, urlsplit

from openclaw_cli.errors import ConfigError
from openclaw_cli.sanitize import safe

LOOPBACK = ("localhost", "127.0.0.1", "::1")
QDRANT_KEY_FILE = "OPENCLAW_QDRANT_KEY_FILE"
"""The variable that names the file with a Qdrant server's API key."""

LIKE_QDRANT = "qdrant://audit-logs, or qdrant://HOST:PORT/audit-logs"
_QDRANT_PORT, _SYSLOG_PORT = 6333, 514
_WITHOUT_TOKENS = ("file", "syslog")


def shown(address: str) -> str:
    """Return what may be shown of an address: scheme and host, for a token can be in the rest."""
    scheme, _, _ = address.partition(":")
    if scheme in _WITHOUT_TOKENS:
        return safe(address)
    try:
        host = urlsplit(address).netloc.rpartition("@")[2]
    except ValueError:
        host = ""
    return f"{safe(scheme)}://{safe(host)}"


def of_file(address: str) -> str:
    """Return the path."""
    path = unquote(address.partition(":")[2].removeprefix("//"))
    if not os.path.isabs(path):
        raise ConfigError(
            f"{address} has no absolute path", hint="file:///var/log/openclaw-audit.jsonl"
        )
    return path


def of_syslog(address: str) -> tuple[str, int, str]:
    """Return host and port, "" for this machine, and the path of its socket where one is named."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port or _SYSLOG_PORT
    except ValueError:
        raise ConfigError(f"{address} has no port", hint="syslog://HOST:514") from None
    return host, port, parts.path if address.startswith("syslog://") else ""


def of_webhook(address: str) -> tuple[str, str, int | None, str]:
    """Return scheme, host, port and path; only this machine is asked without TLS."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port, parts = "", None, urlsplit("")
    safe_way = parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK)
    plain = address.isascii() and address.isprintable() and " " not in address
    if not host or "@" in parts.netloc or not safe_way or not plain:
        raise ConfigError(
            "a webhook is https://HOST/PATH in ASCII; only this machine is asked by http",
            hint="the token of one can stand in its path; write %C3%A4 for \u00e4",
        )
    path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    return parts.scheme, host, port, path


def of_qdrant(address: str) -> tuple[str, str, str]:
    """Return where the server is, "" for a local collection, its host and the collection."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port or _QDRANT_PORT
    except ValueError:
        raise ConfigError(f"{shown(address)} is no address", hint=LIKE_QDRANT) from None
    if "@" in parts.netloc or parts.query:
        hint = f"export {QDRANT_KEY_FILE}=FILE"
        raise ConfigError("an address of qdrant has no key in it", hint=hint)
    name = parts.path.strip("/")
    collection = name or host
    if not collection or "/" in collection:
        raise ConfigError(f"{shown(address)} names no collection", hint=LIKE_QDRANT)
    scheme = "http" if host in LOOPBACK else "https"
    literal = f"[{host}]" if ":" in host else host
    return f"{scheme}://{literal}:{port}" if name else "", host, collection


CHECKS: dict[str, Callable[[str], object]] = {
    "file": of_file,
    "syslog": of_syslog,
    "https": of_webhook,
    "http": of_webhook,
    "qdrant": of_qdrant,
}
"""What judges an address of each scheme of ours."""
