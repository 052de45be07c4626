"""The listening sockets: bound, or said by whom they are held."""

from __future__ import annotations

import errno
import os
import socket
import stat
from contextlib import suppress

from openclaw_cli.errors import ConflictError, DeniedError, StorageError
from openclaw_cli.files import failure

BACKLOG = 1024


def bind_tcp(host: str, port: int) -> socket.socket:
    """Return a socket that listens; raises `ConflictError` where somebody else does."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, kind, protocol, _, address = found[0]
    made = socket.socket(family, kind, protocol)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.listen(BACKLOG)
    except OSError as refused:
        made.close()
        if refused.errno == errno.EADDRINUSE:
            raise held(host, port) from None
        if refused.errno in (errno.EACCES, errno.EPERM):
            raise DeniedError(
                f"we may not listen on {host}:{port}", hint="take a port from 1024 on: --port 18789"
            ) from None
        reason = os.strerror(refused.errno or errno.EIO).lower()
        raise StorageError(
            f"cannot listen on {host}:{port}: {reason}", hint="--port 0 takes any that is free"
        ) from None
    return made


def held(host: str, port: int) -> ConflictError:
    """Return the error for a port that is taken: by whom, and which one is free."""
    who = _holder(port)
    free = _free(host, port)
    return ConflictError(
        f"port {port} is held by {who}",
        hint=f"openclaw gateway start --port {free}; to keep it: gateway.port in the settings",
    )


def _holder(port: int) -> str:
    """Say who listens on a port, as far as we may know."""
    import psutil

    with suppress(psutil.Error, OSError):
        for each in psutil.net_connections("tcp"):
            if each.status == psutil.CONN_LISTEN and _port(each.laddr) == port and each.pid:
                process = psutil.Process(each.pid)
                words = " ".join(process.cmdline())
                node = "node" in process.name().lower() or words.startswith("openclaw")
                if node and "openclaw" in words:
                    return f"the OpenClaw gateway (Node), process {each.pid}"
                return f"{process.name()}, process {each.pid}"
    return "another program"


def _free(host: str, port: int) -> int:
    for each in range(port + 1, port + 20):
        with suppress(OSError), socket.create_server((host, each)):
            return each
    return 0


def bind_unix(path: str) -> socket.socket:
    """Return the listening control socket, in place of one that a crash left behind.

    The caller holds the gateway's lock, so nobody listens there any more.
    """
    with suppress(FileNotFoundError):
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            raise ConflictError(f"{path} is no socket", hint=f"ls -l {path}")
        os.unlink(path)
    made = socket.socket(socket.AF_UNIX)
    try:
        before = os.umask(0o177)
        try:
            made.bind(path)
        finally:
            os.umask(before)
        made.listen(BACKLOG)
    except OSError as refused:
        made.close()
        raise failure("listen on", path, refused) from None
    return made


def _port(address: object) -> int:
    return int(getattr(address, "port", 0))
