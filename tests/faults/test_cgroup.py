"""An instance's control group: entered before the agent's code, ended with all in it, and gone."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from openclaw_cli.runtime import cgroup, tree
from tests import others
from tests.conftest import runner
from tests.gateways import Gateway, running, settings
from tests.groups import below, delegated, entering, members

pytestmark = pytest.mark.slow

STATE = "OPENCLAW_STATE_DIR"

AGENTS: dict[str, dict[str, Any]] = {
    "try": {"handler": "reach:try_it", "timeout": "10m"},
    "session": {"handler": "zoo:Talk", "mode": "session"},
    "program": {"command": ["cat", "/proc/self/cgroup"]},
    "echo": {"handler": "zoo:echo"},
}
# Leaves somebody behind whose parents are gone, who is in a session of its own, and whose
# environment says nothing of us.
ESCAPES = """
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execve("/bin/sleep", ["sleep", "{seconds}"], {{}})
    os._exit(0)
os.wait()
"""
WRITES = """
for name in ("cgroup.procs", "cgroup.kill", "cgroup.max.depth"):
    for place in {places!r}:
        try:
            fd = os.open(place + "/" + name, os.O_WRONLY)
        except OSError as refused:
            print(type(refused).__name__)
        else:
            print("open")
            os.close(fd)
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    with delegated() as made:
        yield made


@pytest.fixture
def gateway(folder: Path) -> Iterator[Gateway]:
    settings(AGENTS)
    with running(runner(entering(folder))) as started:
        yield started


