"""What a zygote does for its own safety, inherited by every instance. Standard library only.

Linux has all of it. Elsewhere what is missing is left out, and `status --verbose` says so.
"""

from __future__ import annotations

import ctypes
import os
import resource
import sys
from posix import getppid

from openclaw_cli.runtime.signals import SIGKILL

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_NO_NEW_PRIVS = 38

LINUX = sys.platform == "linux"

# Found once: an instance pays for each page of memory that looking for it touches.
_call = ctypes.CDLL(None).prctl if LINUX else None


def unreadable() -> bool:
    """Let no process of the same user look into this one: memory, environment, descriptors.

    No core file is written either. Says whether the system does it; root can still look.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    # A hard limit of 1 byte: what a program may be given, see `program.become`.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0 if hard == 0 else 1))
    return _prctl(_PR_SET_DUMPABLE, 0)


def no_new_privileges() -> bool:
    """Let no program that is started from here gain rights by its set-user-id bit."""
    return _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def adopt_orphans() -> bool:
    """Become the parent of whatever below us loses its own, so that nothing gets away."""
    return _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def die_with(parent: int, number: int = SIGKILL) -> None:
    """Get a signal when the parent ends; at once when it ended before this was called."""
    if _call and _call(_PR_SET_PDEATHSIG, number, 0, 0, 0) == 0 and getppid() != parent:
        os.kill(os.getpid(), number)


def _prctl(option: int, value: int) -> bool:
    return _call is not None and bool(_call(option, value, 0, 0, 0) == 0)
