"""A gateway's process: its start, its signals, its end, and its restart in its own place."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import gc
import json
import os
import resource
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any, NoReturn

from openclaw_cli.errors import ConflictError, OpenclawError, StorageError
from openclaw_cli.files import private_directory
from openclaw_cli.gateway import auth, paths
from openclaw_cli.gateway.core import Gateway
from openclaw_cli.gateway.listening import BACKLOG, bind_tcp, bind_unix
from openclaw_cli.home import Home
from openclaw_cli.runtime import guard
from openclaw_cli.runtime.tree import children

if TYPE_CHECKING:
    from openclaw_cli.gateway.door import Door
    from openclaw_cli.gateway.serving import Server

INHERITED = "OPENCLAW_GATEWAY_SOCKETS"
"""Over a restart: the descriptors of the TCP socket, the control socket and the lock."""

_FILES = 65536
_SILENT_SECONDS = 1.0
_GARBAGE = 10_000  # objects more than before: what 50 requests under way have is no garbage
_LISTEN_FDS = 3  # the first descriptor of socket activation


class Sockets:
    """What a restart keeps: nobody is refused while the gateway is in between."""

    def __init__(self, tcp: socket.socket, control: socket.socket, lock: int) -> None:
        self.tcp = tcp
        self.control = control
        self.lock = lock

    def inherited(self) -> str:
        """Let the next program have them, and say where."""
        fds = [self.tcp.fileno(), self.control.fileno(), self.lock]
        for fd in fds:
            os.set_inheritable(fd, True)
        return json.dumps(fds)


def run(
    home: Home,
    *,
    port: int | None = None,
    ready: int = -1,
    said: Callable[[dict[str, Any]], None] | None = None,
) -> int:
    """Run a gateway until it is told to stop.

    When it serves, or cannot, the descriptor `ready` is told in a line, and `said` is called.
    """
    guard.unreadable()
    guard.adopt_orphans()
    _raise_limits()
    try:
        return _run(home, port, ready, said)
    except OpenclawError as refused:
        words = {"kind": refused.kind, "message": refused.message, "hint": refused.hint}
        _tell(ready, {"error": words})
        raise


def _run(
    home: Home, port: int | None, ready: int, said: Callable[[dict[str, Any]], None] | None
) -> int:
    try:
        return asyncio.run(_main(home, port, ready, said))
    except OSError as refused:
        reason = os.strerror(refused.errno or errno.EIO).lower()
        raise StorageError(f"the gateway cannot go on: {reason}") from None


async def _main(
    home: Home, port: int | None, ready: int, said: Callable[[dict[str, Any]], None] | None
) -> int:
    paths.make(home)
    given = os.environ.pop(INHERITED, "")
    lock = json.loads(given)[2] if given else _lock(home)
    gateway = Gateway(home)
    host, wanted, note = _where(gateway, port)
    sockets = _taken(given) if given else _bound(home, host, wanted, lock)
    gateway.address = sockets.tcp.getsockname()[:2]
    gateway.notes += [note] if note else []
    loop = asyncio.get_running_loop()
    try:
        # The agents load their handlers while we load what answers for them.
        loading = asyncio.to_thread(import_module, "openclaw_cli.gateway.door")
        await asyncio.gather(loading, gateway.start())
        door, servers = _doors(gateway)
        loop.set_exception_handler(_troubles())
        await loop.create_unix_server(servers[0], sock=sockets.control, backlog=BACKLOG)
        await loop.create_server(servers[1], sock=sockets.tcp, backlog=BACKLOG)
        _signals(gateway)
        gc.freeze()  # what was loaded stays: no collection looks at it again
        gc.set_threshold(_GARBAGE)
        gc.enable()
        address = f"{gateway.address[0]}:{gateway.address[1]}"
        gateway.watch.happened("gateway_start", "", address=address, pid=os.getpid())
        _notify("READY=1")
        serving = {"address": address, "notes": gateway.notes, "pid": os.getpid()}
        _tell(ready, serving)
        if said is not None:
            said(serving)
        await gateway.stopping.wait()
        return await _end(gateway, door, servers, sockets)
    finally:
        await gateway.close()


def _troubles() -> Callable[[asyncio.AbstractEventLoop, dict[str, Any]], None]:
    from openclaw_cli.gateway.serving import Troubles

    return Troubles()


def _doors(gateway: Gateway) -> tuple[Door, list[Server]]:
    from openclaw_cli.gateway.door import Door
    from openclaw_cli.gateway.serving import Server

    door = Door(gateway)
    most = gateway.configuration.gateway.max_body
    return door, [Server(each, most_body=most) for each in (door.over_socket, door.over_tcp)]


async def _end(gateway: Gateway, door: Door, servers: list[Server], sockets: Sockets) -> int:
    """Answer what was accepted, end the agents, and either end or begin anew.

    The order matters: HTTP has its answers before the pools close, and the listening sockets stay
    open, so that new clients wait in the kernel's line when a restart follows.
    """
    again = gateway.restart_after >= 0
    _notify("RELOADING=1" if again else "STOPPING=1")
    gateway.draining = True
    kept = sockets.inherited() if again else ""
    loop = asyncio.get_running_loop()
    for listening in (sockets.tcp, sockets.control):
        loop.remove_reader(listening.fileno())  # deaf, and not closed
    await _drained(gateway, door, servers)
    for each in servers:
        each.pre_shutdown()
        await each.shutdown(1.0)
    event = "gateway_restart" if again else "gateway_stop"
    gateway.watch.happened(event, "", pid=os.getpid())
    await gateway.close()
    _sweep()
    if again:
        _begin_anew(kept)
    with suppress(OSError):
        os.unlink(paths.control_socket(gateway.home))
    return 0


async def _drained(gateway: Gateway, door: Door, servers: list[Server]) -> None:
    """Wait until all that was accepted is answered.

    Who was let in and has not said anything yet is waited for, for a second.
    """
    began = time.monotonic()
    while (seconds := time.monotonic() - began) < gateway.drain_seconds:
        silent = seconds < _SILENT_SECONDS and any(each.has_silent for each in servers)
        if not (silent or door.open or gateway.supervisor.active):
            return
        await asyncio.sleep(0.005)


def _begin_anew(kept: str) -> NoReturn:
    """Become a new gateway in this process, with the sockets as they are."""
    os.environ[INHERITED] = kept
    os.closerange(3, min(json.loads(kept)))
    argv = [sys.executable, "-P", "-m", "openclaw_cli.gateway"]
    os.execv(sys.executable, argv)  # noqa: S606  ourselves


def _where(gateway: Gateway, port: int | None) -> tuple[str, int, str]:
    """Return where to listen, and what to say when that is not what was asked for."""
    wanted = gateway.configuration.gateway
    number = wanted.port if port is None else port
    guarded = wanted.trusted_proxies or any(not each.generated for each in gateway.tokens)
    if auth.is_loopback(wanted.host) or guarded:
        return wanted.host, number, ""
    why = (
        f"listening on 127.0.0.1, not on {wanted.host}: a token that was generated lets nobody in"
        " from elsewhere; to open it, name gateway.trustedProxies, or add a token of your own to"
        f" {paths.tokens(gateway.home)}"
    )
    return "127.0.0.1", number, why


def _bound(home: Home, host: str, port: int, lock: int) -> Sockets:
    activated = os.environ.pop("LISTEN_FDS", "")
    ours = os.environ.pop("LISTEN_PID", "") == str(os.getpid())
    given = activated == "1" and ours
    tcp = socket.socket(fileno=_LISTEN_FDS) if given else bind_tcp(host, port)
    return Sockets(tcp, bind_unix(paths.control_socket(home)), lock)


def _taken(given: str) -> Sockets:
    tcp, control, lock = json.loads(given)
    for fd in (tcp, control, lock):
        os.set_inheritable(fd, False)
    return Sockets(socket.socket(fileno=tcp), socket.socket(fileno=control), lock)


def _lock(home: Home) -> int:
    """Take the lock that keeps the gateway single; raises `ConflictError`."""
    folder = private_directory(paths.run(home))
    try:
        fd = folder.open("gateway.lock", os.O_RDWR | os.O_CREAT)
    finally:
        folder.close()
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(fd)
        raise ConflictError(
            "a gateway is running here already", hint="openclaw gateway status"
        ) from None
    return fd


def _signals(gateway: Gateway) -> None:
    loop = asyncio.get_running_loop()

    def stop() -> None:
        if gateway.stopping.is_set():
            gateway.drain_seconds = 0.0
        gateway.stopping.set()

    async def reload() -> None:
        try:
            await gateway.reload()
        except OpenclawError as refused:
            gateway.watch.happened("reload_refused", "", error=refused.message, hint=refused.hint)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    loop.add_signal_handler(signal.SIGHUP, lambda: gateway.soon(reload()))


def _raise_limits() -> None:
    """Four descriptors an instance: as many as the system lets us have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(hard, _FILES)
    if soft < wanted:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _sweep() -> None:
    """End what a killed zygote left to us: we are the parent of every orphan below."""
    for pid in children(os.getpid()):
        with suppress(OSError):
            os.kill(pid, signal.SIGKILL)
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _tell(fd: int, message: dict[str, Any]) -> None:
    if fd >= 0:
        with suppress(OSError):
            os.write(fd, json.dumps(message).encode() + b"\n")
            os.close(fd)


def _notify(state: str) -> None:
    """Tell systemd how it goes, where it asked to be told."""
    path = os.environ.get("NOTIFY_SOCKET", "")
    if path:
        if state == "RELOADING=1":
            state += f"\nMONOTONIC_USEC={time.monotonic_ns() // 1000}"
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
            told.connect("\0" + path[1:] if path.startswith("@") else path)
            told.sendall(state.encode())
