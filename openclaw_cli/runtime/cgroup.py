"""Control groups (v2): what an instance and all below it take together, held by the kernel.

Where a folder of them is delegated to the gateway, each instance enters a group before it runs
anything of its agent's. What it starts, however it hides, is in there: it takes no more memory and
threads than the group may have, and ends with it. Elsewhere the limits of each process hold, and
who looks at the tree twice a second. One instance after another takes a group: decision 18.

Lean, for each zygote has it.
"""

from __future__ import annotations

import os
import time
from posix import pread, write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from openclaw_cli.runtime.wire import Message

CONTROLLERS = ("memory", "pids")
"""What we use of what a group may have."""

SELF, MOUNTS = "/proc/self/cgroup", "/proc/self/mountinfo"

_MEMBERS, _KILL = "cgroup.procs", "cgroup.kill"
_LIST = 64 * 1024  # bytes of the numbers of those in a group, at most
_KEPT = 8  # what part of its memory a group may still have when it is taken again: one in so many
_REAP_SECONDS = 2.0
_PLAIN = ("chat",)  # kinds of agents that start nobody, whose handler is ours


class Undelegated(Exception):  # noqa: N818  the system's state, not a mistake
    """No group is ours; the text is ours."""


def place(cgroup: str, mountinfo: str) -> str:
    """Return the folder of a process' own group, from what /proc says; "" where there is none."""
    own = next((line[3:] for line in cgroup.splitlines() if line.startswith("0::/")), "")
    for root, point in mounted(mountinfo):
        top = root.rstrip("/")
        if own and f"{own}/".startswith(f"{top}/") and not own.startswith("/../"):
            return f"{point}{own.removeprefix(top)}".rstrip("/")
    return ""


def mounted(mountinfo: str) -> Iterator[tuple[str, str]]:
    """Give where groups are mounted: which of them, and at which path."""
    for line in mountinfo.splitlines():
        left, _, right = line.partition(" - ")
        if right.startswith("cgroup2 "):
            root, point = left.split(" ")[3:5]
            yield _plain(root), _plain(point)


def mounts() -> list[str]:
    """Return where all groups are mounted here."""
    return [point for _, point in mounted(_text(MOUNTS))]


def _plain(path: str) -> str:
    """Undo what /proc does to a path with spaces in it."""
    return path.encode().decode("unicode_escape").encode("latin-1").decode(errors="surrogateescape")


def limits(memory: int, threads: int, controllers: Iterable[str]) -> dict[str, str]:
    """Return which file of a group is to say what."""
    said = {}
    if memory and "memory" in controllers:
        # Without swap, or a tree would have as much again; all of it ends when there is no more.
        said = {"memory.max": f"{memory}", "memory.swap.max": "0", "memory.oom.group": "1"}
    if threads and "pids" in controllers:
        said["pids.max"] = f"{threads}"
    return said


def clear(members: int, kill: int) -> int:
    """Kill whoever is in a group, by its descriptors; return how many there were."""
    try:
        found = pread(members, _LIST, 0)
        if found:
            write(kill, b"1")
    except OSError:
        return 0  # the group is gone, and so is whoever was in it
    return found.count(b"\n")


class Delegated:
    """A folder of groups that is ours, and what of it is `mark`'s, one gateway's."""

    def __init__(self, folder: str, mark: str) -> None:
        self.folder = folder
        self.mark = mark
        self._made = 0
        given = _text(f"{folder}/cgroup.controllers").split()
        self._wanted = [each for each in CONTROLLERS if each in given]
        self._enabled: list[str] = []

    def controllers(self) -> list[str]:
        """Return what the groups can be given limits of.

        A folder's groups can only while nobody is in the folder itself. Whoever started us may
        leave it, so what was refused is asked for again.
        """
        for each in self._wanted if len(self._enabled) < len(self._wanted) else ():
            try:
                _say(f"{self.folder}/cgroup.subtree_control", f"+{each}")
            except OSError:
                break
            self._enabled = [*dict.fromkeys((*self._enabled, each))]
        return self._enabled

    def groups(self, plan: Message) -> Groups | None:
        """Return the groups of an agent's instances; None where these start nobody."""
        return None if plan["kind"] in _PLAIN else Groups(self, plan)

    def path(self) -> str:
        """Return where the next group is to be: a number that was never another's here."""
        self._made += 1
        return f"{self.folder}/{leaf(self.mark)}.{os.getpid()}-{self._made}"


def leaf(mark: str) -> str:
    """Name the group of a gateway itself; those of its instances have its name and a dot."""
    return f"openclaw-{mark}"


def enter(mark: str) -> Delegated:
    """Take the folder that we were started in, and go into a leaf of it; raises `Undelegated`."""
    here = place(_text(SELF), _text(MOUNTS))
    if not here:
        raise Undelegated("no control groups of version 2 are mounted")
    folder = os.path.dirname(here) if os.path.basename(here) == leaf(mark) else here
    if not os.path.exists(f"{folder}/{_KILL}"):
        raise Undelegated(f"{folder} cannot be delegated")  # the root of all; or Linux before 5.14
    if not all(os.access(each, os.W_OK) for each in (folder, f"{folder}/{_MEMBERS}")):
        raise Undelegated(f"{folder} is not ours to write")
    try:
        if here == folder:
            os.makedirs(f"{folder}/{leaf(mark)}", mode=0o755, exist_ok=True)
            _say(f"{folder}/{leaf(mark)}/{_MEMBERS}", "0")
    except OSError as refused:
        reason = os.strerror(refused.errno or 0).lower()
        raise Undelegated(f"{folder} cannot be used: {reason}") from None
    return Delegated(folder, mark)


