"""The settings as they are used, and how the fast road gets them without reading TOML.

`config.py` reads every source, checks it and writes the result to `compiled`; here it is taken up
again while its sources are the same files that were read. What each setting means is in
`options.py`. Lean: the hot road imports it.
"""

from __future__ import annotations

import os
import stat

from openclaw_cli import __version__
from openclaw_cli.errors import DeniedError, OpenclawError
from openclaw_cli.files import read_all
from openclaw_cli.leanjson import loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from openclaw_cli.home import Home

FILE = "settings.toml"
SHARED = "openclaw.json"
IN_YAML = ("openclaw.yaml", "openclaw.yml")
PROJECT = ".openclaw.toml"
COMPILED = "compiled"
LIMIT = 1024 * 1024  # bytes of a source

BACKENDS = "backends."
"""What the name of a backend's table begins with."""

RESOLVERS = "resolvers"
"""What the table of what each resolver may hand out is called."""

EXPECTED = "expected"
"""What the table of what is expected of readings is called."""

AGENTS = "agents"
TABLES = ("names", "plaintext", "encryption", RESOLVERS, EXPECTED, AGENTS)
"""What a source holds besides settings, each a table by a name."""

PRODUCTION = ("prod", "production")
"""Environments in which no secret may stand in plain text in a source."""

# Variables of ours that set nothing: where they are the only ones, the table is not needed.
_OTHERS = frozenset(
    (
        "OPENCLAW_AGENT",
        "OPENCLAW_BUNDLE",
        "OPENCLAW_BUNDLE_KEY",
        "OPENCLAW_BUNDLE_KEY_FILE",
        "OPENCLAW_BUNDLE_OUTPUT",
        "OPENCLAW_CONFIG_PATH",
        "OPENCLAW_DEBUG",
        "OPENCLAW_ENVIRONMENT",
        "OPENCLAW_NO_HOT",
        "OPENCLAW_QDRANT_KEY_FILE",
        "OPENCLAW_STATE_DIR",
        "OPENCLAW_STORE_KEY_FILE",
        "OPENCLAW_THREAD",
    ),
)

_NO_PROJECT = ("OPENCLAW_BUNDLE", "OPENCLAW_AGENT", "OPENCLAW_THREAD")
_DAY = 24 * 3600

DEFAULTS: dict[str, Any] = {
    "backend": "local",
    "cache.seconds": 300,
    "cache.stale-seconds": _DAY,
    "store.versions": 10,
    "store.deleted-days": 30,
    "store.anchor": "",
    "audit.segment-bytes": 10 * 1024 * 1024,
    "run.mask": True,
    "clipboard.seconds": 45,
    "unlock.seconds": 8 * 3600,
    "status.old-days": 90,
    "rotation.tell-pause": 1,
    "rotation.tell-most": 100,
}
"""What each setting is when nobody set it; `options.py` says what it means and may be."""


class Settings:
    """Values by full name; `origin` says where each one that is not a default came from."""

    __slots__ = ("origin", "values")

    def __init__(self, values: dict[str, Any], origin: dict[str, str]) -> None:
        self.values = values
        self.origin = origin

    def __getitem__(self, name: str) -> Any:
        """Return a setting's value, its default when it was not set."""
        return self.values[name] if name in self.values else DEFAULTS[name]

    @property
    def names(self) -> dict[str, dict[str, Any]]:
        """Where names lead, `{"reference", "variable", "cache", "rotation", "origin"}` for each."""
        found: dict[str, dict[str, Any]] = self.values.get("names", {})
        return found

    @property
    def plaintext(self) -> dict[str, dict[str, Any]]:
        """Which secrets stand in a source: `{"origin": "FILE:LINE", "keys": [...]}` for each."""
        found: dict[str, dict[str, Any]] = self.values.get("plaintext", {})
        return found

    @property
    def expected(self) -> dict[str, dict[str, Any]]:
        """What is expected of the readings of secrets, as `expected.py` has it, by name."""
        found: dict[str, dict[str, Any]] = self.values.get(EXPECTED, {})
        return found

    @property
    def agents(self) -> dict[str, str]:
        """Which agents there are, by name, and the file that has each: all that is compiled."""
        found: dict[str, str] = self.values.get(AGENTS, {})
        return found

    def backend(self, name: str) -> dict[str, Any]:
        """Return what is set for a backend, the table `[backends.NAME]`."""
        found: dict[str, Any] = self.values.get(f"{BACKENDS}{name}", {})
        return found

    @property
    def encryption(self) -> dict[str, str]:
        """What is to wrap the store's key, `{"slot", "key", "rotation"}`, as far as it is said."""
        found: dict[str, str] = self.values.get("encryption", {})
        return found

    @property
    def resolvers(self) -> dict[str, dict[str, Any]]:
        """What the gateway's providers may be given, `{"allow": [patterns]}` for each by name."""
        found: dict[str, dict[str, Any]] = self.values.get(RESOLVERS, {})
        return found

    def led_to(self) -> list[str]:
        """Return the backends that names lead to, in no order of meaning."""
        places = [
            each["backend"] if "backend" in each else each["reference"].partition("://")[0]
            for each in self.names.values()
        ]
        return list(dict.fromkeys(places))

    def backends(self) -> list[str]:
        """Return the backends of bare names, in their order, then others that have a table."""
        order = [name.strip() for name in self["backend"].split(",") if name.strip()]
        tables = [key[len(BACKENDS) :] for key in self.values if key.startswith(BACKENDS)]
        return list(dict.fromkeys([*order, *sorted(tables)]))


