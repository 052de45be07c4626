"""Who may ask the gateway what: tokens with scopes, trusted proxies, hosts and origins.

`judged` is pure. The numbers are those that people test for: without credentials 401, through a
trusted proxy that does not say for whom 401, a header that only a proxy may send from anybody else
403, a scope too small 403.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from openclaw_cli import fileformat
from openclaw_cli.errors import ConfigError
from openclaw_cli.files import private_directory

INVOKE = "invoke"
READ = "read"
ADMIN = "admin"
SCOPES = (INVOKE, READ, ADMIN)

OPEN = ""
"""The scope of what anybody may ask."""

CONTRADICTION = "the headers of a trusted proxy name different clients"

LIMIT = 64 * 1024

_FORWARDED = ("x-forwarded-for", "forwarded", "x-real-ip")
_LOCAL_NAMES = frozenset(("localhost", "127.0.0.1", "::1", "[::1]"))


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token: its name, its digest, and what it opens. Its text is kept nowhere else."""

    name: str
    digest: bytes
    scopes: frozenset[str]
    generated: bool = False


@dataclass(frozen=True, slots=True)
class Rules:
    """What the settings say of who is believed."""

    tokens: tuple[Token, ...] = ()
    proxies: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """What is known of a request before its body is read; header names in lower case."""

    peer: str
    scope: str
    headers: Mapping[str, str] = field(default_factory=dict)
    linked: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether it may, as a status (0: it may), why not or what is odd, and who asks from where."""

    status: int
    why: str = ""
    who: str = ""
    address: str = ""


def judged(asked: Asked, rules: Rules) -> Verdict:
    """Say whether a request over TCP may be answered."""
    proxied = _within(asked.peer, rules.proxies)
    forwarded = [name for name in _FORWARDED if name in asked.headers]
    address, doubt = asked.peer, ""
    if proxied:
        if not forwarded:
            return Verdict(401, "a trusted proxy must say for whom it asks: X-Forwarded-For")
        named = client_address(asked.headers, asked.peer, rules.proxies)
        address, doubt = named or asked.peer, "" if named else CONTRADICTION
    elif forwarded and asked.scope:
        return Verdict(403, f"only a trusted proxy may send {forwarded[0]}")
    who = ""
    if asked.scope:
        token = _token(asked.headers.get("authorization", ""), rules.tokens)
        if token is None and not (asked.linked and asked.scope == READ):
            return Verdict(401, "a bearer token is needed", address=address)
        if token is not None:
            who = token.name
            if asked.scope not in token.scopes:
                return Verdict(403, f"this token has not the scope {asked.scope}", who, address)
    if not _host_known(asked.headers.get("host", ""), rules, proxied=proxied):
        return Verdict(403, "this host name is not known here", who, address)
    if not _same_origin(asked.headers):
        return Verdict(403, "a page of another origin may not ask", who, address)
    return Verdict(0, doubt, who, address)


def client_address(headers: Mapping[str, str], peer: str, proxies: Iterable[str]) -> str:
    """Return who asked a trusted proxy: the right-most address that is no proxy of ours.

    "" where its headers contradict each other: a proxy sets one and passes the client's others on.
    """
    proxies = tuple(proxies)
    parts = headers.get("forwarded", "").replace(";", ",").split(",")
    forwarded = [
        part.strip()[4:].strip('"[]') for part in parts if part.strip().lower()[:4] == "for="
    ]
    chains = [headers.get("x-forwarded-for", "").split(","), forwarded]
    chains = [each for each in (*chains, [headers.get("x-real-ip", "")]) if any(each)]
    first, *rest = [_tail(each, proxies) for each in chains] or [[]]
    if not all(set(each) <= set(first) for each in rest):
        return ""
    return first[0] if first and not _within(first[0], proxies) else peer


def _tail(chain: Iterable[str], proxies: Collection[str]) -> list[str]:
    """Return the right-most address that is no proxy of ours, and the proxies after it."""
    tail: list[str] = []
    for each in reversed([part.strip() for part in chain]):
        found = _address(each)
        if found is None:
            return []
        tail.insert(0, str(found))
        if not _within(each, proxies):
            break
    return tail


def is_near(peer: str, headers: Mapping[str, str], rules: Rules) -> bool:
    """Tell whether somebody on this machine asks for themselves, through no proxy."""
    through = _within(peer, rules.proxies) or any(name in headers for name in _FORWARDED)
    return is_loopback(peer) and not through


def is_loopback(host: str) -> bool:
    """Tell whether only this machine reaches an address."""
    found = _address(host)
    return host == "localhost" or (found is not None and found.is_loopback)


def load(path: str) -> tuple[Token, ...]:
    """Return the tokens of a file, which is made with a generated one when it is not there.

    Raises `ConfigError` for one that cannot be understood, `DeniedError` for one that others read.
    """
    import tomllib

    folder, _, name = path.rpartition("/")
    directory = private_directory(folder)
    try:
        try:
            text = directory.read(name, LIMIT).decode()
        except FileNotFoundError:
            text = _first()
            directory.replace(name, [text.encode()])
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not UTF-8", hint=f"rm {path}") from None
    finally:
        directory.close()
    try:
        tables = tomllib.loads(text)
    except (ValueError, RecursionError):
        raise ConfigError(f"{path} is not TOML", hint=f"rm {path}, for a new one") from None
    fileformat.check(tables.pop("format", fileformat.FIRST), path)
    return tuple(_read(path, each, table) for each, table in tables.items())


def _first() -> str:
    return (
        "# Bearer tokens of the gateway: a table for each. Scopes: invoke, read, admin.\n"
        "[default]\n"
        "generated = true\n"
        f'token = "{secrets.token_urlsafe(32)}"\n'
        'scopes = ["invoke", "read", "admin"]\n'
    )


_SHORTEST = 16


def _read(path: str, name: str, table: object) -> Token:
    if isinstance(table, dict):
        text, scopes = table.get("token"), table.get("scopes")
        known = isinstance(scopes, list) and all(each in SCOPES for each in scopes)
        if isinstance(text, str) and len(text) >= _SHORTEST and text.isascii() and known:
            digest = hashlib.sha256(text.encode()).digest()
            return Token(name, digest, frozenset(scopes or ()), table.get("generated") is True)
    raise ConfigError(
        f"{path}: [{name}] is not a token",
        hint='token = "at least 16 characters" and scopes = ["invoke", "read", "admin"]',
    )


def _token(header: str, tokens: Iterable[Token]) -> Token | None:
    """Find the token of an Authorization header; every one is compared, in constant time."""
    kind, _, text = header.partition(" ")
    digest = hashlib.sha256(text.strip().encode(errors="surrogateescape")).digest()
    found = None
    for each in tokens:
        if hmac.compare_digest(each.digest, digest):
            found = each
    return found if kind.lower() == "bearer" else None


def _host_known(host: str, rules: Rules, *, proxied: bool) -> bool:
    """Tell whether a name is ours: one that somebody else's DNS leads here is not (rebinding)."""
    name = _without_port(host).lower()
    if not name:
        return False
    if name in _LOCAL_NAMES or name in {each.lower() for each in rules.hosts}:
        return True
    if _address(name.strip("[]")) is not None:
        return True  # an address cannot be rebound
    return proxied and not rules.hosts


def _same_origin(headers: Mapping[str, str]) -> bool:
    origin = headers.get("origin")
    if origin is None:
        return headers.get("sec-fetch-site", "none") in ("none", "same-origin")
    return origin.partition("://")[2].lower() == headers.get("host", "").lower()


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]


def _within(address: str, networks: Collection[str]) -> bool:
    found = _address(address) if networks else None
    if found is None:
        return False
    for each in networks:
        try:
            if found in ipaddress.ip_network(each, strict=False):
                return True
        except ValueError:
            continue
    return False


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
        return found.ipv4_mapped
    return found
