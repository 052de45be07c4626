"""Signals without the module `signal`, which makes an enum of every number of them.

For a zygote and what it forks: what is in their memory is paid for with each request.
"""

from __future__ import annotations

from _signal import (  # type: ignore[import-not-found]
    SIG_DFL,
    SIG_IGN,
    SIGCHLD,
    SIGKILL,
    SIGPIPE,
    SIGSTOP,
    SIGTERM,
    SIGXFSZ,
    set_wakeup_fd,
    signal,
)

__all__ = (
    "SIGCHLD",
    "SIGKILL",
    "SIGPIPE",
    "SIGSTOP",
    "SIGTERM",
    "SIGXFSZ",
    "SIG_DFL",
    "SIG_IGN",
    "set_wakeup_fd",
    "signal",
)
