"""The capabilities of a backend as types, and the small things several backends share."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from openclaw_cli.errors import ConfigError, NotFoundError, OpenclawError
from openclaw_cli.model import Secret, SecretValue, Version

Settings = Mapping[str, str | int | float | bool]


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


class Readable(Protocol):
    """Every backend."""

    def get(self, path: str, *, version: str | None = None, field: str = "") -> Secret: ...


@runtime_checkable
class Batched(Protocol):
    """Answers many at once."""

    def get_many(self, paths: Sequence[str]) -> dict[str, Secret | OpenclawError]: ...


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
    chosen = found.get(field)
    if not isinstance(chosen, str) or not chosen:
        raise NotFoundError(f"{path} has no text in the field {field}")
    return SecretValue(chosen.encode())
