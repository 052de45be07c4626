"""A program: runs `openclaw` in a Python that has nothing of what only Linux has.

No macOS is at hand. This takes away what Python offers on Linux alone, and `/proc`; what it cannot
show is how the file system and the keyring there behave. With `--import` it imports every module.
"""

from __future__ import annotations

import fcntl
import importlib
import os
import pkgutil
import resource
import signal
import socket
import sys
import types

ONLY_LINUX: dict[types.ModuleType, str] = {
    os: (
        "memfd_create MFD_CLOEXEC MFD_ALLOW_SEALING O_PATH O_TMPFILE O_DIRECT fdatasync "
        "posix_fallocate posix_fadvise pidfd_open splice eventfd copy_file_range getrandom "
        "sched_getaffinity sched_setaffinity getxattr setxattr listxattr removexattr pipe2 "
        "setresuid setresgid getresuid getresgid"
    ),
    socket: "SO_PEERCRED SO_PASSCRED SCM_CREDENTIALS AF_NETLINK SOCK_CLOEXEC SOCK_NONBLOCK",
    signal: "pidfd_send_signal sigtimedwait sigwaitinfo SIGRTMIN SIGRTMAX SIGSTKFLT SIGPWR",
    fcntl: "F_SETPIPE_SZ F_GETPIPE_SZ F_ADD_SEALS F_OFD_SETLK F_OFD_GETLK F_OFD_SETLKW F_NOTIFY",
    resource: "prlimit",
}
THEIRS = ("engines.celery", "engines.node", "engines.remote", "handlers.acp", "testing.")
"""Their libraries ask how this Python was built, and are told that it was for Linux."""


def take_away() -> None:
    """Make this process believe that it is not on Linux."""
    for module, names in ONLY_LINUX.items():
        for name in names.split():
            if hasattr(module, name):
                delattr(module, name)
    sys.platform = "darwin"
    theirs = sys.modules["_scproxy"] = types.ModuleType("_scproxy")  # what urllib asks there
    theirs.__dict__.update(_get_proxies=dict, _get_proxy_settings=dict)
    sys.addaudithook(_no_proc)


def _no_proc(event: str, arguments: tuple[object, ...]) -> None:
    if event in ("open", "os.listdir", "os.scandir") and str(arguments[0]).startswith("/proc"):
        raise FileNotFoundError(2, "there is no /proc")


def import_all() -> list[str]:
    """Import every module of ours; return those that cannot be."""
    import openclaw_cli

    failed = []
    for found in pkgutil.walk_packages(openclaw_cli.__path__, "openclaw_cli."):
        ours = found.name.removeprefix("openclaw_cli.")
        if ours.startswith(THEIRS) or ours.endswith("__main__"):
            continue
        try:
            importlib.import_module(found.name)
        except (ImportError, AttributeError, OSError) as missing:
            failed.append(f"{found.name}: {missing!r}")
    return failed


if __name__ == "__main__":
    take_away()
    if sys.argv[1:] == ["--import"]:
        sys.exit("\n".join(import_all()) or 0)
    from openclaw_cli.cli.hot import main

    sys.exit(main(sys.argv[1:]))
