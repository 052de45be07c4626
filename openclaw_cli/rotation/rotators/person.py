"""A secret that only a person can renew: it becomes due, is reported, and `set` completes it."""

from __future__ import annotations

from collections.abc import Mapping

from openclaw_cli.errors import RefusedError
from openclaw_cli.providers.provider import PERSON
from openclaw_cli.rotation.rotator import Held, Made, Setting, Task


class Person:
    name = "person"
    kind = PERSON
    SETTINGS = (Setting("page", "Where a person gets a new one."),)

    def overlaps(self, settings: Mapping[str, str]) -> bool:  # noqa: ARG002
        return True

    def check(self, task: Task) -> None:
        """Find nothing wrong: it is said when it is due."""

    def create(self, task: Task) -> Made:
        raise _by_hand(task)

    def set(self, task: Task, pending: Held) -> None:  # noqa: ARG002
        raise _by_hand(task)

    def test(self, task: Task, value: Held) -> None:  # noqa: ARG002
        raise _by_hand(task)

    def undo(self, task: Task, pending: Held) -> None:  # noqa: ARG002
        raise _by_hand(task)

    def revoke(self, task: Task, old: Held) -> None:  # noqa: ARG002
        raise _by_hand(task)


def _by_hand(task: Task) -> RefusedError:
    return RefusedError(
        f"a person must renew {task.name}", hint=f"openclaw secrets set {task.name}"
    )
