"""What a rotator is given for a step: the values that we hold, its settings, its own secrets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from openclaw_cli.audit.readings import ROTATION
from openclaw_cli.errors import OpenclawError
from openclaw_cli.model import CURRENT, PENDING, PREVIOUS, Secret, SecretValue
from openclaw_cli.names import Reference, parse
from openclaw_cli.rotation import chosen
from openclaw_cli.rotation.rotator import Held, Rotator, Task, checked
from openclaw_cli.service import LOCAL

if TYPE_CHECKING:
    from openclaw_cli.rotation.view import View
    from openclaw_cli.service import Secrets

PURPOSE = ROTATION


class Tasks:
    """Reads what rotators need, each value once with its record until `forget`.

    `deadline` is when the whole run must be over, by `time.monotonic()`.
    """

    def __init__(self, secrets: Secrets, deadline: float) -> None:
        self._secrets = secrets
        self.deadline = deadline
        self._values: dict[tuple[str, int], SecretValue] = {}

    def forget(self) -> None:
        """Keep no value any longer."""
        self._values.clear()

    def task(self, view: View, rotator: Rotator, token: str, began: float) -> Task:
        """Return what a rotator is given of one secret, for the rotation with a token."""
        settings = checked(view.policy.settings, rotator.SETTINGS, rotator.name)
        wanted = [each.name for each in rotator.SETTINGS if each.secret and settings[each.name]]
        references = [parse(settings[name]) for name in wanted]
        found = self._read(references) if references else []
        own = {name: each.value for name, each in zip(wanted, found, strict=True)}
        plain = {name: text for name, text in settings.items() if name not in wanted}
        return Task(
            view.name,
            token,
            began,
            held=() if rotator.name in chosen.ALONE else self._held(view),
            settings=plain | dict.fromkeys(wanted, ""),
            secrets=own,
            scope=self._scope(view),
            deadline=self.deadline,
        )

    def _scope(self, view: View) -> str:
        """Return what a secret is to be allowed: its label's word, or the settings'."""
        said = self._secrets.expected.get(view.name, {}).get("scope", "")
        return view.entry.labels.get("scope") or str(said)

    def _held(self, view: View) -> tuple[Held, ...]:
        """Return the versions that count, read with their record once in a run."""
        stages = {view.current: CURRENT} if view.current else {}
        old, run = view.policy.old, view.policy.run
        if old and view.entry.version(old.version):
            stages[old.version] = PREVIOUS
        if run and run.pending and view.entry.version(run.pending):
            stages[run.pending] = PENDING
        for row in view.entry.rows if old is None else ():
            if row.stage == PREVIOUS:
                stages[row.number] = PREVIOUS
        values = self._versions(view.name, list(stages))
        handles = view.policy.handles
        return tuple(
            Held(values[number], stage, handles.get(str(number), ""))
            for number, stage in stages.items()
        )

    def _versions(self, name: str, numbers: list[int]) -> Mapping[int, SecretValue]:
        missing = [number for number in numbers if (name, number) not in self._values]
        if missing:
            references = [Reference(name, backend=LOCAL, version=str(each)) for each in missing]
            for number, secret in zip(missing, self._read(references), strict=True):
                self._values[name, number] = secret.value
        return {number: self._values[name, number] for number in numbers}

    def _read(self, references: list[Reference]) -> list[Secret]:
        found = []
        for each in self._secrets.read_many(references, purpose=PURPOSE):
            if isinstance(each, OpenclawError):
                raise each
            found.append(each)
        return found
