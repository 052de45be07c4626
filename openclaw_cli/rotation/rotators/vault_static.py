"""Vault's static roles: a database user or an AWS user whose password or key Vault itself sets.

The old one ends as Vault sets the new one, so promotion follows at once. The database engine sets a
new password when it is told to. The AWS engine sets a new key by its own clock alone: a rotation
takes over the one that it has, and is refused while that is the one we hold.
"""

from __future__ import annotations

from collections.abc import Mapping

from openclaw_cli.errors import DeniedError, RefusedError, TemporaryError
from openclaw_cli.providers.provider import MINTED
from openclaw_cli.rotation import aws, engines, login, vault
from openclaw_cli.rotation.rotator import Held, Made, Setting, Task
from openclaw_cli.sanitize import safe


class VaultStatic:
    name = "vault-static"
    kind = MINTED
    SETTINGS = (
        Setting("name", "The static role's name.", required=True),
        Setting("mount", "Where the engine is mounted: database, aws.", default="database"),
        *vault.SETTINGS,
    )

    def overlaps(self, settings: Mapping[str, str]) -> bool:  # noqa: ARG002
        """Say no: a user has one password, and Vault deletes the key before."""
        return False

    def check(self, task: Task) -> None:
        reading, rotating = _paths(task)
        server = vault.Vault(task)
        needed = (reading, "read"), (rotating, "update")
        try:
            found = _read(server, task)
        except DeniedError:
            server.require(*needed)
            raise
        if _is_key(found):
            _refuse_held(task, found)
        else:
            server.require(*needed)

    def create(self, task: Task) -> Made:
        """Take what Vault has; when we have that already, let it set another one.

        So a rotation whose reply was lost is not done twice, and one that Vault did by its own
        clock is taken over.
        """
        server = vault.Vault(task)
        found = _read(server, task)
        if _is_key(found):
            _refuse_held(task, found)
        elif not task.held or any(_is(found, each, task) for each in task.held):
            server.post(_paths(task)[1], {})
            found = _read(server, task)
        return Made(engines.formed(task, _kept(found)))

    def set(self, task: Task, pending: Held) -> None:
        """Do nothing: Vault has set it."""

    def test(self, task: Task, value: Held) -> None:
        found = _read(vault.Vault(task), task)
        if not _is(found, value, task):
            raise RefusedError(
                f"the static role {task.settings['name']} of vault has another value by now",
                hint=f"openclaw secrets rotate {task.name}",
            )
        if _is_key(found):
            engines.sign_in(task, value)

    def undo(self, task: Task, pending: Held) -> None:
        """Do nothing: Vault forgot the one before. The next rotation takes the one it has."""

    def revoke(self, task: Task, old: Held) -> None:
        """Do nothing: it ended when Vault set the new one."""


def _paths(task: Task) -> tuple[str, str]:
    """Return where the value is read, and where Vault is told to set another one."""
    mount, name = vault.role(task)
    return f"{mount}/static-creds/{name}", f"{mount}/rotate-role/{name}"


def _read(server: vault.Vault, task: Task) -> dict[str, str]:
    data = server.get(_paths(task)[0]).get("data") or {}
    found = {name: text for name, text in data.items() if isinstance(text, str) and text}
    if not set(engines.LOGIN) <= set(found) and not _is_key(found):
        raise TemporaryError(
            f"vault gave no password and no key for the static role {task.settings['name']}",
            hint=f"vault read {_paths(task)[0]}",
        )
    return found


def _is_key(found: Mapping[str, str]) -> bool:
    return set(engines.KEY) <= set(found)


def _kept(found: Mapping[str, str]) -> dict[str, str]:
    """Return the fields that are the value; when it ends is none of it."""
    return {name: found[name] for name in (engines.KEY if _is_key(found) else engines.LOGIN)}


def _is(found: Mapping[str, str], held: Held, task: Task) -> bool:
    """Tell whether what Vault has is a value that we hold."""
    if not _is_key(found):
        return found["password"] == login.read(held.value, task.name, ()).password
    text = aws.text(held.value, task.name)
    return all(found[each] in text for each in engines.KEY)


def _refuse_held(task: Task, found: Mapping[str, str]) -> None:
    """Raise when Vault has set no new key since; AWS's engine cannot be told to."""
    if any(_is(found, each, task) for each in task.held):
        mount, name = vault.role(task)
        at = f", at {safe(found['expiration'])}" if "expiration" in found else ""
        raise RefusedError(
            f"vault has set no new key for the static role {name} yet: it does by itself{at}",
            hint=f"vault read {mount}/static-roles/{name} says how often",
        )
