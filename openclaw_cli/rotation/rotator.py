"""What a rotator is: it gives one kind of secret a new value, at the service that accepts it.

A rotation is create, set, test, promote, grace, revoke. The engine (`rotation/engine.py`) decides
the next step, keeps the state in the sealed store before each effect, and promotes; a rotator has
the effects. It may be killed in any of them and is then called again with the same task, so each
effect must be harmless when it is repeated with the same `token`.

Raised, whatever the service says: `ConfigError` for settings, `DeniedError` for missing rights (the
hint says what to grant), `RefusedError` for what the service will never do, `TemporaryError` when
it is away, slow or throttling. Never the library's own text, never a value. An outcome that is not
known (the reply was lost) is a `TemporaryError`: the step is then repeated.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from openclaw_cli.errors import ConfigError, TemporaryError
from openclaw_cli.model import CURRENT, PENDING, PREVIOUS, SecretValue

SECONDS_A_CALL = 30.0


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of a rotator; all are texts.

    What is given for a `secret` one is never the value but the name of a secret or a reference to
    one: an admin's password, an admin API key. The engine reads it, with its record, and the
    rotator finds it in `task.secrets`.
    """

    name: str
    meaning: str
    default: str = ""
    required: bool = False
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Made:
    """A new value.

    `handle` is what the service calls it, where the value does not tell: a key's id. It is kept
    with the version, in the sealed store, and is no secret.
    """

    value: SecretValue
    handle: str = ""


@dataclass(frozen=True, slots=True)
class Held:
    """A version that we hold: `stage` is current, previous or pending."""

    value: SecretValue
    stage: str
    handle: str = ""


@dataclass(frozen=True, slots=True)
class Task:
    """One rotation, as the rotator sees it.

    `token` (32 hex digits) is the same whenever this rotation is resumed, and `began` when it
    began, in seconds since 1970: what the service made for us is not older. `scope` is what the
    secret is to be allowed, in the service's own words: never make one that may do more.
    """

    name: str
    token: str
    began: float
    held: tuple[Held, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, SecretValue] = field(default_factory=dict)
    scope: str = ""
    deadline: float = float("inf")
    """When the whole run must be over, by `time.monotonic()`."""

    @property
    def current(self) -> Held | None:
        """The version that consumers are given; None for a secret without any."""
        return self._of(CURRENT)

    @property
    def previous(self) -> Held | None:
        """The version before, which may still be accepted."""
        return self._of(PREVIOUS)

    @property
    def pending(self) -> Held | None:
        """The version that this rotation made, once it is kept."""
        return self._of(PENDING)

    def seconds(self, most: float = SECONDS_A_CALL) -> float:
        """Return how long the next call may take; raises `TemporaryError` when time is up."""
        left = min(most, self.deadline - time.monotonic())
        if left <= 0:
            raise TemporaryError("the time for this run of rotations is up", hint="run it again")
        return left

    def _of(self, stage: str) -> Held | None:
        return next((each for each in self.held if each.stage == stage), None)


class Rotator(Protocol):
    """One kind of rotation. It is made without arguments and keeps nothing between two calls."""

    name: ClassVar[str]
    kind: ClassVar[str]
    """`CHOSEN`: we make the value and tell the service. `MINTED`: the service makes it. `PERSON`:
    no API does; `check` is called, and `revoke` where `chosen.BY_PERSON` has it. The words are in
    `providers.provider`."""
    SETTINGS: ClassVar[tuple[Setting, ...]]

    def overlaps(self, settings: Mapping[str, str]) -> bool:
        """Tell whether the old value is accepted beside the new one until `revoke`.

        Where it is not, promotion follows `test` at once and there is no grace time.
        """

    def check(self, task: Task) -> None:
        """Refuse, before anything is changed, what cannot work: settings, missing rights."""

    def create(self, task: Task) -> Made:
        """Return the new value; `task.pending` is None.

        `CHOSEN`: asks nobody and changes nothing. It may be built from `task.current` (another
        password in the same URL). `MINTED`: makes a key at the service, after deleting those there
        that this rotation made and nobody holds: younger than `task.began`, or marked with
        `task.token`, and not in `task.held`. A key that is not ours to delete is left alone.
        """

    def set(self, task: Task, pending: Held) -> None:
        """Have the service accept the pending value. `MINTED` ones have nothing to do.

        After a lost reply the service may have it already: who signs in with the current value to
        do this tries the pending one, too.
        """

    def test(self, task: Task, value: Held) -> None:
        """Sign in with a value; raises `RefusedError` when the service does not accept it."""

    def undo(self, task: Task, pending: Held) -> None:
        """Give the rotation up: the pending value is not accepted any more, the current one is."""

    def revoke(self, task: Task, old: Held) -> None:
        """Have the service not accept a value any more; one that is gone already is done."""


def checked(given: Mapping[str, str], table: tuple[Setting, ...], rotator: str) -> dict[str, str]:
    """Return every setting of the table, with defaults for those not given.

    Raises `ConfigError` for one that is not in the table and for a required one that is missing.
    """
    known = {setting.name: setting for setting in table}
    for name in given:
        if name not in known:
            from difflib import get_close_matches

            close = get_close_matches(name, known, n=1)
            hint = f"known: {', '.join(known) or 'none'}"
            raise ConfigError(
                f"the {rotator} rotator has no setting {name}",
                hint=f"did you mean {close[0]}? {hint}" if close else hint,
            )
    found = {name: given.get(name, setting.default) for name, setting in known.items()}
    for name, setting in known.items():
        if setting.required and not found[name]:
            what = "NAME, a secret" if setting.secret else "..."
            raise ConfigError(
                f"the {rotator} rotator needs the setting {name}: {setting.meaning}",
                hint=f"--setting {name}={what}",
            )
    return found
