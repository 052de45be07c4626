"""The gateway's end of one zygote: starts it, has it fork, hears how its instances end."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
from _socket import socket as Bare  # noqa: N812
from _socket import socketpair  # without the wrapper that `socket` puts around each
from array import array
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import chain

from openclaw_cli.agents import policy
from openclaw_cli.errors import ConfigError, OpenclawError, RefusedError, TemporaryError
from openclaw_cli.runtime import guard, tree
from openclaw_cli.runtime.cgroup import Group, Groups
from openclaw_cli.runtime.instance import Instance
from openclaw_cli.runtime.printed import Printed, Prints
from openclaw_cli.runtime.signals import SIGKILL
from openclaw_cli.runtime.wire import BIND_NOW, PACKET, TOGETHER, Message, packet, spawn, unpacked

START_SECONDS = 30.0
"""How long a handler may take to be imported."""

OWN_SECONDS = 5.0  # for a zygote to end with all that is below it; then it is ended from here
_SWEEP_SECONDS = 5.0
_TIDY_SECONDS = 0.1  # until a control group is removed, whose processes were killed just now
_ROOM = 1.25  # the least memory limit, in what the handler has taken before its first request
_KEPT = (
    *("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "USER", "LOGNAME"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "NO_PROXY", "no_proxy"),
    *("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"),
)


_ZYGOTE = """\
import gc
gc.disable()
from openclaw_cli.runtime.zygote import main
main()
"""  # `-m` is slower, and larger
_living: set[int] = set()
"""The zygotes that this process has started and not buried."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How an instance ended: its wait status, who ended it and why, and what it used."""

    status: int
    why: str = ""
    peak_bytes: int = 0
    cpu_seconds: float = 0.0
    strays: int = 0


