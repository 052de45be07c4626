"""How exposed a secret is, from 0 to 100, and the step that lowers it most.

A sum of five parts that anybody can check; `docs/reference/exposure-risk.md` has them. It compares
secrets with each other and with last week; it is no probability. Pure.
"""

from __future__ import annotations

from typing import NamedTuple

from openclaw_cli import duration

AGE = 40
COPIES = 30
READERS = 15
SCAN = 10
SCOPE = 5
"""The most that each part can be; together 100."""

EACH_READER = 3
SCANNED_WITHIN = 30 * duration.DAY
WIDE = frozenset(("*", "admin", "all", "everything", "full", "full-access", "owner", "root"))


class Known(NamedTuple):
    """What is known of one secret. Times in seconds.

    `longest` is how old its value may become: its rotation's interval, else what counts as old;
    `copies` is in how many places it is known to stand in plain text.
    `scanned` is how long ago anybody looked for copies, None for never; `scope` what the key may
    do, "" where nobody said.
    """

    name: str
    age: float
    longest: float
    readers: int = 0
    copies: int = 0
    scanned: float | None = None
    scope: str = ""


class Risk(NamedTuple):
    """The parts, the largest first, and the command that takes the largest away."""

    parts: dict[str, int]
    command: str

    @property
    def score(self) -> int:
        """Their sum."""
        return sum(self.parts.values())

    @property
    def lowers(self) -> int:
        """By how much the command lowers it."""
        return next(iter(self.parts.values()), 0)


def told(score: int, lowers: int, command: str) -> str:
    """Return a risk in words, with the step against it where there is anything to lower."""
    return f"{score} of 100" + (f"; {lowers} less by {command}" if command else "")


def of(known: Known) -> Risk:
    """Return the risk of a secret."""
    found = {
        "age": round(AGE * min(1.0, known.age / known.longest)) if known.longest else AGE,
        "copies": COPIES if known.copies else 0,
        "readers": min(READERS, EACH_READER * max(0, known.readers - 1)),
        "scan": SCAN if known.scanned is None or known.scanned > SCANNED_WITHIN else 0,
        "scope": SCOPE if not known.scope or known.scope.lower() in WIDE else 0,
    }
    parts = dict(sorted(found.items(), key=lambda item: -item[1]))
    largest = next(iter(parts))
    return Risk(parts, _COMMANDS[largest].format(name=known.name) if parts[largest] else "")


_COMMANDS = {
    "age": "openclaw secrets rotate {name}",
    "copies": "openclaw secrets scan",
    "readers": "openclaw secrets expect {name} --reader PROGRAM --enforce",
    "scan": "openclaw secrets scan",
    "scope": "openclaw secrets expect {name} --scope TEXT",
}
