"""A migration that is killed at any call loses nothing, and goes on when it is called again."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from openclaw_cli.errors import NotFoundError
from openclaw_cli.interop import config_file
from openclaw_cli.interop.migrate import steps
from openclaw_cli.names import Reference
from tests.conftest import NIGHTLY, SCRIPTS
from tests.faults import tap, world
from tests.faults.test_whole_commands import CALLS
from tests.unit.interop import installation
from tests.unit.interop.installation import VALUES

pytestmark = pytest.mark.slow

STEP = 1 if NIGHTLY else 12
"""Every position in the nightly run, a sample otherwise."""
FEW = 1 if NIGHTLY else 4
REAL = 10_000 if NIGHTLY else 4
"""How many of the positions within SQLite are tried."""

LINE = ("secrets", "migrate", "--yes", "--shred", "--quiet")
UNDO = ("secrets", "migrate", "--undo", "--yes", "--quiet")
HOOK = b"hook-4"  # has to stay where it is: the gateway takes no reference there


@pytest.fixture
def template(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    folder = installation.installed(tmp_path / "gateway")
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    made = tmp_path / "template"
    installation.state(made)
    return str(made)


def fresh(template: str, root: str) -> None:
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(template, root)


def plain_text(root: str) -> bytes:
    """Return what stands in the gateway's files, and in none of ours."""
    skipped = ("secrets", "audit", "interop")
    found = b""
    for folder, folders, names in os.walk(root):
        folders[:] = [each for each in folders if folder != root or each not in skipped]
        for name in names:
            found += Path(folder, name).read_bytes()
    return found.replace(b"\\'", b"'")


def kept(root: str) -> dict[str, bytes]:
    """Return the values of the store by the names that they ought to have."""
    found = {}
    secrets = world.service(root)
    for name in VALUES:
        try:
            secret = secrets.read(Reference(name, backend="local"))
        except NotFoundError:
            continue
        found[name] = secret.value.reveal()
    return found


def look(root: str) -> None:
    """Each value is where it was, or in the store: at every moment."""
    there, stored = plain_text(root), kept(root)
    for name, value in VALUES.items():
        assert value in there or stored.get(name) == value, name
    assert HOOK in there


def gateways(root: str) -> dict[str, bytes]:
    """Return the gateway's files, of a database its row."""
    found = {}
    for path in sorted(Path(root).rglob("*")):
        name = str(path.relative_to(root))
        if path.is_file() and not name.startswith(("secrets/", "audit/", "interop/", "compiled")):
            sqlite = name.endswith(".sqlite")
            found[name] = installation.row(path).encode() if sqlite else path.read_bytes()
    return found


def done(root: str) -> None:
    """Nothing stands in plain text that could be moved, and all of it is in the store."""
    assert kept(root) == VALUES
    there = plain_text(root)
    assert not [name for name, value in VALUES.items() if value in there]


def points(
    template: str, root: str, line: tuple[str, ...] = LINE, step: int = STEP
) -> Iterator[tuple[str, tap.Outcome]]:
    """Run a line on fresh copies of the template, killed at a later call each time."""
    fresh(template, root)
    whole = tap.run(line, root)
    assert whole.status == 0, whole
    calls = [call for call in whole.calls if call.kind in tap.CHANGING]
    for at in range(0, len(calls), step):
        for what in ("kill", "torn") if tap.can_tear(calls[at]) else ("kill",):
            fresh(template, root)
            ended = tap.run(line, root, fault=tap.Fault(what, at, tap.CHANGING))
            if ended.fired:
                assert ended.status == -signal.SIGKILL
                yield f"{what} at {at}, {calls[at]}", ended


def test_nothing_is_lost_and_a_second_run_ends_it(template: str, tmp_path: Path) -> None:
    root = str(tmp_path / "state")
    seen = 0
    for where, _ in points(template, root):
        seen += 1
        look(root)
        again = tap.run(LINE, root)
        assert again.status == 0, (where, again)
        done(root)
    assert seen > 5


def test_an_interrupted_migration_can_be_undone(template: str, tmp_path: Path) -> None:
    root = str(tmp_path / "state")
    before = plain_text(template)
    for where, _ in points(template, root):
        undone = tap.run(UNDO, root)
        assert undone.status in (0, 3), (where, undone)
        now = plain_text(root)
        for name, value in VALUES.items():
            assert (value in now) == (value in before), (where, name)


