"""Which secrets an agent may read. Pure: takes grants, a reference and the time.

A grant names one secret exactly, or several by a pattern: `*` stands for any part of one segment,
`**` for any number of segments. What is asked for must be written as the grant has it: another
case, a part of the name, a detour by another backend's name, an older version are another secret.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from openclaw_cli import names
from openclaw_cli.agents import GRANTS, models, spec
from openclaw_cli.duration import relative
from openclaw_cli.errors import OpenclawError, UsageError
from openclaw_cli.names import Reference
from openclaw_cli.sanitize import safe

UNLIMITED = -1
SETTINGS = "settings"
COMMAND = "grant"

_STRANGE = re.compile(r"[%\\]|[^\x21-\x7e]")
_FOLDED = frozenset(("", ".", ".."))


@dataclass(frozen=True, slots=True)
class Grant:
    """A standing rule: this agent may read these secrets.

    Times in milliseconds since 1970, `expires` 0 for never; `uses` are those that are left.
    `origin` says whether the settings have it, or the command `secrets grant` made it.
    """

    agent: str
    pattern: str
    created: int = 0
    expires: int = 0
    uses: int = UNLIMITED
    variable: str = ""
    origin: str = COMMAND

    @property
    def is_counted(self) -> bool:
        """Whether each use is counted."""
        return self.uses != UNLIMITED

    @property
    def is_pattern(self) -> bool:
        """Whether it may mean several secrets."""
        return "*" in self.pattern

    def state(self, now: int) -> str:
        """Return `ok`, `expired` or `used up`."""
        if self.expires and now >= self.expires:
            return "expired"
        return "used up" if self.uses == 0 else "ok"


def canonical(pattern: str) -> str:
    """Return a pattern as grants hold it; raises `UsageError` for what cannot be one."""
    for before, after in (("openclaw://", ""), ("vault://local/", "local://")):
        if pattern.startswith(before):
            pattern = after + pattern[len(before) :]
    try:
        reference = names.parse(pattern.replace("*", "x"))
    except OpenclawError as refused:
        raise UsageError(
            f"{safe(pattern)} cannot be granted: {refused.message}", hint=refused.hint
        ) from None
    if reference.version is not None:
        raise UsageError(
            f"{safe(pattern)} names a version, and a grant is for the current one",
            hint=f"openclaw secrets grant AGENT {safe(pattern.partition('?')[0])}",
        )
    if "*" in pattern and (reference.field or not _is_plain(reference.path)):
        raise UsageError(
            f"{safe(pattern)} cannot be granted: a pattern has plain segments and no #field",
            hint="for example team/*",
        )
    return pattern


def stored(extra: Mapping[str, Any], agent: str = "") -> list[Grant]:
    """Return the grants that the store's directory has, of one agent or of all."""
    table: Mapping[str, Mapping[str, Sequence[int]]] = extra.get(GRANTS, {})
    return [
        Grant(name, pattern, created, expires, uses)
        for name, patterns in sorted(table.items())
        if agent in ("", name)
        for pattern, (created, expires, uses) in sorted(patterns.items())
    ]


def of_settings(agent: spec.AgentSpec, known: Mapping[str, spec.Model]) -> list[Grant]:
    """Return the grants that the settings make: the agent's secrets, and its models' keys."""
    uses = [*agent.secrets]
    for secret in keys_of_models(agent, known):
        if secret not in [each.pattern for each in uses]:
            uses.append(spec.SecretUse(secret))
    return [
        Grant(agent.name, canonical(each.pattern), variable=each.variable, origin=SETTINGS)
        for each in uses
    ]


def keys_of_models(agent: spec.AgentSpec, known: Mapping[str, spec.Model]) -> list[str]:
    """Return the secrets that a chat's models are asked with, as the settings name them."""
    names = (agent.model, *agent.fallback) if agent.kind == spec.CHAT else ()
    return [secret for each in names if (secret := models.resolve(each, known).secret)]


def holding(
    grants: Iterable[Grant], reference: Reference, now: int, *, inside: bool = False
) -> Grant | str:
    """Return the grant by which a reference may be read, or why there is none.

    One without a count is preferred, so that none is used up for nothing. `inside` is as in
    `matches`.
    """
    fitting = [each for each in grants if matches(each.pattern, reference, inside=inside)]
    good = [each for each in fitting if each.state(now) == "ok"]
    if good:
        return min(good, key=lambda each: (each.is_counted, each.expires or 2**63))
    if not fitting:
        if reference.version is not None:
            return "only current versions are granted"
        return "it was not granted"
    last = fitting[0]
    if last.state(now) == "expired":
        return f"its grant expired {relative((last.expires - now) / 1000)}"
    return "its grant is used up"


def matches(pattern: str, reference: Reference, *, inside: bool = False) -> bool:
    """Tell whether a grant's pattern means what a reference names, to the letter.

    `inside` says that the reference's field is part of what its secret's name alone gives: then a
    grant without a field covers it.
    """
    if reference.version is not None:
        return False
    backend, separator, rest = pattern.partition("://")
    if not separator:
        backend, rest = "", pattern
    path, _, field = rest.partition("#")
    if backend != reference.backend:
        return False
    if field != reference.field and (field or not inside):
        return False
    if "*" not in path:
        return path == reference.path
    return _is_plain(reference.path) and bool(_compiled(path).fullmatch(reference.path))


def expanded(grants: Iterable[Grant], known: Iterable[str], now: int) -> dict[str, Grant]:
    """Return the secrets that an agent has by name: what is granted as such, and of those known.

    What is counted is left out: it is read, and counted, when it is asked for.
    """
    everything = [*known]
    found: dict[str, Grant] = {}
    for each in grants:
        if each.is_counted or each.state(now) != "ok":
            continue
        matching = [name for name in everything if matches(each.pattern, Reference(name))]
        for name in matching if each.is_pattern else [each.pattern]:
            if not found.get(name) or each.variable:
                found[name] = each
    return found


def _is_plain(path: str) -> bool:
    """Tell whether no backend could take a path for another one."""
    return _FOLDED.isdisjoint(path.split("/")) and not _STRANGE.search(path)


@lru_cache(maxsize=256)
def _compiled(path: str) -> re.Pattern[str]:
    parts = re.split(r"(\*\*|\*)", path)
    words = {"**": ".*", "*": "[^/]*"}
    return re.compile("".join(words.get(each, re.escape(each)) for each in parts))
