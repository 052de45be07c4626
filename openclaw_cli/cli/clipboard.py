"""`get --clip`: a value on the clipboard, and off it again.

The value goes to the clipboard program by its standard input. A process of its own, started with a
salted digest and not with the value, clears the clipboard later if it still holds that value.
What a clipboard history keeps, we cannot take back.
"""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from openclaw_cli.cli.stdout import write_all
from openclaw_cli.errors import ConfigError, TemporaryError, UsageError

CLEARED_AFTER = 45  # seconds, as pass and gopass do

_PATIENCE = 5  # seconds for a clipboard program to answer
_OSC52_MOST = 50_000  # bytes; xterm and others cut off what is longer than about 75,000 of base64
_PASSED_ON = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "DISPLAY",
    "XAUTHORITY",
    "WAYLAND_DISPLAY",
    "XDG_RUNTIME_DIR",
    "DBUS_SESSION_BUS_ADDRESS",
)


@dataclass(frozen=True, slots=True)
class _Tool:
    """A clipboard program: the variable that says it can work, and its three commands."""

    needs: str
    copy: tuple[str, ...]
    paste: tuple[str, ...]
    clear: tuple[str, ...]


_XCLIP = ("xclip", "-selection", "clipboard")
_XSEL = ("xsel", "--clipboard")
_TOOLS = (
    _Tool("WAYLAND_DISPLAY", ("wl-copy",), ("wl-paste", "--no-newline"), ("wl-copy", "--clear")),
    _Tool("DISPLAY", (*_XCLIP, "-in"), (*_XCLIP, "-out"), (*_XCLIP, "-in")),
    _Tool("DISPLAY", (*_XSEL, "--input"), (*_XSEL, "--output"), (*_XSEL, "--clear")),
    *((_Tool("", ("pbcopy",), ("pbpaste",), ("pbcopy",)),) if sys.platform == "darwin" else ()),
)


@dataclass(frozen=True, slots=True)
class Copied:
    """Where a value went, and in how many seconds it is taken away; None: never, say so."""

    tool: str
    cleared_after: int | None


def copy(
    value: bytes,
    *,
    seconds: int = CLEARED_AFTER,
    by_terminal: bool = False,
    environ: Mapping[str, str] | None = None,
    terminal: str = "/dev/tty",
) -> Copied:
    """Put `value` on the clipboard, and have it cleared after `seconds` (0: never).

    `by_terminal` asks the terminal instead (OSC 52; works over ssh), where nothing can be cleared
    since terminals do not let the clipboard be read. Raises ConfigError when there is no clipboard,
    TemporaryError when its program hangs, UsageError for a value that the terminal cannot take.
    """
    environ = os.environ if environ is None else environ
    if by_terminal:
        _ask_terminal(value, environ, terminal)
        return Copied("the terminal", None)
    tool, paths = _found(environ)
    passed = {name: environ[name] for name in _PASSED_ON if name in environ}
    _fill(value, [paths[tool.copy[0]], *tool.copy[1:]], passed)
    if not seconds:
        return Copied(tool.copy[0], None)
    commands = [[paths[command[0]], *command[1:]] for command in (tool.paste, tool.clear)]
    started = _start_clearing(value, commands, seconds, passed)
    return Copied(tool.copy[0], seconds if started else None)


def _found(environ: Mapping[str, str]) -> tuple[_Tool, dict[str, str]]:
    for tool in _TOOLS:
        if tool.needs and not environ.get(tool.needs):
            continue
        paths = {name: _program(name, environ) for name in (tool.copy[0], tool.paste[0])}
        if all(paths.values()):
            return tool, paths
    raise ConfigError(
        "no clipboard can be reached: it takes a display and wl-copy, xclip or xsel",
        hint="apt-get install xclip, or copy through the terminal",
    )


