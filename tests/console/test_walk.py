"""The walk of a stranger: from the README to a daily rotation and a CI job, in fifteen minutes.

The lines are taken from the page and run as they stand; cron's lines run as cron would run them,
tomorrow; and reading and typing all of it is counted.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.conftest import SCRIPTS
from tests.console.runner import play, steps

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
WALK = ROOT / "docs" / "tutorial" / "unattended.md"
CRON = re.compile(r"^```crontab\n(.*?)^```$", re.MULTILINE | re.DOTALL)

MINUTES = 15
READ = 200  # words a minute, of a text with commands in it
TYPED = 200  # characters a minute, slowly; most are pasted


def minutes(text: str) -> float:
    """Return how long a stranger takes to read a page and to type its commands."""
    typed = sum(len(step.command) for step in steps(text)) + sum(map(len, CRON.findall(text)))
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    return len(prose.split()) / READ + typed / TYPED


def test_it_is_read_and_typed_in_less_than_fifteen_minutes() -> None:
    begin = README.read_text().partition("## What you get")[0]
    assert minutes(begin) + minutes(WALK.read_text()) < MINUTES
    assert minutes(WALK.read_text() * 3) > MINUTES  # so the count counts


def test_the_readme_leads_there() -> None:
    assert "docs/tutorial/unattended.md" in README.read_text()


def cron(line: str, home: Path, days: int) -> subprocess.CompletedProcess[bytes]:
    """Run a line of a crontab as cron does, some days from now: sh, and next to no environment."""
    command = line.split(None, 5)[5]
    return subprocess.run(
        ["faketime", "-f", f"+{days}d", "/bin/sh", "-c", command],
        env={"HOME": str(home), "PATH": f"{SCRIPTS}:/usr/bin:/bin", "SHELL": "/bin/sh"},
        cwd=home,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.integration
def test_tomorrow_cron_rotates_and_the_job_has_the_new_value(tmp_path: Path) -> None:
    page, home = WALK.read_text(), tmp_path / "stranger"
    rotate, bundle = [line for block in CRON.findall(page) for line in block.splitlines()]
    assert [seen.status for seen in play(steps(page), home)] == [
        step.status for step in steps(page)
    ]

    def openclaw(*line: str, days: int = 0, **environ: str) -> str:
        done = subprocess.run(
            ["faketime", "-f", f"+{days}d", f"{SCRIPTS}/openclaw", *line],
            env={"HOME": str(home), "PATH": os.defpath, **environ},
            capture_output=True,
            check=True,
        )
        return done.stdout.decode()

    first = openclaw("secrets", "get", "session-key")
    assert cron(rotate, home, 0).returncode == 0
    assert openclaw("secrets", "get", "session-key") == first  # it is not due yet

    for days in (2, 3):
        done = cron(rotate, home, days)
        assert (done.returncode, done.stderr) == (0, b"")
        again = cron(rotate, home, days)
        assert (again.returncode, again.stdout, again.stderr) == (0, b"", b"")
        sealed = cron(bundle, home, days)
        assert (sealed.returncode, sealed.stdout, sealed.stderr) == (0, b"", b"")
        now = openclaw("secrets", "get", "session-key", days=days)
        assert now != first
        job = {
            "OPENCLAW_BUNDLE": str(home / "ci" / "ci.bundle"),
            "OPENCLAW_BUNDLE_KEY": (home / "ci" / "key").read_text().strip(),
            "OPENCLAW_BUNDLE_OUTPUT": str(home / f"records-{days}"),
        }
        assert openclaw("secrets", "get", "session-key", days=days, **job) == now
        first = now

    told = json.loads(openclaw("secrets", "status", "session-key", "--json", days=3))
    assert told["state"] == "ok"
    openclaw("secrets", "audit", "verify", days=3)
