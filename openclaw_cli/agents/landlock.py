"""Hold a process to what it may do, by Linux' Landlock: for good, and for all that it starts.

The zygote does it once after it has loaded the handler, and each instance inherits it; no privilege
is needed, and root is held as well. It covers files, programs, TCP, and looking into processes of
another domain; not UDP, not unix sockets by path. Standard library only, called by number: a
package for it is younger than the interface, which is 60 lines.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import sys

from openclaw_cli.agents import wildcards

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Any

LEVEL = "landlock"

_CREATE, _ADD, _RESTRICT = 444, 445, 446  # the same number on every architecture
_ASK_VERSION = 1
_PATH, _PORT = 1, 2
_NO_NEW_PRIVS = 38

_EXECUTE, _WRITE, _READ, _LIST, _RMDIR, _UNLINK = (1 << bit for bit in range(6))
_MAKE = sum(1 << bit for bit in range(6, 13))
_REFER, _TRUNCATE = 1 << 13, 1 << 14
_BIND, _CONNECT = 1, 2
_ABSTRACT, _SIGNAL = 1, 2
_TCP_SINCE, _SCOPE_SINCE, _TRUNCATE_SINCE, _REFER_SINCE = 4, 6, 3, 2

_CAPBSET_DROP = 24
_CAPABILITY_VERSION = 0x20080522
# dac_read_search, sys_module, sys_rawio, sys_ptrace, sys_admin, sys_resource, mknod, syslog,
# perfmon, bpf, checkpoint_restore: with each of them a process of root can read another's memory,
# a disk past all rules, or raise its own limits.
_GIVEN_UP = (2, 16, 17, 19, 21, 24, 27, 34, 38, 39, 40)

_OF_FILES = _EXECUTE | _WRITE | _READ | _TRUNCATE
_VERBS = {
    "read": _READ | _LIST,
    "write": _WRITE | _TRUNCATE | _MAKE | _REFER,
    "delete": _RMDIR | _UNLINK | _REFER,
    "exec": _EXECUTE,
}
_SYSTEM = (
    *("/usr", "/lib", "/lib64", "/bin", "/proc", "/sys/devices/system/cpu"),
    *("/etc/ssl", "/etc/pki", "/etc/ca-certificates", "/etc/ld.so.cache", "/etc/localtime"),
    *("/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/gai.conf", "/etc/services"),
)
_DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom", "/dev/random", "/dev/full")
# Of the other devices what is typed at a terminal and what lies on a disk can be read, past all
# rules; so an agent has none but memory that is shared, and what models are computed with.
_MORE_DEVICES = ("/dev/shm", "/dev/mqueue", "/dev/dri", "/dev/kfd", "/dev/nvidia*")  # noqa: S108
# Root may write there, and the kernel, a shell or cron would run it free of all rules.
_SYSTEMS_OWN = (
    *("/bin", "/boot", "/etc", "/lib", "/lib32", "/lib64", "/proc", "/sbin", "/sys", "/usr"),
    *("/run/systemd", "/run/udev", "/var/spool/cron"),
)
_LOADERS = ("/lib64/ld-*.so*", "/lib/ld-*.so*", "/lib/*/ld-*.so*", "/usr/lib/*/ld-*.so*")


class Unconfined(Exception):  # noqa: N818  the system's state, not a mistake
    """The kernel cannot hold this process, and it must be held."""


class _Ruleset(ctypes.Structure):
    _fields_ = (("fs", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scope", ctypes.c_uint64))


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


class _Port(ctypes.Structure):
    _fields_ = (("allowed", ctypes.c_uint64), ("port", ctypes.c_uint64))


_libc = ctypes.CDLL(None, use_errno=True)
_call = ctypes.CDLL(None).syscall if sys.platform == "linux" else None  # found once: see `separate`


def version() -> int:
    """Return the version of Landlock that this kernel has; 0 for none."""
    if sys.platform != "linux":
        return 0
    found = _libc.syscall(_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint32(_ASK_VERSION))
    return max(0, int(found))


def confine(plan: Mapping[str, Any]) -> str:
    """Hold this process to a plan of `policy.confinement`; return the level that is in force.

    Raises `Unconfined` where the kernel does not have it and the plan is strict.
    """
    known = version()
    if not plan:
        return ""
    drop_capabilities()
    if not known or (known < _TCP_SINCE and "network_connect" not in plan["verbs"]):
        if plan["strict"]:
            raise Unconfined("this kernel has no Landlock that could hold the agent's permissions")
        return ""
    rules = Rules(known, network="network_connect" not in plan["verbs"])
    try:
        _allow(rules, plan)
        rules.enforce()
    except OSError as refused:
        if plan["strict"]:
            reason = errno.errorcode.get(refused.errno or 0, "")
            raise Unconfined(f"Landlock cannot be set ({reason})") from None
        return ""
    finally:
        rules.close()
    return LEVEL


def drop_capabilities() -> None:
    """Give up, for good, what lets root look into other processes and lift its own limits."""
    if sys.platform != "linux":
        return
    for number in _GIVEN_UP:
        _libc.prctl(_CAPBSET_DROP, ctypes.c_ulong(number), 0, 0, 0)
    head = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
    sets = (ctypes.c_uint32 * 6)()
    if _libc.capget(head, sets) < 0:
        return
    for number in _GIVEN_UP:
        word, bit = divmod(number, 32)
        for at in range(3):
            sets[word * 3 + at] &= ~(1 << bit) & 0xFFFFFFFF
    _libc.capset(head, sets)


def domain() -> Rules | None:
    """Make ready what `separate` takes, once for many processes; None where there is none."""
    known = version()
    if not known:
        return None
    rules = Rules(known, network=False, files=_REFER if known >= _REFER_SINCE else _EXECUTE)
    rules.allow("/", rules.files)
    return rules


def separate(rules: Rules | None) -> None:
    """Put this process into a domain of its own: none of another one can look into it.

    That holds for root, too, which may otherwise read any process' memory. It is part of each
    request, so it does no more than is needed: new privileges were given up by the zygote. Raises
    `PermissionError` where the kernel does not do it: the process would be less apart than is said.
    """
    if rules is not None and (_call is None or _call(_RESTRICT, rules.fd, 0) != 0):
        raise PermissionError


class Rules:
    """A set of rules in the making."""

    def __init__(self, known: int, *, network: bool, files: int = 0) -> None:
        handled = files or _EXECUTE | _WRITE | _READ | _LIST | _RMDIR | _UNLINK | _MAKE
        if not files:
            handled |= _REFER if known >= _REFER_SINCE else 0
            handled |= _TRUNCATE if known >= _TRUNCATE_SINCE else 0
        self.files = handled
        self.ports = network and known >= _TCP_SINCE
        scope = _ABSTRACT | _SIGNAL if known >= _SCOPE_SINCE else 0
        asked = _Ruleset(handled, _BIND | _CONNECT if self.ports else 0, scope)
        size = 24 if known >= _SCOPE_SINCE else 16 if known >= _TCP_SINCE else 8
        self.fd = _checked(
            _libc.syscall(_CREATE, ctypes.byref(asked), ctypes.c_size_t(size), ctypes.c_uint32(0))
        )

    def allow(self, path: str, rights: int) -> None:
        """Allow something at a path and below; one that is not there is passed over."""
        try:
            fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            return
        try:
            is_folder = stat.S_ISDIR(os.fstat(fd).st_mode)
            rights &= self.files if is_folder else self.files & _OF_FILES
            if rights:
                rule = _Beneath(rights, fd)
                _checked(
                    _libc.syscall(_ADD, self.fd, _PATH, ctypes.byref(rule), ctypes.c_uint32(0))
                )
        finally:
            os.close(fd)

    def connect(self, port: int) -> None:
        """Allow connecting to a port."""
        if self.ports:
            rule = _Port(_CONNECT, port)
            _checked(_libc.syscall(_ADD, self.fd, _PORT, ctypes.byref(rule), ctypes.c_uint32(0)))

    def enforce(self) -> None:
        """Be held by these rules from now on."""
        _checked(_libc.prctl(_NO_NEW_PRIVS, ctypes.c_ulong(1), 0, 0, 0))
        _checked(_libc.syscall(_RESTRICT, self.fd, ctypes.c_uint32(0)))

    def close(self) -> None:
        """Forget the set; what is enforced stays."""
        os.close(self.fd)


def _allow(rules: Rules, plan: Mapping[str, Any]) -> None:
    verbs = set(plan["verbs"])
    hidden = _Hidden(plan["root"], plan["visible"], plan["keys"])
    looking = verbs & ({"read"} if plan["refused"] else {"read", "exec"})
    # What it runs, and what others run, is not the agent's to change.
    system = _SYSTEMS_OWN if os.geteuid() == 0 else ()
    ours = (plan["root"], *_code(), *plan["code"], *plan["keys"], *plan["guarded"])
    guarded = _Hidden("", (), [*ours, *system])
    # A folder beside what is hidden may have thousands of entries: one rule for each, and not two.
    allowed: dict[str, int] = {}
    for places, wanted in ((hidden, looking), (guarded, verbs & {"write", "delete"})):
        rights = _rights(wanted)
        for path in _around_devices(places) if rights else ():
            allowed[path] = allowed.get(path, 0) | rights
    for folder in hidden.above():
        allowed[folder] = allowed.get(folder, 0) | (_rights(looking) & _LIST)
    for path, rights in allowed.items():
        rules.allow(path, rights)
    for each in (*_SYSTEM, *sys.path, sys.prefix, sys.base_prefix, *plan["readable"]):
        for path in hidden.around(os.path.realpath(each)) if os.path.isabs(each) else ():
            rules.allow(path, _VERBS["read"])
    for each in _DEVICES:
        rules.allow(each, _READ | _WRITE | _TRUNCATE)
    if plan["programs"] or plan["refused"] or plan["entry"]:
        _allow_programs(rules, plan, everything="exec" in verbs)
    for port in plan["ports"]:
        rules.connect(port)


def _rights(verbs: Iterable[str]) -> int:
    found = 0
    for each in verbs:
        found |= _VERBS[each]
    return found


def _allow_programs(rules: Rules, plan: Mapping[str, Any], *, everything: bool) -> None:
    """Allow programs by name: all on the path but those refused, or those alone that are named."""
    started = [path for each in plan["entry"] for path in _with_interpreter(_found(each))]
    for name in plan["programs"]:
        started += _with_interpreter(_found(name))
    if everything and plan["refused"]:
        refused = set(plan["refused"])
        refused_files = {_identity(_found(each)) for each in refused} - {None}
        for folder in _folders():
            started += [
                each.path
                for each in _programs(folder)
                # A folder would bring all in it: /usr/bin/X11 is a link to /usr/bin.
                if each.name not in refused and _identity(each.path) not in refused_files
            ]
    for path in [*started, *_matching(_LOADERS)]:
        rules.allow(path, _READ | _EXECUTE)


def _code() -> list[str]:
    """Return where the code lies that we run: Python's own, ours, and what a user has installed."""
    import site

    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    users = [site.getusersitepackages(), f"{site.getuserbase()}/bin"]
    found = [sys.prefix, sys.base_prefix, package, *sys.path, *users]
    return [each for each in found if os.path.isabs(each) and each != "/"]


