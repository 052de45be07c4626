"""Gives each request the secrets that its agent may have, each reading recorded."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from openclaw_cli import assembly
from openclaw_cli.agents import policy
from openclaw_cli.agents.grants import keys_of_models, of_settings
from openclaw_cli.agents.spec import AgentSpec, Model
from openclaw_cli.config import load as load_settings
from openclaw_cli.errors import LockedError, OpenclawError, UnrecordedError
from openclaw_cli.gateway import paths
from openclaw_cli.home import Home
from openclaw_cli.names import parse
from openclaw_cli.runtime.request import Given, Request
from openclaw_cli.service import Secrets
from openclaw_cli.settings import BACKENDS
from openclaw_cli.store.reader import FILE

PURPOSE = "agent"

Stamp = tuple[int, int, int] | None
"""What tells one state of the store's file from the next."""

Opened = Callable[[dict[str, Any], AgentSpec], Secrets]
"""Makes what reads secrets for an agent, held to its grants, recorded as an actor."""


class Granting:
    """Resolves secrets for requests; `denied` is told of each that was asked for and refused."""

    def __init__(
        self,
        home: Home,
        opened: Opened,
        models: Callable[[], Mapping[str, Model]],
        denied: Callable[[AgentSpec, Request, str], None],
    ) -> None:
        self._store = f"{home.secrets}/{FILE}"
        self._opened = opened
        self._models = models
        self._denied = denied
        self._nothing: dict[str, tuple[AgentSpec, Stamp]] = {}

    async def granted(self, spec: AgentSpec, request: Request) -> Given:
        """Return what a request has without asking.

        Raises what reading raises: without its secrets a request does not run.
        """
        if self._nothing.get(spec.name) == (spec, self._stamp()):
            return Given()
        return await asyncio.to_thread(self._read, spec, request)

    async def asked(self, spec: AgentSpec, request: Request, name: str) -> bytes:
        """Return a secret that a handler asks for: one whose uses are counted, or none.

        Raises `DeniedError` and whatever else reading raises; a refusal is recorded by it.
        """
        try:
            return await asyncio.to_thread(self._one, spec, request, name)
        except OpenclawError:
            self._denied(spec, request, name)
            raise

    def _read(self, spec: AgentSpec, request: Request) -> Given:
        stamp = self._stamp()
        secrets = self._opened(actor(spec, request), spec)
        try:
            uses = assembly.granted_secrets(secrets, spec, self._models())
        except LockedError:
            if of_settings(spec, self._models()):
                raise
            return Given()  # what `secrets grant` gave it cannot be known; it is refused when asked
        if not uses:
            # True until the store or the settings change: grants lie in one of them.
            self._nothing[spec.name] = (spec, stamp)
            return Given()
        # Without one of its keys a chat that has several models asks the next one, and says so.
        spare = keys_of_models(spec, self._models()) if spec.fallback else []
        found = secrets.read_many([parse(name) for name in uses], purpose=PURPOSE)
        values: dict[str, bytes] = {}
        environ: dict[str, str] = {}
        for (name, variable), answer in zip(uses.items(), found, strict=True):
            if isinstance(answer, OpenclawError):
                if name in spare and not isinstance(answer, UnrecordedError):
                    continue
                raise answer
            values[name] = answer.value.reveal()
            if variable:
                environ[variable] = os.fsdecode(values[name])
        return Given(values, environ)

    def _stamp(self) -> Stamp:
        try:
            found = os.stat(self._store)
        except OSError:
            return None
        return found.st_ino, found.st_ctime_ns, found.st_size

    def _one(self, spec: AgentSpec, request: Request, name: str) -> bytes:
        secrets = self._opened(actor(spec, request), spec)
        return secrets.read(parse(name), purpose=PURPOSE).value.reveal()


def confined(
    home: Home, spec: AgentSpec, models: Mapping[str, Model], *, guarded: Sequence[str] = ()
) -> dict[str, Any]:
    """Return what the kernel is to hold an agent to: its permissions, and away from our keys.

    As good as a key is what our backends sign in with, and a settings file that lies elsewhere:
    who writes it grants what he likes.
    """
    values = load_settings(home, os.environ).values
    backends = {
        name.removeprefix(BACKENDS): each
        for name, each in values.items()
        if name.startswith(BACKENDS)
    }
    shared = os.environ.get("OPENCLAW_CONFIG_PATH", "")
    keys = [*policy.key_places(home), *policy.sign_ins(backends)]
    keys += [os.path.abspath(shared)] if shared else []
    code = [paths.handlers(home)]
    # What the exec backend starts runs free of all rules.
    started = str(backends.get("exec", {}).get("command", ""))
    guarded = [*guarded, *([started] if os.path.isabs(started) else [])]
    return policy.confinement(spec, models, root=home.root, keys=keys, code=code, guarded=guarded)


def actor(spec: AgentSpec, request: Request) -> dict[str, Any]:
    """Return who asks, in the words of the trail."""
    found: dict[str, Any] = {"uid": os.getuid(), "pid": os.getpid(), "via": "agent"}
    found |= {"agent": spec.name, "request": request.id}
    if request.session:
        found["thread"] = request.session
    if request.peer:
        found["address"] = request.peer
    return found
