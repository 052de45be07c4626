"""Addresses of Vault, judged before anything is sent there. Pure."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from openclaw_cli.backends.protocols import checked_path
from openclaw_cli.errors import ConfigError, UsageError
from openclaw_cli.sanitize import safe

_METADATA = ipaddress.ip_address("fd00:ec2::254")
_PORTS = {"https": 443, "http": 80}


def origin_of(address: str, said_by: str) -> str:
    """Return the address without a slash at its end; raises `ConfigError` for what is none."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        raise ConfigError(f"{said_by} is not an address") from None
    plain = address.isascii() and address.isprintable() and " " not in address
    if parts.scheme not in _PORTS or not parts.hostname or not plain:
        raise ConfigError(
            f"{said_by} is not an address of vault",
            hint="it reads https://HOST:8200",
        )
    if parts.username is not None or parts.query or parts.fragment:
        raise ConfigError(f"{said_by} has more than scheme, host, port and path")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    path = f"/{in_path(parts.path)}" if parts.path.strip("/") else ""
    return f"{parts.scheme}://{host}" + (f":{port}" if port else "") + path


def same(one: str, other: str) -> bool:
    """Tell whether two addresses have scheme, host and port in common."""
    a, b = urlsplit(one), urlsplit(other)
    ports = (a.port or _PORTS[a.scheme], b.port or _PORTS[b.scheme])
    return (a.scheme, a.hostname, ports[0]) == (b.scheme, b.hostname, ports[1])


def is_loopback(origin: str) -> bool:
    address = _address_of(origin)
    return address.is_loopback if address else urlsplit(origin).hostname == "localhost"


def is_metadata(origin: str) -> bool:
    """Tell whether it is where clouds answer a machine about itself: link-local, or AWS's own."""
    address = _address_of(origin)
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return address is not None and (address.is_link_local or address == _METADATA)


def in_path(text: str) -> str:
    """Return what a setting puts into a path, without slashes around; raises `ConfigError`."""
    try:
        return checked_path(text.strip("/"))
    except UsageError:
        raise ConfigError(f"{safe(text)} is not a name that vault can have in a path") from None


def _address_of(origin: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(urlsplit(origin).hostname or "")
    except ValueError:
        return None
