"""Where a process' own control group is, and what a group is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from openclaw_cli.runtime import cgroup
from openclaw_cli.runtime.plan import THREADS

DEBIAN = "29 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
HYBRID = (
    "32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu\n"
    "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n"
)
PART = "50 31 0:38 /system.slice/docker-1.scope /sys/fs/cgroup ro - cgroup2 cgroup rw\n"
SPACED = "50 31 0:38 / /mnt/a\\040gr\\303\\274n rw - cgroup2 cgroup rw\n"
USER = "/user.slice/user-1000.slice/user@1000.service/app.slice/openclaw-gateway.service"


@pytest.mark.parametrize(
    ("own", "mounts", "place"),
    [
        (f"0::{USER}\n", DEBIAN, f"/sys/fs/cgroup{USER}"),
        ("9:name=systemd:/a\n1:cpu:/b\n0::/c\n", HYBRID, "/sys/fs/cgroup/unified/c"),
        ("0::/\n", DEBIAN, "/sys/fs/cgroup"),
        ("0::/system.slice/docker-1.scope/x\n", PART, "/sys/fs/cgroup/x"),
        ("0::/system.slice/docker-1.scope\n", PART, "/sys/fs/cgroup"),
        ("0::/system.slice/docker-12.scope\n", PART, ""),  # another's, that only begins alike
        ("0::/../outside\n", DEBIAN, ""),
        ("0::/x\n", SPACED, "/mnt/a grün/x"),
        ("1:cpu:/b\n", DEBIAN, ""),
        ("0::/x\n", "", ""),
        ("", DEBIAN, ""),
    ],
)
def test_the_folder_of_a_process_own_group(own: str, mounts: str, place: str) -> None:
    assert cgroup.place(own, mounts) == place


def test_each_limit_is_said_where_its_controller_is() -> None:
    memory = {"memory.max": "50000000", "memory.swap.max": "0", "memory.oom.group": "1"}
    pids = {"pids.max": str(THREADS)}
    assert cgroup.limits(50_000_000, THREADS, ["memory", "pids"]) == {**memory, **pids}
    assert cgroup.limits(50_000_000, THREADS, ["pids"]) == pids
    assert cgroup.limits(50_000_000, THREADS, ["memory"]) == memory
    assert cgroup.limits(50_000_000, THREADS, []) == {}
    assert cgroup.limits(0, THREADS, ["memory", "pids"]) == pids


def test_who_was_ended_for_memory_is_counted() -> None:
    text = "low 0\nhigh 0\nmax 12\noom 3\noom_kill 2\noom_group_kill 1\n"
    assert cgroup.ended_for_memory(text) == 2
    assert cgroup.ended_for_memory("") == 0


@pytest.mark.parametrize(
    ("own", "mounts", "why"),
    [
        ("0::/\n", "", "no control groups"),
        ("0::/\n", DEBIAN, "cannot be delegated"),
    ],
)
def test_why_there_are_no_groups(
    own: str, mounts: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own").write_text(own)
    (tmp_path / "mounts").write_text(mounts.replace("/sys/fs/cgroup", str(tmp_path)))
    monkeypatch.setattr(cgroup, "SELF", str(tmp_path / "own"))
    monkeypatch.setattr(cgroup, "MOUNTS", str(tmp_path / "mounts"))
    with pytest.raises(cgroup.Undelegated, match=why):
        cgroup.enter("mark")


def test_a_folder_that_is_no_groups_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "openclaw-mark.1-1").mkdir()
    assert cgroup.reap(str(tmp_path), "mark") == 0
    assert (tmp_path / "openclaw-mark.1-1").is_dir()
