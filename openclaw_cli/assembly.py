"""Puts the parts together; the only module that knows them all."""

from __future__ import annotations

from openclaw_cli.audit.actor import present_actor
from openclaw_cli.service import LOCAL, Secrets
from openclaw_cli.store.keys import unlock_quietly

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from openclaw_cli.changes import Changes
    from openclaw_cli.elsewhere import Elsewhere
    from openclaw_cli.home import Home
    from openclaw_cli.rotation.runs import Runs
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
    return Secrets(
        home,
        actor,
        _unlock(home, ask),
        segment_bytes=settings["audit.segment-bytes"],
        anchor=settings["store.anchor"],
        order=[name.strip() for name in settings["backend"].split(",") if name.strip()] or [LOCAL],
        names=settings.names,
        plaintext=settings.plaintext,
        elsewhere=lambda: _elsewhere(home, settings),
        found=lambda secrets: changes(secrets, settings).found_plainly(),
    )


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
    from openclaw_cli.rotation.runs import Runs

    return Runs(secrets, changes(secrets, settings), say=say or (lambda _name, _step: None))
