"""What the store remembers of one secret's rotation: the wish, the state, and how it went.

It is sealed with the secret's entry, so one commit changes a version's stage and the state. Times
are in seconds since 1970. `steps.py` has the rules.
"""

from __future__ import annotations

from typing import Any

import msgspec

from openclaw_cli.duration import DAY
from openclaw_cli.errors import IntegrityError
from openclaw_cli.rotation.schedule import Schedule

GRACE = "grace"
READ = "read"
EITHER = "either"
UNTIL = (GRACE, READ, EITHER)
"""Until when the old value is accepted: the grace time ended, every consumer has read the new one,
or whichever comes first."""

DEFAULT_GRACE = DAY


class Run(msgspec.Struct, omit_defaults=True, frozen=True):
    """A rotation that is under way: `step` is what is to be done next.

    `of` is the version that was current when it began; `due` the time it was begun for, 0 when
    somebody asked. `without` is true when the current value was revoked first.
    """

    token: str
    began: float
    step: str
    of: int
    due: float = 0
    pending: int = 0
    tries: int = 0
    compromised: bool = False
    without: bool = False


class Old(msgspec.Struct, omit_defaults=True, frozen=True):
    """A version that is to be revoked, not before `at`; `promoted` is when its successor was."""

    version: int
    token: str
    began: float
    promoted: float
    at: float
    compromised: bool = False


class Failure(msgspec.Struct, omit_defaults=True, frozen=True):
    """The last failure, in our own words; `retry` is when to try again by schedule."""

    at: float
    step: str
    kind: str
    message: str
    hint: str = ""
    retry: float = 0


class Policy(msgspec.Struct, omit_defaults=True, frozen=True):
    """How a secret is rotated, and how far it is.

    `handles` is what the service calls each version. `failures` counts those in a row, `failed`
    all there were. `tell` are the consumers to be told of a new value, `telling` those who have
    not been told yet.
    """

    rotator: str = msgspec.field(default="", name="with")
    settings: dict[str, str] = {}
    schedule: str = ""
    zone: str = ""
    grace: float = DEFAULT_GRACE
    until: str = GRACE
    tell: list[str] = []
    since: float = 0
    last_ok: float = 0
    next_due: float = 0
    handles: dict[str, str] = {}
    run: Run | None = None
    old: Old | None = None
    telling: list[str] = []
    failure: Failure | None = None
    failures: int = 0
    failed: int = 0

    @property
    def times(self) -> Schedule | None:
        """The schedule, or None for a secret that is rotated when somebody asks."""
        return Schedule(self.schedule, self.zone) if self.schedule else None


NONE = Policy()


def read(plain: dict[str, Any]) -> Policy:
    """Return a policy from an entry; raises `IntegrityError` for what no version of us wrote."""
    if not plain:
        return NONE
    try:
        return msgspec.convert(plain, Policy)
    except msgspec.ValidationError:
        raise IntegrityError(
            "what the store says of a rotation is malformed", hint="openclaw store check"
        ) from None


def write(policy: Policy) -> dict[str, Any]:
    """Return a policy as an entry keeps it."""
    found: dict[str, Any] = msgspec.to_builtins(policy)
    return found
