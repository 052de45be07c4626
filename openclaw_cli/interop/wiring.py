"""How a gateway is told of our resolver: the table below `secrets.providers`, and references."""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from openclaw_cli.errors import ConfigError, UsageError
from openclaw_cli.which import which

if TYPE_CHECKING:
    from openclaw_cli.home import Home
    from openclaw_cli.interop import json5
    from openclaw_cli.settings import Settings

NAME = "openclaw-cli"
"""What the gateway calls us unless told otherwise."""

RESOLVER = "openclaw-resolver"
MILLISECONDS = 10_000
"""Both time-outs: the resolver is done within four seconds, a laden machine is slower."""

_IS_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")
_OTHERS_MAY_WRITE = 0o022

# By their beginnings, what each backend reads of the environment; of these only the names go into
# the gateway's file. The keyring's bus, and where `store unlock` keeps a key, are always passed on.
_VARIABLES = {"vault": ("VAULT_",), "aws": ("AWS_",)}
_ALWAYS = ("DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR", "OPENCLAW_STORE_KEY_FILE")
_NEVER = frozenset(("AWS_EC2_METADATA_DISABLED",))


def check_name(name: str) -> str:
    """Return the name, or raise `UsageError` where the gateway would not take it."""
    if not _IS_NAME.fullmatch(name):
        raise UsageError(
            "not a name for a provider of the gateway",
            hint="use small letters, digits, _ and -, starting with a letter",
        )
    return name


def provider(
    resolver: str,
    home: Home,
    settings: Settings,
    environ: Mapping[str, str],
    *,
    allow: Iterable[str] = (),
) -> dict[str, Any]:
    """Return the gateway's table of us. There is no HOME: the state directory is named."""
    assigned = {"OPENCLAW_STATE_DIR": home.root}
    if home.environment:
        assigned["OPENCLAW_ENVIRONMENT"] = home.environment
    return {
        "source": "exec",
        "command": resolver,
        "args": [word for each in allow for word in ("--allow", each)],
        "passEnv": passed(settings, environ),
        "env": assigned,
        "timeoutMs": MILLISECONDS,
        "noOutputTimeoutMs": MILLISECONDS,
    }


def passed(settings: Settings, environ: Mapping[str, str]) -> list[str]:
    """Return the names of the variables that the resolver needs of the gateway's environment."""
    asked = [*settings.backends(), *settings.led_to()]
    wrapped = str(settings.encryption.get("slot", ""))
    beginnings = tuple(
        beginning
        for word, each in _VARIABLES.items()
        if any(name.startswith(word) for name in (*asked, wrapped))
        for beginning in each
    )
    found = [name for name in environ if name.startswith(beginnings)] if beginnings else []
    return sorted({*found, *_ALWAYS} - _NEVER)


def reference(name: str, secret: str) -> dict[str, str]:
    """Return what stands in the gateway's file instead of a value: exactly these three keys."""
    return {"source": "exec", "provider": name, "id": secret}


def resolver_path(environ: Mapping[str, str]) -> str:
    """Return the resolver that the gateway will start, as it wants it; `ConfigError` where none is.

    It refuses a link, a file that others can write, and one of another user.
    """
    here = os.path.dirname(os.path.abspath(sys.argv[0]))
    beside = os.path.dirname(os.path.realpath(sys.executable))
    in_venv = os.path.join(sys.prefix, "bin")
    path = which(RESOLVER, path=f"{in_venv}:{here}:{beside}:{environ.get('PATH', '')}")
    if path is None:
        raise ConfigError(f"{RESOLVER} is not found", hint="pip install openclaw-cli")
    path = os.path.realpath(path)
    trouble = unfit(path)
    if trouble:
        raise ConfigError(f"the gateway would not start {path}: {trouble[0]}", hint=trouble[1])
    return path


def wired(root: json5.Node | None) -> dict[str, str]:
    """Return the providers of a gateway's configuration that run our resolver, with its path."""
    providers = root.at("secrets", "providers") if root else None
    found = {}
    for name, each in providers.members.items() if providers else ():
        command = each.members.get("command")
        if command is not None and os.path.basename(command.text) == RESOLVER:
            found[name] = command.text
    return found


def unfit(path: str) -> tuple[str, str] | None:
    """Return why the gateway would not start a program and the mend, None where it would."""
    try:
        found = os.lstat(path)
    except OSError:
        return "it is not there", f"ls -l {path}"
    if stat.S_ISLNK(found.st_mode):
        return "it is a link", f"name it there as {os.path.realpath(path)}"
    if found.st_mode & _OTHERS_MAY_WRITE:
        return "others can write it", f"chmod go-w {path}"
    if found.st_uid != os.geteuid():
        return "it belongs to another user", f"ls -l {path}"
    return None
