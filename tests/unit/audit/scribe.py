"""Writes trails for tests: valid ones, with the times, actors and borders that a test chooses."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Any

from openclaw_cli.audit import chain
from openclaw_cli.audit.head import Head
from openclaw_cli.audit.trail import BEGIN, FILE, SEAL, archived
from openclaw_cli.store.header import Header

KEY = bytes(range(32))
STORE = bytes(16)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp()
HOUR = 3600
DAY = 24 * HOUR
ADA = {"uid": 1000, "pid": 1, "via": "terminal", "program": "/usr/bin/bash"}


def instant(when: float) -> str:
    """Return seconds since 1970 as a record has them."""
    return chain.written(int(when * 1_000_000))


class Scribe:
    """Appends records to a trail in a folder."""

    def __init__(self, folder: str, key: bytes = KEY) -> None:
        self.folder = folder
        self.key = key
        self.head = Head()
        self.macs = [chain.START]
        os.makedirs(folder, mode=0o700, exist_ok=True)

    def add(self, when: float, kind: str = "secret_reveal", **fields: Any) -> int:  # noqa: ANN401
        """Add a record of a time in seconds since 1970; return its number."""
        at = instant(when)
        record: dict[str, Any] = {"seq": self.head.seq + 1, "at": max(at, self.head.at)}
        if at < self.head.at:
            record["clock"] = at
        record |= {"kind": kind, **fields}
        return self._write(record)

    def read(self, when: float, name: str = "key", **fields: Any) -> int:  # noqa: ANN401
        """Add a reading that went well, unless `fields` say otherwise."""
        actor = {**ADA, **fields.pop("actor", {})}
        known = {"name": name, "version": "1", "outcome": "ok", "purpose": "get", **fields}
        return self.add(when, **known, actor=actor)

    def change(self, when: float, kind: str, name: str = "key", **fields: Any) -> int:  # noqa: ANN401
        """Add a change: its announcement and how it ended."""
        intent = self.add(when, kind, name=name, phase="intent", actor=ADA)
        return self.add(when, kind, **{"name": name, "of": intent, "outcome": "ok", **fields})

    def rotate(self) -> None:
        """Close the segment and begin the next."""
        number = self.head.segment
        self._write({"seq": self.head.seq + 1, "at": self.head.at, "kind": SEAL, "segment": number})
        os.rename(self.path(), f"{self.folder}/{archived(number)}")
        self.head.segment += 1
        self.head.offset = 0
        begin = {"kind": BEGIN, "segment": number + 1}
        self._write({"seq": self.head.seq + 1, "at": self.head.at, **begin})

    def path(self, name: str = FILE) -> str:
        """Return the path of a file of the trail."""
        return f"{self.folder}/{name}"

    def header(self, seq: int = 0) -> Header:
        """Return the header of a store that knows that record."""
        header = Header()
        header.store = STORE
        header.generation = 1
        header.floor_seq, header.floor_mac = seq, self.macs[seq] if seq else bytes(32)
        return header

    def _write(self, record: dict[str, Any]) -> int:
        text, mac = chain.line(self.key, self.head.mac, record)
        fd = os.open(self.path(), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(fd, text)
        os.close(fd)
        self.head.seq, self.head.mac, self.head.at = record["seq"], mac, record["at"]
        self.head.offset += len(text)
        self.macs.append(mac)
        return self.head.seq
