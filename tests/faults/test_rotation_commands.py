"""The installed program, killed at its real system calls in the middle of a rotation.

The whole product is taken in `test_rotation.py`, in one process; here a sample of it (much more in
the nightly run) shows that the program does the same when nothing of it is wrapped.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import NIGHTLY, SCRIPTS, Openclaw
from tests.faults.test_whole_commands import CALLS, positions

pytestmark = [pytest.mark.slow, pytest.mark.integration]

SAMPLE = 200 if NIGHTLY else 5

PROGRAM = """#!/bin/sh
told=$(cat)
field() {{ printf %s "$told" | sed -n "s/.*\\"$1\\": \\"\\([^\\"]*\\)\\".*/\\1/p"; }}
case $(field step) in
set) : > "{service}/$(field value)" ;;
test) [ -e "{service}/$(field value)" ] ;;
undo|revoke) rm -f "{service}/$(field value)" ;;
esac
"""


class Place:
    """A home with a secret, and the service that accepts it: a file for each value."""

    def __init__(self, openclaw: Openclaw, tmp_path: Path) -> None:
        self.openclaw = openclaw
        self.root = Path(os.environ["OPENCLAW_STATE_DIR"])
        self.service = tmp_path / "service"
        self.service.mkdir()
        program = tmp_path / "rotate-acme"
        program.write_text(PROGRAM.format(service=self.service))
        program.chmod(0o700)
        (self.service / "first").touch()
        openclaw("secrets", "create", "acme-key", input=b"first", check=0)
        line = ["--with", "command", "--setting", f"command={program}", "--grace", "0"]
        kind = ["--setting", "kind=token:hex"]
        openclaw("secrets", "rotate", "acme-key", *line, *kind, "--schedule", "weekly", check=0)
        self.kept = tmp_path / "kept"
        shutil.copytree(self.root, self.kept / "state")
        shutil.copytree(self.service, self.kept / "service")

    def fresh(self) -> None:
        """Put everything back as it was before the rotation."""
        for made, name in ((self.root, "state"), (self.service, "service")):
            shutil.rmtree(made)
            shutil.copytree(self.kept / name, made)

    def rotate(self, trace: Path, *more: str) -> int:
        """Run the rotation under strace; return its status."""
        done = subprocess.run(
            [
                *("strace", "-y", "-o", str(trace), "-e", f"trace={CALLS}", *more),
                *(f"{SCRIPTS}/openclaw", "secrets", "rotate", "acme-key"),
            ],
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert b"Traceback" not in done.stderr
        return done.returncode

    def accepted(self) -> list[str]:
        """Return the values that the service accepts."""
        return sorted(path.name for path in self.service.iterdir())

    def current(self) -> str:
        """Return the value that readers are given."""
        return self.openclaw("secrets", "get", "acme-key", check=0).out.decode()


def test_a_real_kill_in_a_rotation_leaves_an_accepted_value_and_is_resumed(
    openclaw: Openclaw, tmp_path: Path
) -> None:
    place, trace = Place(openclaw, tmp_path), tmp_path / "trace"
    place.fresh()
    assert place.rotate(trace) == 0
    assert place.accepted() == [place.current()]
    found = positions(trace, str(place.root))
    assert len(found) > 20
    step = max(1, len(found) // SAMPLE)
    for name, when in found[step // 2 :: step]:
        place.fresh()
        inject = f"inject={name}:signal=SIGKILL:when={when}"
        assert place.rotate(trace, "-e", inject) == -9, inject
        assert place.current() in place.accepted(), inject
        begun = openclaw("secrets", "status", "acme-key", "--json").json()["rotation"]["step"]
        openclaw("secrets", "rotate", "--due", env={"OPENCLAW_NO_HOT": "1"}, check=0)
        assert place.accepted() == [place.current()], (inject, begun)
        versions = openclaw("secrets", "history", "acme-key", "--json").json()["versions"]
        assert len(versions) <= 2, inject
        assert [each["stage"] for each in versions].count("current") == 1, inject
