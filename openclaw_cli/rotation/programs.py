"""Programs of yours that a rotation runs: they speak JSON, and nobody else could have changed them.

The rules are those of the exec backend: an absolute path to a plain file, no link, that only its
owner can write and that is root's or ours, on a way that others cannot change; started without a
shell, with an environment of its own and limits on time and output.
"""

from __future__ import annotations

import json
import os
import shlex
import stat
import sys
from collections.abc import Mapping
from typing import Any

from openclaw_cli.backends.connect import ownership
from openclaw_cli.backends.connect.program import Limits, answer
from openclaw_cli.errors import ConfigError, DeniedError, RefusedError

_PASSED = ("HOME", "LANG", "LOGNAME", "PATH", "TMPDIR", "TZ", "USER", "XDG_RUNTIME_DIR")
_OURS = ("OPENCLAW_STATE_DIR", "OPENCLAW_CONFIG_PATH", "OPENCLAW_ENVIRONMENT")


def words(text: str, what: str) -> list[str]:
    """Return a command's words, as a shell would read them; raises `ConfigError`."""
    try:
        found = shlex.split(text)
    except ValueError:
        raise ConfigError(f"{what} has an unclosed quote") from None
    if not found or not found[0].startswith("/") or found[0] != os.path.normpath(found[0]):
        raise ConfigError(
            f"{what} is to begin with the absolute path of a program",
            hint="for example /usr/local/bin/reload-app",
        )
    return found


def trusted(path: str) -> None:
    """Raise unless nobody else could have put the program there."""
    try:
        ownership.plain_file(path)
        entry = os.lstat(path)
    except FileNotFoundError:
        raise ConfigError(
            f"there is no program {path}", hint=f"ls -l {shlex.quote(path)}"
        ) from None
    if stat.S_ISLNK(entry.st_mode):
        raise DeniedError(f"{path} is a symbolic link", hint=f"use {os.path.realpath(path)}")
    ownership.check_owner(entry, path)
    if not os.access(path, os.X_OK):
        raise ConfigError(f"{path} is not executable", hint=f"chmod u+x {shlex.quote(path)}")


def ours() -> str:
    """Return the absolute path of this program's own command."""
    beside = os.path.join(os.path.dirname(os.path.abspath(sys.executable)), "openclaw")
    return beside if os.path.isfile(beside) else os.path.realpath(sys.argv[0])


def run(command: list[str], request: Mapping[str, Any], seconds: float) -> bytes:
    """Run a program with a request on its standard input; return what it wrote.

    Raises what `trusted` raises, and what `backends.connect.program.answer` raises.
    """
    trusted(command[0])
    environment = {name: os.environ[name] for name in (*_PASSED, *_OURS) if name in os.environ}
    environment.setdefault("PATH", os.defpath)
    return answer(command, json.dumps(request).encode(), environment, Limits(seconds))


def ask(command: list[str], request: Mapping[str, Any], seconds: float) -> dict[str, Any]:
    """Run a program that answers with a JSON object; nothing at all is an empty one."""
    data = run(command, request, seconds).strip()
    try:
        found = json.loads(data) if data else {}
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise RefusedError(f"what {command[0]} wrote is not a JSON object")
    return found