def until(true: Callable[[], Any], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def sleeping(seconds: int) -> list[int]:
    """Return who sleeps for exactly so long: a number that a test has for itself."""
    found = []
    for each in os.listdir("/proc"):
        try:
            line = Path(f"/proc/{each}/cmdline").read_bytes() if each.isdigit() else b""
        except OSError:
            continue
        if line == b"sleep\0%d\0" % seconds:
            found.append(int(each))
    return found


def number() -> int:
    return 100_000 + os.getpid()


def own_group(said: str) -> str:
    return next(line for line in said.splitlines() if line.startswith("0::")).rpartition("/")[2]


def test_an_instance_is_in_a_group_of_its_own_and_the_gateway_in_another(
    gateway: Gateway, folder: Path
) -> None:
    leaf = next(each for each in folder.iterdir() if each.is_dir() and "." not in each.name)
    until(lambda: {gateway.pid, *tree.children(gateway.pid)} == set(members(leaf)))
    reads = "print(open('/proc/self/cgroup').read())"
    of_python = own_group(gateway.agent("try", reads).json["output"])
    of_program = own_group(gateway.agent("program", 1).json["output"])
    assert len({of_python, of_program, leaf.name}) == 3
    assert {each.partition(".")[0] for each in (of_python, of_program)} == {leaf.name}
    row = next(each for each in gateway.ask("/v1/status").json["agents"] if each["name"] == "try")
    assert "holds" not in row  # that is for `--verbose`
    found = gateway.openclaw("agents", "status", "--verbose", "--json", check=0).json()
    assert found["cgroup"]["folder"] == str(folder)
    held = {each["name"]: each["holds"] for each in found["agents"]}
    assert {"RLIMIT_DATA", "cgroup.kill", "watchdog"} <= set(held["try"])
    shown = gateway.openclaw("status", "--agents", "--verbose", check=0).out
    assert b"cgroup.kill" in shown


def test_whoever_escapes_is_ended_with_the_request(gateway: Gateway, folder: Path) -> None:
    seconds = number()
    assert gateway.agent("try", ESCAPES.format(seconds=seconds)).json["output"] == ""
    until(lambda: not sleeping(seconds))
    row = next(each for each in gateway.ask("/v1/status").json["agents"] if each["name"] == "try")
    assert row["strays_killed"] == 1
    for _ in range(5):
        gateway.agent("session", "hello", session="kept")
    until(lambda: len([each for each in below(folder) if members(each)]) == 5)  # spares, a session


def test_groups_are_taken_again_and_none_is_left_at_the_end(folder: Path) -> None:
    settings(AGENTS)
    with running(runner(entering(folder))) as gateway:
        for each in range(30):
            assert gateway.agent("echo", each).json["output"] == each
        most = len(below(folder))
        assert most <= 2 * len(AGENTS)
        used = set(below(folder))
        gateway.agent("try", ESCAPES.format(seconds=number()))
        until(lambda: used - set(below(folder)))  # one that somebody was killed in is not
        gateway.openclaw("agents", "restart", "echo", check=0)
        until(lambda: len(below(folder)) <= most)
        gateway.openclaw("gateway", "restart", check=0)  # the same process, in the same place
        assert gateway.agent("echo", 1).json["output"] == 1
        found = gateway.openclaw("agents", "status", "--json", check=0).json()
        assert (found["pid"], found["cgroup"]["folder"]) == (gateway.pid, str(folder))
        assert below(folder)
    assert not below(folder)


@contextmanager
def left_behind(gateway: Gateway, seconds: int) -> Iterator[int]:
    """Have an instance leave somebody behind and go on; give the number of its zygote.

    That is stopped, or it would sweep: the instance was forked before.
    """
    found = gateway.openclaw("agents", "status", "--json", check=0).json()
    zygote = next(each["pid"] for each in found["agents"] if each["name"] == "try")
    until(lambda: tree.children(zygote))
    os.kill(zygote, signal.SIGSTOP)
    code = ESCAPES.format(seconds=seconds) + "import time; time.sleep(500)"

    def asked() -> None:
        with suppress(OSError):  # nobody may be left to answer
            gateway.agent("try", code)

    asking = Thread(target=asked)
    asking.start()
    try:
        until(lambda: sleeping(seconds))
        yield zygote
    finally:
        for pid in sleeping(seconds):
            os.kill(pid, signal.SIGKILL)
        asking.join()


@pytest.mark.parametrize("held", [True, False])
def test_what_a_lost_zygote_leaves_is_known_by_its_group(folder: Path, *, held: bool) -> None:
    settings(AGENTS)
    seconds = number()
    with running(runner(entering(folder) if held else [])) as gateway:
        with left_behind(gateway, seconds) as zygote:
            os.kill(zygote, signal.SIGKILL)
            until(lambda: not tree.started(zygote))
            if held:
                until(lambda: not sleeping(seconds))
            else:
                time.sleep(1)
                assert sleeping(seconds)  # the control: its session and environment say nothing
        until(lambda: gateway.agent("echo", 1).status == 200)


@pytest.mark.parametrize("held", [True, False])
def test_what_a_killed_gateway_leaves_is_ended_at_the_next_start(
    folder: Path, *, held: bool
) -> None:
    settings(AGENTS)
    seconds = number()
    openclaw = runner(entering(folder) if held else [])
    with running(openclaw) as gateway:
        remembered = gateway.state / "state.toml"
        until(lambda: remembered.exists() and "cgroup" in remembered.read_text())
        with left_behind(gateway, seconds):
            for pid in (*tree.children(gateway.pid), gateway.pid):
                os.kill(pid, signal.SIGKILL)  # the zygotes too, at once: nobody is left to sweep
            until(lambda: not tree.started(gateway.pid))
            stale = set(below(folder))
            assert bool(stale) == held
            with running(runner()) as again:  # outside of the folder: its state says where
                assert again.agent("echo", 2).json["output"] == 2
                assert bool(sleeping(seconds)) != held
                assert not below(folder)


def test_an_agent_cannot_write_to_groups(gateway: Gateway, folder: Path) -> None:
    leaf = next(each for each in folder.iterdir() if each.is_dir() and "." not in each.name)
    code = WRITES.format(places=[str(leaf), str(below(folder)[0])])
    assert gateway.agent("try", code).json["output"].split() == ["PermissionError"] * 6
    done = subprocess.run(
        [sys.executable, "-c", f"import os\n{code}"], capture_output=True, check=True, text=True
    )
    assert done.stdout.split() == ["open"] * 6  # the control: without Landlock


@pytest.fixture
def nobodys(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give nobody a home, with agents, that they can reach."""
    place = Path(tempfile.mkdtemp())
    place.chmod(0o755)
    for name, variable in (("", "HOME"), ("state", STATE), ("run", "XDG_RUNTIME_DIR")):
        (place / name).mkdir(exist_ok=True)
        monkeypatch.setenv(variable, str(place / name))
    settings({**AGENTS, "apart": {**AGENTS["try"], "require-isolation": "uid"}})
    for each in place.rglob("*"):
        os.chown(each, others.NOBODY, others.NOBODY, follow_symlinks=False)
    yield place
    shutil.rmtree(place)


@pytest.mark.parametrize("given", [True, False])
def test_a_user_has_groups_where_the_folder_is_theirs(nobodys: Path, *, given: bool) -> None:
    with delegated(others.NOBODY if given else 0) as folder:
        as_nobody = [
            *others.reachable(nobodys),
            *others.ids_set_aside(nobodys),
            *entering(folder),
            *others.AS_NOBODY,
        ]
        with running(runner(as_nobody)) as gateway:
            for name in ("try", "apart"):  # this one is in a user namespace
                seconds = number()
                assert gateway.agent(name, ESCAPES.format(seconds=seconds)).json["output"] == ""
                until(lambda seconds=seconds: not sleeping(seconds))  # type: ignore[misc]
                reads = "print(open('/proc/self/cgroup').read())"
                group = own_group(gateway.agent(name, reads).json["output"])
                assert ("." in group) == given
            found = gateway.ask("/v1/status?verbose").json
            assert all(("cgroup.kill" in each["holds"]) == given for each in found["agents"])
            assert bool(below(folder)) == given
            why = found["cgroup"]["why"]
            assert why is None if given else "is not ours to write" in why
        assert not below(folder)


def test_a_group_that_others_remove_costs_a_request_at_most(gateway: Gateway, folder: Path) -> None:
    assert gateway.agent("echo", 1).json["output"] == 1
    there = below(folder)
    until(lambda: all(_removed(each) for each in there))
    assert [gateway.agent("echo", each).status for each in range(6)].count(200) >= 5


def _removed(group: Path) -> bool:
    """End who is in a group, and whoever takes it meanwhile, and remove it."""
    with suppress(OSError):
        (group / "cgroup.kill").write_text("1")
        group.rmdir()
    return not group.exists()


def test_who_is_in_a_group_dies_with_it_whoever_the_parent_is(folder: Path) -> None:
    group = folder / "one"
    group.mkdir()
    seconds = number()
    code = ESCAPES.format(seconds=seconds)
    subprocess.run([*entering(group), sys.executable, "-c", f"import os\n{code}"], check=True)
    until(lambda: sleeping(seconds))
    with (
        open(group / "cgroup.procs", "r+b", 0) as inside,
        open(group / "cgroup.kill", "wb", 0) as end,
    ):
        assert cgroup.clear(inside.fileno(), end.fileno()) == 1
        until(lambda: not sleeping(seconds))
        assert cgroup.clear(inside.fileno(), end.fileno()) == 0
