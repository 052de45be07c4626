"""The zygote of one agent: a fresh Python that has loaded the handler and then only forks.

It has one thread, sees no request and no secret, and is the parent of each instance: so a number
that it kills is never somebody else's, and what an instance leaves behind becomes its child and is
swept away. `runtime.host` is the gateway's end. Standard library only, `landlock` too.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import socket
import sys
import time

from openclaw_cli.agents import landlock
from openclaw_cli.runtime import guard, owner, tree, worker
from openclaw_cli.runtime.wire import PACKET, packet, unpacked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openclaw_cli.runtime.wire import Message

TICK = 0.5
"""Seconds between two looks at the trees of running instances."""

PROCESS, UID = "process", "uid"
"""The least level of isolation, and the most; `agents.spec.LEVELS` has them all."""

_LAST_SECONDS = 4.0  # for killing all that is below, which a fork bomb makes long
_LIST = 1024 * 1024  # bytes of the list of our children
_FDS = 2  # of a new instance: its socket, and where its output goes


class Forked:
    """One running instance."""

    __slots__ = ("number", "why")

    def __init__(self, number: int) -> None:
        self.number = number
        self.why = ""


class Zygote:
    """The process: what it was told at its start, and the instances it has forked, by pid."""

    def __init__(self, control: socket.socket) -> None:
        self.control = control
        self.plan: Message = {}
        self.forked: dict[int, Forked] = {}
        self.handler: worker.Handler | None = None
        self.domain: landlock.Rules | None = None
        self.children = -1
        self.threads = 1
        self.ending = False

    def run(self) -> int:
        """Load the handler, then fork on demand until the gateway goes."""
        self.plan = {**unpacked(self.control.recv(PACKET)), "zygote": os.getpid()}
        try:
            level = self._prepared()
        except (worker.Unloadable, landlock.Unconfined, owner.Unowned) as refused:
            self._tell({"op": "failed", "why": str(refused)})
            return 78
        gc.collect()
        gc.freeze()
        self._tell(
            {
                "op": "ready",
                "data": tree.data_bytes(os.getpid()),
                "threads": self.threads,
                "level": level,
                "owner": self.plan["owner"],
            }
        )
        self._serve()
        return 0

    def _prepared(self) -> str:
        """Be safe, load the handler, and be held; return the level of isolation in force."""
        plan = self.plan
        worker.refuse_writers(plan["python_path"])
        if plan["owner"]:
            plan["owner"] = owner.claim(plan["owner"])
        guard.die_with(plan["parent"], signal.SIGTERM)
        level = PROCESS if guard.unreadable() else ""
        guard.no_new_privileges()
        guard.adopt_orphans()
        self.handler = worker.load(plan)
        level = landlock.confine(plan["confine"]) or level
        worker.prepare()
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
        woken, wake = socket.socketpair()
        for each in (woken, wake):
            each.setblocking(False)
        signal.signal(signal.SIGCHLD, _noted)
        signal.signal(signal.SIGTERM, self._terminated)
        signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
        poller = select.poll()
        poller.register(self.control, select.POLLIN)
        poller.register(woken, select.POLLIN)
        looked = time.monotonic()
        while not (self.ending and not self.forked):
            ready = {fd for fd, _ in poller.poll(TICK * 1000 if self.forked else None)}
            if woken.fileno() in ready:
                _emptied(woken)
            self._reap()
            if self.control.fileno() in ready and not self._obey():
                break
            if self.forked and time.monotonic() - looked >= TICK:
                looked = time.monotonic()
                self._watch()
        self._kill_all()

    def _terminated(self, _number: int, _frame: object) -> None:
        """End everything: the gateway died (PDEATHSIG), and nobody is left to hear of it."""
        self._kill_all()
        os._exit(0)

    def _obey(self) -> bool:
        """Do what the next message says; false when the gateway is gone."""
        try:
            data, fds, _, _ = socket.recv_fds(self.control, PACKET, _FDS)
        except OSError:
            return False
        if not data:
            return False
        message = unpacked(data)
        if message["op"] == "spawn":
            self._spawn(message, fds)
        elif message["op"] == "kill":
            self._kill(message["id"], message["signal"], message.get("why", ""))
        elif message["op"] == "end":
            self.ending = True
        return True

    def _spawn(self, message: Message, fds: list[int]) -> None:
        number = message["id"]
        try:
            pid = os.fork()
        except OSError:
            for fd in fds:
                os.close(fd)
            self._tell({"op": "exit", "id": number, "status": 0, "why": "fork"})
            return
        if pid == 0:
            threaded = self.threads > 1
            worker.begin(self.plan, self.handler, fds, domain=self.domain, threaded=threaded)
        for fd in fds:
            os.close(fd)
        self.forked[pid] = Forked(number)
        self._tell({"op": "up", "id": number, "pid": pid})

    def _kill(self, number: int, signal_number: int, why: str) -> None:
        for pid, each in self.forked.items():
            if each.number == number:
                each.why = each.why or why
                tree.send(pid, signal_number)

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
                found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return others
            if found is None:
                return others
            pid = found.si_pid
            ended = self.forked.pop(pid, None)
            if ended is not None:
                tree.send(pid, signal.SIGKILL)
            _, status, used = os.wait4(pid, 0)
            if ended is None:
                others = True
                continue
            self._tell(
                {
                    "op": "exit",
                    "id": ended.number,
                    "status": status,
                    "why": ended.why,
                    "rss": used.ru_maxrss * 1024,
                    "cpu": used.ru_utime + used.ru_stime,
                    "strays": self._sweep(),
                }
            )

    def _sweep(self) -> int:
        """Kill each child that we did not fork, unless its session is a running instance's.

        What has made itself a daemon is not kept, nor anybody below it.
        """
        strays = [pid for pid in self._adopted() if tree.session(pid) not in self.forked]
        return len(tree.end(strays)) if strays else 0

    def _adopted(self) -> list[int]:
        """Return our children that we did not fork: they have lost their parent."""
        os.lseek(self.children, 0, os.SEEK_SET)
        found = map(int, os.read(self.children, _LIST).split())
        return [pid for pid in found if pid not in self.forked]

    def _watch(self) -> None:
        """End what takes more than its share by its children: no limit of the kernel's adds up."""
        most, count = self.plan["tree_memory"], self.plan["processes"]
        adopted = {pid: tree.session(pid) for pid in self._adopted()}
        for pid, each in list(self.forked.items()):
            kept = [child for child, session in adopted.items() if session == pid]
            found = [*kept]
            for root in (pid, *kept):
                found += tree.below(root, count) if len(found) <= count else []
            if len(found) > count:
                self._end([pid, *kept], each, "processes")
            elif found and most and sum(map(tree.private_bytes, [pid, *found])) > most:
                self._end([pid, *kept], each, "memory")
        self._sweep()

    def _end(self, roots: list[int], ended: Forked, why: str) -> None:
        ended.why = ended.why or why
        tree.end(roots)

    def _kill_all(self) -> None:
        """Leave nobody behind: no instance, no stray, however deep."""
        deadline = time.monotonic() + _LAST_SECONDS
        while (found := tree.children(os.getpid())) and time.monotonic() < deadline:
            tree.end(found)
            _bury()

    def _tell(self, message: Message) -> None:
        try:
            self.control.send(packet(message))
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


def _emptied(source: socket.socket) -> None:
    try:
        while source.recv(4096):
            pass
    except BlockingIOError:
        return


def main(arguments: list[str]) -> int:
    """Run a zygote on the descriptor that it was given."""
    control = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET, fileno=int(arguments[0]))
    control.set_inheritable(False)
    return Zygote(control).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
