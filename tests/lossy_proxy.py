"""A way to a server on which the reply to a chosen request is lost, after it was carried out.

with LossyProxy(server.port) as way:
    way.lose(b"CreateAccessKey")
    ...  # talk to 127.0.0.1:way.port
assert way.lost == 1
"""

from __future__ import annotations

import select
import socket
import threading

from tests.listening import Listening

_CHUNK = 64 * 1024
_OVERLAP = 256  # bytes: a mark may come in two pieces


class LossyProxy(Listening):
    """Passes bytes both ways while it is entered, on a loopback port of its own."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self._target = port
        self._mark = b""
        self._lock = threading.Lock()
        self.lost = 0

    def lose(self, mark: bytes) -> None:
        """Lose the reply to the next request that has this in it."""
        self._mark = mark

    def talk(self, connection: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", self._target)) as server:
            self._between(connection, server)

    def _between(self, client: socket.socket, server: socket.socket) -> None:
        losing, asked = False, b""
        while not self.over.is_set():
            ready, _, _ = select.select([client, server], [], [], 0.2)
            if client in ready:
                data = client.recv(_CHUNK)
                asked = asked[-_OVERLAP:] + data
                losing = losing or self._is_marked(asked)
                if not data:
                    return
                server.sendall(data)
            if server in ready:
                data = server.recv(_CHUNK)
                if losing or not data:
                    return
                client.sendall(data)

    def _is_marked(self, asked: bytes) -> bool:
        with self._lock:
            if not self._mark or self._mark not in asked:
                return False
            self._mark = b""
            self.lost += 1
            return True
