"""MySQL 8 as a rotation sees it: accounts with a password and, where it was kept, an old one.

Written from MySQL's documentation: the handshake of protocol 10 with mysql_native_password,
COM_QUERY, and of ALTER USER what concerns passwords ("Dual password support"). Debian has no MySQL
to install; MariaDB, which it has, keeps no old passwords.
"""

from __future__ import annotations

import hashlib
import os
import re
import socket
import struct

from tests.listening import Listening

VERSION = b"8.4.2"
_PROTOCOL_41, _TRANSACTIONS, _SECURE, _PLUGIN_AUTH = 1 << 9, 1 << 13, 1 << 15, 1 << 19
_CONNECT_WITH_DB = 1 << 3
_CAPABILITIES = 1 | _CONNECT_WITH_DB | _PROTOCOL_41 | _TRANSACTIONS | _SECURE | _PLUGIN_AUTH
_ALTER = re.compile(
    r"ALTER USER (?:IF EXISTS )?(?:'(?P<user>[^']*)'@'[^']*'|CURRENT_USER\(\))"
    r"(?: IDENTIFIED BY '(?P<password>[^']*)'(?P<retain> RETAIN CURRENT PASSWORD)?"
    r"|(?P<discard> DISCARD OLD PASSWORD)| ACCOUNT (?:UN)?LOCK)"
)


class StandinMysql(Listening):
    """Answers while it is entered; `accounts` are the passwords of each, the old one second."""

    def __init__(self) -> None:
        super().__init__()
        self.accounts: dict[str, list[str]] = {}
        self.admins: set[str] = set()
        self.statements: list[str] = []

    def url(self, user: str, password: str) -> str:
        return f"mysql://{user}:{password}@127.0.0.1:{self.port}/"

    def accepts(self, user: str, password: str) -> bool:
        return password in self.accounts.get(user, [])

    def talk(self, connection: socket.socket) -> None:
        user = self._signed_in(connection)
        while user:
            asked = _packet(connection)
            if not asked or asked[0] == 1:  # COM_QUIT
                return
            self._answer(connection, user, asked[1:].decode())

    def _signed_in(self, connection: socket.socket) -> str:
        salt = os.urandom(20).replace(b"\0", b"x").replace(b"$", b"y")
        low, high = (
            struct.pack("<H", _CAPABILITIES & 0xFFFF),
            struct.pack("<H", _CAPABILITIES >> 16),
        )
        greeting = b"\x0a" + VERSION + b"\0" + struct.pack("<I", 7) + salt[:8] + b"\0" + low
        greeting += b"\x2d" + struct.pack("<H", 2) + high + bytes([21]) + b"\0" * 10
        _send(connection, 0, greeting + salt[8:] + b"\0" + b"mysql_native_password\0")
        answer = _packet(connection)
        if len(answer) <= 32:  # it asks for TLS, or went away
            return ""
        name, _, rest = answer[32:].partition(b"\0")
        proof, user = rest[1 : 1 + rest[0]], name.decode()
        if any(proof == _proof(each, salt) for each in self.accounts.get(user, [])):
            _send(connection, 2, _OK)
            return user
        _send(connection, 2, _error(1045, "28000"))
        return ""

    def _answer(self, connection: socket.socket, user: str, statement: str) -> None:
        self.statements.append(statement)
        match = _ALTER.fullmatch(statement)
        if match:
            _send(connection, 1, self._altered(user, match))
        elif statement.startswith("SELECT Host FROM mysql.user"):
            asked = statement.rpartition("= ")[2].strip("'")
            _rows(connection, ["%"] if asked in self.accounts else [])
        elif statement.startswith("SET "):
            _send(connection, 1, _OK)
        else:
            _send(connection, 1, _error(1064, "42000"))

    def _altered(self, by: str, match: re.Match[str]) -> bytes:
        user = match["user"] or by
        if user != by and by not in self.admins:
            return _error(1227, "42000")
        known = self.accounts.get(user)
        if known is None:
            return _OK if "IF EXISTS" in match[0] else _error(1396, "HY000")
        if match["discard"]:
            self.accounts[user] = known[:1]
        elif match["password"] is not None:
            # Without RETAIN an old one that there is stays as it is.
            old = known[:1] if match["retain"] else known[1:]
            self.accounts[user] = [match["password"], *old]
        return _OK


_OK = b"\0\0\0" + struct.pack("<HH", 2, 0)


def _error(number: int, state: str) -> bytes:
    return b"\xff" + struct.pack("<H", number) + b"#" + state.encode() + b"hunter2 in a message"


def _proof(password: str, salt: bytes) -> bytes:
    once = hashlib.sha1(password.encode(), usedforsecurity=False).digest()
    twice = hashlib.sha1(once, usedforsecurity=False).digest()
    mixed = hashlib.sha1(salt + twice, usedforsecurity=False).digest()
    return bytes(a ^ b for a, b in zip(once, mixed, strict=True))


def _send(connection: socket.socket, number: int, payload: bytes) -> None:
    connection.sendall(struct.pack("<I", len(payload))[:3] + bytes([number]) + payload)


def _packet(connection: socket.socket) -> bytes:
    head = _exactly(connection, 4)
    return _exactly(connection, int.from_bytes(head[:3], "little")) if head else b""


def _exactly(connection: socket.socket, size: int) -> bytes:
    got = b""
    while len(got) < size:
        more = connection.recv(size - len(got))
        if not more:
            return b""
        got += more
    return got


def _rows(connection: socket.socket, texts: list[str]) -> None:
    """Send a result of one column."""
    column = b"".join(_lengthed(each) for each in (b"def", b"", b"t", b"t", b"Host", b"Host"))
    column += b"\x0c" + struct.pack("<HIBHB", 45, 255, 253, 0, 0) + b"\0\0"
    end = b"\xfe\0\0\2\0"
    packets = [b"\1", column, end, *(_lengthed(each.encode()) for each in texts), end]
    for number, each in enumerate(packets, start=1):
        _send(connection, number, each)


def _lengthed(text: bytes) -> bytes:
    return bytes([len(text)]) + text
