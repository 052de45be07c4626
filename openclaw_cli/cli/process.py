"""What this process changes for its own safety, and how a program that it starts gets it back."""

from __future__ import annotations

import os
import resource

from openclaw_cli.cli import stdout

own = False
"""Whether this process runs one command and nothing else."""

NO_CORE = 1
"""The limit of a core file, in bytes, below which Linux makes none.

With a limit of 0 it makes no file, but a program that is to get core files (`core_pattern` with a
pipe: systemd-coredump, apport) still gets the whole memory. With 1 that program is not started.
"""

_before: list[tuple[int, tuple[int, int]]] = []


def harden() -> None:
    """Before anything is read: files for the owner alone, no core file, no stream left open.

    The limit that is lowered is the soft one, so that `soften` can put it back.
    """
    limits = resource.getrlimit(resource.RLIMIT_CORE)
    _before.append((os.umask(0o077), limits))
    resource.setrlimit(resource.RLIMIT_CORE, (NO_CORE if limits[1] else 0, limits[1]))
    stdout.hold_closed_streams()


def soften() -> None:
    """In a program's process, just before it takes over: what it would have had without us."""
    if _before:
        umask, limits = _before[0]
        os.umask(umask)
        resource.setrlimit(resource.RLIMIT_CORE, limits)


def began() -> float:
    """Return when this command was started, in seconds since 1970, and not a moment before.

    The kernel tells it to a hundredth of a second, rounded down: what another command did just
    before would seem to have been done since.
    """
    import time

    since = running()  # first: the time that asking takes would else count twice
    return time.time() - max(0.0, since - 1 / os.sysconf("SC_CLK_TCK"))


def running() -> float:
    """Return for how long this command has been, in seconds; 0 where that is not known."""
    import time

    if not own:
        return 0.0
    try:
        with open("/proc/self/stat", "rb") as file:
            ticks = int(file.read().rpartition(b")")[2].split()[19])
        since = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError, AttributeError):
        return 0.0
    return max(0.0, since)
