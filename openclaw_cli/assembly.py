"""Puts the parts together; the only module that knows them all."""

from __future__ import annotations

from openclaw_cli.audit.actor import present_actor
from openclaw_cli.errors import DeniedError
from openclaw_cli.service import LOCAL, Secrets
from openclaw_cli.store.keys import unlock_quietly

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from openclaw_cli.agents.spec import AgentSpec, Model
    from openclaw_cli.changes import Changes
    from openclaw_cli.elsewhere import Elsewhere
    from openclaw_cli.home import Home
    from openclaw_cli.rotation.runs import Runs
    from openclaw_cli.rotation.standing import Standing
    from openclaw_cli.service import Unlock
    from openclaw_cli.settings import Settings


def secrets(
    home: Home,
    settings: Settings,
    environ: Mapping[str, str],
    ask: Callable[[str], bytes] | None = None,
) -> Secrets:
    """Return the secrets of a home.

    `ask` is given what a passphrase is for and returns it. Without it nobody is asked, and reading
    raises `LockedError` where a passphrase, a keyring or a recovery key is needed.
    """
    actor = present_actor(environ)
    if environ.get("OPENCLAW_BUNDLE"):
        from openclaw_cli.bundle import Bundle

        return Bundle(home, actor, environ)
    made = _secrets(home, settings, actor, ask)
    if "agent" in actor or "thread" in actor:
        _hold_to_grants(made, settings, environ)
    return made


def _secrets(
    home: Home,
    settings: Settings,
    actor: dict[str, Any],
    ask: Callable[[str], bytes] | None,
) -> Secrets:
    return Secrets(
        home,
        actor,
        _unlock(home, ask),
        segment_bytes=settings["audit.segment-bytes"],
        anchor=settings["store.anchor"],
        order=[name.strip() for name in settings["backend"].split(",") if name.strip()] or [LOCAL],
        names=settings.names,
        plaintext=settings.plaintext,
        expected=settings.expected,
        elsewhere=lambda: _elsewhere(home, settings),
        found=lambda secrets: changes(secrets, settings).found_plainly(),
    )


def _hold_to_grants(secrets: Secrets, settings: Settings, environ: Mapping[str, str]) -> None:
    """Have the guard asked before each reading of the agent that the environment names.

    A name that was granted means what the settings say: whoever calls chooses no backend for it.
    """
    from openclaw_cli.agents import loading
    from openclaw_cli.agents.granting import Guard
    from openclaw_cli.agents.grants import of_settings

    if settings.origin.get("backend") == "OPENCLAW_BACKEND":
        raise DeniedError(
            "an agent reads where the settings say, not where OPENCLAW_BACKEND does",
            hint="unset OPENCLAW_BACKEND",
        )
    name = str(secrets.actor.get("agent", ""))
    configuration = loading.load(secrets.home, environ)
    spec = configuration.agents.get(name)
    granted = of_settings(spec, configuration.models) if spec else []
    secrets.guard = Guard(name, granted, lambda: changes(secrets, settings).change_store)


def for_agent(
    home: Home,
    settings: Settings,
    actor: dict[str, Any],
    spec: AgentSpec,
    models: Mapping[str, Model],
    ask: Callable[[str], bytes] | None = None,
) -> Secrets:
    """Return what reads secrets for an agent, whose grants hold.

    `actor` is who is recorded, with the agent's name under "agent"; `ask` is as for `secrets`.
    """
    from openclaw_cli.agents.granting import Guard
    from openclaw_cli.agents.grants import of_settings

    made = _secrets(home, settings, {**actor, "agent": spec.name}, ask)
    granted = of_settings(spec, models)
    made.guard = Guard(spec.name, granted, lambda: changes(made, settings).change_store)
    return made


def granted_secrets(
    secrets: Secrets, spec: AgentSpec, models: Mapping[str, Model]
) -> dict[str, str]:
    """Return what an agent may have without asking, each with its variable or "".

    The names and references that the settings and `secrets grant` give, patterns as the names of
    the local store that they mean. What has a number of uses is read when it is asked for.
    """
    import time

    from openclaw_cli.agents.grants import expanded, of_settings, stored

    catalogue = secrets.catalogue()
    grants = [*of_settings(spec, models), *stored(catalogue.extra, spec.name)]
    known = [name for name, _, _, _, _, deleted in catalogue.entries.glances() if not deleted]
    found = expanded(grants, [*known, *secrets.names], time.time_ns() // 1_000_000)
    return {name: grant.variable for name, grant in found.items()}


def _elsewhere(home: Home, settings: Settings) -> Elsewhere:
    from openclaw_cli.elsewhere import Elsewhere

    return Elsewhere(home, settings)


def _unlock(home: Home, ask: Callable[[str], bytes] | None) -> Unlock:
    if ask is None:
        return lambda header: unlock_quietly(home, header)
    from openclaw_cli.store.keys.slots import unlocker

    return unlocker(home, ask)


def changes(secrets: Secrets, settings: Settings) -> Changes:
    """Return what changes the same secrets; raises `DeniedError` for those of a bundle."""
    from openclaw_cli.bundle import Bundle
    from openclaw_cli.changes import Changes

    if isinstance(secrets, Bundle):
        raise secrets.unchangeable()

    return Changes(
        secrets, keep=settings["store.versions"], keep_deleted=settings["store.deleted-days"]
    )


def rotation(
    secrets: Secrets, settings: Settings, say: Callable[[str, str], None] | None = None
) -> Runs:
    """Return what rotates the same secrets; `say` is told of each step."""
    from openclaw_cli.interop.gateway import reload, remembered
    from openclaw_cli.rotation.announcing import Pace
    from openclaw_cli.rotation.runs import Runs

    found = standing(secrets, settings)
    said = say or (lambda _name, _step: None)
    serves = remembered(secrets.home) is not None
    return Runs(
        secrets,
        changes(secrets, settings),
        say=said,
        standing=found,
        pace=Pace(settings["rotation.tell-pause"], settings["rotation.tell-most"]),
        reload=(lambda names: reload(secrets, names)) if serves else None,
    )


def standing(secrets: Secrets, settings: Settings) -> Standing:
    """Return what sees to the schedules that the settings have."""
    import time

    from openclaw_cli.rotation.standing import Standing
    from openclaw_cli.upkeep import Upkeep

    both = changes(secrets, settings)
    return Standing(secrets, both, settings, time.time, Upkeep(secrets, both).rekey_quietly)
