"""Starting a gateway in the background, waiting for one that restarts, stopping one."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from contextlib import suppress
from typing import Any

from openclaw_cli.errors import OpenclawError, RefusedError, TemporaryError
from openclaw_cli.gateway import paths, talk
from openclaw_cli.gateway.log import APPENDING, opened
from openclaw_cli.home import Home

READY_SECONDS = 60.0
_LARGEST = 10 * 1024 * 1024  # bytes of what it prints, before another file is begun
_LAST = 2000  # bytes of its own log that are shown when it does not start


def start(home: Home, port: int | None) -> dict[str, Any]:
    """Start a gateway and wait until it serves; return what it says of itself.

    Raises what it refuses with, and `RefusedError` with its last words when it just ends.
    """
    paths.make(home)
    _turn_over(paths.gateway_log(home))
    log = opened(paths.gateway_log(home), APPENDING)
    before = os.fstat(log).st_size
    ready, told = os.pipe()
    argv = [sys.executable, "-P", "-m", "openclaw_cli.gateway", str(port or ""), str(told)]
    try:
        process = subprocess.Popen(  # noqa: S603  ourselves
            argv,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=(told,),
            start_new_session=True,
            cwd="/",
        )
    finally:
        os.close(told)
        os.close(log)
    try:
        answer = _answer(ready)
    finally:
        os.close(ready)
    if answer is None:
        with suppress(subprocess.TimeoutExpired):
            process.wait(1.0)
        if process.poll() is None:
            raise TemporaryError(
                f"the gateway is not ready after {READY_SECONDS:g} s",
                hint=f"tail {paths.gateway_log(home)}",
            )
        raise RefusedError(
            f"the gateway ended with status {process.returncode}: {_last(home, before)}",
            hint=f"tail {paths.gateway_log(home)}",
        )
    if "error" in answer:
        process.wait(10.0)
        raise talk.error(answer)
    return answer


def stop(home: Home, wait: float) -> int:
    """Stop the gateway and wait for its end; return its process, 0 where none was running."""
    try:
        pid = int(talk.ask(home, "stop", {"wait": wait})["pid"])
    except talk.NotRunningError:
        return 0
    deadline = time.monotonic() + wait + 10
    while _alive(pid):
        if time.monotonic() > deadline:
            raise TemporaryError(f"the gateway, process {pid}, has not ended", hint=f"kill {pid}")
        time.sleep(0.02)
    return pid


def restart(home: Home, wait: float, *, force: bool) -> dict[str, Any]:
    """Have the gateway begin anew in its place, and wait until it serves."""
    before = talk.ask(home, "status")
    talk.ask(home, "restart", {"wait": wait, "force": force})
    deadline = time.monotonic() + wait + READY_SECONDS
    while time.monotonic() < deadline:
        with suppress(OpenclawError):
            found = talk.ask(home, "status", seconds=wait + 10)
            if found["began"] != before["began"]:
                return found
        if not _alive(int(before["pid"])):
            raise RefusedError(
                "the gateway ended instead of beginning anew",
                hint=f"tail {paths.gateway_log(home)}",
            )
        time.sleep(0.02)
    raise TemporaryError("the gateway has not come back", hint="openclaw gateway status")


def _turn_over(path: str) -> None:
    """Begin a log anew when it has grown, and keep the one before."""
    with suppress(OSError):
        if os.lstat(path).st_size > _LARGEST:
            os.replace(path, f"{path}.1")


def _answer(ready: int) -> dict[str, Any] | None:
    data = b""
    deadline = time.monotonic() + READY_SECONDS
    while not data.endswith(b"\n"):
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([ready], [], [], left)[0]:
            return None
        piece = os.read(ready, 65536)
        if not piece:
            return None
        data += piece
    found: dict[str, Any] = json.loads(data)
    return found


def _last(home: Home, before: int) -> str:
    with suppress(OSError), open(paths.gateway_log(home), "rb") as source:
        source.seek(max(before, os.fstat(source.fileno()).st_size - _LAST))
        lines = source.read().decode(errors="replace").split("\n")
        return " ".join([each.strip() for each in lines if each.strip()][-3:])
    return "it said nothing"


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    with suppress(OSError), open(f"/proc/{pid}/stat", "rb") as source:
        return source.read().rpartition(b")")[2].split()[:1] != [b"Z"]
    return True
