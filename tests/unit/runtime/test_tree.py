"""Who is below whom, as far as /proc says; what it does not say is not believed."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from openclaw_cli.runtime import tree


def _now() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def test_what_is_above_us_is_apart_and_what_is_below_is_not() -> None:
    with subprocess.Popen(["sleep", "60"]) as child:
        time.sleep(0.02)  # a tick, so that the child's beginning is past
        assert tree.is_apart(os.getppid(), os.getpid(), _now())
        assert tree.is_apart(os.getpid(), child.pid, _now())
        assert not tree.is_apart(child.pid, os.getpid(), _now())
        assert not tree.is_apart(child.pid, os.getppid(), _now())
        child.kill()


def test_one_that_is_gone_is_not_apart() -> None:
    with subprocess.Popen(["true"]) as child:
        child.wait()
    assert not tree.is_apart(child.pid, 1, _now())


def test_one_that_began_later_has_anothers_number() -> None:
    before = _now() - 0.1
    code = "import os; print(os.getpid(), flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        time.sleep(0.02)
        unrelated = other.pid + 1_000_000_000
        assert tree.is_apart(other.pid, unrelated, _now())
        assert not tree.is_apart(other.pid, unrelated, before)
        other.communicate(b"\n")
