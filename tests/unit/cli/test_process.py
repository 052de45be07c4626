"""What the process changes for its own safety."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

PROBE = """
import resource
from openclaw_cli.cli import process
resource.setrlimit(resource.RLIMIT_CORE, ({soft}, {hard}))
process.harden()
print(*resource.getrlimit(resource.RLIMIT_CORE))
process.soften()
print(*resource.getrlimit(resource.RLIMIT_CORE))
"""


@pytest.mark.parametrize(
    ("soft", "hard", "inside"),
    [(-1, -1, "1 -1"), (0, -1, "1 -1"), (4096, 8192, "1 8192"), (0, 0, "0 0")],
)
def test_no_core_file_is_made_and_none_is_piped_and_a_program_gets_its_limit_back(
    soft: int, hard: int, inside: str
) -> None:
    program = PROBE.format(soft=soft, hard=hard)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True
    )
    assert done.stdout.splitlines() == [inside, f"{soft} {hard}"]


def test_a_command_did_not_begin_before_it_was_started() -> None:
    code = (
        "import time; from openclaw_cli.cli import process; process.own = True;"
        "print(repr(process.began()), repr(time.time()))"
    )
    for _ in range(20):
        before = time.time()
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
        began, then = map(float, done.stdout.split())
        assert before <= began <= then
