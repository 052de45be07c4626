"""What a document says, as it is found: settings, names, and what is wrong at a key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from openclaw_cli import duration
from openclaw_cli.published.words import canonical
from openclaw_cli.sanitize import safe

Path: TypeAlias = tuple[str, ...]
Table: TypeAlias = Mapping[str, Any]

API_KEYS = "*api-key"
"""Stands among the names for every secret whose name ends so; no secret can be called that."""

SETTINGS_TOML = "put it into settings.toml, which only you write"

HARMLESS = frozenset(
    (
        "field",
        "kv",
        "mount",
        "namespace",
        "prefix",
        "region",
        "retries",
        "service",
        "threads",
        "tier",
        "timeout",
    )
)
"""Settings of backends that lead nowhere else and start nothing: these may come from any file."""


@dataclass(frozen=True, slots=True)
class Said:
    """A setting that a key stands for: its full name and what is written for it."""

    path: Path
    name: str
    value: Any


@dataclass(frozen=True, slots=True)
class Slip:
    """What is wrong at a key, without what stands there, and how to mend it."""

    path: Path
    what: str
    fix: str


@dataclass(slots=True)
class Meaning:
    """What a document says of secrets.

    `names`: where a name leads, `{"reference", "variable", "cache", "rotation"}`, each only where
    it is said; cache in seconds. `plaintext`: the keys that lead to a value in the document.
    `understood`: a sentence for each key, for those who ask.
    """

    settings: list[Said] = field(default_factory=list)
    tables: list[Said] = field(default_factory=list)
    names: dict[str, dict[str, Any]] = field(default_factory=dict)
    plaintext: dict[str, Path] = field(default_factory=dict)
    encryption: dict[str, str] = field(default_factory=dict)
    expected: dict[str, dict[str, Any]] = field(default_factory=dict)
    places: dict[str, Path] = field(default_factory=dict)
    slips: list[Slip] = field(default_factory=list)
    understood: list[tuple[Path, str]] = field(default_factory=list)


def dotted(path: Path) -> str:
    """Write the keys that lead somewhere, for people."""
    return safe(".".join(path))


def not_taken(path: Path, backend: str, setting: str) -> Slip | None:
    """Return what is wrong when a file that is not ours alone sets this of a backend."""
    if canonical(setting) in HARMLESS:
        return None
    shown = safe(setting)
    return Slip(
        path,
        f"{shown} of the {backend} backend is not taken from this file",
        f"{SETTINGS_TOML}: [backends.{backend}]",
    )


def sentence(name: str, entry: Mapping[str, Any]) -> str:
    return "; ".join(_parts(name, entry))


def _parts(name: str, entry: Mapping[str, Any]) -> Iterator[str]:
    if name:
        yield f"the secret {safe(name)} is {safe(entry['reference'])}"
    else:
        yield f"API keys that are not named themselves are in {entry['backend']}"
    if "cache" in entry:
        yield f"a copy is good for {duration.exact(entry['cache'])}"
    if "rotation" in entry:
        yield f"to be rotated {entry['rotation']}"
    if "variable" in entry:
        yield f"in the variable {entry['variable']}"