def test_an_interrupted_undoing_is_ended_by_the_next(template: str, tmp_path: Path) -> None:
    migrated, root = str(tmp_path / "migrated"), str(tmp_path / "state")
    fresh(template, migrated)
    assert tap.run(LINE, migrated).status == 0
    before = gateways(template)
    seen = 0
    for where, _ in points(migrated, root, UNDO, FEW):
        seen += 1
        assert kept(root) == VALUES, where
        again = tap.run(UNDO, root)
        assert again.status in (0, 3), (where, again)  # 3: all of it had been put back
        assert gateways(root) == before, where
    assert seen > 3


def test_after_an_interrupted_undoing_it_can_be_migrated_again(
    template: str, tmp_path: Path
) -> None:
    migrated, root = str(tmp_path / "migrated"), str(tmp_path / "state")
    fresh(template, migrated)
    assert tap.run(LINE, migrated).status == 0
    for where, _ in points(migrated, root, UNDO, FEW):
        again = tap.run(LINE, root)
        assert again.status == 0, (where, again)
        done(root)


def test_interrupted_shredding_loses_nothing_and_is_ended_by_the_next(
    template: str, tmp_path: Path
) -> None:
    migrated, root = str(tmp_path / "migrated"), str(tmp_path / "state")
    fresh(template, migrated)
    assert tap.run(tuple(each for each in LINE if each != "--shred"), migrated).status == 0
    seen = 0
    for where, _ in points(migrated, root, LINE, FEW):
        seen += 1
        assert kept(root) == VALUES, where
        assert tap.run(LINE, root).status == 0, where
        done(root)
        assert not list(Path(root).glob("openclaw.json.*")), where
    assert seen > 3


def test_the_test_notices_references_that_come_before_their_values(
    template: str, tmp_path: Path
) -> None:
    root = str(tmp_path / "state")

    def late() -> None:
        steps.keep = lambda *_: None

    fresh(template, root)
    tap.run(LINE, root, inside=late)
    with pytest.raises(AssertionError):
        look(root)


def test_the_test_notices_a_file_that_is_written_in_its_place(
    template: str, tmp_path: Path
) -> None:
    root = str(tmp_path / "state")
    Path(template, "openclaw.json.bak").unlink()

    def bare() -> None:
        def putting(file: config_file.File, _data: bytes, *_rest: object) -> None:
            os.truncate(file.path, 0)
            os.kill(os.getpid(), signal.SIGKILL)

        config_file.put = putting  # type: ignore[assignment]

    fresh(template, root)
    assert tap.run(LINE, root, inside=bare).status == -signal.SIGKILL
    with pytest.raises(AssertionError):
        look(root)


def strace(root: str, trace: Path, *more: str) -> int:
    """Run the installed program under strace; return its status."""
    done = subprocess.run(
        [
            *("strace", "-f", "-y", "-o", str(trace), "-e", f"trace={CALLS}", *more),
            *(f"{SCRIPTS}/openclaw", *LINE),
        ],
        env={**os.environ, "OPENCLAW_STATE_DIR": root, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert b"Traceback" not in done.stderr
    return done.returncode


def in_database(trace: Path) -> Iterator[tuple[str, int]]:
    """Yield each call that concerns the gateway's database: its name, and its number by name."""
    counted: Counter[str] = Counter()
    for line in trace.read_text(errors="replace").splitlines():
        call = re.match(r"\d+ +(\w+)\(", line)
        if call:
            counted[call[1]] += 1
            if "openclaw-agent.sqlite" in line:
                yield call[1], counted[call[1]]


def test_a_kill_within_the_gateways_database_loses_nothing(template: str, tmp_path: Path) -> None:
    root, trace = str(tmp_path / "state"), tmp_path / "trace"
    fresh(template, root)
    assert strace(root, trace) == 0
    done(root)
    found = [each for each in in_database(trace) if each[0] not in ("openat", "close")]
    assert len({name for name, _ in found}) > 2
    step = max(1, len(found) // REAL)
    for name, when in found[::step]:
        fresh(template, root)
        inject = f"inject={name}:signal=SIGKILL:when={when}"
        assert strace(root, trace, "-e", inject) == -signal.SIGKILL, inject
        look(root)
        assert tap.run(LINE, root).status == 0, inject
        done(root)
