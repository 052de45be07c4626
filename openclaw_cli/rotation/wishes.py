"""What somebody asks of a secret's rotation: its schedule, its rotator; tried, then remembered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from msgspec.structs import replace

from openclaw_cli.errors import ConflictError
from openclaw_cli.rotation import chosen, steps
from openclaw_cli.rotation.rotator import Rotator, checked
from openclaw_cli.rotation.schedule import Schedule
from openclaw_cli.rotation.view import View, Wish
from openclaw_cli.service import LOCAL

if TYPE_CHECKING:
    from openclaw_cli.rotation.engine import Engine
    from openclaw_cli.rotation.ledger import Ledger
    from openclaw_cli.rotation.policy import Policy
    from openclaw_cli.service import Secrets
    from openclaw_cli.store.commit import Draft
    from openclaw_cli.store.directory import Entry


NEVER = Schedule("")
"""What is asked of a secret that is not to be rotated by itself."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asks of a secret's rotation; None and "" leave it as it is."""

    schedule: Schedule | None = None
    rotator: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    grace: float | None = None
    until: str = ""
    tell: list[str] | None = None


class Wishes:
    """How the secrets of one home are to be rotated; `now` in seconds since 1970."""

    def __init__(
        self, secrets: Secrets, engine: Engine, ledger: Ledger, now: Callable[[], float]
    ) -> None:
        self._secrets = secrets
        self._engine = engine
        self._ledger = ledger
        self._now = now

    def keep(self, name: str, asked: Asked) -> View:
        """Remember what is asked of a secret's rotation; nothing is committed where nothing is new.

        Raises, before anything is changed, `ConfigError` for settings and what the rotator's
        `check` finds.
        """
        view = self._engine.view(name)
        after = self._asked(view, asked)
        if after == view.policy:
            return view
        rotator = self._engine.find(after.rotator)
        checked(after.settings, rotator.SETTINGS, rotator.name)
        if (after.rotator, after.settings) != (view.policy.rotator, view.policy.settings):
            self._engine.begin_check(View(view.entry, after, view.store), rotator)
            if view.policy.run or view.policy.old:
                raise ConflictError(
                    f"a rotation of {name} by {view.policy.rotator} is not over yet",
                    hint=f"openclaw secrets status {name} says until when",
                )

        def change(found: Policy, _entry: Entry, _draft: Draft) -> Policy:
            if found not in (view.policy, after):
                raise ConflictError(f"somebody else changed the rotation of {name} meanwhile")
            return after

        self._ledger.wish(name, change)
        return self._engine.view(name)

    def rehearsed(self, name: str, asked: Asked, wish: Wish) -> tuple[View, Rotator, bool]:
        """Look whether a rotation can work, and change nothing.

        Returns the secret with what is asked of it, its rotator, and whether the current value
        would be revoked first.
        """
        found = self._engine.view(name)
        view = View(found.entry, self._asked(found, asked), found.store)
        rotator = self._engine.find(view.policy.rotator)
        task = self._engine.begin_check(view, rotator)
        return view, rotator, self._engine.goes_first(rotator, task, wish)

    def rehearsal(self, name: str) -> None:
        """Record that the answer to a leak was rehearsed."""
        event = {"kind": "rotation_rehearsal", "name": name, "backend": LOCAL, "outcome": "ok"}
        self._secrets.trail.append([{**event, "actor": self._secrets.actor}])

    def _asked(self, view: View, asked: Asked) -> Policy:
        found = view.policy
        rotator = asked.rotator or found.rotator or chosen.meant(view.entry, asked.settings)
        kept = found.settings if rotator == found.rotator else {}
        after = replace(
            found,
            rotator=rotator,
            settings={**kept, **asked.settings},
            grace=found.grace if asked.grace is None else asked.grace,
            until=asked.until or found.until,
            tell=found.tell if asked.tell is None else asked.tell,
        )
        if asked.schedule is None or asked.schedule == (after.times or NEVER):
            return after
        after = replace(after, schedule=asked.schedule.text, zone=asked.schedule.zone, failure=None)
        row = view.entry.current()
        changed = row.created / 1000 if row else self._now()
        return steps.planned(after, view.name, view.store, self._now(), changed)
