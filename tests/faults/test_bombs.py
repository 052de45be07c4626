"""What forks without end is stopped as a whole, whoever its parent is by then."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from openclaw_cli.runtime import tree
from tests.gateways import HANDLERS

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
BREEDS = """
import os, sys, time
tokens, filled = os.pipe()
os.write(filled, b"." * 150)
os.close(filled)
deadline = time.monotonic() + 3
while time.monotonic() < deadline:
    if os.read(tokens, 1) and os.fork() == 0:
        os.setsid()
    time.sleep(0.02)
os._exit(0)
"""
FORKS = """
import os, sys, time
from openclaw_cli.runtime import worker
if sys.argv[1] == "limited":
    worker.limit_threads(40)
made = []
try:
    while len(made) < 150:
        pid = os.fork()
        if not pid:
            time.sleep(30)
            os._exit(0)
        made.append(pid)
except BlockingIOError:
    pass
for pid in made:
    os.kill(pid, 9)
print(len(made))
"""


def bomb(how: str, state: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.bombs", HANDLERS, state, how],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
        timeout=40,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("kind", ["", "-orphans"])
def test_more_processes_than_allowed_are_ended_together(kind: str, tmp_path: Path) -> None:
    found = bomb(f"watched{kind}", tmp_path)
    assert found["outcome"] == "process_limit"
    assert found["left"] == 0
    assert found["seconds"] < 8
    assert bomb(f"few{kind}", tmp_path)["outcome"] == "timeout"  # the control


@pytest.mark.parametrize("how", ["killed", "drowned"])
def test_what_a_lost_zygote_leaves_is_ended_at_once(how: str, tmp_path: Path) -> None:
    found = bomb(how, tmp_path)
    assert found["most"] > 20
    assert (found["outcome"], found["left"]) == ("lost", 0)
    assert bomb(f"{how}-unswept", tmp_path)["left"] > 0


@pytest.mark.parametrize("whole", [True, False])
def test_a_tree_that_grows_is_ended_only_when_it_is_stopped_first(*, whole: bool) -> None:
    alive, held = os.pipe()
    with subprocess.Popen([sys.executable, "-c", BREEDS], pass_fds=[held]) as root:
        os.close(held)
        while not len(tree.below(root.pid, 1000)) >= 4:
            time.sleep(0.001)
        if whole:
            tree.end([root.pid])
        else:  # the control: each is killed, and none is stopped
            seen = [root.pid, *tree.below(root.pid, 1000)]
            time.sleep(0.1)
            for each in seen:
                tree.send(each, 9)
    gone = bool(select.select([alive], [], [], 0.5)[0])  # its other end is every one of them
    assert gone == whole
    assert select.select([alive], [], [], 20)[0]
    os.close(alive)


def test_a_tree_is_read_no_further_than_needed() -> None:
    with subprocess.Popen(["/bin/sh", "-c", "sh -c 'sleep 9 & wait' & wait"]) as shell:
        while len(tree.below(shell.pid, 1000)) < 2:
            time.sleep(0.001)
        assert len(tree.below(shell.pid, 0)) == 1
        assert len(tree.end([shell.pid])) == 3


def test_the_kernel_refuses_a_user_more_threads() -> None:
    become = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]

    def forks(how: str) -> int:
        argv = [*become, "/usr/bin/python3", "-c", FORKS, how]
        return int(subprocess.run(argv, stdout=subprocess.PIPE, check=True, cwd=ROOT).stdout)

    assert forks("limited") < 60
    assert forks("free") == 150
