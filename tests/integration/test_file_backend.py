"""Files of other users, and what container platforms mount. Needs root, and a mount of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from openclaw_cli.backends.exec import ExecBackend
from openclaw_cli.backends.file import FileBackend
from openclaw_cli.errors import DeniedError

pytestmark = pytest.mark.integration

NOBODY = 65534

# As the platforms do it: files that all may read, in memory, mounted for one container alone.
KUBERNETES = """
mount -t tmpfs -o mode=1777 none "$1"
mkdir -m 755 "$1/..v1" && printf sk-1 >"$1/..v1/key" && chmod 644 "$1/..v1/key"
ln -s ..v1 "$1/..data" && ln -s ..data/key "$1/key"
"""
SWARM = """
mount -t tmpfs -o mode=755 none "$1" && printf sk-1 >"$1/key" && chmod 444 "$1/key"
"""
READ_ONLY = 'mount -o remount,ro,bind "$1"'
ASK = """
import sys
from openclaw_cli.backends.file import FileBackend
from openclaw_cli.errors import OpenclawError
try:
    print(FileBackend({}).get(sys.argv[1] + "/key").value.reveal().decode())
except OpenclawError as refused:
    print(refused.message)
"""


@pytest.fixture
def place() -> Iterator[Path]:
    """Give a directory that every user can reach."""
    with TemporaryDirectory(dir="/tmp") as made:
        Path(made).chmod(0o755)
        yield Path(made)


def test_a_file_of_root_that_we_may_not_read_is_denied_with_a_hint(place: Path) -> None:
    file = place / "claude.key"
    file.write_bytes(b"sk-1\n")
    file.chmod(0o600)
    (place / "closed").mkdir(mode=0o700)
    os.seteuid(NOBODY)
    try:
        for path, closed in ((file, file), (place / "closed" / "key", place / "closed")):
            with pytest.raises(DeniedError) as refused:
                FileBackend({}).get(str(path))
            assert refused.value.message == f"{closed} belongs to root and is closed to us"
            assert refused.value.hint == f"sudo chown nobody {closed}"
    finally:
        os.seteuid(0)


def test_a_file_of_another_user_is_refused(place: Path) -> None:
    file = place / "key"
    file.write_bytes(b"sk-1")
    file.chmod(0o600)
    os.chown(file, NOBODY, NOBODY)
    with pytest.raises(DeniedError, match="belongs to another user"):
        FileBackend({"allow-readable": True}).get(str(file))


def test_a_link_or_directory_of_another_user_is_refused(place: Path) -> None:
    (place / "key").write_bytes(b"sk-1")
    (place / "key").chmod(0o600)
    (place / "link").symlink_to("key")
    assert FileBackend({}).get(f"{place}/link").value.reveal() == b"sk-1"
    os.lchown(place / "link", NOBODY, NOBODY)
    with pytest.raises(DeniedError, match="link belongs to another user"):
        FileBackend({}).get(f"{place}/link")
    os.chown(place, NOBODY, NOBODY)
    with pytest.raises(DeniedError, match="belongs to another user"):
        FileBackend({}).get(f"{place}/key")


def test_a_link_that_another_user_plants_in_a_sticky_directory_is_refused(place: Path) -> None:
    place.chmod(0o1777)
    (place / "private").mkdir(mode=0o700)
    (place / "private" / "other").write_bytes(b"not what was asked for")
    (place / "private" / "other").chmod(0o600)
    os.seteuid(NOBODY)
    (place / "key").symlink_to("private/other")
    os.seteuid(0)
    with pytest.raises(DeniedError, match="key belongs to another user"):
        FileBackend({}).get(f"{place}/key")


def test_a_program_of_another_user_is_not_run(place: Path) -> None:
    program = place / "program"
    program.write_text("#!/bin/sh\ntouch started\n")
    program.chmod(0o755)
    os.chown(program, NOBODY, NOBODY)
    with pytest.raises(DeniedError, match="belongs to another user"):
        ExecBackend({"command": str(program)}).get("key")
    assert not (place / "started").exists()


@pytest.mark.parametrize("layout", [KUBERNETES, SWARM], ids=["kubernetes", "swarm"])
def test_what_a_platform_mounts_for_one_container_is_read_though_all_may_read_it(
    place: Path, layout: str
) -> None:
    assert mounted(place, layout + READ_ONLY) == "sk-1"


@pytest.mark.parametrize("layout", [KUBERNETES, SWARM], ids=["kubernetes", "swarm"])
def test_what_is_in_memory_but_can_be_written_is_refused(place: Path, layout: str) -> None:
    """As /tmp and /dev/shm, which all users of a machine share."""
    assert mounted(place, layout).startswith("others can read")


def test_what_is_read_only_but_on_a_disk_is_refused(place: Path) -> None:
    (place / "key").write_bytes(b"sk-1")
    (place / "key").chmod(0o644)
    bound = f'mount --bind "$1" "$1" && {READ_ONLY}'
    assert mounted(place, bound).startswith("others can read")


def mounted(place: Path, script: str) -> str:
    """Ask for a file in a mount that only the asking process sees."""
    asking = f'set -e\n{script}\nexec "$2" -c "$3" "$1"'
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", asking, "-", str(place), sys.executable, ASK],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    return done.stdout.strip()
