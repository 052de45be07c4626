"""Every setting: what it means, what may be written for it, and the variable that sets it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openclaw_cli.errors import ConfigError, OpenclawError
from openclaw_cli.settings import DEFAULTS, Settings

KIB = 1024
MIB = 1024 * KIB
_DAY = 24 * 3600
_SIZES = {"GiB": 1024 * MIB, "MiB": MIB, "KiB": KIB, "GB": 10**9, "MB": 10**6, "kB": 1000, "B": 1}
_MOST_DIGITS = 15

TEXT = "text"
PLACE = "place"
FLAG = "true or false"
COUNT = "number"
SECONDS = "length of time"
DAYS = "days"
SIZE = "size"

_WRITTEN = {
    TEXT: "a text",
    PLACE: "file:/an/absolute/path, or keyring",
    FLAG: "true or false",
    COUNT: "a whole number",
    SECONDS: "a length of time: 45s, 30m, 8h, or a number of seconds",
    DAYS: "a number of days: 30, 30d, 12w",
    SIZE: "a size: 10MiB, 512KiB, or a number of bytes",
}


class Setting:
    """One setting. `least` and `most` bound a number, in the unit that is used: bytes, seconds."""

    __slots__ = ("default", "kind", "least", "meaning", "most", "name")

    def __init__(
        self, name: str, kind: str, meaning: str, *, least: int = 0, most: int = 0
    ) -> None:
        self.name = name
        self.kind = kind
        self.default = DEFAULTS[name]
        self.meaning = meaning
        self.least = least
        self.most = most

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return "OPENCLAW_" + self.name.upper().replace(".", "_").replace("-", "_")

    @property
    def takes(self) -> str:
        """What may be written for it."""
        if not self.most:
            return _WRITTEN[self.kind]
        return f"{_WRITTEN[self.kind]}, from {self.shown(self.least)} to {self.shown(self.most)}"

    def read(self, found: Any) -> Any:
        """Return the value that was written; raises `ConfigError` saying what may be written."""
        value: Any = _READ[self.kind](found)
        if value is None or (self.most and not self.least <= value <= self.most):
            example = f"for example {self!s}" if self.default != "" else "openclaw config show"
            raise ConfigError(f"{self.name} takes {self.takes}", hint=example)
        return value

    def shown(self, value: Any) -> str:
        """Write a value so that `read` takes it again."""
        if self.kind == FLAG:
            return "true" if value else "false"
        if self.kind == SECONDS:
            from openclaw_cli.duration import exact

            return exact(value)
        if self.kind == DAYS:
            return f"{value}d"
        if self.kind == SIZE:
            return _size_shown(value)
        return str(value)

    def __str__(self) -> str:
        """Write the default."""
        return self.shown(self.default) or "nothing"


SETTINGS = (
    Setting(
        "backend",
        TEXT,
        "The backend of a bare name; several, with commas, are asked in that order.",
    ),
    Setting(
        "cache.seconds",
        SECONDS,
        "How old a copy of what another backend gave may be without asking again.",
        least=0,
        most=30 * _DAY,
    ),
    Setting(
        "cache.stale-seconds",
        SECONDS,
        "How old a copy may be that stands in for a backend that is away.",
        least=0,
        most=365 * _DAY,
    ),
    Setting("store.versions", COUNT, "How many versions of a secret are kept.", least=2, most=1000),
    Setting(
        "store.deleted-days",
        DAYS,
        "For how long a deleted secret can be restored.",
        least=1,
        most=3650,
    ),
    Setting(
        "store.anchor",
        PLACE,
        "What else knows the newest state of the store: a file elsewhere, or the keyring.",
    ),
    Setting(
        "audit.segment-bytes",
        SIZE,
        "At which size the trail goes on in a new file.",
        least=64 * KIB,
        most=1024 * MIB,
    ),
    Setting("run.mask", FLAG, "Whether `secrets run` masks values in a program's output."),
    Setting(
        "clipboard.seconds",
        SECONDS,
        "After which time `get --clip` clears the clipboard; 0 for never.",
        least=0,
        most=3600,
    ),
    Setting(
        "unlock.seconds",
        SECONDS,
        "For how long `store unlock` keeps the store unlocked.",
        least=1,
        most=30 * _DAY,
    ),
    Setting(
        "status.old-days",
        DAYS,
        "At which age a value counts as old, where no rotation says otherwise.",
        least=1,
        most=3650,
    ),
    Setting(
        "rotation.tell-pause",
        SECONDS,
        "How long to wait between two consumers that are told of new values.",
        least=0,
        most=300,
    ),
    Setting(
        "rotation.tell-most",
        COUNT,
        "How many consumers one run of rotations tells; the next run tells the others.",
        least=1,
        most=10_000,
    ),
)
"""Every setting; `docs/reference/settings.md` is made of it."""


def from_environment(settings: Settings, environ: Mapping[str, str]) -> None:
    """Put the environment's word over the files': `OPENCLAW_BACKEND` and the like."""
    for each in SETTINGS:
        written = environ.get(each.variable)
        if not written:
            continue
        try:
            settings.values[each.name] = each.read(written)
        except ConfigError as refused:
            raise ConfigError(f"{each.variable}: {refused.message}", hint=refused.hint) from None
        settings.origin[each.name] = each.variable


def _text(found: Any) -> str | None:
    return found if isinstance(found, str) and found.isprintable() else None


def _place(found: Any) -> str | None:
    text = _text(found)
    return text if text in ("", "keyring") or (text or "").startswith("file:/") else None


def _flag(found: Any) -> bool | None:
    if isinstance(found, bool):
        return found
    words = {"true": True, "yes": True, "on": True, "1": True}
    words |= {"false": False, "no": False, "off": False, "0": False}
    return words.get(found.lower()) if isinstance(found, str) else None


def _count(found: Any) -> int | None:
    if isinstance(found, str) and found.isascii() and found.isdigit():
        return int(found) if len(found) <= _MOST_DIGITS else None
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def _seconds(found: Any) -> int | None:
    if not isinstance(found, str):
        return _count(found)
    from openclaw_cli.duration import parse

    try:
        return int(parse(found))
    except OpenclawError:
        return None


def _days(found: Any) -> int | None:
    number = _count(found)
    if number is not None:
        return number
    seconds = _seconds(found)
    return None if seconds is None or seconds % _DAY else seconds // _DAY


def _size(found: Any) -> int | None:
    if isinstance(found, str):
        for unit, size in _SIZES.items():
            if found.lower().endswith(unit.lower()):
                number = _count(found[: -len(unit)].rstrip())
                return None if number is None else number * size
    return _count(found)


def _size_shown(value: int) -> str:
    for unit in ("GiB", "MiB", "KiB"):
        if value and value % _SIZES[unit] == 0:
            return f"{value // _SIZES[unit]}{unit}"
    return str(value)


_READ = {
    TEXT: _text,
    PLACE: _place,
    FLAG: _flag,
    COUNT: _count,
    SECONDS: _seconds,
    DAYS: _days,
    SIZE: _size,
}


def read_as(kind: str, found: Any) -> Any:
    """Return what was written for a kind of value, or None where it is none of them."""
    return _READ[kind](found)
