"""The zygote of one agent: a fresh Python that has loaded the handler and then only forks.

It has one thread, sees no request and no secret, and is the parent of each instance: so a number
that it kills is never somebody else's, and what an instance leaves behind becomes its child and is
swept away. `runtime.host` is the gateway's end. Standard library only, `landlock` too.
"""

from __future__ import annotations

import gc
import os
import sys
from _socket import AF_UNIX, CMSG_SPACE, SOCK_SEQPACKET, socket, socketpair
from posix import P_ALL, WEXITED, WNOHANG, WNOWAIT, close, fork, killpg, preadv, wait4, waitid
from select import POLLIN, poll
from time import monotonic

from openclaw_cli.agents import landlock, seccomp
from openclaw_cli.runtime import cgroup, guard, loading, owner, tree
from openclaw_cli.runtime.birth import begin, prepare, rehearse
from openclaw_cli.runtime.signals import SIGCHLD, SIGKILL, SIGTERM, set_wakeup_fd, signal
from openclaw_cli.runtime.wire import (
    BIND_NOW,
    FDS,
    HELD,
    PACKET,
    SPAWN,
    TOGETHER,
    ended,
    packet,
    spawned,
    unpacked,
)
from openclaw_cli.runtime.worker import Worker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openclaw_cli.runtime.wire import Message

TICK = 0.5
"""Seconds between two looks at the trees of running instances."""

PROCESS, UID = "process", "uid"
"""The least level of isolation, and the most; `agents.spec.LEVELS` has them all."""

_LAST_SECONDS = 4.0  # for killing all that is below, which a fork bomb makes long
_BESIDE = CMSG_SPACE(HELD.size * TOGETHER)  # bytes of the descriptors of new instances
_ORDER = 4096  # bytes of what the gateway says at once, after the plan
_LIST, _LONG_LIST = 4096, 1024 * 1024  # bytes of the list of our children, usually and at most
_LINES = 500  # of news, in one message to the gateway
_SIGNALS = 4096  # that wake us, at once


