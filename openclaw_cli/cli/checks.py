"""The checks of `openclaw doctor`: each looks at one thing of this machine and says how it is.

A check never raises, never changes anything and reads no value.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from openclaw_cli import __version__, assembly, config, duration, health
from openclaw_cli.backends.protocols import Checkable
from openclaw_cli.cli import process
from openclaw_cli.cli.editor import filesystem
from openclaw_cli.cli.render import counted
from openclaw_cli.errors import ConfigError, OpenclawError
from openclaw_cli.home import find
from openclaw_cli.interop.gateway import ours
from openclaw_cli.interop.wiring import unfit
from openclaw_cli.service import LOCAL
from openclaw_cli.settings import Settings, sources
from openclaw_cli.store.keys import file as key_file
from openclaw_cli.which import which

if TYPE_CHECKING:
    from openclaw_cli.elsewhere import Elsewhere
    from openclaw_cli.health import Look
    from openclaw_cli.home import Home

OK = "ok"
ADVICE, ATTENTION, BAD = health.ADVICE, health.ATTENTION, health.BAD

_REMOTE = ("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "afs", "ceph")
_IN_MEMORY = ("tmpfs", "ramfs")
_CLIPBOARDS = {
    "wl-copy": "WAYLAND_DISPLAY",
    "xclip": "DISPLAY",
    "xsel": "DISPLAY",
    "pbcopy": "",
}
_EDITORS = ("editor", "nano", "vi")
_OLDEST = 1_767_225_600  # 2026-01-01: an earlier clock is wrong
_SLIP = 5 * duration.MINUTE  # how far two clocks may differ
_LEAST_FREE = 64 * 1024 * 1024  # bytes


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at, how it is, and the mend; `state` is OK, ADVICE, ATTENTION or BAD."""

    name: str
    state: str
    what: str
    hint: str = ""

    @property
    def wrong(self) -> bool:
        """Whether it needs a hand, as `health.needs_a_hand` has it."""
        return self.state in (ATTENTION, BAD)


def all_of_them(environ: Mapping[str, str], now: float) -> Iterator[Check]:
    """Make every check, one after another; `now` in seconds since 1970."""
    yield python()
    yield cryptography()
    yield from commands(environ)
    try:
        home = find(environ)
    except OpenclawError as refused:
        yield Check("state directory", BAD, refused.message, refused.hint)
        return
    yield settings(home, environ)
    yield state_directory(home)
    yield port(home, environ)
    yield from served(home)
    known = _settings(home, environ)
    seen = health.look(home, assembly.secrets(home, known, environ))
    yield from of_findings(seen, home, known, now)
    yield key(home, seen)
    yield store(seen)
    yield trail(seen)
    yield clock(seen, now)
    yield core_files()
    yield from person(environ)
    yield keyring(environ, seen)
    yield from backends(home, known)


def backends(home: Home, settings: Settings) -> Iterator[Check]:
    """Ask each backend that is set, all at once, whether it answers and to whom."""
    from concurrent.futures import ThreadPoolExecutor

    from openclaw_cli.elsewhere import Elsewhere

    every = dict.fromkeys([*settings.backends(), *settings.led_to()])
    names = [name for name in every if name != LOCAL]
    if not names:
        return
    elsewhere = Elsewhere(home, settings)
    with ThreadPoolExecutor(len(names)) as pool:
        for found in pool.map(lambda name: _backend(elsewhere, name), names):
            yield from found


def _backend(elsewhere: Elsewhere, name: str) -> list[Check]:
    try:
        opened = elsewhere.backend(name)
        if not isinstance(opened, Checkable):
            return [Check(name, OK, "it is set, and cannot be asked how it is")]
        health = opened.check()
    except OpenclawError as refused:
        return [Check(name, BAD, refused.message, refused.hint)]
    words = ", ".join(word for word in (health.identity, health.detail) if word)
    state = OK if health.reachable else BAD
    said = words or ("it answers" if health.reachable else "it does not answer")
    found = [] if health.problems and not health.reachable else [Check(name, state, said)]
    worse = ATTENTION if health.reachable else BAD
    return found + [Check(name, worse, problem, mend) for problem, mend in health.problems]


def python() -> Check:
    """Say which program this is, run by which Python."""
    version = ".".join(map(str, sys.version_info[:3]))
    return Check("program", OK, f"openclaw-cli {__version__}, Python {version}")