def sources(home: Home, environ: Mapping[str, str]) -> list[str]:
    """Return the files that settings are read from, the strongest first, there or not."""
    root = os.path.abspath(home.root)
    own = _in_folder(home.base) if home.environment else []
    shared = environ.get("OPENCLAW_CONFIG_PATH")
    if shared:
        return [*own, f"{home.root}/{FILE}", os.path.abspath(shared)]
    return [*own, f"{home.root}/{FILE}", *_in_folder(root)[1:]]


def project_file(environ: Mapping[str, str]) -> str:
    """Return the settings file of the project that we are in, the nearest upward, "" for none.

    A home directory is no project, nor is what lies above it. A job with a bundle and an agent
    have none: what they may read is settled elsewhere.
    """
    if any(name in environ for name in _NO_PROJECT):
        return ""
    try:
        folder = os.getcwd()
    except OSError:
        return ""
    home = environ.get("HOME", "").rstrip("/")
    while folder not in ("", "/", home):
        path = f"{folder}/{PROJECT}"
        if os.access(path, os.F_OK):
            return path
        folder = folder.rpartition("/")[0]
    return ""


def says_where(home: Home, path: str) -> bool:
    """Tell whether a source may say where secrets are: in an environment, only one of its own.

    So nothing of one environment is read in another, though they share other settings.
    """
    common = {*_in_folder(home.root), *_in_folder(os.path.abspath(home.root))}
    return not home.environment or path not in common


def _in_folder(folder: str) -> list[str]:
    return [f"{folder}/{name}" for name in (FILE, SHARED, *IN_YAML)]


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

    A job with a bundle has none but the environment's. Raises `DeniedError` where others could
    write them, `ConfigError` for a variable's value.
    """
    if environ.get("OPENCLAW_BUNDLE"):
        return with_environment(Settings({}, {}), environ)
    check_root(home.root)
    if home.environment:
        check_root(home.base)
    now = stamps(sources(home, environ))
    if not any(inode for _, inode, _, _ in now):
        return with_environment(Settings({}, {}), environ)
    compiled = _compiled(home, now)
    if compiled is None or (home.environment in PRODUCTION and compiled.plaintext):
        return None  # which key it is that is refused, its source tells
    return with_environment(compiled, environ)


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
    if any(name.startswith("OPENCLAW_") and name not in _OTHERS for name in environ):
        from openclaw_cli.options import from_environment

        from_environment(settings, environ)
    return settings


def check_root(root: str) -> None:
    """Refuse a state directory that others could put files into, or take ours out of.

    It may be readable by others, since the OpenClaw gateway makes it so; what is secret lies in
    directories of ours. Raises `DeniedError`, also where we may not enter; an absent one is fine.
    """
    try:
        found = os.stat(root)
    except PermissionError:
        raise _closed(root) from None
    except OSError:
        return
    check_writers(found, root)
    if found.st_uid != os.geteuid() and not os.access(root, os.X_OK):
        raise _closed(root)


def _closed(root: str) -> DeniedError:
    return DeniedError(
        f"the state directory {root} is not ours to enter",
        hint="be the user it belongs to, or name another: export OPENCLAW_STATE_DIR=/path",
    )


def check_writers(found: os.stat_result, path: str) -> None:
    """Raise `DeniedError` when anybody but us and root could write it."""
    if found.st_uid not in (os.geteuid(), 0):
        raise DeniedError(f"{path} belongs to another user", hint=f"ls -ld {path}")
    if found.st_mode & 0o022:
        raise DeniedError(f"others can write {path}", hint=f"chmod go-w {path}")


def _compiled(home: Home, now: list[list[Any]]) -> Settings | None:
    """Return what `config.py` compiled, unless it is of other sources or not ours alone."""
    try:
        found = loads(_private(f"{home.base}/{COMPILED}"))
        if found["program"] != __version__ or found["stamps"] != now:
            return None
        values, origin = found["values"], found["origin"]
        if not all(_fits(name, value) for name, value in values.items()):
            return None
        return Settings({**values}, {**origin})
    except (OSError, OpenclawError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _fits(name: str, value: Any) -> bool:
    if name.startswith(BACKENDS) or name in TABLES:
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
