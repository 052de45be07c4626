"""`syslog:`, `syslog:///dev/log`, `syslog://HOST:PORT`: each record a message of RFC 5424."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence

from openclaw_cli.audit.sinks.address import of_syslog
from openclaw_cli.audit.sinks.sink import fields
from openclaw_cli.errors import TemporaryError

_LOCAL = "/dev/log"
_AUTHPRIV, _NOTICE, _WARNING = 10, 5, 4
_BOM = "\ufeff"


class SyslogSink:
    """Sends datagrams to the machine's own daemon, or to another one."""

    def __init__(self, address: str, rest: str, root: str) -> None:
        del rest, root
        host, port, path = of_syslog(address)
        self._shown = address
        self._name = socket.gethostname()
        self._to: str | tuple[object, ...]
        if host:
            family, _, _, _, self._to = _resolved(host, port, address)
            self._socket = socket.socket(family, socket.SOCK_DGRAM)
        else:
            self._to = path or _LOCAL
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.settimeout(5.0)

    def send(self, records: Sequence[bytes]) -> None:
        """Send each; a daemon that is away is said, one that drops them cannot be known."""
        for each in records:
            try:
                self._socket.sendto(self._message(each), self._to)
            except OSError as refused:
                raise TemporaryError(
                    f"{self._shown} does not take messages"
                    f" ({os.strerror(refused.errno or 0).lower()})",
                    hint="is the syslog daemon running?",
                ) from None

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def _message(self, record: bytes) -> bytes:
        text = record.decode(errors="replace").rstrip("\n")
        found = fields(record)
        level = _WARNING if found.get("outcome") not in (None, "ok", "committed") else _NOTICE
        head = (
            f"<{_AUTHPRIV * 8 + level}>1 {found.get('at', '-')} {self._name} openclaw {os.getpid()}"
        )
        return f"{head} {found['kind']} - {_BOM}{text}".encode()


def _resolved(host: str, port: int, shown: str) -> tuple[int, int, int, str, tuple[object, ...]]:
    try:
        return socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    except OSError:
        raise TemporaryError(f"{shown} has no address", hint=f"getent hosts {host}") from None