class Zygote:
    """One zygote process and the instances that it has forked, by their number."""

    def __init__(
        self,
        name: str,
        plan: Message,
        said: Callable[[int, bytes], None],
        groups: Groups | None = None,
    ) -> None:
        """Make it ready to start; `said` takes what instances print, 0 for the zygote itself."""
        self.name = name
        self.plan = plan
        self.said = said
        self.groups = groups
        self.instances: dict[int, Instance] = {}
        self.baseline = 0
        self.threads = 1
        self.level = ""
        self.owner = 0
        self.pid = 0
        self.gone = asyncio.get_running_loop().create_future()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._outgoing: list[tuple[bytes, tuple[int, ...]]] = []
        self._wanted: dict[int, tuple[int, ...]] = {}
        """The descriptors of the instances that it is to be asked for, by their number."""
        self._prints = Prints()
        self._full = False
        self._ready: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._last = 0
        self._burial: asyncio.Task[None] | None = None
        self._sessions: set[int] = set()

    async def start(self, environ: Mapping[str, str]) -> None:
        """Start the process and wait until it has loaded the handler.

        Raises `ConfigError` when it cannot, `TemporaryError` when it dies or takes too long.
        """
        if not guard.LINUX:
            raise ConfigError(
                "agents need Linux: nothing else here can hold them apart and end them whole",
                hint="openclaw secrets works here; run the gateway on Linux",
            )
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        log, out = os.pipe()
        try:
            self._process = subprocess.Popen(  # noqa: S603, ASYNC220  returns at once: vfork
                [sys.executable, "-P", "-c", _ZYGOTE, str(theirs.fileno())],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env={**clean(environ, self.name), BIND_NOW: "1"},
                start_new_session=True,
            )
        except OSError as refused:
            ours.close()
            os.close(log)
            raise TemporaryError(
                f"cannot start a process: {os.strerror(refused.errno or 0).lower()}"
            ) from None
        finally:
            theirs.close()
            os.close(out)
        self.pid = self._process.pid
        _living.add(self.pid)
        ours.setblocking(False)
        self._control = ours
        loop = asyncio.get_running_loop()
        loop.add_reader(ours.fileno(), self._hear)
        Printed(log, lambda piece: self.said(0, piece)).listen()
        self._send(packet({**self.plan, "parent": os.getpid()}))
        try:
            ready = await asyncio.wait_for(asyncio.shield(self._ready), START_SECONDS)
        except TimeoutError:
            self.kill()
            raise TemporaryError(
                f"the handler of {self.name} takes more than {START_SECONDS:g} s to load"
            ) from None
        except BaseException:
            self.kill()
            raise
        self.baseline, self.threads = ready["data"], ready["threads"]
        self.level, self.owner = ready["level"], ready["owner"]
        self._check_level(str(self.plan["settings"]["require_isolation"]))
        self._check_memory()

    def _check_level(self, required: str) -> None:
        if not policy.enough(self.level, required):
            self.kill()
            raise ConfigError(
                f"{self.name} requires the isolation {required}, and here it has {self.level}",
                hint="openclaw status --agents --verbose",
            )

    def _check_memory(self) -> None:
        limit = self.plan["memory"]
        if limit and limit < self.baseline * _ROOM:
            self.kill()
            least = int(self.baseline * _ROOM / 1e6) + 1
            raise ConfigError(
                f"{self.name} may have {limit / 1e6:.0f} MB, and its handler has taken"
                f" {self.baseline / 1e6:.0f} MB before its first request",
                hint=f'"memory-limit": "{least}MB" is the least',
            )

    @property
    def alive(self) -> bool:
        """Whether it can fork."""
        return self._control is not None

    async def buried(self) -> None:
        """Wait until its process has ended, and with it all that was below."""
        if self._burial is not None:
            await asyncio.shield(self._burial)

    def spawn(self) -> Instance:
        """Have an instance forked; it can be given its request at once.

        Raises `TemporaryError` when there are no descriptors left, or it is gone.
        """
        if self._control is None:
            raise TemporaryError(f"the zygote of {self.name} is gone", hint="try again")
        self._last += 1
        group = self.groups.take() if self.groups else None
        try:
            ours, theirs, log, out, held = _ends(group)
        except OSError:
            if self.groups and group:
                self.groups.give_back(group, killed=0)
            raise TemporaryError("there are no file descriptors left", hint="ulimit -n") from None
        number = self._last
        ours.setblocking(False)
        made = Instance(self, number, ours, raw=self.plan["kind"] == "command")
        made.group = group
        self._prints.add(number, Printed(log, lambda piece: self.said(number, piece)))
        self.instances[number] = made
        self._wanted[number] = (theirs.detach(), out, *held)
        if len(self._wanted) == 1:
            asyncio.get_running_loop().call_soon(self._ask)
        elif len(self._wanted) == TOGETHER:
            self._ask()
        return made

    def _ask(self) -> None:
        """Ask for all that was wanted in this moment: to fork several at once is cheaper.

        Those with as many descriptors each: where no group can be made there are fewer.
        """
        wanted, self._wanted = self._wanted, {}
        for size in {*map(len, wanted.values())}:
            alike = {number: fds for number, fds in wanted.items() if len(fds) == size}
            self._send(spawn(alike), tuple(chain.from_iterable(alike.values())))

    def end_instance(self, number: int, signal_number: int, why: str = "") -> None:
        """Signal an instance through its parent, so that no other process can be meant."""
        message = {"op": "kill", "id": number, "signal": signal_number, "why": why}
        self._send(packet(message))

    def end(self) -> None:
        """Let it go when its last instance has."""
        self._send(packet({"op": "end"}))

    def kill(self) -> None:
        """End it and everything below it now."""
        if self._control is not None:
            self._lost()

    def _hear(self) -> None:
        try:
            data = self._control.recv(PACKET) if self._control is not None else b""
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._lost()
        elif data.startswith(b"{"):
            self._note_start(unpacked(data))
        else:
            for line in data.split(b"\n"):
                self._note(line.split(b" "))

    def _note(self, words: list[bytes]) -> None:
        """Take note of how an instance is: that it runs, or how it ended."""
        number = int(words[1])
        if words[0] == b"up":
            if number in self.instances:
                self.instances[number].pid = int(words[2])
            return
        gone = self.instances.pop(number, None)
        if gone is not None:
            self._prints.finish(number)
            status, peak, cpu, strays, why = words[2:]
            ended = Ended(int(status), why.decode(), int(peak), int(cpu) / 1e6, int(strays))
            gone.exited(self._let_go(gone.group, ended) if gone.group else ended)

    def _let_go(self, group: Group, ended: Ended) -> Ended:
        """Take the group of an instance back; return what its end means, which the group knows."""
        if ended.status == SIGKILL and not ended.why and group.ran_out():
            ended = replace(ended, why="memory")
        if self.groups and not self.groups.give_back(group, killed=ended.strays):
            asyncio.get_running_loop().call_later(_TIDY_SECONDS, self.groups.removed)
        return ended

    def _note_start(self, message: Message) -> None:
        operation = message.pop("op")
        if operation == "ready" and not self._ready.done():
            self._ready.set_result(message)
        elif operation == "failed" and not self._ready.done():
            self._ready.set_exception(ConfigError(f"{self.name}: {message['why']}"))

    def _lost(self) -> None:
        """Take it for gone, or let it go: nobody will hear of its instances any more."""
        control, self._control = self._control, None
        if control is None:
            return
        if not self.gone.done():
            self.gone.set_result(None)
        loop = asyncio.get_running_loop()
        loop.remove_reader(control.fileno())
        loop.remove_writer(control.fileno())
        control.close()  # what makes it kill all that it has forked, and end
        for fds in (*self._wanted.values(), *[fds for _, fds in self._outgoing]):
            _close(fds)
        self._wanted.clear()
        self._outgoing.clear()
        self._sessions = {self.pid, *(each.pid for each in self.instances.values())} - {0}
        for each in list(self.instances.values()):
            self._prints.finish(each.number)
            each.exited(Ended(0, "lost"))
        self.instances.clear()
        if not self._ready.done():
            self._ready.set_exception(self._died())
        self._burial = loop.create_task(self._bury())

    def _died(self) -> OpenclawError:
        return RefusedError(
            f"{self.name} ended while its handler was loaded",
            hint=f"openclaw agents logs --agent {self.name}",
        )

    async def _bury(self) -> None:
        """Take the process's status, and leave nobody behind: what is orphaned now is ours.

        One that does not end in time, drowned by what it has forked, is ended with all of that.
        """
        process = self._process
        if process is None:
            return
        ended = self.groups.end() if self.groups else []
        deadline = time.monotonic() + OWN_SECONDS
        while process.poll() is None and time.monotonic() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        if process.poll() is None:
            ended += await asyncio.to_thread(tree.end, [process.pid])
            await asyncio.to_thread(process.wait)
        _living.discard(self.pid)
        await self._sweep(ended)

    async def _sweep(self, ended: list[int]) -> None:
        """End what a zygote has left to us when it died, and bury these, until none is left."""
        deadline = time.monotonic() + _SWEEP_SECONDS
        while time.monotonic() < deadline:
            if found := self._orphans():
                ended = [*ended, *await asyncio.to_thread(tree.end, found)]
            for pid in ended:  # these alone: other children have somebody who waits for them
                with suppress(ChildProcessError):
                    os.waitpid(pid, os.WNOHANG)  # noqa: ASYNC222  returns at once
            ended = [pid for pid in ended if tree.started(pid)]
            left = self.groups is not None and not self.groups.removed()
            if not (found or ended or left):
                break
            await asyncio.sleep(0.01)

    def _orphans(self) -> list[int]:
        """Return our children that its instances have left: by their session, or environment."""
        mark = f"OPENCLAW_AGENT={self.name}".encode()
        ours = os.environ.get("OPENCLAW_AGENT") == self.name  # then it says nothing of a child
        return [
            pid
            for pid in tree.children(os.getpid())
            if pid not in _living
            and (tree.session(pid) in self._sessions or (not ours and mark in tree.environ(pid)))
        ]

    def _send(self, data: bytes, fds: tuple[int, ...] = ()) -> None:
        """Say something to it; when its socket is full, in order and later."""
        self._ask()  # else it would be told of an instance that it does not know
        if self._control is None:
            _close(fds)
            return
        self._outgoing.append((data, fds))
        if len(self._outgoing) == 1:
            self._flush()

    def _flush(self) -> None:
        loop = asyncio.get_running_loop()
        while self._outgoing and self._control is not None:
            data, fds = self._outgoing[0]
            try:
                beside = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", fds))] if fds else []
                self._control.sendmsg([data], beside)
            except BlockingIOError:
                self._full = True
                loop.add_writer(self._control.fileno(), self._flush)
                return
            except OSError:
                self._lost()
                return
            self._outgoing.pop(0)
            _close(fds)
        if self._full and self._control is not None:
            self._full = False
            loop.remove_writer(self._control.fileno())


def clean(environ: Mapping[str, str], name: str) -> dict[str, str]:
    """Return what of our environment an agent is given: what a program needs to find its way."""
    kept = {each: environ[each] for each in _KEPT if each in environ}
    return {"PATH": os.defpath, "LANG": "C.UTF-8", **kept, "OPENCLAW_AGENT": name}


def _ends(group: Group | None) -> tuple[Bare, Bare, int, int, tuple[int, ...]]:
    """Open what a new instance needs: both ends of a socket and of a pipe, and its group's."""
    held = group.fds() if group else ()
    try:
        ours, theirs = socketpair()
        try:
            return ours, theirs, *os.pipe(), held
        except OSError:
            ours.close()
            theirs.close()
            raise
    except OSError:
        _close(held)
        raise


def _close(fds: tuple[int, ...]) -> None:
    for fd in fds:
        os.close(fd)
