"""The systemd unit of a user's gateway."""

from __future__ import annotations

import sys

from openclaw_cli import systemd
from openclaw_cli.home import Home

# Without NoNewPrivileges: `newuidmap`, by which an agent gets a user id of its own, is set-user-id.
# Zygotes set it for themselves and for all that they start.
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
Delegate=memory pids
LimitCORE=0

[Install]
WantedBy=default.target
"""


def name(home: Home) -> str:
    """Return what the unit of a home's environment is called."""
    which = f"-{home.environment}" if home.environment else ""
    return f"openclaw-gateway{which}.service"


def text(home: Home) -> str:
    """Return the unit for a home."""
    variables = [f"OPENCLAW_STATE_DIR={home.root}"]
    if home.environment:
        variables.append(f"OPENCLAW_ENVIRONMENT={home.environment}")
    argv = [sys.executable, "-P", "-m", "openclaw_cli.gateway"]
    return _UNIT.format(
        program=" ".join(map(systemd.quoted, argv)),
        environment=" ".join(f'"{systemd.escaped(each)}"' for each in variables),
    )
