"""Secrets that no service needs to be told of: new values for all of them, in one commit."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

from openclaw_cli.errors import OpenclawError
from openclaw_cli.rotation import steps
from openclaw_cli.rotation.ledger import Ledger, OvertakenError
from openclaw_cli.rotation.rotator import Made, Task, checked
from openclaw_cli.rotation.view import Result

if TYPE_CHECKING:
    from openclaw_cli.rotation.engine import Engine
    from openclaw_cli.rotation.view import View, Wish

Errors = list[tuple[str, OpenclawError]]


class Generated:
    """Gives generated secrets new values; `now` gives the time in seconds since 1970."""

    def __init__(
        self,
        engine: Engine,
        ledger: Ledger,
        now: Callable[[], float],
        say: Callable[[str, str], None],
    ) -> None:
        self._engine = engine
        self._ledger = ledger
        self._now = now
        self._say = say

    def all(self, views: Iterable[View]) -> tuple[list[Result], Errors]:
        """Give those that are due still their new values; return what failed, too."""
        made: dict[str, Made] = {}
        failed: Errors = []
        for view in views:
            try:
                made[view.name] = self._made(view)
            except OpenclawError as refused:
                failed.append((view.name, refused))
                with suppress(OpenclawError, OvertakenError):
                    self._ledger.failed([view.name], steps.CREATE, refused)
        if not made:
            return [], failed
        try:
            versions = self._ledger.promote_all(made)
        except OvertakenError:
            return [], failed
        except OpenclawError as refused:
            return [], [*failed, *((name, refused) for name in made)]
        done = [Result(name, version, [steps.CREATE]) for name, version in versions.items()]
        return done, failed

    def one(self, view: View, wish: Wish) -> Result | None:
        """Give one its new value, where it is due or wanted; None where it is not any more."""
        made = {view.name: self._made(view)}
        with suppress(OvertakenError):
            versions = self._ledger.promote_all(made, wanted=wish.wanted, retire=wish.compromised)
            return Result(view.name, versions[view.name], [steps.CREATE])
        return None

    def _made(self, view: View) -> Made:
        self._say(view.name, steps.CREATE)
        rotator = self._engine.find(view.policy.rotator)
        settings = checked(view.policy.settings, rotator.SETTINGS, rotator.name)
        return rotator.create(Task(view.name, "", self._now(), settings=settings))