def reap(folder: str, mark: str) -> int:
    """End what a gateway that was killed has left in its groups, and remove these.

    Return how many there were. A folder that is no group's is passed over.
    """
    if not os.path.exists(f"{folder}/{_KILL}"):
        return 0
    with os.scandir(folder) as entries:
        left = [each.path for each in entries if each.name.startswith(f"{leaf(mark)}.")]
    found, deadline = len(left), time.monotonic() + _REAP_SECONDS
    while (left := [each for each in left if not _removed(each)]) and time.monotonic() < deadline:
        time.sleep(0.005)
    return found


class Groups:
    """The groups of one zygote's instances, each taken by one after another."""

    def __init__(self, delegated: Delegated, plan: Message) -> None:
        self._delegated = delegated
        self._memory, self._threads = plan["tree_memory"], plan["threads"]
        self._said: dict[str, str] = {}
        self._free: list[Group] = []
        self._taken: set[Group] = set()
        self._spent: list[Group] = []
        self.lost = ""
        """Why no group could be made the last time."""

    @property
    def holds(self) -> list[str]:
        """What the kernel does for a tree by them, in the words of its files."""
        self._catch_up()
        held = [each for each in ("memory.max", "pids.max") if each in self._said]
        return [] if self.lost else [*held, _KILL]

    def take(self) -> Group | None:
        """Return an empty group; None where none can be had, and `lost` says why."""
        try:
            self._catch_up()
            while self._free and not self._free[-1].is_there():
                self._spent.append(self._free.pop())
            group = self._free.pop() if self._free else Group(self._delegated.path(), self._said)
        except OSError as refused:
            self.lost = os.strerror(refused.errno or 0).lower()
            return None
        self.lost = ""
        self._taken.add(group)
        return group

    def _catch_up(self) -> None:
        """Give those that were made before there were controllers their limits, too."""
        said = limits(self._memory, self._threads, self._delegated.controllers())
        if said != self._said:
            self._said = said
            for each in (*self._free, *self._taken):
                each.hold(said)

    def give_back(self, group: Group, *, killed: int) -> bool:
        """Take a group back from an instance that has ended, with how many were killed in it.

        It is taken again if it is as good as new: files in memory that were left there would count
        for others. Tell whether none is waiting to be removed.
        """
        self._taken.discard(group)
        (self._spent if killed or not group.is_as_new() else self._free).append(group)
        return self.removed()

    def end(self) -> list[int]:
        """Kill all that is in them; return who that was."""
        found = [pid for group in self._taken for pid in group.members()]
        self._spent += [*self._taken, *self._free]
        self._taken.clear()
        self._free.clear()
        for each in self._spent:
            each.kill()
        return found

    def removed(self) -> bool:
        """Remove those that nobody takes again, as far as they are empty; tell whether all are."""
        self._spent = [each for each in self._spent if not each.removed()]
        return not self._spent


class Group:
    """One group, and its two descriptors: who is in it, and the way to kill them."""

    def __init__(self, path: str, said: dict[str, str]) -> None:
        self.path = path
        self._most = 0
        self._ended = 0
        os.mkdir(path, 0o755)
        try:
            self.hold(said)
            self._members = os.open(f"{path}/{_MEMBERS}", os.O_RDWR | os.O_CLOEXEC)
            self._kill = os.open(f"{path}/{_KILL}", os.O_WRONLY | os.O_CLOEXEC)
        except OSError:
            _removed(path)
            raise

    def hold(self, said: dict[str, str]) -> None:
        """Limit what may be taken in it."""
        self._most = int(said.get("memory.max", "0"))
        for file, text in said.items():
            if file != "memory.swap.max" or os.path.exists(f"{self.path}/{file}"):
                _say(f"{self.path}/{file}", text)  # a kernel without swap has no limit of it

    def fds(self) -> tuple[int, int]:
        """Return both descriptors for a zygote, who is to close them."""
        members = os.dup(self._members)
        try:
            return members, os.dup(self._kill)
        except OSError:
            os.close(members)
            raise

    def is_there(self) -> bool:
        """Tell whether nobody has removed it."""
        try:
            pread(self._members, 1, 0)
        except OSError:
            return False
        return True

    def members(self) -> list[int]:
        """Return who is in it."""
        try:
            return [int(each) for each in pread(self._members, _LIST, 0).split()]
        except OSError:
            return []

    def kill(self) -> None:
        """End whoever is in it."""
        clear(self._members, self._kill)

    def is_as_new(self) -> bool:
        """Tell whether it holds hardly any memory of those that were in it."""
        if not self._most:
            return True
        return int(_text(f"{self.path}/memory.current") or self._most) * _KEPT <= self._most

    def ran_out(self) -> bool:
        """Tell whether the kernel has ended somebody here for memory since this was asked last."""
        before, self._ended = self._ended, ended_for_memory(_text(f"{self.path}/memory.events"))
        return self._ended > before

    def removed(self) -> bool:
        """Remove it, or end who is still in it; tell whether it is gone."""
        if not _removed(self.path):
            return False
        os.close(self._members)
        os.close(self._kill)
        return True


def ended_for_memory(events: str) -> int:
    """Return how many processes of a group the kernel has ended for want of memory."""
    lines = (line.partition(" ") for line in events.splitlines())
    return next((int(number) for name, _, number in lines if name == "oom_kill"), 0)


def _removed(path: str) -> bool:
    """Remove a group, or end who is still in it; tell whether it is gone."""
    try:
        os.rmdir(path)
    except FileNotFoundError:
        return True
    except OSError:
        try:
            _say(f"{path}/{_KILL}", "1")
        except OSError:
            pass  # gone by now, or not ours: the next look tells
        return False
    return True


def _say(path: str, text: str) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        write(fd, text.encode())
    finally:
        os.close(fd)


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as source:
            return source.read()
    except OSError:
        return ""
