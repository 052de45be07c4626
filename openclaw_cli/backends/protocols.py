"""The capabilities of a backend as types, and the small things several backends share."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from openclaw_cli.errors import (
    ConfigError,
    NotFoundError,
    OpenclawError,
    TemporaryError,
    UsageError,
)
from openclaw_cli.model import Secret, SecretValue, Version

Settings = Mapping[str, str | int | float | bool]

ONLY = "1"
"""The version of a place that keeps only one."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of a backend: its type by its default, and what it means.

    `secret` ones (a token) are never shown; better is a variable or a file.
    """

    name: str
    default: str | int | float | bool
    meaning: str
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Health:
    """What a backend says of itself; `problems` and their mends are for people, nothing secret."""

    reachable: bool
    identity: str = ""
    detail: str = ""
    problems: tuple[tuple[str, str], ...] = ()
    """What is wrong, and the command or policy that would mend it."""


class UncertainError(TemporaryError):
    """A request went out, and what it did is not known: a change may have been made."""


class ThrottledError(TemporaryError):
    """A service wants fewer requests: every process leaves it alone for a while."""

    retry_after: float

    def __init__(self, message: str, *, hint: str = "", retry_after: float = 0.0) -> None:
        super().__init__(message, hint=hint)
        self.retry_after = max(retry_after, LEFT_ALONE)


LEFT_ALONE = 30.0  # seconds; what it asks for, where that is longer


class Readable(Protocol):
    """Every backend. One that threads may share says by `AT_ONCE` how many may ask at once."""

    def get(self, path: str, *, version: str | None = None, field: str = "") -> Secret: ...


@runtime_checkable
class Batched(Protocol):
    """Answers many at once."""

    def get_many(self, paths: Sequence[str]) -> dict[str, Secret | OpenclawError]: ...


@runtime_checkable
class Persistent(Protocol):
    """Tries again what failed, unless it is told that it failed for others a moment ago."""

    def persist(self, *, again: bool) -> None: ...


@runtime_checkable
class Writable(Protocol):
    """Can be written."""

    def put(self, path: str, value: SecretValue) -> Version: ...


@runtime_checkable
class Deletable(Protocol):
    """Can forget."""

    def delete(self, path: str) -> bool: ...


@runtime_checkable
class Listable(Protocol):
    """Knows what it has."""

    def names(self, prefix: str = "") -> list[str]: ...


@runtime_checkable
class Versioned(Protocol):
    """Keeps older versions."""

    def versions(self, path: str) -> list[Version]: ...


@runtime_checkable
class Checkable(Protocol):
    """Can say how it is."""

    def check(self) -> Health: ...


def text(settings: Settings, name: str, default: str = "") -> str:
    """Return a setting that is text; raises `ConfigError` for another type."""
    found = settings.get(name, default)
    if not isinstance(found, str):
        raise ConfigError(f"the setting {name} is not text")
    return found


def checked_settings(
    settings: Settings, table: Sequence[Setting], backend: str
) -> dict[str, str | int | float | bool]:
    """Return every setting of the table, by its name there, with defaults for those not given.

    `role-id`, `role_id` and `roleId` are the same. Raises `ConfigError` for one that is not in the
    table or is of another type than its default; a number may be whole. Never shows a value.
    """
    found = {setting.name: setting.default for setting in table}
    for written, value in settings.items():
        known = setting_of(table, written, backend)
        if not _fits(value, known.default):
            kind, mend = _KINDS[type(known.default)]
            raise ConfigError(
                f"the setting {known.name} of the {backend} backend takes {kind}", hint=mend
            )
        found[known.name] = value
    return found


def setting_of(table: Sequence[Setting], written: str, backend: str) -> Setting:
    """Return a setting of the table by its name, however it is spelled; raises `ConfigError`."""
    name = kebab(written)
    for each in table:
        if each.name == name:
            return each
    raise _unknown_setting(written, name, tuple(each.name for each in table), backend)


_KINDS = {
    str: ("a text without control characters", "write it in quotes"),
    bool: ("true or false", "write it without quotes"),
    int: ("a whole number", "write it without quotes"),
    float: ("a number", "write it without quotes"),
}


def kebab(name: str) -> str:
    """Return the spelling that settings of backends have in their tables."""
    parted = "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name)
    return parted.replace("_", "-")


def _fits(value: str | float | bool, default: str | float | bool) -> bool:
    if isinstance(default, float):
        return isinstance(value, int | float) and not isinstance(value, bool)
    if isinstance(value, str) and not value.isprintable():
        return False
    return type(value) is type(default)


def _unknown_setting(written: str, name: str, known: tuple[str, ...], backend: str) -> ConfigError:
    from difflib import get_close_matches

    hint = f"known: {', '.join(known)}"
    close = get_close_matches(name, known, n=1)
    if close:
        hint = f"did you mean {close[0]}? {hint}"
    return ConfigError(f"the {backend} backend has no setting {written}", hint=hint)


def checked_path(path: str) -> str:
    """Return the path, or raise `UsageError` for what a library could fold into another one.

    Grants are checked on the path as it is written, so only one spelling of it may exist.
    """
    if not path or not path.isprintable():
        raise UsageError("not a path: it is empty or has control characters")
    if any(segment in ("", ".", "..") for segment in path.split("/")):
        raise UsageError(f"not a path: {path} has an empty, '.' or '..' segment")
    return path


def is_path(path: str) -> bool:
    """Tell whether `checked_path` takes it: what is listed must be readable."""
    try:
        checked_path(path)
    except UsageError:
        return False
    return True


def one_by_one(
    get: Callable[[str], Secret], paths: Sequence[str]
) -> dict[str, Secret | OpenclawError]:
    """Return what `get` answers or raises for each path: for places where asking costs nothing."""
    found: dict[str, Secret | OpenclawError] = {}
    for path in dict.fromkeys(paths):
        try:
            found[path] = get(path)
        except OpenclawError as refused:
            found[path] = refused
    return found


def the_only(version: str | None, path: str) -> None:
    """Raise `NotFoundError` unless the one version of a place that keeps no others is meant."""
    if version not in (None, ONLY):
        raise NotFoundError(f"{path} has no version {version}: older ones are not kept there")


def part(value: bytes, field: str, path: str) -> SecretValue:
    """Return the value, or the one text field of it that a reference names; `NotFoundError`."""
    if not field:
        return SecretValue(value)
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise NotFoundError(f"{path} has no fields: it is not a JSON object")
    return chosen_text(found.get(field), field, path)


def chosen_text(chosen: object, field: str, path: str) -> SecretValue:
    """Return what a field holds, which is to be text; raises `NotFoundError`."""
    try:
        encoded = chosen.encode() if isinstance(chosen, str) else b""
    except UnicodeEncodeError:  # JSON can write half of a surrogate pair
        encoded = b""
    if not encoded:
        raise NotFoundError(f"{path} has no text in the field {field}")
    return SecretValue(encoded)