def cryptography() -> Check:
    """Seal and open something, and say whether the ciphers come by the short road."""
    from importlib.metadata import version

    try:
        from openclaw_cli.store import seal

        once, secret = seal.nonce(), os.urandom(32)
        works = seal.open_sealed(secret, once, seal.seal(secret, once, b"x", b""), b"", "") == b"x"
    except (ImportError, OpenclawError, AttributeError):
        works = False
    if not works:
        hint = "pip install --upgrade 'cryptography>=46'"
        return Check("cryptography", BAD, "AES-256-GCM-SIV does not work here", hint)
    number = version("cryptography")
    if not _short_road():
        what = f"{number}, AES-256-GCM-SIV by a road that makes each start slower"
        return Check("cryptography", ATTENTION, what, "pip install 'cryptography>=46,<51'")
    return Check("cryptography", OK, f"{number}, AES-256-GCM-SIV works")


def commands(environ: Mapping[str, str]) -> Iterator[Check]:
    """Look which `openclaw` a shell starts, and whether a gateway may start our resolver."""
    first = which("openclaw", path=environ.get("PATH"))
    here = os.path.dirname(os.path.abspath(sys.argv[0]))
    if first is None:
        hint = f'export PATH="{here}:$PATH"'
        yield Check("command", ATTENTION, "no openclaw is on PATH", hint)
    elif not ours(first):
        what = f"another openclaw comes first on PATH: {first}"
        yield Check("command", ATTENTION, what, "openclaw-cli, which is always this one")
    else:
        yield Check("command", OK, first)
    found = which("openclaw-resolver", path=f"{here}:{environ.get('PATH', '')}")
    yield resolver(found)


def resolver(path: str | None) -> Check:
    """Look whether the OpenClaw gateway would start the resolver: a plain file of safe mode."""
    name = "resolver"
    if path is None:
        return Check(name, ATTENTION, "openclaw-resolver is not found", "pip install openclaw-cli")
    trouble = unfit(path)
    if trouble:
        what = f"the OpenClaw gateway refuses to start {path}: {trouble[0]}"
        return Check(name, ATTENTION, what, trouble[1])
    return Check(name, OK, path)


def served(home: Home) -> Iterator[Check]:
    """Look whether the OpenClaw gateway that was set up can start what its file names of us."""
    from openclaw_cli.interop import config_file
    from openclaw_cli.interop.gateway import remembered
    from openclaw_cli.interop.wiring import wired

    gateway = remembered(home)
    if gateway is None:
        return
    try:
        file = config_file.read(gateway.config)
        named = wired(file.root() if file else None)
    except OpenclawError as refused:
        yield Check("gateway", ATTENTION, refused.message, refused.hint)
        return
    if not named:
        what = f"{gateway.config} has no provider of ours"
        yield Check("gateway", ATTENTION, what, "openclaw interop setup")
    for name, path in named.items():
        trouble = unfit(path)
        if trouble:
            what = f"the OpenClaw gateway cannot start {path} for {name}: {trouble[0]}"
            hint = trouble[1] if trouble[1].startswith("chmod") else "openclaw interop setup"
            yield Check("gateway", BAD, what, hint)
        else:
            yield Check("gateway", OK, f"{gateway.shown} gets its secrets by {name}")


def settings(home: Home, environ: Mapping[str, str]) -> Check:
    """Read every source of settings."""
    try:
        count = len(config.load(home, environ).origin)
    except OpenclawError as refused:
        hint = "openclaw config check" if isinstance(refused, ConfigError) else refused.hint
        return Check("settings", BAD, refused.message, hint)
    there = [path for path in sources(home, environ) if os.path.lexists(path)]
    where = f" ({', '.join(there)})" if there else ""
    return Check("settings", OK, f"{count} set{where}" if count else f"all by default{where}")


def port(home: Home, environ: Mapping[str, str]) -> Check:
    """Look whether our gateway could listen where the settings say, or does already."""
    from openclaw_cli.agents.loading import load
    from openclaw_cli.gateway import listening, talk

    name, state = "port", OK
    try:
        found = load(home, environ)
        state = ATTENTION if found.agents else OK  # without agents nothing of ours would listen
        if talk.running(home) is not None:
            return Check(name, OK, f"our gateway listens on {found.gateway.port}")
        listening.bind_tcp(found.gateway.host, found.gateway.port).close()
    except OpenclawError as refused:
        return Check(name, state, refused.message, refused.hint)
    return Check(name, OK, f"{found.gateway.port} is free for our gateway")


