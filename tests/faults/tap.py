"""A tap on the system calls of a command: it counts them, and fails or ends the program at one.

The command runs in a forked child, through the same `main` that the installed program runs, so a
run takes milliseconds and every position of every fault can be tried. Only calls that concern the
state directory, and writes to standard output, are counted; all of them go through `os` and
`fcntl`, which is why they can be wrapped there. What goes round them is a failure of its own.
"""

# ruff: noqa: ANN401 - a wrapper takes whatever the call takes

from __future__ import annotations

import errno
import fcntl
import mmap
import os
import pickle
import signal
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from openclaw_cli import newfile
from openclaw_cli.cli.hot import main

CHANGING = frozenset(
    (
        "create",
        "write",
        "rename",
        "link",
        "unlink",
        "sync",
        "truncate",
        "mkdir",
        "lock",
        "close",
        "flush",
    )
)
READING = frozenset(("open", "read", "stat"))
OUTPUT = "standard output"

_BYPASS = 99


@dataclass(frozen=True)
class Call:
    """One system call: what it does, to which path (relative to the state directory)."""

    kind: str
    path: str
    detail: Any = None


def can_tear(call: Call) -> bool:
    """Tell whether a signal can come in the middle: Linux looks for one between pages only.

    The head of the trail is one short write at the start of its file.
    """
    return call.kind == "write" and call.path != "audit/head"


@dataclass(frozen=True)
class Fault:
    """What happens at the call number `at`, counted from 0 over those in `kinds`.

    `kill`: the process is gone before the call. `torn`: half of a write happens, then it is gone.
    `error`: the call fails with `code`, and so do all later ones when `sticky`. `short`: half of
    a write happens, and the call says so. `deaf`: the call is not done and claims success, which
    is what a program that ignores an error amounts to; only for controls.
    """

    what: str
    at: int
    kinds: frozenset[str]
    code: int = 0
    sticky: bool = False

    def __str__(self) -> str:
        name = errno.errorcode.get(self.code, "")
        return f"{self.what} {name}{' from' if self.sticky else ''} at call {self.at}"


@dataclass
class Outcome:
    """How a run ended. `status` is negative for a signal; `fired` tells whether the fault came."""

    status: int
    out: bytes
    err: bytes
    fired: bool
    calls: list[Call] = field(default_factory=list)