class Zygote:
    """The process: what it was told at its start, and the instances it has forked, by pid."""

    def __init__(self, control: socket) -> None:
        self.control = control
        self.plan: Message = {}
        self.forked: dict[int, int] = {}
        """The number of each running instance, by its pid."""
        self.groups: dict[int, tuple[int, int]] = {}
        """The control group of each that has one: who is in it, and the way to kill them."""
        self.why: dict[int, str] = {}
        """Why we have ended one, by its pid; the first reason counts."""
        self.worker = Worker({}, None)
        self.domain: landlock.Rules | None = None
        self.children = -1
        self.threads = 1
        self.ending = False
        self.news: list[bytes] = []
        self._order = bytearray(_ORDER)
        self._pids = bytearray(_LIST)

    def run(self) -> int:
        """Load the handler, then fork on demand until the gateway goes."""
        self.plan = {**unpacked(self.control.recv(PACKET)), "zygote": os.getpid()}
        try:
            level = self._prepared()
        except (loading.Unloadable, landlock.Unconfined, owner.Unowned) as refused:
            self._tell(packet({"op": "failed", "why": str(refused)}))
            return 78
        rehearse(self.plan)
        gc.collect()
        gc.freeze()
        gc.enable()
        ready = {"data": tree.data_bytes(os.getpid()), "threads": self.threads, "level": level}
        self._tell(packet({"op": "ready", **ready, "owner": self.plan["owner"]}))
        self._serve()
        return 0

    def _prepared(self) -> str:
        """Be safe, load the handler, and be held; return the level of isolation in force."""
        plan = self.plan
        loading.refuse_writers(plan["python_path"])
        if plan["owner"]:
            plan["owner"] = owner.claim(plan["owner"])
        guard.die_with(plan["parent"], SIGTERM)
        level = PROCESS if guard.unreadable() else ""
        guard.no_new_privileges()
        guard.adopt_orphans()
        self.worker = Worker(plan, loading.load(plan))
        level = landlock.confine(plan["confine"]) or level
        seccomp.keep_to_itself(writes="write" in plan["confine"].get("verbs", ["write"]))
        prepare()
        self.domain = landlock.domain()
        me = os.getpid()
        self.children = os.open(f"/proc/self/task/{me}/children", os.O_RDONLY | os.O_CLOEXEC)
        self.threads = tree.thread_count(me)
        if plan["owner"]:
            code = plan["python_path"] if self.threads > 1 else []
            needed = [each for each in sys.path if each not in plan["python_path"]]
            owner.check(plan["owner"], [os.path.realpath(sys.executable), *needed, *code])
            level = UID if level == landlock.LEVEL else level
        return level

    def _serve(self) -> None:
        woken, wake = socketpair()
        for each in (woken, wake):
            each.setblocking(False)
        signal(SIGCHLD, _noted)
        signal(SIGTERM, self._terminated)
        set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
        children, control = woken.fileno(), self.control.fileno()
        poller = poll()
        poller.register(control, POLLIN)
        poller.register(children, POLLIN)
        looked = monotonic()
        while not (self.ending and not self.forked):
            told = False
            for fd, _ in poller.poll(TICK * 1000 if self.forked else None):
                if fd == children:
                    woken.recv(_SIGNALS)
                else:
                    told = True
            self._reap()
            if told and not self._obey():
                break
            if self.forked and monotonic() - looked >= TICK:
                looked = monotonic()
                self._watch()
            while self.news:
                self._tell(b"\n".join(self.news[:_LINES]))
                del self.news[:_LINES]
        self._kill_all()

    def _terminated(self, _number: int, _frame: object) -> None:
        """End everything: the gateway died (PDEATHSIG), and nobody is left to hear of it."""
        self._kill_all()
        os._exit(0)

    def _obey(self) -> bool:
        """Do what the next message says; false when the gateway is gone."""
        try:
            size, beside, _, _ = self.control.recvmsg_into((self._order,), _BESIDE)
        except OSError:
            return False
        if not size:
            return False
        data = self._order[:size]
        if data.startswith(SPAWN):
            numbers, fds = data[len(SPAWN) :].split(), beside[0][2]
            kind = FDS if len(fds) == FDS.size * len(numbers) else HELD
            self._spawn(numbers, list(kind.iter_unpack(fds)))
            return True
        message = unpacked(bytes(data))
        if message["op"] == "kill":
            self._kill(message["id"], message["signal"], message.get("why", ""))
        elif message["op"] == "end":
            self.ending = True
        return True

    def _spawn(self, numbers: list[bytearray], ends: list[tuple[int, ...]]) -> None:
        """Fork instances, one right after the other: whatever is done between two costs pages."""
        worker, domain, threaded = self.worker, self.domain, self.threads > 1
        forked = []
        for each in ends:
            try:
                pid = fork()
            except OSError:
                pid = -1
            if not pid:
                begin(worker, each, domain=domain, threaded=threaded)
            forked.append(pid)
        for number, pid, (channel, output, *group) in zip(
            map(int, numbers), forked, ends, strict=True
        ):
            close(channel)
            close(output)
            if group:
                self.groups[pid] = (group[0], group[1])
            if pid < 0:
                self._clear(pid)
                self.news.append(ended(number, 0, "fork"))
            else:
                self.forked[pid] = number
                self.news.append(spawned(number, pid))

    def _kill(self, number: int, signal_number: int, why: str) -> None:
        for pid, each in self.forked.items():
            if each == number:
                self._note_why(pid, why)
                tree.send(pid, signal_number)

    def _note_why(self, pid: int, why: str) -> None:
        if why:
            self.why.setdefault(pid, why)

    def _reap(self) -> None:
        """Bury the dead, and look once more for what they have left to us."""
        if self._buried():
            self._sweep()

    def _buried(self) -> bool:
        """Bury the dead: an instance's group first, while its number is still taken.

        Tell whether one was among them that is no instance.
        """
        others = False
        while True:
            try:
                found = waitid(P_ALL, 0, WEXITED | WNOHANG | WNOWAIT)
            except ChildProcessError:
                return others
            if found is None:
                return others
            pid = found.si_pid
            number = self.forked.pop(pid, None)
            if number is None:
                others = True
                wait4(pid, 0)
                continue
            strays = self._clear(pid) if self.groups else 0
            try:
                killpg(pid, SIGKILL)
            except OSError:
                pass
            _, status, used = wait4(pid, 0)
            why = self.why.pop(pid, "") if self.why else ""
            if not strays and self._has_adopted():
                strays = self._sweep()
            cpu = int((used.ru_utime + used.ru_stime) * 1e6)
            self.news.append(ended(number, status, why, used.ru_maxrss * 1024, cpu, strays))

    def _clear(self, pid: int) -> int:
        """Kill who is left in an instance's control group, and let go of it; tell how many."""
        group = self.groups.pop(pid, None)
        if group is None:
            return 0
        found = cgroup.clear(*group)
        for each in group:
            close(each)
        return found

    def _sweep(self) -> int:
        """Kill each child that we did not fork, unless its session is a running instance's.

        What has made itself a daemon is not kept, nor anybody below it.
        """
        strays = [pid for pid in self._adopted() if tree.session(pid) not in self.forked]
        return len(tree.end(strays)) if strays else 0

    def _has_adopted(self) -> bool:
        """Tell whether we have more children than we forked: what we forked is among them."""
        size = preadv(self.children, (self._pids,), 0)
        return size == _LIST or self._pids.count(b" ", 0, size) != len(self.forked)

    def _adopted(self) -> list[int]:
        """Return our children that we did not fork: they have lost their parent."""
        found = map(int, os.pread(self.children, _LONG_LIST, 0).split())
        return [pid for pid in found if pid not in self.forked]

    def _watch(self) -> None:
        """End what takes more than its share by its children: no limit of the kernel's adds up."""
        most, count = self.plan["tree_memory"], self.plan["processes"]
        adopted = {pid: tree.session(pid) for pid in self._adopted()}
        for pid in list(self.forked):
            kept = [child for child, session in adopted.items() if session == pid]
            found = [*kept]
            for root in (pid, *kept):
                found += tree.below(root, count) if len(found) <= count else []
            if len(found) > count:
                self._end([pid, *kept], pid, "processes")
            elif found and most and sum(map(tree.private_bytes, [pid, *found])) > most:
                self._end([pid, *kept], pid, "memory")
        self._sweep()

    def _end(self, roots: list[int], pid: int, why: str) -> None:
        self._note_why(pid, why)
        if pid in self.groups:
            cgroup.clear(*self.groups[pid])
        tree.end(roots)

    def _kill_all(self) -> None:
        """Leave nobody behind: no instance, no stray, however deep."""
        for each in self.groups.values():
            cgroup.clear(*each)
        deadline = monotonic() + _LAST_SECONDS
        while (found := tree.children(os.getpid())) and monotonic() < deadline:
            tree.end(found)
            _bury()

    def _tell(self, data: bytes) -> None:
        try:
            self.control.send(data)
        except OSError:
            return  # the gateway is gone; the next poll says so


def _bury() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return


def _noted(_number: int, _frame: object) -> None:
    """Do nothing: the wakeup descriptor says that a child ended."""


def main() -> None:
    """Run a zygote on the descriptor that it was given."""
    control = socket(AF_UNIX, SOCK_SEQPACKET, 0, int(sys.argv[1]))
    os.set_inheritable(control.fileno(), False)
    os.environ.pop(BIND_NOW, None)  # it is ours alone, and no program's that an agent starts
    sys.exit(Zygote(control).run())
