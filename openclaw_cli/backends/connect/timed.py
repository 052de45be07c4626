"""HTTP within a time and a size: what a library of a service sends through, in place of its own.

Libraries have a time limit for each reading of a socket, so a byte a second goes on for ever, and
read an answer of any size. Here an operation has one deadline for all it does, an answer a largest
size, and no redirect is followed. This module loads urllib3: import it where it is used.
"""

from __future__ import annotations

import io
import socket
import threading
import time
from collections.abc import Mapping
from http.client import HTTPResponse
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

CONNECTING = 3.0  # seconds for one connection, so that there is time for another try
_CHUNK = 64 * 1024


class Unreachable(Exception):  # noqa: N818 - not an error of ours: who sends knows what it means
    """No connection, or it ended too early: then the request may have been `sent`."""

    def __init__(self, *, sent: bool = False) -> None:
        super().__init__()
        self.sent = sent


class Late(Unreachable):
    """The time is over."""


class Untrusted(Exception):  # noqa: N818
    """The other side's certificate is not one to trust, or there is no common TLS."""


class TooLarge(Exception):  # noqa: N818
    """The answer is larger than was allowed."""


class Deadline:
    """When an operation has to be over; one for all its requests."""

    def __init__(self, seconds: float) -> None:
        self._at = time.monotonic() + seconds

    def left(self) -> float:
        """Return the seconds that are left; raises `Late` when there are none."""
        seconds = self._at - time.monotonic()
        if seconds <= 0:
            raise Late
        return seconds

    def sleep(self, seconds: float) -> bool:
        """Wait, unless it takes more than what is left; tell whether there was the time."""
        if self._at - time.monotonic() <= seconds:
            return False
        time.sleep(seconds)
        return True


# The deadline of the request this thread makes: urllib3 gives no way to hand it to a connection.
_current = threading.local()


class Pools:
    """Connections to any origin, kept and shared by all threads."""

    def __init__(
        self,
        *,
        proxy: str,
        threads: int,
        largest: int,
        ca_certs: str = "",
        tls: Mapping[str, Any] | None = None,
    ) -> None:
        """`largest`: the bytes of an answer's body; `ca_certs`: a file of authorities to trust.

        `tls` are urllib3's own settings in place of that file.
        """
        self._largest = largest
        options: dict[str, Any] = {"maxsize": threads, "retries": False}
        options |= tls or {"cert_reqs": "CERT_REQUIRED", "ca_certs": ca_certs}
        self._pools: urllib3.PoolManager = (
            urllib3.ProxyManager(proxy, **options) if proxy else urllib3.PoolManager(**options)
        )
        self._pools.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}

    def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, Any],
        body: Any,  # noqa: ANN401 - what urllib3 takes
        deadline: Deadline,
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Return status, headers and body, of a redirect too.

        Raises `Late`, `Unreachable`, `Untrusted` and `TooLarge`.
        """
        _current.deadline, _current.connecting = deadline, False
        try:
            answer = self._pools.urlopen(
                method,
                url,
                headers=headers,
                body=body or None,
                redirect=False,
                retries=False,
                timeout=deadline.left(),
                preload_content=False,
                decode_content=False,
            )
            try:
                found = _bounded(answer, self._largest)
            except BaseException:
                answer.close()
                raise
            answer.release_conn()
            return answer.status, answer.headers, found  # noqa: TRY300 - one road
        except urllib3.exceptions.SSLError:
            raise Untrusted from None
        except (TimeoutError, urllib3.exceptions.TimeoutError):
            raise Late(sent=not _current.connecting) from None
        except Late:
            raise Late(sent=not _current.connecting) from None
        except (urllib3.exceptions.HTTPError, OSError, ValueError):
            raise Unreachable(sent=not _current.connecting) from None


class _Timed(io.RawIOBase):
    """A socket to read from, each time for no longer than is left of the operation."""

    def __init__(self, connected: socket.socket, deadline: Deadline) -> None:
        self._socket = connected
        self._reading = connected.makefile("rb", buffering=0)
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:  # noqa: ANN401 - any buffer
        self._socket.settimeout(self._deadline.left())
        return self._reading.readinto(buffer)

    def close(self) -> None:
        self._reading.close()
        super().close()


class _Reading:
    """What `http.client` makes an answer's file from."""

    def __init__(self, connected: socket.socket, deadline: Deadline) -> None:
        self._timed = _Timed(connected, deadline)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self._timed)


class _TimedResponse(HTTPResponse):
    def __init__(self, sock: socket.socket, *arguments: Any, **named: Any) -> None:  # noqa: ANN401
        super().__init__(_Reading(sock, _current.deadline), *arguments, **named)  # type: ignore[arg-type]


def _connected(host: str, port: int) -> socket.socket:
    """Connect in what is left of the time, all addresses of the host together."""
    deadline: Deadline = _current.deadline
    _current.connecting = True
    addresses = _resolved(host, port, deadline)
    for number, (family, kind, protocol, _, address) in enumerate(addresses):
        connecting = socket.socket(family, kind, protocol)
        try:
            connecting.settimeout(min(deadline.left(), CONNECTING) / (len(addresses) - number))
            connecting.connect(address)
            connecting.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except (OSError, Late):
            connecting.close()
            if number == len(addresses) - 1:
                raise
        else:
            _current.connecting = False
            return connecting
    raise Unreachable


def _resolved(host: str, port: int, deadline: Deadline) -> list[Any]:
    """Ask for the addresses on a thread: the system's resolver has no time limit of ours."""
    found: list[Any] = []

    def ask() -> None:
        try:
            found.append(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except OSError:
            found.append([])

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(deadline.left())
    if not found:
        raise Late
    addresses: list[Any] = found[0]
    return addresses


class _Connection(HTTPConnection):
    response_class = _TimedResponse

    def _new_conn(self) -> socket.socket:
        return _connected(self._dns_host, self.port)


class _TlsConnection(HTTPSConnection):
    response_class = _TimedResponse

    def _new_conn(self) -> socket.socket:
        return _connected(self._dns_host, self.port)


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


def _bounded(answer: urllib3.BaseHTTPResponse, largest: int) -> bytes:
    found = bytearray()
    for chunk in answer.stream(_CHUNK, decode_content=False):
        found += chunk
        if len(found) > largest:
            raise TooLarge
    return bytes(found)
