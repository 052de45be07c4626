"""Where a gateway's files have credentials: in its configuration, its auth profiles, its `.env`."""

from __future__ import annotations

import io
import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dotenv.parser import parse_stream

from openclaw_cli.interop import json5

if TYPE_CHECKING:
    from openclaw_cli.interop.gateway import Gateway

MATRIX = "docs/reference/secretref-user-supplied-credentials-matrix.json"
"""In the gateway's package from 2026.3 on: the paths at which it takes a reference."""

FIRST_PATHS = (
    "channels.googlechat.accounts.*.serviceAccount",
    "channels.googlechat.serviceAccount",
    "models.providers.*.apiKey",
    "skills.entries.*.apiKey",
)
"""Where a gateway of 2026.2 takes one."""

PROFILES = {"api_key": "key", "token": "token"}
"""The member that holds the credential of an auth profile, by the profile's type."""

MANAGED = "secretref-managed"
"""What the gateway itself writes into a generated file in place of a referenced value."""

_CREDENTIAL = re.compile(
    r"(?i)(?:api[-_]?key|token|secret|passw(?:or)?d|passphrase|private[-_]?key|encrypt[-_]?key"
    r"|auth[-_]?tag|service[-_]?account|credential|authorization)s?$"
)
_HEADER = re.compile(r"(?i)authorization|api[-_]?key|token|secret|password|credential")
_VARIABLE = re.compile(
    r"(?:^|_)(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASS|PASSPHRASE|CREDENTIALS?|APIKEY|PAT)$"
)
_IN_ENVIRONMENT = re.compile(r"\$\{([A-Z_][A-Z0-9_]*)\}|\$([A-Z_][A-Z0-9_]*)")
_NO_VALUES = frozenset(("", MANAGED, "__OPENCLAW_REDACTED__", "oauth-token", "none", "null"))
_NO_CREDENTIALS = frozenset(("maxtokens", "contexttokens", "tokens", "ca", "cert"))
_FREE_NAMES = frozenset(("env", "vars"))  # below these, keys are names of variables


@dataclass(slots=True)
class Place:
    """One text that is a credential: the keys that lead to it, and where it stands in the file.

    `variable` is set where it is not the value but names the environment variable that has it.
    """

    keys: tuple[str, ...]
    value: bytes
    start: int
    end: int
    variable: str = ""


@dataclass(slots=True)
class Line:
    """One assignment of a `.env` file, with the whole text that it takes up."""

    name: str
    value: bytes
    start: int
    end: int


@dataclass(slots=True)
class Paths:
    """The patterns of paths at which a gateway takes a reference, `*` for any one key."""

    patterns: Sequence[tuple[str, ...]] = field(default_factory=tuple)

    def take(self, keys: tuple[str, ...]) -> bool:
        """Tell whether a reference may stand there."""
        return bool(self.pattern(keys))

    def pattern(self, keys: tuple[str, ...]) -> str:
        """Return the pattern that lets a reference stand there, "" where none does."""
        return next((".".join(each) for each in self.patterns if _fits(keys, each)), "")


def paths(gateway: Gateway | None) -> Paths:
    """Return where a gateway takes references: its package lists it, older ones take few."""
    listed: Sequence[str] = FIRST_PATHS
    if gateway is not None:
        listed = _listed(gateway.command[-1]) or FIRST_PATHS
    return Paths([tuple(each.split(".")) for each in listed])


def in_config(root: json5.Node) -> Iterator[Place]:
    """Yield every text of a configuration that is a credential by its key."""
    for keys, node in root.strings():
        if not is_credential(keys) or node.text in _NO_VALUES or _of_reference(root, keys):
            continue
        named = _IN_ENVIRONMENT.fullmatch(node.text)
        variable = (named[1] or named[2]) if named else ""
        yield Place(keys, _bytes(node.text), node.start, node.end, variable)


def is_credential(keys: tuple[str, ...]) -> bool:
    """Tell by the keys that lead to a text whether it is a credential."""
    if keys and keys[-1].isdecimal():  # a list is judged by its name
        keys = keys[:-1]
    if not keys or keys[-1].lower() in _NO_CREDENTIALS or keys[:2] == ("secrets", "providers"):
        return False
    last, above = keys[-1], keys[-2] if len(keys) > 1 else ""
    if above in _FREE_NAMES:
        return bool(_VARIABLE.search(last))
    if above == "headers":
        return bool(_HEADER.search(last))
    if keys[-3:] and tuple(keys[-2:]) in (("auth", "value"), ("tls", "key")):
        return True
    return bool(_CREDENTIAL.search(last))


def in_profiles(root: json5.Node) -> Iterator[Place]:
    """Yield the credentials of auth profiles; those of OAuth are none, since they change."""
    profiles = root.members.get("profiles")
    if profiles is not None:
        for place in in_older_profiles(profiles):
            place.keys = ("profiles", *place.keys)
            yield place


def in_older_profiles(profiles: json5.Node) -> Iterator[Place]:
    """Yield those of an `auth.json`, which has the profiles and nothing around them."""
    for name, profile in profiles.members.items():
        kind = profile.members.get("type")
        member = PROFILES.get(kind.text if kind else "", "")
        node = profile.members.get(member)
        if node is not None and node.kind == json5.STRING and node.text not in _NO_VALUES:
            yield Place((name, member), _bytes(node.text), node.start, node.end)


def in_dotenv(text: str) -> Iterator[Line]:
    """Yield every assignment of a `.env` file; what is none of them is passed over."""
    at = 0
    for binding in parse_stream(io.StringIO(text, newline="")):
        whole = binding.original.string
        start = at + len(whole) - len(whole.lstrip("\r\n"))
        at += len(whole)
        if binding.key and binding.value:
            yield Line(binding.key, _bytes(binding.value), start, at)


def is_secret_variable(name: str) -> bool:
    """Tell by its name whether a variable holds a secret."""
    from openclaw_cli import providers

    return bool(_VARIABLE.search(name)) or providers.for_variable(name) is not None


def _fits(keys: tuple[str, ...], pattern: tuple[str, ...]) -> bool:
    return len(keys) == len(pattern) and all(
        want in ("*", key) for key, want in zip(keys, pattern, strict=True)
    )


def _listed(script: str) -> list[str]:
    folder = os.path.dirname(os.path.realpath(script))
    try:
        with open(f"{folder}/{MATRIX}", encoding="utf-8") as file:
            entries = json.load(file)["entries"]
        return [str(each["path"]) for each in entries if each["configFile"] == "openclaw.json"]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _of_reference(root: json5.Node, keys: tuple[str, ...]) -> bool:
    above = root.at(*keys[:-1])
    return above is not None and {"source", "provider", "id"} == above.members.keys()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
