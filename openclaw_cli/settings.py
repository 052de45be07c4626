"""The settings: the table of all of them, and how the fast road gets them without reading TOML.

`config.py` reads every source, checks it and writes the result to `compiled`; here it is taken up
again while its sources are the same files that were read. Lean: the hot road imports it.
"""

from __future__ import annotations

import os
import stat

from openclaw_cli import __version__
from openclaw_cli.errors import ConfigError, DeniedError, OpenclawError
from openclaw_cli.files import read_all
from openclaw_cli.leanjson import loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from openclaw_cli.home import Home

FILE = "settings.toml"
SHARED = "openclaw.json"
COMPILED = "compiled"
LIMIT = 1024 * 1024  # bytes of a source

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
        self, name: str, kind: str, default: Any, meaning: str, *, least: int = 0, most: int = 0
    ) -> None:
        self.name = name
        self.kind = kind
        self.default = default
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
        "local",
        "The backend of a bare name; several, with commas, are asked in that order.",
    ),
    Setting(
        "cache.seconds",
        SECONDS,
        300,
        "How old a copy of what another backend gave may be without asking again.",
        least=0,
        most=30 * _DAY,
    ),
    Setting(
        "cache.stale-seconds",
        SECONDS,
        _DAY,
        "How old a copy may be that stands in for a backend that is away.",
        least=0,
        most=365 * _DAY,
    ),
    Setting(
        "store.versions", COUNT, 10, "How many versions of a secret are kept.", least=2, most=1000
    ),
    Setting(
        "store.deleted-days",
        DAYS,
        30,
        "For how long a deleted secret can be restored.",
        least=1,
        most=3650,
    ),
    Setting(
        "store.anchor",
        PLACE,
        "",
        "What else knows the newest state of the store: a file elsewhere, or the keyring.",
    ),
    Setting(
        "audit.segment-bytes",
        SIZE,
        10 * MIB,
        "At which size the trail goes on in a new file.",
        least=64 * KIB,
        most=1024 * MIB,
    ),
    Setting("run.mask", FLAG, True, "Whether `secrets run` masks values in a program's output."),
    Setting(
        "clipboard.seconds",
        SECONDS,
        45,
        "After which time `get --clip` clears the clipboard; 0 for never.",
        least=0,
        most=3600,
    ),
    Setting(
        "unlock.seconds",
        SECONDS,
        8 * 3600,
        "For how long `store unlock` keeps the store unlocked.",
        least=1,
        most=30 * _DAY,
    ),
    Setting(
        "status.old-days",
        DAYS,
        90,
        "At which age a value counts as old, where no rotation says otherwise.",
        least=1,
        most=3650,
    ),
)
"""Every setting; `docs/reference/settings.md` is made of it."""

BACKENDS = "backends."
"""What the name of a backend's table begins with."""

DEFAULTS: dict[str, Any] = {each.name: each.default for each in SETTINGS}


class Settings:
    """Values by full name; `origin` says where each one that is not a default came from."""

    __slots__ = ("origin", "values")

    def __init__(self, values: dict[str, Any], origin: dict[str, str]) -> None:
        self.values = values
        self.origin = origin

    def __getitem__(self, name: str) -> Any:
        """Return a setting's value, its default when it was not set."""
        return self.values[name] if name in self.values else DEFAULTS[name]

    def backend(self, name: str) -> dict[str, Any]:
        """Return what is set for a backend, the table `[backends.NAME]`."""
        found: dict[str, Any] = self.values.get(f"{BACKENDS}{name}", {})
        return found

    def backends(self) -> list[str]:
        """Return the backends of bare names, in their order, then others that have a table."""
        order = [name.strip() for name in self["backend"].split(",") if name.strip()]
        tables = [key[len(BACKENDS) :] for key in self.values if key.startswith(BACKENDS)]
        return list(dict.fromkeys([*order, *sorted(tables)]))


def sources(home: Home, environ: Mapping[str, str]) -> list[str]:
    """Return the files that settings are read from, the strongest first, there or not."""
    shared = environ.get("OPENCLAW_CONFIG_PATH") or f"{home.root}/{SHARED}"
    return [f"{home.root}/{FILE}", os.path.abspath(shared)]


def stamps(paths: list[str]) -> list[list[Any]]:
    """Return what tells a file from a changed one; zeros for a file that is not there.

    The path, the inode, the size, and the time when content, owner or mode last changed, in ns:
    unlike the time of modification, nobody can set that one.
    """
    found = []
    for path in paths:
        try:
            now = os.stat(path)
            found.append([path, now.st_ino, now.st_ctime_ns, now.st_size])
        except (FileNotFoundError, NotADirectoryError):
            found.append([path, 0, 0, 0])
        except OSError:
            found.append([path, -1, 0, 0])  # it may be there: whoever reads it will say why not
    return found


def quick(home: Home, environ: Mapping[str, str]) -> Settings | None:
    """Return the settings without reading their sources, or None when those must be read.

    Raises `DeniedError` where others could write them, `ConfigError` for a variable's value.
    """
    check_root(home.root)
    now = stamps(sources(home, environ))
    if not any(inode for _, inode, _, _ in now):
        return with_environment(Settings({}, {}), environ)
    compiled = _compiled(home, now)
    return compiled and with_environment(compiled, environ)


def compiled_from(now: list[list[Any]], settings: Settings) -> dict[str, Any]:
    """Return what `compiled` holds: by which program, from which state of the sources, and what."""
    return {
        "program": __version__,
        "stamps": now,
        "values": settings.values,
        "origin": settings.origin,
    }


def with_environment(settings: Settings, environ: Mapping[str, str]) -> Settings:
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
    return settings


def check_root(root: str) -> None:
    """Refuse a state directory that others could put files into, or take ours out of.

    It may be readable by others, since the OpenClaw gateway makes it so; what is secret lies in
    directories of ours. Raises `DeniedError`; an absent one is fine.
    """
    try:
        found = os.stat(root)
    except OSError:
        return
    check_writers(found, root)


def check_writers(found: os.stat_result, path: str) -> None:
    """Raise `DeniedError` when anybody but us and root could write it."""
    if found.st_uid not in (os.geteuid(), 0):
        raise DeniedError(f"{path} belongs to another user", hint=f"ls -ld {path}")
    if found.st_mode & 0o022:
        raise DeniedError(f"others can write {path}", hint=f"chmod go-w {path}")


def _compiled(home: Home, now: list[list[Any]]) -> Settings | None:
    """Return what `config.py` compiled, unless it is of other sources or not ours alone."""
    try:
        found = loads(_private(f"{home.root}/{COMPILED}"))
        if found["program"] != __version__ or found["stamps"] != now:
            return None
        values, origin = found["values"], found["origin"]
        if not all(_fits(name, value) for name, value in values.items()):
            return None
        return Settings({**values}, {**origin})
    except (OSError, OpenclawError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _fits(name: str, value: Any) -> bool:
    if name.startswith(BACKENDS):
        return isinstance(value, dict)
    return type(value) is type(DEFAULTS[name])


def _private(path: str) -> bytes:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        found = os.fstat(fd)
        ours = found.st_uid == os.geteuid() and not found.st_mode & 0o077
        if not (ours and stat.S_ISREG(found.st_mode)):
            raise ValueError("not ours")
        return read_all(fd, path, LIMIT)
    finally:
        os.close(fd)


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
