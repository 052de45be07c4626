"""The systemd unit of a user's gateway."""

from __future__ import annotations

import os
import sys

from openclaw_cli import newfile
from openclaw_cli.files import failure
from openclaw_cli.home import Home

NAME = "openclaw-gateway.service"

_UNIT = """\
[Unit]
Description=openclaw gateway: agents and their secrets
After=network-online.target

[Service]
Type=notify
NotifyAccess=main
ExecStart={program}
ExecReload=/bin/kill -HUP $MAINPID
Environment={environment}
UMask=0077
Restart=on-failure
RestartSec=2
TimeoutStopSec=40
KillMode=mixed
Delegate=yes
LimitCORE=0
NoNewPrivileges=yes

[Install]
WantedBy=default.target
"""


def text(home: Home) -> str:
    """Return the unit for a home."""
    variables = [f"OPENCLAW_STATE_DIR={home.root}"]
    if home.environment:
        variables.append(f"OPENCLAW_ENVIRONMENT={home.environment}")
    argv = [sys.executable, "-P", "-m", "openclaw_cli.gateway"]
    return _UNIT.format(
        program=" ".join(map(_quoted, argv)), environment=" ".join(map(_quoted, variables))
    )


def write(unit: str) -> str:
    """Write it where systemd looks for units of this user; return where."""
    config = os.environ.get("XDG_CONFIG_HOME") or f"{os.path.expanduser('~')}/.config"
    folder = f"{config}/systemd/user"
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
    except OSError as refused:
        raise failure("create", folder, refused) from None
    newfile.write(f"{folder}/{NAME}", [unit.encode()], force=True)
    return f"{folder}/{NAME}"


def _quoted(word: str) -> str:
    """Write a word as systemd reads it."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"'
