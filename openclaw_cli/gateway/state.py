"""`state.toml`: what a gateway that starts must know of the one before it. No secrets.

Nothing in it is believed before it is checked: a process is ours when its number, the time it
began, the machine's start and what it runs all agree.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from openclaw_cli import fileformat
from openclaw_cli.errors import OpenclawError
from openclaw_cli.files import Directory, private_directory
from openclaw_cli.runtime import tree
from openclaw_cli.runtime.session import Session
from openclaw_cli.runtime.supervisor import Supervisor

FILE = "state.toml"
LIMIT = 4 * 1024 * 1024
TRANSCRIPT = 1024 * 1024
"""Bytes of a session's transcript that are kept on the disk."""

_OURS = b"openclaw_cli.runtime.zygote"


def boot_id() -> str:
    """Return what tells one run of the machine from another; empty where it does not say."""
    with suppress(OSError), open("/proc/sys/kernel/random/boot_id", encoding="ascii") as source:
        return source.read().strip()
    return ""


def write(base: str, supervisor: Supervisor, gateway: dict[str, Any]) -> None:
    """Write the state, as a whole and in place of the one before."""
    import tomli_w

    zygotes = [
        {"agent": name, "pid": each.pid, "started": tree.started(each.pid)}
        for name, pool in supervisor.pools.items()
        for each in [*pool.old, *([pool.zygote] if pool.zygote else [])]
    ]
    sessions = [
        {
            "agent": each.agent,
            "thread": each.key,
            "born": each.born,
            "used": each.used,
            "turns": each.turns,
        }
        for pool in supervisor.pools.values()
        for each in pool.sessions.known.values()
    ]
    text = tomli_w.dumps(
        {
            "format": fileformat.FIRST,
            "gateway": {
                "pid": os.getpid(),
                "started": tree.started(os.getpid()),
                "boot": boot_id(),
                **gateway,
            },
            "zygotes": zygotes,
            "sessions": sessions,
        }
    )
    _folder(base).replace(FILE, [text.encode()])


def _folder(base: str) -> Directory:
    """Open the state directory, which may be the Node gateway's and readable by others."""
    folder = Directory.__new__(Directory)
    folder.path = base
    folder.fd = os.open(base, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    return folder


def read(base: str) -> dict[str, Any]:
    """Return the state that was left; nothing where there is none, or it cannot be understood.

    Raises `ConfigError` for one that a later version left: its sessions are not ours to forget.
    """
    import tomllib

    found: dict[str, Any] = {}
    with suppress(OSError, OpenclawError, ValueError, RecursionError):
        found = tomllib.loads(_folder(base).read(FILE, LIMIT).decode())
    fileformat.check(found.get("format", fileformat.FIRST), f"{base}/{FILE}")
    return found


def reconcile(found: dict[str, Any]) -> list[int]:
    """End what the gateway before left running; return the numbers of what was ended."""
    ended: list[int] = []
    gateway = found.get("gateway")
    if not isinstance(gateway, dict) or gateway.get("boot") != boot_id():
        return ended
    for each in _tables(found, "zygotes"):
        pid, started = each.get("pid"), each.get("started")
        if not isinstance(pid, int) or pid <= 1 or not started or tree.started(pid) != started:
            continue
        with suppress(OSError):
            with open(f"/proc/{pid}/cmdline", "rb") as source:
                if _OURS not in source.read():
                    continue
            os.kill(pid, signal.SIGTERM)  # it kills all that it has forked, and ends
            ended.append(pid)
    return ended


def restore(found: dict[str, Any], supervisor: Supervisor, folder: str) -> int:
    """Take up the sessions known before, without an instance; return how many."""
    restored = 0
    now = time.time()
    for each in _tables(found, "sessions"):
        with suppress(KeyError, TypeError, ValueError):
            pool = supervisor.pools[each["agent"]]
            session = Session(
                each["agent"],
                str(each["thread"]),
                born=float(each["born"]),
                used=float(each["used"]),
                turns=int(each["turns"]),
            )
            young = not pool.spec.max_age or now - session.born < pool.spec.max_age
            if young and now - session.used < pool.spec.idle_timeout:
                session.transcript = transcript(folder, session.agent, session.key)
                pool.sessions.known.setdefault(session.key, session)
                restored += 1
    return restored


def _tables(found: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """Return the tables of a list; whoever wrote the file, something else is none of ours."""
    listed = found.get(name)
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []


def remember(folder: str, session: Session) -> None:
    """Write what was said in a session, the last of it where it is long."""
    lines: list[bytes] = []
    size = 0
    for each in reversed(session.transcript):
        line = json.dumps(each, separators=(",", ":")).encode() + b"\n"
        size += len(line)
        if size > TRANSCRIPT:
            break
        lines.append(line)
    directory = private_directory(folder)
    try:
        directory.replace(_file(session.agent, session.key), reversed(lines))
    finally:
        directory.close()


def forget(folder: str, session: Session) -> None:
    """Remove what was said in a session."""
    directory = private_directory(folder)
    try:
        directory.unlink(_file(session.agent, session.key))
    finally:
        directory.close()


def transcript(folder: str, agent: str, key: str) -> list[dict[str, Any]]:
    """Return what was said in a session, as far as it was kept and can be read."""
    directory = private_directory(folder)
    try:
        return list(_turns(directory.read(_file(agent, key), TRANSCRIPT)))
    except (FileNotFoundError, OpenclawError):
        return []
    finally:
        directory.close()


def _turns(data: bytes) -> Iterator[dict[str, Any]]:
    for line in data.splitlines():
        with suppress(ValueError, RecursionError):
            turn = json.loads(line)
            if isinstance(turn, dict):
                yield turn


def _file(agent: str, key: str) -> str:
    """Name a session's file: a thread's name may have what a file's may not."""
    return hashlib.sha256(f"{agent}\0{key}".encode()).hexdigest()[:32] + ".jsonl"
