"""A user id for each agent, which nobody else has. Standard library only.

Root changes into it. Anybody else changes into one of the ids that the system has set aside for
them (`/etc/subuid`): in a user namespace, whose ids the system's own `newuidmap` has mapped.
"""

from __future__ import annotations

import ctypes
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

FIRST = 0x7000_0000
"""Where the ids of agents begin for root: systemd's list of ranges has no user for them."""

COUNT = 65536
"""How many ids there are, the first of them unused; as many as a user is given by default."""

_CLONE_NEWUSER = 0x1000_0000
_HELPER_SECONDS = 10.0
_WELL = b"."  # what a process that has the id says first

_libc = ctypes.CDLL(None, use_errno=True)


class Unowned(Exception):  # noqa: N818  the system's state, not a mistake
    """There is no id of its own to be had; the text is ours."""


def claim(wanted: int) -> int:
    """Make an id ready to be taken by `become`; return it as it is called in this process.

    Outside of root this puts the process into a user namespace, so it is to have one thread. Raises
    `Unowned`.
    """
    if os.geteuid() == 0:
        if not _is_mapped(FIRST + wanted):
            raise Unowned(f"this container has no user id {FIRST + wanted}")
        return FIRST + wanted
    first = {name: _set_aside(f"/etc/sub{name}") for name in ("uid", "gid")}
    me, gate = os.getpid(), os.pipe()
    helper = os.fork()
    if helper == 0:
        os.close(gate[1])
        _map(me, first, gate[0])
    os.close(gate[0])
    entered = _libc.unshare(_CLONE_NEWUSER) == 0
    os.write(gate[1], b"x" if entered else b"-")
    os.close(gate[1])
    mapped = os.waitstatus_to_exitcode(os.waitpid(helper, 0)[1]) == 0
    if not entered:
        raise Unowned("this system lets users make no user namespace")
    if not mapped:
        raise Unowned("newuidmap and newgidmap are missing, or refused (the package uidmap)")
    return wanted


def become(owner: int) -> None:
    """Take the id for good; what a signal at the parent's end was asked for is undone by it."""
    os.setgroups([])
    os.setresgid(owner, owner, owner)
    os.setresuid(owner, owner, owner)


def check(owner: int, paths: Iterable[str]) -> None:
    """See, in a process that has the id, whether it can read what it needs; raises `Unowned`."""
    told, said = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            become(owner)
            closed = [each for each in paths if os.path.isabs(each) and not _is_open(each)]
            os.write(said, _WELL + "".join(closed[:1]).encode())
        finally:
            os._exit(0)
    os.close(said)
    with open(told, "rb") as source:
        answer = source.read()
    os.waitpid(child, 0)
    if not answer.startswith(_WELL):
        raise Unowned(f"this system lets nobody here become the user id {owner}")
    first = answer.removeprefix(_WELL).decode(errors="replace")
    if first:
        raise Unowned(f"another user id cannot read {first}: put it where everybody can")


def _is_open(path: str) -> bool:
    """Tell whether a path can be read; one that is not there, as far as can be seen, is."""
    try:
        os.stat(path)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return os.access(path, os.R_OK | os.X_OK if os.path.isdir(path) else os.R_OK)


def _is_mapped(owner: int) -> bool:
    with open("/proc/self/uid_map", encoding="ascii") as source:
        ranges = [[int(word) for word in line.split()] for line in source]
    return any(inside <= owner < inside + count for inside, _, count in ranges)


def _set_aside(path: str) -> int:
    """Return where the ids begin that are set aside for this user."""
    import pwd

    names = {str(os.getuid())}
    try:
        names.add(pwd.getpwuid(os.getuid()).pw_name)
    except KeyError:
        pass
    try:
        with open(path, encoding="utf-8") as source:
            lines = source.readlines()
    except OSError:
        lines = []
    for line in lines:
        name, _, numbers = line.strip().partition(":")
        begin, _, count = numbers.partition(":")
        if name in names and begin.isdigit() and count.isdigit() and int(count) >= COUNT:
            return int(begin)
    raise Unowned(f"{path} sets no {COUNT} ids aside for this user")


def _map(pid: int, first: dict[str, int], gate: int) -> None:
    """Map, from outside, what is inside: 0 is the user, and above it are the ids set aside."""
    import subprocess

    status = 1
    try:
        if os.read(gate, 1) == b"x":
            own = {"uid": os.getuid(), "gid": os.getgid()}
            for name, begin in first.items():
                ranges = ["0", str(own[name]), "1", "1", str(begin), str(COUNT)]
                subprocess.run(  # noqa: S603
                    [f"/usr/bin/new{name}map", str(pid), *ranges],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    timeout=_HELPER_SECONDS,
                    check=True,
                )
            status = 0
    finally:
        os._exit(status)
