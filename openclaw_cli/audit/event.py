"""One record of the trail as it is read again, and the words that people use for it."""

from __future__ import annotations

import re

import msgspec

from openclaw_cli.audit.trail import BEGIN, INTENT, REVEAL, SEAL

SETTLED = "change_settled"
PRUNE = "trail_prune"
BOOKKEEPING = frozenset((SEAL, BEGIN))
"""Kinds that say nothing about a secret: the borders between the files of the trail."""

UNREADABLE = "unreadable"
"""The kind of what stands for a line that is no record, where records go."""

READ_WORDS = frozenset(("read", "reads", "reveal"))

ACTIONS = (
    *("read", "get", "run", "inject", "edit", "export", "copy", "resolve"),
    *(
        "create",
        "set",
        "describe",
        "expect",
        "rollback",
        "delete",
        "purge",
        "restore",
        "rotate",
        "revoke",
    ),
    *("secret", "store", "slot", "trail", "change", "anchor", "agent", "thread", "bundle", "grant"),
    *("config", "interop", "gateway", "schedule", "migrate", "permissions"),
)
"""The words to ask for actions by; a kind as it stands in the trail has a "_" and is one, too."""

ALIVE_AGAIN = frozenset(("secret_create", "secret_set", "secret_restore", "secret_rotate"))
GONE = frozenset(("secret_delete", "secret_purge"))


class Actor(msgspec.Struct, frozen=True, gc=False):
    """Who asked, in the fields that `audit.actor` writes."""

    uid: int = -1
    pid: int = 0
    via: str = ""
    tty: str = ""
    address: str = ""
    program: str = ""
    agent: str = ""
    thread: str = ""


NOBODY = Actor()


class Event(msgspec.Struct, gc=False):
    """A record. Fields that it does not have are empty; unknown ones are left to `--json`."""

    seq: int
    at: str
    kind: str
    clock: str = ""
    name: str = ""
    names: list[str] = []
    backend: str = ""
    field: str = ""
    version: str = ""
    outcome: str = ""
    purpose: str = ""
    phase: str = ""
    of: int = 0
    announced: int = 0
    ms: float = 0
    through: int = 0
    segment: int = 0
    last: int = 0
    last_mac: str = ""
    reason: str = ""
    job_at: str = ""
    unexpected: str = ""
    setting: str = ""
    file: str = ""
    actor: Actor = NOBODY

    @property
    def happened(self) -> str:
        """When it happened by the clock of the moment: `at` never goes back, the clock may.

        What a job did and was taken back later happened by the job's clock.
        """
        return self.job_at or self.clock or self.at

    @property
    def action(self) -> str:
        """What was done, in a word or two: "get", "run", "set", "store init"."""
        if self.kind == REVEAL:
            return self.purpose or "read"
        return self.kind.removeprefix("secret_").replace("_", " ")

    @property
    def about(self) -> str:
        """What it was done to: a secret, the first of several, a setting or a file."""
        first = f"{self.names[0]}, ..." if self.names else ""
        return self.name or first or self.setting or self.file

    @property
    def reader(self) -> str:
        """What asked: the agent, or else the program."""
        return self.actor.agent or self.actor.program

    @property
    def is_intent(self) -> bool:
        """Whether a change is only announced here; how it ended is a record of its own."""
        return self.phase == INTENT

    @property
    def is_announced(self) -> bool:
        """Whether it only says that something begins, a change or what is done elsewhere."""
        return self.is_intent or self.outcome == INTENT

    @property
    def failed(self) -> bool:
        """Whether it did not come to what was asked; what is only announced may yet."""
        return self.outcome not in ("", "ok", "committed", INTENT)


_INSTANT = re.compile(
    r"[1-9][0-9]{3}-(?:0[1-9]|1[0-2])-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]\.[0-9]{6}Z"
).fullmatch
_decode = msgspec.json.Decoder(Event).decode


def read(line: bytes) -> Event | None:
    """Return a line's record, or None where it is not one: whoever asks says so."""
    try:
        event = _decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    good = _INSTANT(event.at) and (event.happened is event.at or _INSTANT(event.happened))
    return event if good else None
