"""Whether the clock was put forward since the last run: then much looks due that is not.

Beside the lock lies what the clocks showed at the last run. While the machine runs, the time since
its start tells a jump from time that really passed; over a restart only years do.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from openclaw_cli import duration
from openclaw_cli.duration import HOUR, YEAR
from openclaw_cli.errors import TemporaryError
from openclaw_cli.rotation import agenda

if TYPE_CHECKING:
    from openclaw_cli.store.directory import Directory

_FAR = YEAR  # over a restart: machines do stay off for months
_FEW = 3  # secrets: half of so few is no sign of anything
_BOOT = "/proc/sys/kernel/random/boot_id"


@dataclass(frozen=True, slots=True)
class Seen:
    """The time of day, the time since the start, and which start, at one moment."""

    wall: float
    running: float
    boot: str

    def encode(self) -> bytes:
        """Return it as the lock file keeps it."""
        return f"{self.wall:.0f} {self.running:.0f} {self.boot}\n".encode()


def present(wall: float) -> Seen:
    """Return what the clocks show; `wall` in seconds since 1970."""
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return Seen(wall, time.clock_gettime(clock), _boot())


def decode(text: bytes) -> Seen | None:
    """Read what a run left; None for what cannot be read."""
    try:
        wall, running, boot = text.decode("ascii").split()
        return Seen(float(wall), float(running), boot)
    except ValueError:
        return None


def jump(before: Seen | None, now: Seen) -> float:
    """Return by how many seconds the clock was put forward, 0 for a clock that just went on."""
    if before is None:
        return 0
    passed = now.wall - before.wall
    if before.boot == now.boot:
        ahead = passed - (now.running - before.running)
        return ahead if ahead > HOUR else 0
    return passed if passed > _FAR else 0


def refuse_past(directory: Directory, now: float) -> None:
    """Raise `TemporaryError` for a clock that shows a time that is long past."""
    if agenda.went_back(directory, now):
        shown = duration.absolute(now) if now >= 0 else "a time before 1970"
        raise TemporaryError(
            f"the clock shows {shown}, and it was "
            f"{duration.absolute(agenda.seen(directory))} before: nothing is rotated",
            hint="date -u",
        )


def refuse_many(
    times: Mapping[str, float], names: Collection[str], now: float, jumped: float
) -> None:
    """Raise when a jump of the clock, and not time, made more than half of all due."""
    early = [name for name in names if times[name] > now - jumped]
    if len(early) > _FEW and len(early) * 2 > len(times):
        raise TemporaryError(
            f"the clock was put forward by {duration.compact(jumped)}, and "
            f"{len(early)} of {len(times)} secrets look due: nothing is rotated",
            hint="date -u; if it is right: openclaw secrets rotate --due --all",
        )


def _boot() -> str:
    try:
        with open(_BOOT, encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return "-"