def _program(name: str, environ: Mapping[str, str]) -> str:
    """Find a program that only we or root can have put there; "" if there is none.

    It is handed a secret, so relative and empty elements of PATH do not count.
    """
    for directory in environ.get("PATH", "").split(os.pathsep):
        path = os.path.join(directory, name)
        try:
            found = os.stat(path)
        except (OSError, ValueError):
            continue
        ours = found.st_uid in (0, os.geteuid()) and not found.st_mode & (
            stat.S_IWGRP | stat.S_IWOTH
        )
        if os.path.isabs(directory) and stat.S_ISREG(found.st_mode) and ours:
            return path
    return ""


def _fill(value: bytes, command: list[str], environ: Mapping[str, str]) -> None:
    # xclip and wl-copy stay behind as servers of the clipboard: they must not hold our output.
    try:
        ended = subprocess.run(  # noqa: S603  (fixed words, and a program that _program chose)
            command,
            input=value,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environ,
            timeout=_PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise TemporaryError(
            f"{command[0]} did not take the value in {_PATIENCE} s",
            hint="openclaw secrets get NAME > FILE",
        ) from None
    except OSError:
        raise ConfigError(
            f"{command[0]} could not be started", hint=f"command -v {command[0]}"
        ) from None
    if ended.returncode:
        raise ConfigError(
            f"{command[0]} could not copy: it ended with status {ended.returncode}",
            hint="is the display that DISPLAY or WAYLAND_DISPLAY names running?",
        )


def _ask_terminal(value: bytes, environ: Mapping[str, str], terminal: str) -> None:
    from base64 import b64encode

    if len(value) > _OSC52_MOST:
        raise UsageError(
            f"a terminal's clipboard takes at most {_OSC52_MOST} bytes from us",
            hint="send it elsewhere: openclaw secrets get NAME > FILE",
        )
    sequence = b"\x1b]52;c;" + b64encode(value) + b"\x07"
    if environ.get("TMUX"):  # tmux hands it on to the outer terminal (allow-passthrough)
        sequence = b"\x1bPtmux;" + sequence.replace(b"\x1b", b"\x1b\x1b") + b"\x1b\\"
    try:
        descriptor = os.open(terminal, os.O_WRONLY | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        raise UsageError(
            "copying through the terminal needs a terminal", hint="openclaw secrets get NAME > FILE"
        ) from None
    try:
        write_all(sequence, descriptor)
    finally:
        os.close(descriptor)


def _digest(salt: bytes, value: bytes) -> bytes:
    import hashlib
    import hmac

    return hmac.digest(salt, value, hashlib.sha256)


def _start_clearing(
    value: bytes, commands: list[list[str]], seconds: int, environ: Mapping[str, str]
) -> bool:
    """Leave a process behind that clears the clipboard; it is not given the value."""
    import json

    salt = os.urandom(32)
    request = {
        "salt": salt.hex(),
        "digest": _digest(salt, value).hex(),
        "paste": commands[0],
        "clear": commands[1],
        "seconds": seconds,
    }
    # -I: neither the current directory nor PYTHON* variables choose what it imports.
    ended = subprocess.run(  # noqa: S603  (our own interpreter and module)
        [sys.executable, "-I", "-m", __name__],
        input=json.dumps(request).encode(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environ,
        cwd="/",
        start_new_session=True,
        check=False,
    )
    return ended.returncode == 0


def _clear_later() -> None:
    """Read a request, let the caller go on, wait, and clear what is still there."""
    import hmac
    import json
    import time

    request = json.load(sys.stdin)
    if os.fork():
        os._exit(0)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    time.sleep(request["seconds"])
    held = subprocess.run(request["paste"], capture_output=True, timeout=_PATIENCE, check=False)  # noqa: S603
    salt, digest = bytes.fromhex(request["salt"]), bytes.fromhex(request["digest"])
    if hmac.compare_digest(_digest(salt, held.stdout), digest):
        _fill(b"", request["clear"], os.environ)


if __name__ == "__main__":
    _clear_later()
