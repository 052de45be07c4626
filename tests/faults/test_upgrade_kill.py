"""`config upgrade` of a 0.1 state directory, killed at every call: nothing lost, and it resumes."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from openclaw_cli.interop import config_file
from openclaw_cli.names import parse
from tests.conftest import NIGHTLY
from tests.faults import tap, world
from tests.vectors.test_state_vectors import VECTORS, private, values

pytestmark = pytest.mark.slow

LINE = ("config", "upgrade", "--quiet")
RECORDS = sum(path.read_bytes().count(b"\n") for path in VECTORS.glob("state-0.1/audit/*.jsonl"))
KEPT = "openclaw.json.before-upgrade"
STEP = 1 if NIGHTLY else 3
OURS = ("compiled", "head", "lock", "trail.jsonl")
"""What is made anew where settings are read, and the trail, which has its own proof."""


@pytest.fixture
def template(tmp_path: Path) -> Path:
    return private(VECTORS / "state-0.1", tmp_path / "template")


def fresh(template: Path, root: str) -> None:
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(template, root)


def files(root: str | Path) -> dict[str, bytes]:
    every = [path for path in Path(root).rglob("*") if path.is_file() and path.name not in OURS]
    return {str(path.relative_to(root)): path.read_bytes() for path in every}


def look(root: str, before: dict[str, bytes], after: bytes) -> None:
    """Every file is what it was; the configuration is the old one or the new one, whole."""
    now = files(root)
    assert now.pop("openclaw.json") in (before["openclaw.json"], after)
    if now.get(KEPT) == before["openclaw.json"]:
        del now[KEPT]
    strays = [name for name in now if name.endswith(".new")]
    left = {name: data for name, data in now.items() if name not in strays}
    assert left == {name: data for name, data in before.items() if name != "openclaw.json"}
    assert set(strays) <= {"openclaw.json.new", f"{KEPT}.new", "compiled.new"}
    usable(root)


def usable(root: str) -> None:
    """Every value is read, with its record, and the trail holds it."""
    count = len(world.records(root))  # every one verified, none of the old ones lost
    assert count >= RECORDS
    secrets = world.service(root)
    for name, value in values(Path(root)).items():
        assert secrets.read(parse(name)).value.reveal() == value
    assert len(world.records(root)) == count + len(values(Path(root)))


def points(template: Path, root: str) -> Iterator[tuple[str, tap.Outcome]]:
    """Kill it at calls that change something, and in the middle of writes; nightly at every one."""
    fresh(template, root)
    whole = tap.run(LINE, root)
    assert whole.status == 0, whole
    calls = [call for call in whole.calls if call.kind in tap.CHANGING]
    assert len(calls) > 10
    for at, call in list(enumerate(calls))[::STEP]:
        for what in ("kill", "torn") if call.kind == "write" else ("kill",):
            fresh(template, root)
            ended = tap.run(LINE, root, fault=tap.Fault(what, at, tap.CHANGING))
            if ended.fired:
                yield f"{what} at {at}, {call}", ended


def test_nothing_is_lost_and_a_second_run_ends_it(template: Path, tmp_path: Path) -> None:
    root = str(tmp_path / "state")
    fresh(template, root)
    before = files(root)
    assert tap.run(LINE, root).status == 0
    after = Path(root, "openclaw.json").read_bytes()
    assert after != before["openclaw.json"]
    seen = 0
    for where, ended in points(template, root):
        seen += 1
        assert ended.status == -9, where
        look(root, before, after)
        again = tap.run(LINE, root)
        assert again.status == 0, (where, again)
        assert Path(root, "openclaw.json").read_bytes() == after, where
        assert not os.path.lexists(f"{root}/{KEPT}"), where
    assert seen > 30 // STEP


def test_the_test_notices_a_file_that_is_written_in_its_place(
    template: Path, tmp_path: Path
) -> None:
    root = str(tmp_path / "state")
    fresh(template, root)
    before = files(root)

    def bare() -> None:
        def putting(file: config_file.File, data: bytes, *_rest: object) -> None:
            fd = os.open(file.path, os.O_WRONLY | os.O_TRUNC)
            os.write(fd, data)
            os.close(fd)

        config_file.put = putting  # type: ignore[assignment]

    whole = tap.run(LINE, root, inside=bare)
    assert whole.status == 0
    after = Path(root, "openclaw.json").read_bytes()
    fresh(template, root)
    writes = [call for call in whole.calls if call.kind == "write"]
    last = max(at for at, call in enumerate(writes) if call.path == "openclaw.json")
    fault = tap.Fault("kill", last, frozenset(("write",)))
    assert tap.run(LINE, root, inside=bare, fault=fault).fired
    with pytest.raises(AssertionError):
        look(root, before, after)


def test_a_file_that_does_not_come_back_as_it_was_written_is_put_back(
    template: Path, tmp_path: Path
) -> None:
    root = str(tmp_path / "state")
    fresh(template, root)
    before = files(root)

    def forgetful() -> None:
        real = config_file.put

        def putting(file: config_file.File, _data: bytes, *_rest: object) -> None:
            real(file, b"{}")

        config_file.put = putting  # type: ignore[assignment]

    ended = tap.run(LINE, root, inside=forgetful)
    assert (ended.status, b"the old one is back" in ended.err) == (4, True)
    assert files(root) == before
