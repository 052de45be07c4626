"""Folders of control groups of a test's own, and programs that are started in them."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from openclaw_cli.runtime import cgroup


@contextmanager
def delegated(owner: int = 0) -> Iterator[Path]:
    """Give a folder of control groups that is empty and a user's own; needs root, and Linux 5.14.

    Where none are mounted, they are for the time of the test.
    """
    mounted: Path | None = None
    places = cgroup.mounts()
    if not places:
        mounted = Path(tempfile.mkdtemp())
        subprocess.run(["mount", "-t", "cgroup2", "none", mounted], check=True)
        places = [str(mounted)]
    folder = Path(tempfile.mkdtemp(dir=places[0], prefix="openclaw-test-"))
    folder.chmod(0o755)
    try:
        for name in ("", "cgroup.procs", "cgroup.subtree_control"):  # what systemd gives, too
            os.chown(folder / name, owner, owner)
        yield folder
    finally:
        _removed(folder)
        if mounted is not None:
            subprocess.run(["umount", mounted], check=True)
            mounted.rmdir()


def entering(folder: Path) -> list[str]:
    """Return what runs a program in a group; outside of it where that does not let it in."""
    line = f'echo 0 2>/dev/null >{shlex.quote(f"{folder}/cgroup.procs")}; exec "$@"'
    return ["sh", "-c", line, "sh"]


def below(folder: Path) -> list[Path]:
    """Return the groups in a folder, but for the gateway's own."""
    return [each for each in folder.iterdir() if each.is_dir() and "." in each.name]


def members(group: Path) -> list[int]:
    """Return who is in a group."""
    try:
        return [int(each) for each in (group / "cgroup.procs").read_text().split()]
    except OSError:
        return []


def _removed(folder: Path) -> None:
    deadline = time.monotonic() + 5
    while True:
        try:
            (folder / "cgroup.kill").write_text("1")
            for each in [each for each in folder.iterdir() if each.is_dir()]:
                each.rmdir()
            folder.rmdir()
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        else:
            return
