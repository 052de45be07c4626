"""The checks of `openclaw doctor` that are of the machine: Python, programs, disk, clock, person.

A check never raises, never changes anything and reads no value.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from openclaw_cli import __version__, duration, health
from openclaw_cli.cli import process
from openclaw_cli.cli.editor import filesystem
from openclaw_cli.errors import OpenclawError
from openclaw_cli.health.check import ATTENTION, BAD, OK, Check
from openclaw_cli.interop.gateway import ours
from openclaw_cli.interop.wiring import unfit
from openclaw_cli.which import which

if TYPE_CHECKING:
    from openclaw_cli.health import Look
    from openclaw_cli.home import Home

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


def _short_road() -> bool:
    try:
        from cryptography.hazmat.bindings._rust import openssl
    except ImportError:
        return False
    return hasattr(openssl.aead, "AESGCMSIV")