def _around_devices(places: _Hidden) -> Iterator[str]:
    """Give what is not hidden, of devices those alone that an agent may have."""
    yield from (each for each in places.around("/") if not f"{each}/".startswith("/dev/"))
    for each in _matching(_MORE_DEVICES):
        yield from places.around(each)


def _matching(patterns: Iterable[str]) -> list[str]:
    return [path for pattern in patterns for path in wildcards.paths(pattern)]


def _programs(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            return [each for each in found if each.is_file()]
    except OSError:
        return []


class _Hidden:
    """What lies around some files that no rule may cover, since a rule covers all below it.

    Of the folder `root` everything is hidden but Python modules and what is called as one of
    `visible`; of other places the whole.
    """

    def __init__(self, root: str, visible: Sequence[str], places: Sequence[str]) -> None:
        self._root = os.path.realpath(root) if root else ""
        self._visible = frozenset(visible)
        self._places = frozenset(os.path.realpath(each) for each in places if os.path.isabs(each))
        self._above = frozenset(self.above())

    def around(self, start: str) -> Iterator[str]:
        """Give what is at `start` and below, in as few paths as leave out what is hidden."""
        if self._is_hidden(start):
            return
        if start not in self._above:
            yield start
            return
        for each in _entries(start):
            if start == self._root or each in self._above or each in self._places:
                yield from self.around(each)
            else:
                yield each

    def above(self) -> Iterator[str]:
        """Give the folders that lead to what is hidden: they may be listed, no more."""
        for each in (self._root, *map(os.path.dirname, self._places)):
            folder = each
            while folder not in ("", "/"):
                yield folder
                folder = os.path.dirname(folder)
        yield "/"

    def _is_hidden(self, path: str) -> bool:
        if any(f"{path}/".startswith(f"{each}/") for each in self._places):
            return True
        if not self._root or not path.startswith(f"{self._root}/"):
            return False
        first = path[len(self._root) + 1 :].partition("/")[0]
        whole = f"{self._root}/{first}"
        is_module = first.endswith(".py") or os.path.isfile(f"{whole}/__init__.py")
        return not (first in self._visible or is_module)


def _entries(folder: str) -> list[str]:
    """Return what is in a folder but links: what they lead to is covered where it is."""
    try:
        with os.scandir(folder) as found:
            return [each.path for each in found if not each.is_symlink()]
    except OSError:
        return []


def _found(name: str) -> str:
    if "/" in name:
        return os.path.realpath(name)
    places = (f"{folder}/{name}" for folder in _folders())
    return next((each for each in places if os.access(each, os.X_OK)), "")


def _folders() -> list[str]:
    path = os.environ.get("PATH", os.defpath).split(":")
    return list(dict.fromkeys(os.path.realpath(each) for each in path if os.path.isabs(each)))


def _identity(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _with_interpreter(path: str) -> list[str]:
    """Return a program and, of a script, what its first line starts."""
    if not path:
        return []
    try:
        with open(path, "rb") as file:
            first = file.readline(256)
    except OSError:
        return [path]
    if not first.startswith(b"#!"):
        return [path]
    words = first[2:].decode(errors="replace").split()
    return [path, *[found for each in words[:2] if (found := _found(each))]]


def _checked(result: int) -> int:
    if result < 0:
        raise OSError(ctypes.get_errno(), "landlock")
    return result
