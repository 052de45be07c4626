"""Rotates what is due at the times that `cron` in the settings names.

The same run as `openclaw secrets rotate --due`, with its lock: cron of the system beside it is
harmless. Times are of UTC, as those of `--schedule` are without a zone.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from openclaw_cli.agents.spec import CronEntry
from openclaw_cli.errors import OpenclawError
from openclaw_cli.rotation import schedule

if TYPE_CHECKING:
    from openclaw_cli.rotation.runs import Report

TICK = 15.0
"""Seconds between two looks at the clock."""


class Scheduler:
    """Knows which times were met; `rotate` does a run, `happened` is told what came of it."""

    def __init__(
        self,
        rotate: Callable[[], Report],
        happened: Callable[..., None],
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._rotate = rotate
        self._happened = happened
        self._now = now
        self._began = now()
        self._looked = self._began

    def due(self, entries: Iterable[CronEntry], since: float, until: float) -> list[CronEntry]:
        """Return the entries with a time after `since` and not after `until`."""
        found = []
        for each in entries:
            if not each.rotates:
                continue
            read = schedule.parse(each.schedule)
            if schedule.following(read, since, since=self._began) <= until:
                found.append(each)
        return found

    async def tick(self, entries: Iterable[CronEntry]) -> None:
        """Do what became due since the last look; once, however many entries ask for it."""
        since, until = self._looked, self._now()
        if until <= since:  # the clock went back: what was met stays met
            return
        self._looked = until
        found = self.due(entries, since, until)
        if found:
            await self._run(", ".join(each.name for each in found))

    async def _run(self, names: str) -> None:
        try:
            report = await asyncio.to_thread(self._rotate)
        except OpenclawError as refused:
            self._note(names, failed=[refused.message])
            return
        rotated = [each.name for each in report.done]
        persons = [name for name, _ in report.by_person if name not in report.told]
        failed = [name for name, _ in report.failed]
        self._note(names, rotated=rotated, failed=failed, by_person=persons)

    def _note(
        self,
        names: str,
        *,
        rotated: list[str] | None = None,
        failed: list[str] | None = None,
        by_person: list[str] | None = None,
    ) -> None:
        came = {"rotated": rotated or [], "failed": failed or [], "by_person": by_person or []}
        self._happened("rotation_failed" if failed else "rotation", "", entry=names, **came)
