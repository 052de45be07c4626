"""A value of our own that no service needs to be told: a signing key, a session secret, a salt.

Whoever uses it reads it here; the one before is kept as the previous version.
"""

from __future__ import annotations

from collections.abc import Mapping

from openclaw_cli.model import SecretValue
from openclaw_cli.providers.provider import CHOSEN
from openclaw_cli.rotation import generators
from openclaw_cli.rotation.rotator import Held, Made, Setting, Task


class Generate:
    name = "generate"
    kind = CHOSEN
    SETTINGS = (
        Setting("kind", "What to make, as --generate takes it.", default=generators.DEFAULT),
    )

    def overlaps(self, settings: Mapping[str, str]) -> bool:  # noqa: ARG002
        """Nobody refuses the old value, so there is no time to wait for."""
        return False

    def check(self, task: Task) -> None:
        generators.parse(task.settings["kind"])

    def create(self, task: Task) -> Made:
        return Made(SecretValue(generators.parse(task.settings["kind"]).generate().value))

    def set(self, task: Task, pending: Held) -> None:
        """Tell nobody."""

    def test(self, task: Task, value: Held) -> None:
        """Ask nobody."""

    def undo(self, task: Task, pending: Held) -> None:
        """Tell nobody."""

    def revoke(self, task: Task, old: Held) -> None:
        """Tell nobody."""
