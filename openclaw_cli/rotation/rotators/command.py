"""A program of yours that rotates: for a service that nobody has written a rotator for.

It is started once for each step, with one JSON object on its standard input:

    {"protocol": 1, "step": "set", "name": "acme-key", "token": "...", "value": "the new one",
     "current": "the old one", "admin": "...", "options": "...", "handle": "...", "scope": "..."}

Status 0 says that it is done, 75 that it may work later, any other that it is refused. What it
writes is nothing, or a JSON object: `create` answers `{"value": "...", "handle": "..."}`. A step
that it does not know it ends with 0. Values that are not text come as `value_base64` and the like.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, ClassVar

from openclaw_cli.errors import ConfigError, RefusedError
from openclaw_cli.model import MAX_VALUE, SecretValue
from openclaw_cli.providers.provider import CHOSEN, MINTED
from openclaw_cli.rotation import generators, programs
from openclaw_cli.rotation.rotator import Held, Made, Setting, Task

PROTOCOL = 1

_YES, _NO = "yes", "no"
_PROGRAM = Setting("command", "The absolute path of the program, and its arguments.", required=True)
_MORE = (
    Setting("overlap", "Whether the old value is accepted until it is revoked: yes or no.", _YES),
    Setting("options", "A text that the program is given."),
    Setting("admin", "The secret that may change the key, where one is needed.", secret=True),
)


class Command:
    """We make the value; the program tells the service."""

    name: ClassVar[str] = "command"
    kind: ClassVar[str] = CHOSEN
    SETTINGS: ClassVar[tuple[Setting, ...]] = (
        _PROGRAM,
        Setting("kind", "What to make, as --generate takes it.", default=generators.DEFAULT),
        *_MORE,
    )

    def overlaps(self, settings: Mapping[str, str]) -> bool:
        return settings["overlap"] == _YES

    def check(self, task: Task) -> None:
        """Refuse a program that is not there or that others could change; then ask it."""
        if task.settings["overlap"] not in (_YES, _NO):
            raise ConfigError(f"the setting overlap of {self.name} is yes or no")
        self._check_kind(task)
        self._trust(task)
        self._ask(task, "check", None)

    def create(self, task: Task) -> Made:
        return Made(SecretValue(generators.parse(task.settings["kind"]).generate().value))

    def set(self, task: Task, pending: Held) -> None:
        self._ask(task, "set", pending)

    def test(self, task: Task, value: Held) -> None:
        self._ask(task, "test", value)

    def undo(self, task: Task, pending: Held) -> None:
        self._ask(task, "undo", pending)

    def revoke(self, task: Task, old: Held) -> None:
        self._ask(task, "revoke", old)

    def _check_kind(self, task: Task) -> None:
        generators.parse(task.settings["kind"])

    def _trust(self, task: Task) -> None:
        programs.trusted(programs.words(task.settings["command"], "the setting command")[0])

    def _ask(self, task: Task, step: str, value: Held | None) -> dict[str, Any]:
        words = programs.words(task.settings["command"], "the setting command")
        return programs.ask(words, request(task, step, value), task.seconds())


class CommandMints(Command):
    """The program has the service make the value."""

    name = "command-mints"
    kind = MINTED
    SETTINGS = (_PROGRAM, *_MORE)

    def create(self, task: Task) -> Made:
        return made(self._ask(task, "create", None), self.name)

    def _check_kind(self, task: Task) -> None:
        """Choose nothing."""


def request(task: Task, step: str, value: Held | None) -> dict[str, Any]:
    """Return what a program or a webhook is told of a step."""
    found: dict[str, Any] = {
        "protocol": PROTOCOL,
        "step": step,
        "name": task.name,
        "token": task.token,
        "began": round(task.began),
    }
    for word in ("options", "scope"):
        text = task.scope if word == "scope" else task.settings.get("options", "")
        if text:
            found[word] = text
    if value:
        _put(found, "value", value.value)
        if value.handle:
            found["handle"] = value.handle
    if task.current:
        _put(found, "current", task.current.value)
    for name, secret in task.secrets.items():
        _put(found, name, secret)
    held = [each.handle for each in task.held if each.handle]
    if held:
        found["held"] = held
    return found


def made(answer: Mapping[str, Any], what: str) -> Made:
    """Return the value that a program or a webhook answered with."""
    value, handle = answer.get("value"), answer.get("handle", "")
    if not isinstance(value, str) or not value or not isinstance(handle, str):
        raise RefusedError(f'the {what} rotator was not given {{"value": "..."}}')
    encoded = value.encode(errors="surrogatepass")
    if len(encoded) > MAX_VALUE:
        raise RefusedError(f"the {what} rotator was given more than 64 KiB")
    return Made(SecretValue(encoded), handle[:256])


def _put(found: dict[str, Any], name: str, value: SecretValue) -> None:
    data = value.reveal()
    try:
        found[name] = data.decode()
    except UnicodeDecodeError:
        found[f"{name}_base64"] = base64.b64encode(data).decode()