def state_directory(home: Home) -> Check:
    """Look where the state directory lies."""
    name = "state directory"
    if not os.path.isdir(home.root):
        above = _nearest(home.root)
        if not os.access(above, os.W_OK | os.X_OK):
            what = f"{home.root} cannot be made: {above} cannot be written"
            return Check(name, BAD, what, "export OPENCLAW_STATE_DIR=/path/that/can/be/written")
        return Check(name, OK, f"{home.root} is not there yet; the first secret makes it")
    kind = filesystem(home.root)
    if kind in _IN_MEMORY:
        what = f"{home.root} is on a {kind}: it is gone after a restart"
        return Check(name, ATTENTION, what, "export OPENCLAW_STATE_DIR=/path/on/a/disk")
    if kind in _REMOTE:
        what = f"{home.root} is on {kind}, where locks and syncs may not hold"
        return Check(name, ATTENTION, what, "export OPENCLAW_STATE_DIR=/path/on/a/local/disk")
    if not os.access(home.root, os.W_OK | os.X_OK):
        what = f"{home.root} cannot be written: no reading could be recorded"
        return Check(name, BAD, what, "export OPENCLAW_STATE_DIR=/path/that/can/be/written")
    free = shutil.disk_usage(home.root).free
    if free < _LEAST_FREE:
        return Check(name, ATTENTION, f"less than 64 MiB are free in {home.root}", "df -h")
    return Check(name, OK, f"{home.root}{f' on {kind}' if kind else ''}")


def _nearest(path: str) -> str:
    """Return the lowest directory above a path that is there, as far as we may see."""
    while not os.path.isdir(path) and path != "/":
        path = os.path.dirname(path)
    return path


def of_findings(seen: Look, home: Home, settings: Settings, now: float) -> Iterator[Check]:
    """Take over all that `status` finds, with its severity, and say what it found nothing of."""
    found = health.findings(seen, home, settings, now)
    about = {each.where if each.what != "permissions" else each.what for each in found}
    if "permissions" not in about:
        yield Check("permissions", OK, "nobody else can open what is ours")
    if "rotation" not in about and seen.there and not (seen.locked or seen.trouble):
        yield Check("rotation", OK, "none has failed, none is overdue")
    for each in found:
        yield Check(each.what.replace("-", " "), each.severity, each.why, each.hint)


def key(home: Home, seen: Look) -> Check:
    """Say where the key file is, when the store has one."""
    path = key_file.path(home)
    kinds = [slot.kind for slot in seen.header.slots] if seen.header else []
    if key_file.KIND not in kinds:
        return Check("key file", OK, "none is used")
    if key_file.source() != key_file.KIND:
        return Check("key file", OK, f"none is read: the key came by {key_file.source()}")
    if not os.path.lexists(path):
        what = f"{path} is not there"
        return Check("key file", ATTENTION, what, f"put it back, or export {key_file.VARIABLE}=...")
    return Check("key file", OK, path)


def store(seen: Look) -> Check:
    """Say whether the store opens and is the one the trail knows."""
    if seen.trouble:
        return Check("store", BAD, seen.trouble.message, seen.trouble.hint)
    if not seen.there:
        return Check("store", OK, "none yet; openclaw secrets create NAME makes it")
    if seen.locked:
        return Check("store", OK, f"{seen.store} is locked", seen.locked)
    return Check("store", OK, f"{seen.store} opens, {counted(len(seen.alive), 'secret')}")


def trail(seen: Look) -> Check:
    """Say whether the end of the trail is what it was."""
    if seen.trouble:
        return Check("trail", BAD, "not verified", seen.trouble.hint)
    if not seen.there:
        return Check("trail", OK, "none yet")
    if seen.head is None:
        return Check("trail", OK, "not verified, for its key is in the store", seen.locked)
    if not seen.verified:
        what = f"{seen.trail} cannot be written: nothing can be read or changed"
        return Check("trail", BAD, what, f"ls -ld {seen.trail}")
    what = f"{seen.head.seq} records, the end verified"
    return Check("trail", OK, what, "openclaw secrets audit verify, for all of it")


