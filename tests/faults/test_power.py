"""Power cuts: what was acknowledged is there afterwards, and nothing has to be repaired.

First on a disk that forgets all it may, cut at every call. Then on a real ext4: a writer is
stopped, its disk copied as it is at that moment, and the copy mounted.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from openclaw_cli.errors import OpenclawError
from openclaw_cli.model import SecretValue
from openclaw_cli.names import parse
from tests.conftest import NIGHTLY
from tests.faults import cases, tap, world
from tests.faults.disk import Disk
from tests.faults.tap import forked

pytestmark = pytest.mark.slow

CHANCES = 12 if NIGHTLY else 1
"""States by chance for each call, besides the least one that may be left."""


def cut_everywhere(
    case: cases.Case,
    template: str,
    place: str,
    *,
    forget: str = "",
) -> int:
    """Cut the power at each call of a command, and look at what is left; return how many cuts.

    `forget` names a kind of call that the disk does not hear, for controls.
    """
    root = world.copied(template, f"{place}/state")
    os.makedirs(root, mode=0o700, exist_ok=True)
    disk = Disk(root)
    before = world.state(root)
    line, environ = case.filled(template), case.environ(template)
    whole = tap.run(line, root, given=case.given, inside=case.inside, env=environ)
    assert whole.status == 0, whole
    after = world.state(root)
    chance = random.Random(str(case))
    wrong = []
    cuts = 0
    for at, call in enumerate([*whole.calls, None]):
        for each in [None] + [chance] * CHANCES:
            shutil.rmtree(root)
            disk.lay_out(root, each)
            cuts += 1
            try:
                if case.resumes and call is not None:
                    again = tap.run(line, root, given=case.given, env=environ)
                    assert again.status == 0, again.err
                now = world.state(root)
                lost = now != after and (call is None or not world.unchanged(before, now))
                assert not lost, "lost"
                world.check_usable(root)
            except (AssertionError, OpenclawError, OSError, ValueError) as broken:
                wrong.append(f"cut before call {at} ({call}): {broken!r}"[:300])
        if call and call.kind != forget:
            disk.apply(call)
    if wrong:
        pytest.fail(f"{case}: {len(wrong)} of {cuts}:\n" + "\n".join(wrong[:20]), pytrace=False)
    return cuts


@pytest.mark.parametrize(
    "case", [each for each in cases.CASES if each.env != cases.IN_MEMORY], ids=str
)
def test_a_power_cut_at_any_call_leaves_the_old_state_or_the_new_one(
    case: cases.Case, template: Callable[[str], str], place: str
) -> None:
    assert cut_everywhere(case, template(case.before), place) >= 10


def test_without_syncs_a_power_cut_loses_what_was_acknowledged(
    template: Callable[[str], str], place: str
) -> None:
    case = cases.CASES[2]
    with pytest.raises(pytest.fail.Exception, match=r"secrets set: \d+ of"):
        cut_everywhere(case, template(case.before), place, forget="sync")


ROUNDS = 200 if NIGHTLY else 5
SIZE = 8 * 1024 * 1024  # bytes of the disk


@contextmanager
def mounted(image: str, point: str) -> Iterator[str]:
    """Mount an ext4 image; needs root and loop devices."""
    world.need_root()
    os.makedirs(point, exist_ok=True)
    subprocess.run(["mount", "-o", "loop,noatime", image, point], check=True)
    try:
        yield point
    finally:
        subprocess.run(["umount", point], check=True)


def cut_for_real(place: str, rounds: int, *, inside: Callable[[], None] | None = None) -> int:
    """Stop a writer some time after its start, copy its disk, and look at the copy.

    What the writer says goes through a pipe, so that it is known from outside the disk. Returns
    how many changes were acknowledged in all.
    """
    image, copy = f"{place}/disk", f"{place}/copy"
    with open(image, "wb") as disk:
        disk.truncate(SIZE)
    subprocess.run(["mkfs.ext4", "-q", "-F", image], check=True)
    total = 0
    moment = random.Random(rounds)
    with mounted(image, f"{place}/point") as point:
        for number in range(rounds):
            root = f"{point}/state"
            shutil.rmtree(root, ignore_errors=True)
            if number % 2:  # the others begin with the first create of all
                world.changes(root).set("round", SecretValue(b"0"))
            acknowledged, heard = os.pipe()
            with forked() as pid:
                if pid == 0:
                    _write_for_ever(root, heard, inside)
            os.close(heard)
            os.read(acknowledged, 4)
            time.sleep(moment.random() / 10)
            os.kill(pid, signal.SIGSTOP)
            os.waitpid(pid, os.WUNTRACED)
            subprocess.run(["cp", "--sparse=always", image, copy], check=True)
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            rest = b""
            while more := os.read(acknowledged, 1 << 16):
                rest += more
            os.close(acknowledged)
            last = 1 + len(rest) // 4
            total += last
            with mounted(copy, f"{place}/afterwards") as afterwards:
                found = f"{afterwards}/state"
                try:
                    value = world.service(found).read(parse("round")).value.reveal()
                    # One more than was heard may be there: it was stopped before it could say so.
                    assert int(value) in (last, last + 1), f"{last} acknowledged, found {value!r}"
                    world.check_usable(found)
                except OpenclawError as broken:
                    raise AssertionError(f"{last} acknowledged: {broken!r}") from broken
    return total


def _write_for_ever(root: str, heard: int, inside: Callable[[], None] | None) -> None:
    try:
        if inside:
            inside()
        made = world.changes(root)
        for number in range(1, 1_000_000):
            made.set("round", SecretValue(b"%d" % number))
            os.write(heard, number.to_bytes(4, "big"))
    finally:
        os._exit(1)


@pytest.mark.integration
def test_on_a_real_disk_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    assert cut_for_real(str(tmp_path), ROUNDS) >= ROUNDS


def without_sync() -> None:
    """Take every sync out."""
    for name in ("fsync", "fdatasync"):
        setattr(os, name, lambda _fd: None)


@pytest.mark.integration
def test_on_a_real_disk_without_syncs_acknowledged_changes_are_lost(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="acknowledged"):
        cut_for_real(str(tmp_path), 5, inside=without_sync)
