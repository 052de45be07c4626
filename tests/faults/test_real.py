"""Real disks that are full, read-only or out of inodes, and real limits, with whole commands."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from openclaw_cli.names import parse
from tests.conftest import SCRIPTS, Openclaw
from tests.faults import cases, prepared, world

pytestmark = [pytest.mark.slow, pytest.mark.integration]

ENTRY = f"{SCRIPTS}/openclaw"


@contextmanager
def tmpfs(point: Path, options: str) -> Iterator[Path]:
    """Mount a small file system in memory; needs root."""
    world.need_root()
    point.mkdir()
    kind = ["mount", "-t", "tmpfs", "-o", f"mode=700,{options}", "tmpfs", str(point)]
    subprocess.run(kind, check=True)
    try:
        yield point
    finally:
        subprocess.run(["umount", str(point)], check=True)


def enlarge(point: Path, options: str) -> None:
    """Give it room again."""
    subprocess.run(["mount", "-o", f"remount,{options}", str(point)], check=True)


def spoke_plainly(err: bytes) -> bool:
    """Tell whether it is an error message of ours, and no traceback."""
    ours = err.startswith((b"openclaw: ", b'{"error": '))
    return ours and b"Traceback" not in err and b"bug" not in err


def test_a_disk_that_fills_up_keeps_all_that_was_acknowledged(
    openclaw: Openclaw, tmp_path: Path
) -> None:
    with tmpfs(tmp_path / "disk", "size=96k") as disk:
        env = {"OPENCLAW_STATE_DIR": str(disk / "state")}
        kept = []
        failed = 0
        for number in range(40):
            value = b"%d" % number + world.CANARY * 100
            done = openclaw("secrets", "set", "kept", input=value, env=env)
            if done.status == 0:
                kept.append(value)
                continue
            failed += 1
            assert done.status in (9, 74)
            assert spoke_plainly(done.err)
            assert not world.leaked(done.err)
            assert world.strays(str(disk / "state")) == []
            if failed == 3:
                break
        assert kept
        assert failed
        enlarge(disk, "size=1m")
        assert openclaw("secrets", "get", "kept", env=env, check=0).out == kept[-1]
        world.check_usable(str(disk / "state"))


@pytest.mark.parametrize("inodes", range(2, 12))
def test_a_disk_without_inodes_is_told_and_left_usable(
    inodes: int, openclaw: Openclaw, tmp_path: Path
) -> None:
    with tmpfs(tmp_path / "disk", f"nr_inodes={inodes}") as disk:
        root = str(disk / "state")
        env = {"OPENCLAW_STATE_DIR": root}
        done = openclaw("secrets", "create", "kept", input=world.CANARY, env=env)
        if done.status:
            assert done.status in (9, 74)
            assert spoke_plainly(done.err)
            enlarge(disk, "nr_inodes=100")
            assert world.strays(root) == []
            openclaw("secrets", "create", "kept", input=world.CANARY, env=env, check=0)
        enlarge(disk, "nr_inodes=100")
        assert openclaw("secrets", "get", "kept", env=env, check=0).out == world.CANARY
        world.check_usable(root)
    assert (done.status == 0) == (inodes > 10)


@contextmanager
def read_only(path: str) -> Iterator[None]:
    """Let nobody write there; needs root."""
    world.need_root()
    subprocess.run(["mount", "--bind", path, path], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", path], check=True)
        yield
    finally:
        subprocess.run(["umount", path], check=True)


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("secrets get kept", 9),
        ("secrets set kept", 74),
        ("secrets delete kept", 74),
        ("secrets list", 0),
        ("secrets history kept", 0),
        ("secrets audit", 0),
    ],
)
def test_on_a_read_only_disk_nothing_is_given_and_nothing_is_done(
    line: str, status: int, openclaw: Openclaw, tmp_path: Path
) -> None:
    root = str(tmp_path / "state")
    prepared.prepare(root, "some")
    before = world.contents(root)
    with read_only(root):
        done = openclaw(*line.split(), input=cases.NEW)
    assert done.status == status, done
    assert not world.leaked(done.out, done.err)
    assert not status or spoke_plainly(done.err)
    assert world.contents(root) == before


@pytest.mark.parametrize("blocks", [0, 1, 2, 4])
def test_a_limit_on_the_size_of_files_is_told_and_costs_nothing(
    blocks: int, tmp_path: Path
) -> None:
    root = str(tmp_path / "state")
    prepared.prepare(root, "some")
    before = world.state(root)
    line = f"ulimit -f {blocks}; exec {ENTRY} secrets set kept --value-file {tmp_path}/value"
    (tmp_path / "value").write_bytes(cases.NEW * 100)
    done = subprocess.run(["/bin/sh", "-c", line], capture_output=True, check=False, timeout=60)
    assert done.returncode in (9, 74)
    assert spoke_plainly(done.stderr)
    assert world.strays(root) == []
    assert world.state(root) == before
    world.check_usable(root)


@pytest.mark.parametrize("line", ["secrets get kept", "secrets set kept"])
def test_too_few_descriptors_are_told_or_are_enough(line: str, tmp_path: Path) -> None:
    root = str(tmp_path / "state")
    prepared.prepare(root, "some")
    statuses = []
    for limit in range(6, 16):
        command = f"ulimit -n {limit}; exec {ENTRY} {line}"
        done = subprocess.run(
            ["/bin/sh", "-c", command], input=cases.NEW, capture_output=True, check=False
        )
        statuses.append(done.returncode)
        assert done.returncode == 0 or spoke_plainly(done.stderr), (limit, done)
        assert not world.leaked(done.stderr)
    assert statuses[-1] == 0
    assert 0 in statuses
    assert set(statuses) <= {0, 9, 74}
    world.check_usable(root)


@pytest.mark.parametrize("redirection", [">&-", ">/dev/full"])
@pytest.mark.parametrize(
    "line",
    [
        "secrets get kept",
        "secrets get kept --json",
        "secrets list",
        "secrets export kept",
        "secrets history kept",
        "secrets audit",
        "secrets audit export",
        "status",
        "config show",
        "store slots",
        "store backup -",
        "completion bash",
        "--version",
        "--help",
    ],
)
def test_an_answer_that_cannot_be_written_is_no_success(
    line: str, redirection: str, tmp_path: Path
) -> None:
    prepared.prepare(str(tmp_path / "state"), "some")
    command = f"exec {ENTRY} {line} {redirection}"
    done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, check=False)
    assert done.returncode == 74, done
    assert spoke_plainly(done.stderr), done
    assert not world.leaked(done.stderr)


@pytest.mark.parametrize("line", ["secrets get kept", "secrets list", "secrets export kept"])
def test_a_reader_that_left_ends_it_quietly(line: str, tmp_path: Path) -> None:
    prepared.prepare(str(tmp_path / "state"), "some")
    gone, end = os.pipe()
    os.close(gone)
    done = subprocess.run(
        [ENTRY, *line.split()], stdout=end, stderr=subprocess.PIPE, check=False, timeout=60
    )
    os.close(end)
    assert (done.returncode, done.stderr) == (141, b"")


def test_what_the_commands_make_is_private_whatever_the_umask(
    openclaw: Openclaw, tmp_path: Path
) -> None:
    before = os.umask(0)
    try:
        openclaw("secrets", "create", "kept", input=world.CANARY, check=0)
        openclaw("secrets", "get", "kept", check=0)
        openclaw("config", "set", "store.versions", "5", check=0)
        out = tmp_path / "out"
        openclaw("secrets", "export", "kept", "--out", str(out), check=0)
        openclaw("store", "backup", f"{out}.backup", check=0)
    finally:
        os.umask(before)
    assert world.loose(str(tmp_path / "state")) == []
    assert (out.stat().st_mode | Path(f"{out}.backup").stat().st_mode) & 0o077 == 0


def test_what_lies_in_the_working_directory_is_never_imported(
    openclaw: Openclaw, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trap = tmp_path / "trap"
    trap.mkdir()
    for name in ("json", "hvac", "keyring", "typer", "secrets", "struct", "openclaw_cli", "pwd"):
        (trap / f"{name}.py").write_text("import os; os.write(2, b'HIJACKED'); os._exit(66)\n")
    prepared.prepare(str(tmp_path / "state"), "some")
    monkeypatch.chdir(trap)
    for line in ("secrets get kept", "secrets list", "status", "doctor", "secrets audit verify"):
        done = openclaw(*line.split())
        assert done.status in (0, 10)
        assert b"HIJACKED" not in done.err
    control = subprocess.run(
        [f"{SCRIPTS}/python", "-m", "openclaw_cli"], capture_output=True, check=False
    )
    assert control.stderr == b"HIJACKED"


def test_a_directory_of_somebody_else_is_refused(openclaw: Openclaw, tmp_path: Path) -> None:
    world.need_root()
    root = tmp_path / "state"
    prepared.prepare(str(root), "some")
    for folder in ("secrets", "audit"):
        os.chown(root / folder, 65534, 65534)
        done = openclaw("secrets", "get", "kept")
        assert done.status == 6
        assert b"belongs to another user" in done.err
        os.chown(root / folder, 0, 0)
    assert world.service(str(root)).read(parse("kept")).version.id == "2"