def clock(seen: Look, now: float) -> Check:
    """Look whether the clock can be right."""
    if now < _OLDEST:
        return Check("clock", BAD, f"it says {duration.absolute(now)}", "timedatectl")
    newest = health.when(seen.head.at) if seen.head else 0.0
    if newest > now + _SLIP:
        what = f"the trail's last record is from {duration.absolute(newest)}, which is to come"
        return Check("clock", ATTENTION, what, "timedatectl")
    return Check("clock", OK, duration.absolute(now))


def core_files() -> Check:
    """Look whether a crash could leave a value in a core file."""
    import resource

    name = "core files"
    limit, most = resource.getrlimit(resource.RLIMIT_CORE)
    if limit not in (0, process.NO_CORE):
        return Check(name, ATTENTION, "a crash may leave a core file", "ulimit -c 0")
    pattern = _first_line("/proc/sys/kernel/core_pattern")
    if pattern.startswith("|") and limit == 0:
        program = os.path.basename(pattern[1:].split(" ")[0])
        what = f"a crash gives our memory to {program}: the hard limit is {most}, not 1 or more"
        return Check(name, ATTENTION, what, "ulimit -Hc unlimited, where we are started")
    return Check(name, OK, "none are made")


def person(environ: Mapping[str, str]) -> Iterator[Check]:
    """Look at what a person at a terminal has: an editor, a clipboard, a terminal, its letters."""
    path = environ.get("PATH")
    asked = (environ.get("VISUAL") or environ.get("EDITOR") or "").split()
    editors = asked[:1] or list(_EDITORS)
    found = next((each for each in editors if which(each, path=path)), None)
    if found:
        yield Check("editor", OK, found)
    else:
        what = f"{asked[0]} is not found" if asked else "none is found"
        yield Check("editor", ATTENTION if asked else OK, what, "export EDITOR=vim")
    tools = [
        tool
        for tool, needs in _CLIPBOARDS.items()
        if which(tool, path=path) and (not needs or environ.get(needs))
    ]
    yield Check("clipboard", OK, tools[0] if tools else "none can be reached")
    yield locale(environ)
    umask = _status_field(os.getppid(), "Umask")
    if umask:
        yield Check("umask", OK, f"{umask} in this shell; here always 0077")


def locale(environ: Mapping[str, str]) -> Check:
    """Look whether names and values beyond ASCII can be shown."""
    chosen = environ.get("LC_ALL") or environ.get("LC_CTYPE") or environ.get("LANG") or ""
    terminal = environ.get("TERM") or "no terminal"
    if "utf" in chosen.lower():
        return Check("terminal", OK, f"{terminal}, {chosen}")
    what = f"{terminal}, {chosen or 'no locale'}: tables are drawn in ASCII"
    return Check("terminal", OK, what, "export LANG=C.UTF-8")


def keyring(environ: Mapping[str, str], seen: Look) -> Check:
    """Look whether the desktop's keyring answers; it is asked only where there may be one."""
    wanted = seen.header is not None and any(each.kind == "keyring" for each in seen.header.slots)
    bus = environ.get("DBUS_SESSION_BUS_ADDRESS") or sys.platform == "darwin"
    if not (wanted or bus):
        return Check("keyring", OK, "none here, and none is needed")
    try:
        from openclaw_cli.store.keys import keyring as slot

        answers = slot.available()
    except (ImportError, OpenclawError):
        answers = False
    if answers:
        return Check("keyring", OK, "answers")
    if wanted:
        what = "it does not answer, and the store has a key in it"
        return Check("keyring", ATTENTION, what, "openclaw store slots add recovery")
    return Check("keyring", OK, "does not answer, and is not needed")


def _settings(home: Home, environ: Mapping[str, str]) -> Settings:
    """Return the settings, all by default where they cannot be read: the rest is looked at yet."""
    try:
        return config.load(home, environ)
    except OpenclawError:
        return Settings({}, {})


def _short_road() -> bool:
    try:
        from cryptography.hazmat.bindings._rust import openssl
    except ImportError:
        return False
    return hasattr(openssl.aead, "AESGCMSIV")


def _first_line(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.readline().strip()
    except OSError:
        return ""


def _status_field(pid: int, name: str) -> str:
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as file:
            return next((line.split()[1] for line in file if line.startswith(f"{name}:")), "")
    except OSError:
        return ""
