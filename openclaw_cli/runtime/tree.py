"""The processes below one of ours, from /proc. Standard library only.

What is read here (`children`, `statm`, `status`) stays readable of processes that are not
dumpable.
"""

from __future__ import annotations

import os
import time

from openclaw_cli.runtime.signals import SIGKILL, SIGSTOP

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_PAGE = os.sysconf("SC_PAGE_SIZE")
_END_SECONDS = 3.0
_TICKS = os.sysconf("SC_CLK_TCK")


def children(pid: int) -> list[int]:
    """Return the processes whose parent is `pid`, of all its threads; none when it is gone."""
    found: list[int] = []
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return found
    for thread in threads:
        found += map(int, _read(f"/proc/{pid}/task/{thread}/children").split())
    return found


def below(pid: int, enough: int) -> list[int]:
    """Return the processes below `pid`, nearest first; after `enough` of them the rest is left out.

    Without that end it would never be done with a tree that grows while it is read.
    """
    found = children(pid)
    for each in found:
        if len(found) > enough:
            break
        found += children(each)
    return found


def end(roots: Iterable[int]) -> list[int]:
    """Kill processes and all that is below them; return which they were.

    Each is stopped before its children are looked for: what is stopped starts nobody, and buries
    nobody, so that a number read here is nobody else's. Only then are they killed: a tree that is
    killed one by one grows faster than it dies. The roots are to be children of who calls. One that
    cannot be stopped keeps nobody here for long: the callers look again.
    """
    deadline = time.monotonic() + _END_SECONDS
    found: dict[int, None] = {}
    new = _stopped(roots, found)
    while new and time.monotonic() < deadline:
        for each in new:
            new += _stopped(children(each), found) if time.monotonic() < deadline else []
        new = [late for each in list(found) for late in _stopped(children(each), found)]
    for each in found:
        send(each, SIGKILL)
    return list(found)


def _stopped(pids: Iterable[int], found: dict[int, None]) -> list[int]:
    """Stop those that are not known yet, and return them."""
    new = [each for each in pids if each not in found]
    for each in new:
        send(each, SIGSTOP)
        found[each] = None
    return new


def send(pid: int, number: int) -> bool:
    """Signal a process and the group it leads; a zombie's number is its own until it is buried."""
    sent = False
    for way in (os.killpg, os.kill):
        try:
            way(pid, number)
        except OSError:
            continue
        sent = True
    return sent


def session(pid: int) -> int:
    """Return the session of a process; 0 when it is gone."""
    try:
        return os.getsid(pid)
    except OSError:
        return 0


def environ(pid: int) -> list[bytes]:
    """Return the lines of the environment a program was started with; none where that is closed."""
    return _read(f"/proc/{pid}/environ").split(b"\0")


def threads_of_the_machine() -> int:
    """Return how many threads there are, of all users; 0 where that is not known."""
    words = _read("/proc/loadavg").split()
    return int(words[3].partition(b"/")[2]) if len(words) > 3 else 0  # noqa: PLR2004


def is_apart(pid: int, above: int, latest: float) -> bool:
    """Tell whether a process lives, began by `latest`, and is not below another one.

    `latest` is in seconds since the machine began. What cannot be followed up to the first process
    is not apart: one that is gone may have been a child, and its number another's by now. Nobody
    begins before his parent, so a number given anew on the way is noticed, too.
    """
    most = int(latest * _TICKS)
    while pid:
        line = _read(f"/proc/{pid}/stat")
        if not line:
            return _is_anothers(pid)
        words = line.rpartition(b")")[2].split()
        pid, began = int(words[1]), int(words[19])
        if pid == above or began > most:
            return False
        most = began
    return True


def _is_anothers(pid: int) -> bool:
    """Tell whether a process that /proc hides (`hidepid`) is there, of another user than we."""
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except OSError:
        return False
    return False


def private_bytes(pid: int) -> int:
    """Return the memory of a process that it shares with no file, in bytes; 0 when it is gone."""
    words = _read(f"/proc/{pid}/statm").split()
    return (int(words[1]) - int(words[2])) * _PAGE if len(words) > 2 else 0  # noqa: PLR2004


def data_bytes(pid: int) -> int:
    """Return what RLIMIT_DATA counts of a process, in bytes; 0 where that is not known."""
    for line in _read(f"/proc/{pid}/status").splitlines():
        if line.startswith(b"VmData:"):
            return int(line.split()[1]) * 1024
    return 0


def thread_count(pid: int) -> int:
    """Return how many threads a process has; 1 where that is not known."""
    try:
        return len(os.listdir(f"/proc/{pid}/task"))
    except OSError:
        return 1


def started(pid: int) -> int:
    """Return when a process began, in ticks since the machine did; 0 when it is gone.

    With the number it names one process for ever, as far as the machine is not started anew.
    """
    line = _read(f"/proc/{pid}/stat")
    return int(line.rpartition(b")")[2].split()[19]) if line else 0


def _read(path: str) -> bytes:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        pieces = []
        while piece := os.read(fd, 65536):
            pieces.append(piece)
        return b"".join(pieces)
    except OSError:
        return b""
    finally:
        os.close(fd)
