"""What a handler may do: `agentPermissions` as tools, as programs, and as the kernel is told. Pure.

The words are people's: `read`, `write`, `delete`, `exec`, `network_connect`, `web_search`, and
names of programs. Nothing in `allowed` means everything that is not denied; a denial always wins.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from openclaw_cli.agents import models
from openclaw_cli.agents.fields import VERBS
from openclaw_cli.agents.spec import ACP, CHAT, LEVELS, AgentSpec, Model, Permissions
from openclaw_cli.errors import OpenclawError
from openclaw_cli.home import Home
from openclaw_cli.which import which

READ, WRITE, EXEC, DELETE, SEARCH, CONNECT = VERBS

TOOLS: Mapping[str, tuple[str, ...]] = {
    "read": (READ,),
    "edit": (WRITE,),
    "delete": (DELETE,),
    "move": (WRITE, DELETE),
    "search": (READ,),
    "execute": (EXEC,),
    "fetch": (SEARCH,),
    "think": (),
}
"""Kinds of tools in the Agent Client Protocol, and what each takes; of others nobody can say."""

VISIBLE = ("handlers", "lib", "skills", "workspace")
"""What a handler may see of the state directory, besides Python modules; all else is hidden."""


_AWS = (
    *("~/.aws", "$AWS_SHARED_CREDENTIALS_FILE", "$AWS_CONFIG_FILE"),
    "$AWS_WEB_IDENTITY_TOKEN_FILE",
)
_SIGN_INS: Mapping[str, tuple[str, ...]] = {
    "vault": ("~/.vault-token", "$VAULT_CLIENT_KEY", "/var/run/secrets/kubernetes.io"),
    "aws-secrets-manager": _AWS,
    "aws-parameter-store": _AWS,
}
_NAMES_A_FILE = ("token-file", "secret-id-file", "password-file", "jwt-file", "client-key", "root")


@dataclass(frozen=True, slots=True)
class Policy:
    """What may be done: words, and programs by name where only some may be started.

    `limited` says that something was allowed by name, or denied.
    """

    verbs: frozenset[str]
    programs: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    strict: bool = False
    limited: bool = False

    def tool(self, kind: str) -> bool:
        """Tell whether a tool of this kind may be used; of an unknown one only without limits."""
        if kind not in TOOLS:
            return not self.limited
        return all(verb in self.verbs for verb in TOOLS[kind])

    def program(self, command: str) -> bool:
        """Tell whether a program may be started, by the last part of its name."""
        name = os.path.basename(command)
        if name in self.refused or not name:
            return False
        return EXEC in self.verbs or name in self.programs


def policy(permissions: Permissions) -> Policy:
    """Return what permissions come to."""
    words = set(VERBS)
    allowed = set(permissions.allowed) or words
    denied = set(permissions.denied)
    if CONNECT in allowed and SEARCH not in denied:
        allowed.add(SEARCH)
    return Policy(
        frozenset((allowed & words) - denied),
        tuple(sorted(allowed - words - denied)),
        tuple(sorted(denied - words)),
        permissions.strict,
        bool(permissions.allowed or permissions.denied),
    )


def confinement(
    spec: AgentSpec,
    known: Mapping[str, Model],
    *,
    root: str,
    keys: Sequence[str] = (),
    code: Sequence[str] = (),
    guarded: Sequence[str] = (),
) -> dict[str, Any]:
    """Return what `landlock.confine` is told for an agent; JSON.

    `root` is the state directory, whose secrets are hidden from every handler, as are `keys`:
    other places where the store's key may lie. `code` are folders of handlers: they can be read
    whatever the permissions say, and never written; nor are `guarded`, the control groups' files.
    """
    found = policy(spec.permissions)
    verbs = found.verbs
    if spec.kind == ACP and not found.strict:
        verbs |= {CONNECT}  # its own way to its model; what it does for us the protocol asks
    return {
        "verbs": sorted(verbs),
        "programs": list(found.programs),
        "refused": list(found.refused),
        "strict": found.strict or spec.require_isolation in LEVELS[2:],
        "root": root,
        "visible": list(VISIBLE),
        "keys": list(keys),
        "code": [*spec.python_path, *code],
        "guarded": list(guarded),
        "readable": [*spec.python_path, *code, *([spec.directory] if spec.directory else [])],
        "entry": list(spec.command[:1]),
        "ports": sorted(_ports(spec, known)) if spec.kind == CHAT else [],
    }


def enough(level: str, required: str) -> bool:
    """Tell whether a level of isolation is what is required, or more."""
    return LEVELS.index(level) >= LEVELS.index(required)


def _ports(spec: AgentSpec, known: Mapping[str, Model]) -> Iterable[int]:
    """Give the ports of the models that a chat asks: those it may reach without further ado."""
    for name in (spec.model, *spec.fallback):
        try:
            address = urlsplit(models.resolve(name, known).endpoint)
        except OpenclawError:
            continue
        yield address.port or (443 if address.scheme == "https" else 80)
    proxy = urlsplit(os.environ.get("HTTPS_PROXY") or os.environ.get("https_proxy") or "")
    if proxy.port:
        yield proxy.port


def sign_ins(backends: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return where lies what the settings' backends sign in with, and the file backend's secrets.

    An agent that could read that could read all that they can.
    """
    found: list[str] = []
    for kind, settings in backends.items():
        found += [str(settings[name]) for name in _NAMES_A_FILE if settings.get(name)]
        found += _SIGN_INS.get(kind, ())
    places = (os.path.expandvars(os.path.expanduser(each)) for each in found)
    return [each for each in places if os.path.isabs(each)]


def code_of(agents: Iterable[AgentSpec]) -> list[str]:
    """Return where agents' code lies: none changes another's, or its own for later."""
    found: list[str] = []
    for each in agents:
        found += each.python_path
        found += (which(word) or os.path.join(each.directory, word) for word in each.command)
    return sorted({each for each in found if os.path.isabs(each) and os.path.exists(each)})


def key_places(home: Home) -> list[str]:
    """Return where else than in the state directory this user's keys of the store may lie."""
    from openclaw_cli.store.keys import file, given, session

    unlocked = session.folder()
    # To hide what is not there yet nothing new may be made beside it: not in /dev/shm, then.
    hidden = unlocked != session.folder({}) or os.path.isdir(unlocked)
    places = [file.path(home), os.environ.get(given.FOLDER, ""), unlocked if hidden else ""]
    return [each for each in places if os.path.isabs(each)]
