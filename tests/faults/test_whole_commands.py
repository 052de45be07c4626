"""The installed program, killed or interrupted by strace at its real system calls.

The products over all calls are taken in `test_kill.py` and `test_errors.py`, in forked children;
here a sample of them (all of them in the nightly run) shows that the program does the same when
nothing of it is wrapped.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import NIGHTLY, SCRIPTS
from tests.faults import cases, world

pytestmark = [pytest.mark.slow, pytest.mark.integration]

CALLS = (
    "openat,write,pwrite64,rename,renameat,renameat2,unlink,unlinkat,fsync,fdatasync,ftruncate,"
    "mkdir,mkdirat,flock"
)
CASES = [each for each in cases.CASES if not (each.inside or each.env or each.resumes)]
UNINTERRUPTED = ("rename", "renameat", "renameat2", "unlink", "unlinkat", "mkdir")
"""Linux never answers EINTR here, and Python does not ask again."""

SAMPLE = 10_000 if NIGHTLY else 3


def strace(case: cases.Case, template: str, root: str, trace: Path, *more: str) -> int:
    """Run a command under strace; return its status."""
    done = subprocess.run(
        ["strace", "-y", "-o", str(trace), *more, f"{SCRIPTS}/openclaw", *case.filled(template)],
        input=case.given,
        # Byte code that is written in one run and not in the next would shift the numbers.
        env={
            **os.environ,
            "OPENCLAW_STATE_DIR": root,
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert not world.leaked(done.stderr)
    assert b"Traceback" not in done.stderr
    return done.returncode


def positions(trace: Path, root: str) -> list[tuple[str, int]]:
    """Return each call that concerns the state directory: its name, and its number among those."""
    seen: Counter[str] = Counter()
    found = []
    for line in trace.read_text(errors="replace").splitlines():
        name = re.match(r"(\w+)\(", line)
        if not name:
            continue
        seen[name[1]] += 1
        changes = name[1] != "openat" or "O_CREAT" in line or "O_TRUNC" in line
        if root in line and changes:
            found.append((name[1], seen[name[1]]))
    return found


def spread(found: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """Take a sample, evenly from the beginning to the end."""
    step = max(1, len(found) // SAMPLE)
    return found[step // 2 :: step]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_real_kill_leaves_the_old_state_or_the_new_one(
    case: cases.Case, template: Callable[[str], str], place: str, tmp_path: Path
) -> None:
    made, root, trace = template(case.before), f"{place}/state", tmp_path / "trace"
    world.copied(made, root)
    before = world.state(root)
    assert strace(case, made, root, trace, "-e", f"trace={CALLS}") == 0
    after = world.state(root)
    found = positions(trace, root)
    assert len(found) >= 3
    for name, when in spread(found):
        world.copied(made, root)
        inject = f"inject={name}:signal=SIGKILL:when={when}"
        status = strace(case, made, root, trace, "-e", f"trace={CALLS}", "-e", inject)
        where = f"{case}: {inject}"
        assert status == -9, where
        assert trace.read_text(errors="replace").endswith("+++ killed by SIGKILL +++\n"), where
        now = world.state(root)
        assert now == after or world.unchanged(before, now), where
        assert all(each.endswith(world.LEFT) for each in world.strays(root)), where
        world.check_usable(root)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_call_that_a_signal_interrupts_is_made_again(
    case: cases.Case, template: Callable[[str], str], place: str, tmp_path: Path
) -> None:
    made, root, trace = template(case.before), f"{place}/state", tmp_path / "trace"
    world.copied(made, root)
    assert strace(case, made, root, trace, "-e", f"trace={CALLS}") == 0
    after = world.state(root)
    found = positions(trace, root)
    for name, when in spread(found):
        world.copied(made, root)
        inject = f"inject={name}:error=EINTR:when={when}"
        status = strace(case, made, root, trace, "-e", f"trace={CALLS}", "-e", inject)
        assert "(INJECTED)" in trace.read_text(errors="replace"), inject
        if name not in UNINTERRUPTED:
            assert status == 0, (inject, status)
            assert world.state(root) == after, inject
        world.check_usable(root)
