"""What a sink is, and how one is opened."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Protocol

from openclaw_cli.audit.event import UNREADABLE, read
from openclaw_cli.audit.sinks import SINKS
from openclaw_cli.errors import ConfigError


class Sink(Protocol):
    """A place for copies of records. Each may come more than once: `seq` tells which it is."""

    def send(self, records: Sequence[bytes]) -> None:
        """Take records, each a line of JSON; when this returns, the place has them all.

        Raises `TemporaryError` when it may work later, `RefusedError` and `StorageError`.
        """

    def close(self) -> None:
        """Let go of what was opened."""


def fields(line: bytes) -> dict[str, Any]:
    """Return a record's fields; of a line that is no record, the line, and that it is none."""
    if read(line) is None:
        text = line.decode(errors="replace").rstrip("\n")
        return {"kind": UNREADABLE, "outcome": UNREADABLE, "line": text}
    found: dict[str, Any] = json.loads(line)
    return found


def opened(address: str, root: str) -> Sink:
    """Open the sink of an address; `root` is the state directory, for those that live in it.

    Raises `ConfigError` for an address that it cannot mean, with the schemes that there are.
    """
    scheme, colon, rest = address.partition(":")
    if not colon:
        known = ", ".join(f"{each}:" for each in SINKS.names())
        raise ConfigError("an address of an audit sink has a scheme", hint=f"known: {known}")
    made: Sink = SINKS.get(scheme)(address, rest, root)
    return made
