"""Who asks: found from the process itself, in the words of the trail."""

from __future__ import annotations

import os

from openclaw_cli.sanitize import safe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_CI = ("GITHUB_ACTIONS", "GITLAB_CI", "JENKINS_URL", "BUILDKITE", "CIRCLECI", "TF_BUILD", "CI")
_SCHEDULERS = frozenset(("cron", "crond", "CRON", "anacron", "atd", "fcron"))
_ANCESTORS = 4


def present_actor(environ: Mapping[str, str]) -> dict[str, str | int]:
    """Return who runs this process, ready for a record.

    `uid` and `pid`; `via` is terminal, cron, ci or program; `tty` and `address` (of the SSH
    client) where there is one; `program` is the parent's executable; `agent` and `thread` where
    the environment names them.
    """
    actor: dict[str, str | int] = {"uid": os.getuid(), "pid": os.getpid()}
    terminal = _terminal()
    ancestors = _ancestors()
    if _SCHEDULERS.intersection(ancestors):
        actor["via"] = "cron"
    elif any(environ.get(name) for name in _CI):
        actor["via"] = "ci"
    else:
        actor["via"] = "terminal" if terminal else "program"
    if terminal:
        actor["tty"] = terminal
    address = environ.get("SSH_CONNECTION", "").partition(" ")[0]
    if address:
        actor["address"] = safe(address[:64])
    actor["program"] = _parent(ancestors)
    for key, name in (("agent", "OPENCLAW_AGENT"), ("thread", "OPENCLAW_THREAD")):
        if environ.get(name):
            actor[key] = safe(environ[name][:128])
    return actor


def _terminal() -> str:
    for descriptor in (0, 2, 1):
        try:
            return os.ttyname(descriptor)
        except OSError:
            continue
    return ""


def _parent(ancestors: list[str]) -> str:
    try:
        return safe(os.readlink(f"/proc/{os.getppid()}/exe"))
    except OSError:
        return ancestors[0] if ancestors else ""


def _ancestors() -> list[str]:
    """Return the names of the processes above this one, nearest first; empty without /proc."""
    names = []
    pid = os.getppid()
    for _ in range(_ANCESTORS):
        if pid <= 1:
            break
        try:
            fd = os.open(f"/proc/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            break
        try:
            line = os.read(fd, 512).decode(errors="replace")
        finally:
            os.close(fd)
        name, _, rest = line.partition("(")[2].rpartition(")")
        names.append(safe(name))
        pid = int(rest.split()[1])
    return names
