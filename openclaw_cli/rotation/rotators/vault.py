"""Vault's key-value engine: a value of our own, kept there for whoever reads it from Vault.

It is written only over the version that was read, and the other fields there stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping

from openclaw_cli.backends.vault import VaultBackend
from openclaw_cli.errors import NotFoundError, RefusedError
from openclaw_cli.model import SecretValue
from openclaw_cli.providers.provider import CHOSEN
from openclaw_cli.rotation import generators, vault
from openclaw_cli.rotation.rotator import Held, Made, Setting, Task


class Vault:
    name = "vault"
    kind = CHOSEN
    SETTINGS = (
        Setting("path", "Where below the mount the value is kept.", required=True),
        Setting("mount", "Where the key-value engine is mounted.", default="secret"),
        Setting("field", "The field that holds the value.", default="value"),
        Setting("kv", "The engine's version: 1, 2, or auto to ask Vault.", default="auto"),
        Setting("kind", "What to make, as --generate takes it.", default=generators.DEFAULT),
        *vault.SETTINGS,
    )

    def overlaps(self, settings: Mapping[str, str]) -> bool:  # noqa: ARG002
        """Say no: a path has one current value."""
        return False

    def check(self, task: Task) -> None:
        generators.parse(task.settings["kind"])
        _backend(task).require(task.settings["path"], "read", "update")

    def create(self, task: Task) -> Made:
        return Made(SecretValue(generators.parse(task.settings["kind"]).generate().value))

    def set(self, task: Task, pending: Held) -> None:
        _keep(task, pending)

    def test(self, task: Task, value: Held) -> None:
        if _kept(task) != value.value.reveal():
            raise RefusedError(
                f"vault keeps another value for {task.name}: somebody else wrote it",
                hint=f"vault kv get -mount={task.settings['mount']} {task.settings['path']}",
            )

    def undo(self, task: Task, pending: Held) -> None:
        """Write the current value again, unless somebody else's is there."""
        if task.current and _kept(task) == pending.value.reveal():
            _keep(task, task.current)

    def revoke(self, task: Task, old: Held) -> None:
        """Do nothing: the path has another value since `set`, and Vault keeps its own history."""


def _backend(task: Task) -> VaultBackend:
    own = {name: task.settings[name] for name in ("mount", "field", "kv")}
    return VaultBackend({**vault.settings(task), **own, "prefix": ""})


def _kept(task: Task) -> bytes:
    """Return what Vault has at the path, or nothing."""
    try:
        return _backend(task).get(task.settings["path"]).value.reveal()
    except NotFoundError:
        return b""


def _keep(task: Task, wanted: Held) -> None:
    if _kept(task) != wanted.value.reveal():
        _backend(task).put(task.settings["path"], wanted.value)
