"""Where the gateway keeps its files, and how private they are."""

from __future__ import annotations

import os

from openclaw_cli.errors import ConfigError
from openclaw_cli.files import private_directory
from openclaw_cli.home import Home
from openclaw_cli.store.keys.session import folder

_LONGEST = 100  # bytes; a unix socket's path has room for 107


def run(home: Home) -> str:
    """Return the folder of the socket and the lock."""
    return f"{home.base}/run"


def control_socket(home: Home) -> str:
    """Return the path of the control socket; a state directory too deep for it has one elsewhere.

    Both ends compute the same. Raises `ConfigError` where there is no such place.
    """
    path = f"{run(home)}/gateway.sock"
    if len(os.fsencode(path)) <= _LONGEST:
        return path
    import hashlib

    short = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
    path = f"{folder()}/{short}.sock"
    if len(os.fsencode(path)) > _LONGEST:
        raise ConfigError(
            f"the path of the control socket is too long: {path}",
            hint="export XDG_RUNTIME_DIR=/run/user/$(id -u)",
        )
    return path


def lock(home: Home) -> str:
    """Return the path of the file that keeps the gateway single."""
    return f"{run(home)}/gateway.lock"


def logs(home: Home) -> str:
    """Return the folder of the logs."""
    return f"{home.base}/logs"


def agent_log(home: Home) -> str:
    """Return the path of the agents' log."""
    return f"{logs(home)}/agent.log"


def gateway_log(home: Home) -> str:
    """Return the path of what a gateway in the background prints."""
    return f"{logs(home)}/gateway.log"


def state(home: Home) -> str:
    """Return the path of the state file."""
    return f"{home.base}/state.toml"


def tokens(home: Home) -> str:
    """Return the path of the bearer tokens."""
    return f"{home.base}/gateway/tokens.toml"


def sessions(home: Home) -> str:
    """Return the folder of what was said in sessions."""
    return f"{home.base}/sessions"


def handlers(home: Home) -> str:
    """Return the folder in which handlers are looked for."""
    return f"{home.root}/handlers"


def make(home: Home) -> None:
    """Make the folders that the gateway writes into, for its owner alone."""
    for path in (run(home), logs(home), os.path.dirname(tokens(home)), sessions(home)):
        private_directory(path).close()
    socket_folder = os.path.dirname(control_socket(home))
    if socket_folder != run(home):
        private_directory(socket_folder).close()
