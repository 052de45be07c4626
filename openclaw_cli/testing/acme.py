"""A service in memory that really behaves, and rotators for it: for tests of what rotates.

It has keys that it accepts or not. `fault` is called before and after each effect and may raise:
before it, nothing happened; after it, the reply is lost.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from openclaw_cli.errors import RefusedError
from openclaw_cli.model import SecretValue
from openclaw_cli.providers.provider import CHOSEN, MINTED
from openclaw_cli.rotation.rotator import Held, Made, Setting, Task

MOST_KEYS = 2


@dataclass(slots=True)
class Key:
    """A key at the service: its id, which rotation it was made by."""

    handle: str
    token: str


@dataclass
class Acme:
    """The service: what it accepts now, and what was asked of it."""

    keys: dict[bytes, Key] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    fault: Callable[[str, str], None] = lambda _when, _what: None
    most: int = MOST_KEYS
    crowded: int = 0

    def accepts(self, value: SecretValue) -> bool:
        """Tell whether a value opens it."""
        return value.reveal() in self.keys

    def count(self) -> int:
        """Return how many values it accepts."""
        return len(self.keys)

    def add(self, value: bytes, handle: str = "", token: str = "") -> Key:
        """Accept a value from now on."""
        self.keys[value] = Key(handle or secrets.token_hex(8), token)
        self.crowded = max(self.crowded, len(self.keys))
        return self.keys[value]

    def effect(self, what: str, act: Callable[[], None]) -> None:
        """Do something for a caller."""
        self.asked.append(what)
        self.fault("before", what)
        act()
        self.fault("after", what)

    def sign_in(self, value: SecretValue) -> None:
        """Let a caller in, or refuse."""
        self.asked.append("test")
        self.fault("before", "test")
        if not self.accepts(value):
            raise RefusedError("acme does not accept this value")
        self.fault("after", "test")


class _AtAcme:
    SETTINGS = (
        Setting("account", "Whose key it is.", default="main"),
        Setting("admin", "The secret that may make keys.", secret=True),
    )

    def __init__(self, acme: Acme) -> None:
        self.acme = acme

    def overlaps(self, settings: Mapping[str, str]) -> bool:  # noqa: ARG002
        return True

    def check(self, task: Task) -> None:
        task.seconds()
        self.acme.asked.append("check")

    def test(self, task: Task, value: Held) -> None:
        task.seconds()
        self.acme.sign_in(value.value)

    def undo(self, task: Task, pending: Held) -> None:
        task.seconds()
        self.acme.effect("undo", lambda: self._forget(pending.value))

    def revoke(self, task: Task, old: Held) -> None:
        task.seconds()
        self.acme.effect("revoke", lambda: self._forget(old.value))

    def _forget(self, value: SecretValue) -> None:
        self.acme.keys.pop(value.reveal(), None)


class Chosen(_AtAcme):
    """We choose; the old value stays good beside the new one."""

    name = "acme-chosen"
    kind = CHOSEN

    def create(self, task: Task) -> Made:  # noqa: ARG002
        return Made(SecretValue(secrets.token_hex(16).encode()))

    def set(self, task: Task, pending: Held) -> None:
        self.acme.effect("set", lambda: self._add(pending.value.reveal(), task.token))

    def _add(self, value: bytes, token: str) -> None:
        if value not in self.acme.keys:
            self.acme.add(value, token=token)


class Single(Chosen):
    """We choose; setting the new value is the end of the old one."""

    name = "acme-single"

    def overlaps(self, settings: Mapping[str, str]) -> bool:  # noqa: ARG002
        return False

    def _add(self, value: bytes, token: str) -> None:
        self.acme.keys.clear()
        self.acme.add(value, token=token)

    def undo(self, task: Task, pending: Held) -> None:  # noqa: ARG002
        if task.current:
            value = task.current.value.reveal()
            self.acme.effect("undo", lambda: self._add(value, task.token))

    def revoke(self, task: Task, old: Held) -> None:
        """Do nothing: it is gone."""


class Minted(_AtAcme):
    """The service makes the key, and shows it once; it has room for two."""

    name = "acme-minted"
    kind = MINTED

    def create(self, task: Task) -> Made:
        task.seconds()
        held = {each.value.reveal() for each in task.held}
        for value, key in list(self.acme.keys.items()):
            if key.token == task.token and value not in held:
                self.acme.effect("tidy", partial(self._forget, SecretValue(value)))
        value = f"acme-{secrets.token_hex(16)}".encode()

        def mint() -> None:
            if len(self.acme.keys) >= self.acme.most:
                raise RefusedError("acme has no room for another key")
            self.acme.add(value, token=task.token)

        self.acme.effect("create", mint)
        return Made(SecretValue(value), self.acme.keys[value].handle)

    def set(self, task: Task, pending: Held) -> None:
        """Do nothing: it was accepted when it was made."""
