"""A migration that is killed at any call loses nothing, and goes on when it is called again."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from openclaw_cli.errors import NotFoundError
from openclaw_cli.interop import config_file
from openclaw_cli.interop.migrate.steps import Migration
from openclaw_cli.names import Reference
from tests.conftest import NIGHTLY
from tests.faults import tap, world
from tests.unit.interop import installation
from tests.unit.interop.installation import VALUES

pytestmark = pytest.mark.slow

STEP = 1 if NIGHTLY else 12
"""Every position in the nightly run, a sample otherwise."""
LINE = ("secrets", "migrate", "--yes", "--shred", "--quiet")
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


def done(root: str) -> None:
    """Nothing stands in plain text that could be moved, and all of it is in the store."""
    assert kept(root) == VALUES
    there = plain_text(root)
    assert not [name for name, value in VALUES.items() if value in there]


def points(template: str, root: str) -> Iterator[tuple[str, tap.Outcome]]:
    fresh(template, root)
    whole = tap.run(LINE, root)
    assert whole.status == 0, whole
    done(root)
    calls = [call for call in whole.calls if call.kind in tap.CHANGING]
    assert len(calls) > 50
    for at in range(0, len(calls), STEP):
        fresh(template, root)
        ended = tap.run(LINE, root, fault=tap.Fault("kill", at, tap.CHANGING))
        if ended.fired:
            yield f"killed at {at}, {calls[at]}", ended


def test_nothing_is_lost_and_a_second_run_ends_it(template: str, tmp_path: Path) -> None:
    root = str(tmp_path / "state")
    seen = 0
    for where, ended in points(template, root):
        seen += 1
        assert ended.status == -9, where
        look(root)
        again = tap.run(LINE, root)
        assert again.status == 0, (where, again)
        done(root)
    assert seen > 5


def test_an_interrupted_migration_can_be_undone(template: str, tmp_path: Path) -> None:
    root = str(tmp_path / "state")
    before = plain_text(template)
    for where, _ in points(template, root):
        undone = tap.run(("secrets", "migrate", "--undo", "--yes", "--quiet"), root)
        assert undone.status in (0, 3), (where, undone)
        now = plain_text(root)
        for name, value in VALUES.items():
            assert (value in now) == (value in before), (where, name)


def test_the_test_notices_references_that_come_before_their_values(
    template: str, tmp_path: Path
) -> None:
    root = str(tmp_path / "state")

    def late() -> None:
        def nothing(_migration: Migration) -> None:
            return

        Migration._keep = nothing  # type: ignore[assignment,method-assign]  # noqa: SLF001

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
