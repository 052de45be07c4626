"""Handlers that do what agents do: answer, keep a session, and every way to go wrong."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MIB = 1024 * 1024


def echo(given: Any, _ctx: Any) -> Any:
    """Answer what was asked."""
    return given


async def slowly(given: Any, _ctx: Any) -> Any:
    """Answer after a while, as `async` handlers do."""
    await asyncio.sleep(0.01)
    return given


def sleep(given: float, _ctx: Any) -> str:
    """Sleep, and say that it ended in order."""
    try:
        time.sleep(given)
    finally:
        print("tidied up")
    return "slept"


def hog(given: int, _ctx: Any) -> int:
    """Take so many MiB."""
    return len(bytearray(given * MIB))


def crash(given: int, _ctx: Any) -> None:
    """End by a signal."""
    os.kill(os.getpid(), given or signal.SIGSEGV)


def leave(given: int, _ctx: Any) -> None:
    """End without an answer."""
    os._exit(given)


def fail(given: str, _ctx: Any) -> None:
    """Raise what a handler may raise."""
    raise ValueError(given)


def stubborn(_given: Any, _ctx: Any) -> None:
    """Do not listen to SIGTERM."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        pass


def stray(given: list[str], _ctx: Any) -> int:
    """Leave a process behind that has left our session."""
    return subprocess.Popen(given).pid


def remember(_given: Any, _ctx: Any) -> list[Any]:
    """Leave a mark in this process, and say which marks were there."""
    seen = [getattr(sys, "mark", None), os.environ.get("MARK"), os.getpid()]
    sys.mark = "left"  # type: ignore[attr-defined]
    os.environ["MARK"] = "left"
    return seen


def family(given: int, _ctx: Any) -> str:
    """Have children that each take less than the limit, and more together."""
    code = f"x = bytearray({given} * {MIB}); import time; time.sleep(20)"
    children = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(5)]
    for each in children:
        each.wait()
    return "all of them"


def bomb(_given: Any, _ctx: Any) -> None:
    """Fork as fast as can be."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            os.fork()
        except OSError:
            time.sleep(0.01)


def chatter(given: int, _ctx: Any) -> str:
    """Print in every way there is."""
    print("by print")
    sys.stderr.write("by stderr\n")
    os.write(1, b"by write\n")
    subprocess.run(["echo", "by a child"], check=True)
    print("x" * given)
    return "said"


def parts(given: list[str], ctx: Any) -> str:
    """Send the answer in parts."""
    for each in given:
        ctx.emit(each)
        time.sleep(0.01)
    return "".join(given)


def recite(given: dict[str, Any], ctx: Any) -> str:
    """Count aloud, a tenth of a second for each; where it `varies`, with our process's id."""
    said = ""
    for number in range(given["count"]):
        each = f"{number}.{os.getpid()} " if given.get("varies") else f"{number} "
        ctx.emit(each)
        said += each
        time.sleep(0.1)
    return said


def asks(given: dict[str, Any], ctx: Any) -> Any:
    """Ask another agent."""
    return ctx.call(given["agent"], given["input"], session=given.get("session", ""))


def forges(given: dict[str, Any], _ctx: Any) -> None:
    """Answer past the worker; what begins with "long " is made five million characters."""
    said = {
        name: value * 1_000_000 if str(value).startswith("long ") else value
        for name, value in given.items()
    }
    data = json.dumps({"op": "reply", **said}).encode()
    os.set_blocking(3, True)
    data = len(data).to_bytes(4, "big") + data
    while data:
        data = data[os.write(3, data) :]


def secret(given: str, ctx: Any) -> Any:
    """Say how long a secret is, and what else can be seen of it."""
    environ = [name for name, value in os.environ.items() if value == ctx.secrets[given]]
    return [len(ctx.secrets.raw(given)), sorted(ctx.secrets), environ]


def tells(given: str, ctx: Any) -> str:
    """Print a secret, and fail with it in the error."""
    print("it is", ctx.secrets[given])
    raise ValueError(f"it was {ctx.secrets[given]}")


def reads(given: str, _ctx: Any) -> str:
    """Read a file."""
    return Path(given).read_text()


def environment(_given: Any, _ctx: Any) -> dict[str, str]:
    """Return the whole environment."""
    return dict(os.environ)


def open_files(_given: Any, _ctx: Any) -> list[str]:
    """Return which descriptors are open."""
    return sorted(os.listdir("/proc/self/fd"))


def unwritable(_given: Any, _ctx: Any) -> Any:
    """Answer what JSON has not."""
    return object()


def large(given: int, _ctx: Any) -> str:
    """Answer so many characters."""
    return "x" * given


class Talk:
    """A session that counts its turns."""

    def start(self, _ctx: Any) -> None:
        """Begin."""
        self.turns = 0

    def turn(self, given: Any, ctx: Any) -> list[Any]:
        """Say which turn it is, in which process, and what was said before."""
        self.turns += 1
        if given == "crash":
            os.kill(os.getpid(), signal.SIGKILL)
        return [self.turns, os.getpid(), len(ctx.transcript)]

    def close(self) -> None:
        """End."""
        print("closed in order")


def numbers() -> Iterator[int]:
    """Count."""
    yield from range(3)


def looks(given: dict[str, int], _ctx: Any) -> dict[str, str]:
    """Try to look into another instance, its zygote and the gateway, or to end them."""
    found = {}
    for name, pid in given.items():
        for what in ("environ", "mem", "maps", "fd/0", "fd/3", "smaps", "root", "cwd"):
            place = f"/proc/{pid}/{what}"
            try:
                if what == "root":
                    os.listdir(place)
                elif what in ("cwd", "fd/0", "fd/3"):
                    os.readlink(place)
                else:
                    with open(place, "rb") as source:
                        source.read(1)
                found[f"{name} {what}"] = "open"
            except OSError as refused:
                found[f"{name} {what}"] = type(refused).__name__
        for number in (0, signal.SIGTERM):
            try:
                os.kill(pid, number)
                found[f"{name} signal {number}"] = "sent"
            except OSError as refused:
                found[f"{name} signal {number}"] = type(refused).__name__
        found[f"{name} ptrace"] = _attached(pid)
    return found


def _attached(pid: int) -> str:
    import ctypes

    seize = 0x4206
    done = ctypes.CDLL(None, use_errno=True).ptrace(seize, pid, 0, 0)
    return "attached" if done == 0 else os.strerror(ctypes.get_errno())


def breed(given: int, _ctx: Any) -> None:
    """Fork so many processes in all, each from any of them and in a session of its own."""
    tokens, filled = os.pipe()
    os.write(filled, b"." * given)
    os.close(filled)
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        if os.read(tokens, 1) and os.fork() == 0:
            os.setsid()
        time.sleep(0.005)
    os._exit(0)


def who(_given: Any, _ctx: Any) -> list[Any]:
    """Return who this process is, for users and for groups."""
    return [os.getuid(), os.getgid(), os.getgroups()]


def limits(_given: Any, _ctx: Any) -> list[int]:
    """Return how many threads the kernel lets the user have, softly and at most."""
    return list(resource.getrlimit(resource.RLIMIT_NPROC))


def orphans(given: int, _ctx: Any) -> None:
    """Start so many processes that have lost their parent, all in the session of the instance."""
    for _ in range(given):
        if not (between := os.fork()):
            if not os.fork():
                time.sleep(15)
            os._exit(0)
        os.waitpid(between, 0)
    time.sleep(15)
