"""Rotations that run by themselves: under the real cron, and units that systemd accepts."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest

from tests.conftest import Openclaw

pytestmark = pytest.mark.integration

SCRIPTS = sysconfig.get_path("scripts")
OLD = b"# mine\n0 4 * * * /bin/true\n"

# The crontabs and the lock of the machine's own cron stay out of reach.
PRIVATE = """
set -eu
mount -t tmpfs -o mode=1730 tmpfs /var/spool/cron/crontabs
mount -t tmpfs tmpfs /run
{script}
"""


def privately(script: str, timeout: float = 100) -> subprocess.CompletedProcess[bytes]:
    """Run a script of the shell as root of a mount name space of its own."""
    return subprocess.run(
        ["unshare", "-m", "sh", "-c", PRIVATE.format(script=script)],
        capture_output=True,
        check=False,
        timeout=timeout,
    )


def test_cron_rotates_what_is_due_with_next_to_no_environment(
    openclaw: Openclaw, tmp_path: Path
) -> None:
    program = shutil.which("faketime")
    assert program
    line = [program, "-f", "-20m", os.path.join(SCRIPTS, "openclaw"), "secrets"]
    subprocess.run([*line, "create", "session-key", "--generate"], check=True)
    subprocess.run([*line, "rotate", "session-key", "--schedule", "every:5m"], check=True)
    before = openclaw("secrets", "get", "session-key").out
    script = f"""
    printf '%s' '{OLD.decode()}' | crontab -
    openclaw secrets schedule install --cron --quiet
    crontab -l | sed 's/^[0-9]* \\* \\* \\* \\* env/* * * * * env/' > {tmp_path}/now
    grep -q '^\\* \\* \\* \\* \\* env' {tmp_path}/now
    crontab {tmp_path}/now
    cron -f -L 15 &
    cron=$!
    for i in $(seq 750); do
        [ -e {tmp_path}/done ] && break
        openclaw secrets get 'session-key?version=2' && touch {tmp_path}/done
        sleep 0.1
    done
    kill $cron
    openclaw secrets schedule uninstall --quiet
    crontab -l > {tmp_path}/after
    """
    done = privately(script)
    assert done.returncode == 0, done
    assert openclaw("secrets", "get", "session-key").out != before
    assert (tmp_path / "after").read_bytes().endswith(OLD)
    events = openclaw("secrets", "audit", "--action", "rotate", "--json").json()["events"]
    assert events[-1]["actor"]["via"] in {"cron", "program"}
    assert openclaw("secrets", "rotate", "--due", check=0).err == b""


def test_installing_twice_is_one_line_and_nothing_else_is_touched(tmp_path: Path) -> None:
    script = f"""
    printf '%s' '{OLD.decode()}' | crontab -
    openclaw secrets schedule install --cron --dry-run > {tmp_path}/shown
    crontab -l > {tmp_path}/still
    openclaw secrets schedule install --cron
    openclaw secrets schedule install --cron
    crontab -l > {tmp_path}/installed
    openclaw secrets schedule status > {tmp_path}/status
    openclaw secrets schedule uninstall
    openclaw secrets schedule uninstall
    crontab -l > {tmp_path}/after
    """
    done = privately(script)
    assert done.returncode == 0, done
    assert b"rotate --due" not in (tmp_path / "still").read_bytes()
    installed = (tmp_path / "installed").read_bytes()
    assert installed.count(b"secrets rotate --due") == 1
    assert (tmp_path / "shown").read_bytes() in installed
    assert b"cron: " in (tmp_path / "status").read_bytes()
    assert (tmp_path / "after").read_bytes().endswith(OLD)
    assert b"nothing was installed" in done.stderr


def test_systemd_takes_the_units(openclaw: Openclaw, tmp_path: Path) -> None:
    done = openclaw("secrets", "schedule", "install", "--systemd", check=0)
    assert done.out == b""
    folder = Path(os.environ["HOME"]) / ".config" / "systemd" / "user"
    for name in ("openclaw-rotate.service", "openclaw-rotate.timer"):
        copied = tmp_path / name
        copied.write_bytes((folder / name).read_bytes())
        copied.chmod(0o644)
    units = sorted(map(str, tmp_path.glob("openclaw-rotate.*")))
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *units], capture_output=True, check=False
    )
    assert verified.returncode == 0, verified
    assert b"openclaw" not in verified.stderr
    subprocess.run(["systemd-analyze", "calendar", "hourly"], check=True, capture_output=True)
    openclaw("secrets", "schedule", "uninstall", check=0)
    assert not list(folder.iterdir())


def test_the_verification_of_units_can_fail(tmp_path: Path) -> None:
    broken = tmp_path / "broken.service"
    broken.write_text("[Service]\nExecStart=not-absolute\n")
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(broken)], capture_output=True, check=False
    )
    assert verified.returncode


def test_a_dry_run_shows_what_would_be_written(openclaw: Openclaw) -> None:
    shown = openclaw("secrets", "schedule", "install", "--systemd", "--dry-run", check=0).out
    assert b"OnCalendar=hourly" in shown
    assert not (Path(os.environ["HOME"]) / ".config").exists()
    plain = openclaw("secrets", "schedule", "install", "--cron", "--dry-run", "--json").json()
    assert plain["installed"] is False
    assert len(plain["lines"]) == 3


@pytest.mark.parametrize(
    "words",
    [(), ("--cron", "--systemd"), ("--cron", "--notify", "mail"), ("--cron", "--notify", "/no")],
)
def test_what_cannot_be_installed_is_refused(openclaw: Openclaw, words: tuple[str, ...]) -> None:
    refused = openclaw("secrets", "schedule", "install", *words, "--json")
    assert refused.status == 2
    assert json.loads(refused.err)["error"]["hint"]
