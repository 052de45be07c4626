"""Vault's static roles: a database user whose password Vault itself sets, and remembers.

The old password ends as Vault sets the new one, so promotion follows at once.
"""

from __future__ import annotations

from collections.abc import Mapping

from openclaw_cli.errors import RefusedError, TemporaryError
from openclaw_cli.model import SecretValue
from openclaw_cli.providers.provider import MINTED
from openclaw_cli.rotation import login, vault
from openclaw_cli.rotation.rotator import Held, Made, Setting, Task


class VaultStatic:
    name = "vault-static"
    kind = MINTED
    SETTINGS = (
        Setting("name", "The static role's name.", required=True),
        Setting("mount", "Where the database engine is mounted.", default="database"),
        *vault.SETTINGS,
    )

    def overlaps(self, settings: Mapping[str, str]) -> bool:  # noqa: ARG002
        """Say no: a user has one password."""
        return False

    def check(self, task: Task) -> None:
        reading, rotating = _paths(task)
        server = vault.Vault(task)
        server.require((reading, "read"), (rotating, "update"))
        _read(server, task)

    def create(self, task: Task) -> Made:
        """Take the password that Vault has; when we have that already, let it set another one.

        So a rotation whose reply was lost is not done twice, and one that Vault did by its own
        clock is taken over.
        """
        server = vault.Vault(task)
        user, password = _read(server, task)
        known = [login.read(each.value, task.name, ()).password for each in task.held]
        if password in known or not known:
            server.post(_paths(task)[1], {})
            user, password = _read(server, task)
        return Made(formed(task, {"username": user, "password": password}))

    def set(self, task: Task, pending: Held) -> None:
        """Do nothing: Vault has set it."""

    def test(self, task: Task, value: Held) -> None:
        password = _read(vault.Vault(task), task)[1]
        if password != login.read(value.value, task.name, ()).password:
            raise RefusedError(
                f"the static role {task.settings['name']} of vault has another password by now",
                hint=f"openclaw secrets rotate {task.name}",
            )

    def undo(self, task: Task, pending: Held) -> None:
        """Do nothing: Vault forgot the one before. The next rotation takes the one it has."""

    def revoke(self, task: Task, old: Held) -> None:
        """Do nothing: it ended when Vault set the new one."""


def formed(task: Task, fields: Mapping[str, str]) -> SecretValue:
    """Return what Vault gave in the form of the value before; as JSON when there is none."""
    import json

    before = task.current or task.previous
    if before is None or not {"username", "password"} <= set(fields):
        return SecretValue(json.dumps(dict(fields)).encode())
    known = login.read(before.value, task.name, ())
    return known.renewed(fields["username"], fields["password"])


def _paths(task: Task) -> tuple[str, str]:
    """Return where the password is read, and where Vault is told to set another one."""
    mount, name = vault.role(task)
    return f"{mount}/static-creds/{name}", f"{mount}/rotate-role/{name}"


def _read(server: vault.Vault, task: Task) -> tuple[str, str]:
    found = server.get(_paths(task)[0]).get("data")
    user, password = (found.get("username"), found.get("password")) if found else ("", "")
    if not isinstance(user, str) or not isinstance(password, str) or not user or not password:
        raise TemporaryError(
            f"vault gave no password for the static role {task.settings['name']}",
            hint=f"vault read {_paths(task)[0]}",
        )
    return user, password
