"""`memory.max` and `pids.max`, held by a kernel that has both.

That is this machine's; where it has these controllers in hierarchies of version 1, it is a Linux in
user mode, started for the test.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from openclaw_cli.runtime.plan import THREADS
from tests.conftest import MEMORY
from tests.groups import delegated

pytestmark = [pytest.mark.integration, pytest.mark.slow]

HERE = Path(__file__).parent
PROGRAM = HERE / "limited_tree.py"


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return what `limited_tree.py` found."""
    scratch = tmp_path_factory.mktemp("uml")
    place = Path(tempfile.mkdtemp(dir=MEMORY))
    with delegated() as folder:
        given = (folder / "cgroup.controllers").read_text().split()
        if {"memory", "pids"} <= set(given):
            argv = [sys.executable, "-P", "-B", str(PROGRAM), str(folder), str(place)]
        else:
            argv = _in_user_mode(scratch)
        said = _said(argv, scratch)
    shutil.rmtree(place)
    line = next((each for each in said.splitlines() if each.startswith("FOUND ")), "")
    assert line, said[-4000:]
    answer: dict[str, Any] = json.loads(line.removeprefix("FOUND "))
    return answer


def _in_user_mode(scratch: Path) -> list[str]:
    """Return what runs the program in a Linux of its own, with this machine's files read only."""
    return [
        "linux.uml",
        *("mem=700M", "root=/dev/root", "rootfstype=hostfs", "rootflags=/", "ro", "quiet"),
        *("con=null", "con0=null,fd:2", "con1=fd:0,fd:1", f"uml_dir={scratch}"),
        f"OPENCLAW_AT={HERE.parents[1]}",
        f"OPENCLAW_PYTHON={sys.executable}",
        f"OPENCLAW_RUNS={PROGRAM}",
        f"init={HERE / 'own_kernel.sh'}",
    ]


def _said(argv: list[str], scratch: Path) -> str:
    done = subprocess.run(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={"PATH": os.environ["PATH"], "TMPDIR": str(scratch)},  # its memory is a file there
        timeout=240,
        check=False,
    )
    return done.stdout.decode(errors="replace")


def test_each_group_has_the_limits_of_its_agent(found: dict[str, Any]) -> None:
    held = ["RLIMIT_DATA", "memory.max", "pids.max", "cgroup.kill", "watchdog"]
    assert found["holds"] == {"crowd": held, "tree": held}
    assert found["cgroup"]["controllers"] == ["memory", "pids"]
    page = 4096
    assert int(found["said"].pop("memory.max")) == 60_000_000 // page * page
    assert found["said"] == {
        "memory.swap.max": "0",
        "memory.oom.group": "1",
        "pids.max": str(THREADS),
    }


def test_a_tree_that_takes_too_much_is_ended_as_a_whole_by_the_kernel(
    found: dict[str, Any],
) -> None:
    assert "memory_limit" in found["tree"][1]
    killed = {line.split()[0]: int(line.split()[1]) for line in found["ended"]}
    assert killed["oom_kill"] >= 2
    assert killed["oom_group_kill"] == 1
    assert found["tree without"] == "all of them"  # the control


def test_threads_of_root_are_held_to_their_number(found: dict[str, Any]) -> None:
    assert 200 < int(found["crowd"]) < THREADS
    assert found["crowd without"] == "400"  # the control: root is exempt from RLIMIT_NPROC


def test_a_group_in_which_memory_was_left_is_not_taken_again(found: dict[str, Any]) -> None:
    assert len(found["before"]) <= 2  # the control: the spare's and the one before
    assert found["leaves"]
    assert not found["taken again"]
    assert len(found["left"]) == 1  # the gateway's own
