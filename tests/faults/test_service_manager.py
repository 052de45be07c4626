"""A gateway below a service manager: what it tells it, and the socket that it is given."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.gateways import Gateway, settings

pytestmark = pytest.mark.slow

# As systemd does: the socket is descriptor 3, and the variables name the process that has it.
ACTIVATED = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ |= {"LISTEN_FDS": "1", "LISTEN_PID": str(os.getpid())}
os.execv(sys.executable, [sys.executable, "-P", "-m", "openclaw_cli.gateway"])
"""


def heard(told: socket.socket) -> str:
    """Return the next word of the gateway to its manager."""
    told.settimeout(30)
    return told.recv(4096).decode()


def test_it_says_when_it_serves_and_when_it_stops_and_takes_the_socket_that_it_is_given(
    tmp_path: Path,
) -> None:
    state = settings({"echo": {"type": "thread-bound", "handler": "zoo:echo"}}).parent
    place = str(tmp_path / "notify")
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told,
        socket.create_server(("127.0.0.1", 0)) as listening,
    ):
        told.bind(place)
        port = listening.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as early:  # before there is a gateway
            early.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            running = subprocess.Popen(
                [sys.executable, "-c", ACTIVATED, str(listening.fileno())],
                env={**os.environ, "NOTIFY_SOCKET": place},
                pass_fds=(listening.fileno(),),
            )
            try:
                assert heard(told) == "READY=1"
                early.settimeout(30)
                assert early.recv(100).startswith(b"HTTP/1.1 200")
                gateway = Gateway(None, state, f"127.0.0.1:{port}", running.pid)  # type: ignore[arg-type]
                assert gateway.agent("echo", 5).json["output"] == 5
                openclaw = [sys.executable, "-m", "openclaw_cli"]
                subprocess.run([*openclaw, "gateway", "restart"], check=True, capture_output=True)
                assert heard(told).startswith("RELOADING=1\nMONOTONIC_USEC=")
                assert heard(told) == "READY=1"
                assert gateway.agent("echo", 6).json["output"] == 6
                running.send_signal(signal.SIGTERM)
                assert heard(told) == "STOPPING=1"
                assert running.wait(20) == 0
            finally:
                if running.poll() is None:
                    running.kill()
                    running.wait()