class Tap:
    """Wraps the calls of this process."""

    def __init__(self, root: str, fault: Fault | None, fired: mmap.mmap) -> None:
        self.root = root
        self.fault = fault
        self.fired = fired
        self.calls: list[Call] = []
        self._paths: dict[int, str] = {1: OUTPUT}
        self.unsynced: set[int] = set()
        self._counted = 0

    def install(self) -> None:
        """Put the wrappers in place, for the rest of this process's life."""
        sys.addaudithook(self._refuse_bypass)
        real = {name: getattr(os, name) for name in _WRAPPERS}
        for name, wrapper in _WRAPPERS.items():
            setattr(os, name, wrapper(self, real[name]))
        fcntl.flock = _flock(self, fcntl.flock)
        newfile.exclusive_rename = _rename(self, newfile.exclusive_rename)

    def path(self, name: Any, dir_fd: int | None = None) -> str | None:
        """Return the path relative to the root, or None when it is none of ours."""
        text = os.fsdecode(name)
        if dir_fd is not None:
            folder = self._paths.get(dir_fd)
            return None if folder is None else os.path.normpath(f"{folder}/{text}")
        if text != self.root and not text.startswith(self.root + "/"):
            return None
        return os.path.relpath(text, self.root)

    def of(self, fd: int) -> str | None:
        """Return the path behind a descriptor, or None when it is none of ours."""
        return self._paths.get(fd)

    def opened(self, fd: int, path: str) -> None:
        """Remember a descriptor."""
        self._paths[fd] = path

    def closed(self, fd: int) -> None:
        """Forget a descriptor."""
        self._paths.pop(fd, None)
        self.unsynced.discard(fd)

    def call(self, kind: str, path: str, detail: Any, do: Callable[[int], Any]) -> Any:
        """Do a call, unless the fault is due. `do` is given how many bytes of `detail` to take."""
        size = len(detail) if isinstance(detail, bytes) else 0
        fault = self.fault
        if fault is None or kind not in fault.kinds:
            return self._done(kind, path, detail, do(size))
        turn = self._counted
        self._counted += 1
        if turn != fault.at and not (fault.sticky and turn > fault.at):
            return self._done(kind, path, detail, do(size))
        self.fired[0] = 1
        if fault.what == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        halved = fault.what in ("torn", "short")
        untearable = fault.what == "torn" and not can_tear(Call(kind, path))
        if halved and (size < 2 or untearable):  # this run's calls are not quite the recorded ones
            self.fired[0] = 0  # nothing to halve here
            return self._done(kind, path, detail, do(size))
        if fault.what == "torn":
            do(size // 2)
            os.kill(os.getpid(), signal.SIGKILL)
        if fault.what == "short":
            return self._done(kind, path, detail[: size // 2], do(size // 2))
        if fault.what == "deaf":
            return size
        raise OSError(fault.code, os.strerror(fault.code))

    def _done(self, kind: str, path: str, detail: Any, result: Any) -> Any:
        self.calls.append(Call(kind, path, detail))
        return result

    def _refuse_bypass(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event != "open" or not isinstance(arguments[0], str) or arguments[1] is None:
            return
        writing = isinstance(arguments[1], str) and arguments[1].strip("rbtU")
        if writing and self.path(arguments[0]) is not None:
            os._exit(_BYPASS)


def _open(tap: Tap, real: Any) -> Any:
    def wrapped(path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        where = tap.path(path, dir_fd)
        if where is None:
            return int(real(path, flags, mode, dir_fd=dir_fd))
        changes = flags & (os.O_CREAT | os.O_TRUNC)

        def do(_size: int) -> int:
            fd = int(real(path, flags, mode, dir_fd=dir_fd))
            tap.opened(fd, where)
            return fd

        return int(tap.call("create" if changes else "open", where, flags, do))

    return wrapped


def _close(tap: Tap, real: Any) -> Any:
    def wrapped(fd: int) -> None:
        where = tap.of(fd)
        if where is None:
            real(fd)
            return
        kind = "flush" if fd in tap.unsynced else "close"
        tap.closed(fd)
        try:
            tap.call(kind, where, None, lambda _size: real(fd))
        except OSError:
            real(fd)  # Linux frees the descriptor whatever close() answers
            raise

    return wrapped


def _write(tap: Tap, real: Any) -> Any:
    def wrapped(fd: int, data: Any) -> int:
        where = tap.of(fd)
        if where is None:
            return int(real(fd, data))
        content = bytes(data)
        tap.unsynced.add(fd)
        return int(tap.call("write", where, content, lambda size: real(fd, content[:size])))

    return wrapped


def _pwrite(tap: Tap, real: Any) -> Any:
    def wrapped(fd: int, data: Any, offset: int) -> int:
        where = tap.of(fd)
        if where is None:
            return int(real(fd, data, offset))
        content = bytes(data)
        tap.unsynced.add(fd)

        def do(size: int) -> int:
            tap.calls.append(Call("seek", where, offset))
            return int(real(fd, content[:size], offset))

        return int(tap.call("write", where, content, do))

    return wrapped


def _on_descriptor(kind: str) -> Callable[[Tap, Any], Any]:
    def made(tap: Tap, real: Any) -> Any:
        def wrapped(fd: int, *rest: Any) -> Any:
            where = tap.of(fd)
            if where is None:
                return real(fd, *rest)
            if kind == "sync":
                tap.unsynced.discard(fd)
            return tap.call(kind, where, rest, lambda _size: real(fd, *rest))

        return wrapped

    return made


def _rename(tap: Tap, real: Any) -> Any:
    def wrapped(
        old: Any, new: Any, *, src_dir_fd: int | None = None, dst_dir_fd: int | None = None
    ) -> None:
        source, target = tap.path(old, src_dir_fd), tap.path(new, dst_dir_fd)

        def do(_size: int) -> None:
            if src_dir_fd is None:
                real(old, new)
            else:
                real(old, new, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)

        if source is None or target is None:
            do(0)
        else:
            tap.call("rename", target, source, do)

    return wrapped


def _link(tap: Tap, real: Any) -> Any:
    def wrapped(old: Any, new: Any) -> None:
        source, target = tap.path(old), tap.path(new)
        if source is None or target is None:
            real(old, new)
        else:
            tap.call("link", target, source, lambda _size: real(old, new))

    return wrapped


def _on_path(kind: str) -> Callable[[Tap, Any], Any]:
    def made(tap: Tap, real: Any) -> Any:
        def wrapped(path: Any, *rest: Any, dir_fd: int | None = None, **more: Any) -> Any:
            known = not isinstance(path, int)
            where = tap.path(path, dir_fd) if known else None
            if where is None:
                return real(path, *rest, dir_fd=dir_fd, **more)
            return tap.call(
                kind, where, None, lambda _size: real(path, *rest, dir_fd=dir_fd, **more)
            )

        return wrapped

    return made


def _flock(tap: Tap, real: Any) -> Any:
    return _on_descriptor("lock")(tap, real)


_WRAPPERS: dict[str, Callable[[Tap, Any], Any]] = {
    "open": _open,
    "close": _close,
    "write": _write,
    "pwrite": _pwrite,
    "read": _on_descriptor("read"),
    "pread": _on_descriptor("read"),
    "fsync": _on_descriptor("sync"),
    "fdatasync": _on_descriptor("sync"),
    "ftruncate": _on_descriptor("truncate"),
    "rename": _rename,
    "replace": _rename,
    "link": _link,
    "unlink": _on_path("unlink"),
    "remove": _on_path("unlink"),
    "mkdir": _on_path("mkdir"),
    "rmdir": _on_path("unlink"),
    "stat": _on_path("stat"),
}


def run(
    line: Sequence[str],
    root: str,
    *,
    given: bytes = b"",
    fault: Fault | None = None,
    inside: Callable[[], None] | None = None,
    env: dict[str, str] | None = None,
) -> Outcome:
    """Run a command line on the state directory `root` in a child of its own.

    `inside` is called in the child first: a control takes a protection out there.
    """
    fired = mmap.mmap(-1, mmap.PAGESIZE)
    streams = [os.memfd_create(name) for name in ("in", "out", "err", "calls")]
    os.write(streams[0], given)
    os.lseek(streams[0], 0, os.SEEK_SET)
    with forked() as pid:
        if pid == 0:
            _child(line, root, streams, Tap(root, fault, fired), inside, env or {})
    _, ended = os.waitpid(pid, 0)
    out, err, log = (_content(each) for each in streams[1:])
    os.close(streams[0])
    happened = bool(fired[0])
    fired.close()
    calls, modules = pickle.loads(log) if log else ([], ())  # noqa: S301  our own child wrote it
    for name in modules:  # what this child had to import, the next one finds imported
        with suppress(ImportError):
            import_module(name)
    return Outcome(os.waitstatus_to_exitcode(ended), out, err, happened, calls)


@contextmanager
def forked() -> Iterator[int]:
    """Fork; 0 in the child, which must end by `os._exit`."""
    with warnings.catch_warnings():
        # Python 3.12 warns of threads; those of the test runner hold nothing that we need.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    yield pid


def _child(
    line: Sequence[str],
    root: str,
    streams: list[int],
    tap: Tap,
    inside: Callable[[], None] | None,
    env: dict[str, str],
) -> None:
    status = 70
    try:
        for number, stream in enumerate(streams[:3]):
            os.dup2(stream, number)
        sys.stdin, sys.stdout, sys.stderr = (
            open(number, mode, encoding="utf-8", closefd=False)  # noqa: SIM115
            for number, mode in enumerate("rww")
        )
        os.environ.update(env, OPENCLAW_STATE_DIR=root)
        if inside:
            inside()
        exit_, write = os._exit, os.write
        tap.install()
        status = main(list(line))
        sys.stdout.flush()
        sys.stderr.flush()
        write(streams[3], pickle.dumps((tap.calls, list(sys.modules))))
        exit_(status)
    except BaseException:  # noqa: BLE001  a test looks for what a person would see
        with suppress(OSError):
            traceback.print_exc(file=sys.stderr)
            sys.stderr.flush()
    finally:
        os._exit(status)


def _content(fd: int) -> bytes:
    content = os.pread(fd, os.fstat(fd).st_size, 0)
    os.close(fd)
    return content


__all__ = ["CHANGING", "OUTPUT", "READING", "Call", "Fault", "Outcome", "forked", "run"]
