"""Telling consumers that secrets have new values: a few of them, one after another.

Not all of them start anew at once, so there is a pause between two; and a run tells so many at
most. Who was not told yet stays in the sealed state, and the next run goes on from there. Each is
noted as it was told: killed in between, only the one that was being told hears it twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from openclaw_cli.errors import OpenclawError
from openclaw_cli.rotation import steps, telling
from openclaw_cli.rotation.ledger import Ledger, OvertakenError

if TYPE_CHECKING:
    from openclaw_cli.rotation.view import View

Errors = list[tuple[str, OpenclawError]]


@dataclass(frozen=True, slots=True)
class Pace:
    """How consumers are told: `pause` seconds between two, `most` of them in one run."""

    pause: float = 1.0
    most: int = 100


class Announcer:
    """Tells the consumers of one run, which must be over at `deadline` by `time.monotonic()`.

    `tell` is given a consumer, the name of a secret and its version.
    """

    def __init__(
        self,
        ledger: Ledger,
        tell: Callable[[str, str, str], None],
        pace: Pace,
        deadline: float,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._ledger = ledger
        self._tell = tell
        self._pace = pace
        self._deadline = deadline
        self._sleep = sleep
        self._told = 0

    def tell(self, views: Iterable[View]) -> Errors:
        """Tell the consumers of some secrets, as many as may be told now; return what failed.

        Who is not told which secret it is (a process, an agent) is told once for all of them.
        """
        failed: Errors = []
        for consumer, named in _in_order(views):
            if not self._may_go_on():
                break
            refused = self._tell_one(consumer, named)
            if refused:
                failed += [(view.name, refused) for view in named]
        return failed

    def _may_go_on(self) -> bool:
        """Wait until the next one may be told; false when that is for another run."""
        pause = self._pace.pause if self._told else 0
        if self._told >= self._pace.most or time.monotonic() + pause > self._deadline:
            return False
        self._sleep(pause)
        self._told += 1
        return True

    def _tell_one(self, consumer: str, named: list[View]) -> OpenclawError | None:
        names = [view.name for view in named]
        try:
            self._tell(consumer, names[0], str(named[0].current))
        except OpenclawError as refused:
            untold = _untold(consumer, refused)
            with suppress(OpenclawError, OvertakenError):
                self._ledger.failed(names, steps.TELL, untold)
            return untold
        try:
            self._ledger.told(names, consumer)
        except OpenclawError as refused:
            return refused  # it is told once more
        return None


def _untold(consumer: str, refused: OpenclawError) -> OpenclawError:
    """Say who does not know of a new value, as an error of the same kind."""
    return type(refused)(
        f"{consumer} was not told of the new value: {refused.message}",
        hint=refused.hint or "openclaw secrets rotate --due tells it again",
    )


def _in_order(views: Iterable[View]) -> list[tuple[str, list[View]]]:
    """Return each consumer with the secrets that it is told of at once."""
    found: dict[tuple[str, str], list[View]] = {}
    for view in views:
        for consumer in view.policy.telling:
            of = view.name if consumer.startswith(telling.NAMED) else ""
            found.setdefault((consumer, of), []).append(view)
    return [(consumer, named) for (consumer, _), named in found.items()]
