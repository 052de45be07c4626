"""C16: an entry of `cron` that means rotation has the gateway rotate what is due at that time."""

from __future__ import annotations

import json
import os
import subprocess
import sysconfig
import time
from pathlib import Path

import pytest

from tests.conftest import Openclaw

SCRIPTS = sysconfig.get_path("scripts")
DAY = 86_400
PATIENCE = 60  # seconds, of a gateway that looks at the clock every 15


@pytest.mark.slow
@pytest.mark.integration
def test_c16_the_gateway_rotates_what_is_due_at_three(openclaw: Openclaw) -> None:
    state = Path(os.environ["OPENCLAW_STATE_DIR"])
    openclaw("secrets", "create", "session-key", "--generate", check=0)
    openclaw("secrets", "rotate", "session-key", "--schedule", "daily", check=0)
    first = openclaw("secrets", "get", "session-key").out
    entries = [
        {"name": "rotate-secrets", "schedule": "0 3 * * *"},
        {"name": "morning-news", "schedule": "0 3 * * *"},
    ]
    port = {"host": "127.0.0.1", "port": 0}
    (state / "openclaw.json").write_text(json.dumps({"cron": entries, "gateway": port}))
    now = time.time()
    three = (now // DAY + 2) * DAY + 3 * 3600
    gateway = subprocess.Popen(
        ["faketime", "-f", f"+{int(three - now) - 3}s", f"{SCRIPTS}/openclaw", "gateway", "run"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        until = time.monotonic() + PATIENCE
        while openclaw("secrets", "get", "session-key").out == first:
            assert gateway.poll() is None, gateway.stdout and gateway.stdout.read()
            assert time.monotonic() < until, "nothing was rotated"
            time.sleep(0.5)
    finally:
        openclaw("gateway", "stop", "--wait", "1s")  # faketime passes no signal on
        said, _ = gateway.communicate(timeout=30)
    history = openclaw("secrets", "history", "session-key", "--json").json()
    assert len(history["versions"]) == 2
    logged = (state / "logs" / "agent.log").read_text() + said.decode()
    assert "rotate-secrets" in logged
