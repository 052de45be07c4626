"""A value is where it was asked for and nowhere else: each command is watched with a marked one.

strace shows every program that is started with its arguments and environment, and every byte that
is written, with the file it goes to. A command without a case here is a failure.
"""

from __future__ import annotations

import json
import os
import pty
import re
import resource
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from openclaw_cli.cli import app, tree
from tests.conftest import SCRIPTS, Openclaw
from tests.faults import cases, prepared, world

pytestmark = [pytest.mark.slow, pytest.mark.integration]

ENTRY = f"{SCRIPTS}/openclaw"


@dataclass(frozen=True)
class Use:
    """One use of a command.

    `answers`: its standard output is the place for the value. `into`: files it may be written to.
    `child`: a program that is meant to have it in its environment.
    """

    line: str
    given: bytes = b""
    before: str = "some"
    answers: bool = False
    into: str = ""
    child: str = ""
    status: int = 0
    terminal: bool = False


TEMPLATE = b"key: {{ openclaw://kept }}\n"
REQUEST = json.dumps({"protocolVersion": 1, "provider": "x", "ids": ["kept"]}).encode()

USES = (
    Use("secrets create new", cases.NEW),
    Use("secrets create new --value-file FILE"),
    Use("secrets set kept", cases.NEW),
    Use("secrets get kept", answers=True),
    Use("secrets get kept --json", answers=True),
    Use("secrets edit kept", into=r"^/dev/shm/[\w-]+/openclaw/openclaw-edit-", terminal=True),
    Use("secrets list"),
    Use("secrets list --json"),
    Use("secrets status kept --json"),
    Use("secrets history kept"),
    Use("secrets describe kept --label owner=ada"),
    Use("secrets expect kept --from local"),
    Use("secrets refresh kept"),
    Use("secrets rotate kept", status=7),
    Use("secrets rotate kept --schedule daily"),
    Use("secrets rotate --due"),
    Use("secrets rollback kept"),
    Use("secrets delete kept"),
    Use("secrets restore gone"),
    Use("secrets run --env KEY=kept -- /usr/bin/env", child="/usr/bin/env"),
    Use("secrets inject", TEMPLATE, answers=True),
    Use("secrets inject - --out OUT", TEMPLATE, into="/out"),
    Use("secrets import - --format dotenv", b"NEW=" + cases.NEW),
    Use("secrets export kept --format json", answers=True),
    Use("secrets export kept --format json --out OUT", into="/out"),
    Use("secrets export kept --sealed --out OUT"),
    Use("secrets copy kept copied"),
    Use("secrets copy kept --environment staging"),
    Use("secrets schedule install --cron --dry-run"),
    Use("secrets schedule uninstall --dry-run"),
    Use("secrets schedule status"),
    Use("secrets scan"),
    Use("secrets migrate --yes"),
    Use("secrets grant reader kept"),
    Use("secrets revoke reader --all", status=3),
    Use("secrets grants"),
    Use("secrets resolve", REQUEST, answers=True),
    Use("secrets audit --json"),
    Use("secrets audit verify"),
    Use("secrets audit export"),
    Use("secrets audit report --format html"),
    Use("secrets audit import FILE", status=2),
    Use("secrets audit prune --before 2099-01-01 --yes", before="old"),
    Use("secrets __names"),
    Use("store init --no-recovery", before="nothing"),
    Use("store check"),
    Use("store rekey"),
    Use("store backup OUT"),
    Use("store restore BACKUP --yes"),
    Use("store restore BACKUP --drill"),
    Use("store slots"),
    Use("store slots add passphrase --passphrase-file -", prepared.PASSPHRASE),
    Use("store slots remove file", status=11),
    Use("store unlock"),
    Use("store lock"),
    Use("store accept-rollback"),
    Use("status --secrets --verbose"),
    Use("config show"),
    Use("config check"),
    Use("config set store.versions 5"),
    Use("config path"),
    Use("config trust", status=3),
    Use("config upgrade"),
    Use("config convert OUT", status=3),
    Use("agents list"),
    Use("agents status", status=75),
    Use("agents run reader", cases.NEW, status=3),
    Use("agents spawn reader --thread", status=75),
    Use("agents close --thread=x", status=75),
    Use("agents restart reader", status=75),
    Use("agents stop --thread=x", status=75),
    Use("agents logs", status=3),
    Use("agents top", status=75),
    Use("agents cleanup", status=75),
    Use("agents node", status=78),
    Use("gateway stop"),
    Use("gateway reload", status=75),
    Use("gateway status", status=3),
    Use("gateway install"),
    Use("gateway uninstall"),
    Use("gateway link", status=75),
    Use("gateway alert-rules"),
    Use("interop setup --dry-run", status=3),
    Use("interop reload", status=3),
    Use("doctor", status=10),
    Use("doctor --checklist", status=10),
    Use("completion bash"),
)

SERVING = ("gateway run", "gateway start", "gateway restart")
"""They stay until they are stopped, and give no value: agents read, each with a record."""


def leaves(table: tree.Table, path: str = "") -> Iterator[str]:
    """Give every command of a table, as it is typed."""
    for name, (where, text) in table.items():
        line = f"{path} {name}".strip()
        if isinstance(where, dict):
            yield from leaves(where, line)
            continue
        command: Any = app.load(name, where, text)
        yield line
        for each in getattr(command, "commands", {}):
            yield f"{line} {each}"


def test_every_command_has_a_case_here() -> None:
    used = {use.line for use in USES}
    missing = [
        leaf
        for leaf in leaves(tree.TOP)
        if not any(f"{line} ".startswith(f"{leaf} ") for line in [*used, *SERVING])
    ]
    assert missing == []


@dataclass(frozen=True)
class Seen:
    """What a watched command did."""

    status: int
    out: bytes
    err: bytes
    trace: str


def watched(use: Use, tmp_path: Path) -> Seen:
    """Run a use under strace, alone with a state directory of its own."""
    root = tmp_path / "state"
    prepared.prepare(str(root), use.before)
    for name in ("work", "tmp"):
        (tmp_path / name).mkdir()
    (tmp_path / "file").write_bytes(cases.NEW)
    words = {"FILE": "file", "OUT": "out", "BACKUP": "state.backup"}
    line = [f"{tmp_path}/{words[word]}" if word in words else word for word in use.line.split()]
    trace = tmp_path / "trace"
    calls = "trace=execve,write,pwrite64,writev,sendto,sendmsg"
    strace = ["strace", "-f", "-y", "-v", "-s", "200000", "-e", calls, "-o", str(trace)]
    environ = {**os.environ, "TMPDIR": str(tmp_path / "tmp"), "EDITOR": "true"}
    environ["OPENCLAW_STATE_DIR"] = str(root)
    command = [*strace, ENTRY, *line]
    if use.terminal:
        status, out = on_terminal(command, environ, tmp_path / "work")
        err = b""
    else:
        done = subprocess.run(
            command,
            input=use.given,
            capture_output=True,
            env=environ,
            cwd=tmp_path / "work",
            timeout=60,
            check=False,
        )
        status, out, err = done.returncode, done.stdout, done.stderr
    return Seen(status, out, err, trace.read_text(errors="replace"))


def on_terminal(command: list[str], environ: dict[str, str], work: Path) -> tuple[int, bytes]:
    """Run a command at a terminal of its own; return its status and what it showed."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=environ, cwd=work
    ) as program:
        os.close(theirs)
        shown = b""
        try:
            while more := os.read(ours, 1 << 16):
                shown += more
        except OSError:
            pass  # Linux says EIO when the last one at the terminal is gone
        os.close(ours)
    return program.returncode, shown


@pytest.mark.parametrize("use", USES, ids=lambda use: use.line)
def test_a_value_is_only_where_it_was_asked_for(use: Use, tmp_path: Path) -> None:
    seen = watched(use, tmp_path)
    assert seen.status == use.status, (seen.status, seen.out[-500:], seen.err[-500:])
    assert not world.leaked(seen.err)
    assert world.leaked(seen.out) == use.answers
    assert suspicious(seen.trace, use) == []
    for folder in ("state", "work", "tmp", "home"):
        assert not world.leaked(*world.contents(str(tmp_path / folder))), folder
    assert world.loose(str(tmp_path / "state")) == []
    if (tmp_path / "out").exists():
        assert (tmp_path / "out").stat().st_mode & 0o077 == 0


def suspicious(trace: str, use: Use) -> list[str]:
    """Return the calls that show the value to somebody who did not ask for it."""
    found = []
    for call in trace.splitlines():
        if not world.leaked(call.encode()):
            continue
        if use.child and f'execve("{use.child}"' in call:
            continue
        to = re.search(r"(?:write|writev|pwrite64|sendto|sendmsg)\((\d+)<([^>]*)>", call)
        answer = use.answers and to is not None and to[1] == "1"
        inner = to is not None and to[2].startswith(("pipe:", "socket:", "/dev/pts"))
        asked = use.into and to is not None and re.search(use.into, to[2])
        if not (answer or (inner and bool(use.child)) or asked):
            found.append(call[:300])
    return found


def test_a_value_on_the_command_line_is_found(tmp_path: Path) -> None:
    use = Use(f"secrets create new --value {world.CANARY.decode()}")
    seen = watched(use, tmp_path)
    assert b"--value" in seen.err or b"command line" in seen.err
    assert len(suspicious(seen.trace, use)) == 1  # the one place: what the user typed


def test_a_value_as_a_bare_word_is_refused_and_not_repeated(tmp_path: Path) -> None:
    use = Use(f"secrets create new {world.CANARY.decode()}")
    seen = watched(use, tmp_path)
    assert seen.status == 2
    assert not world.leaked(seen.out, seen.err)


TALKATIVE = {
    "PYTHONVERBOSE": "2",
    "PYTHONINSPECT": "1",
    "PYTHONPROFILEIMPORTTIME": "1",
    "PYTHONMALLOCSTATS": "1",
    "PYTHONDEVMODE": "1",
    "PYTHONFAULTHANDLER": "1",
    "PYTHONTRACEMALLOC": "5",
}


@pytest.mark.parametrize("slow", ["", "1"])
def test_what_makes_python_talk_makes_it_tell_no_value(openclaw: Openclaw, slow: str) -> None:
    openclaw("secrets", "create", "kept", input=world.CANARY, check=0)
    for name, value in TALKATIVE.items():
        given = {name: value, "OPENCLAW_NO_HOT": slow}
        seen = openclaw("secrets", "get", "kept", env=given, input=b"print('typed')\n", check=0)
        assert seen.out == world.CANARY, name
        assert not world.leaked(seen.err), name
        assert seen.err or name != "PYTHONVERBOSE", "it was not made to talk"


def crashed(command: list[str], work: Path, ready: Callable[[], bool]) -> set[str]:
    """Let a program dump its core where it may; return the files that are there afterwards."""
    full, end = os.pipe()
    os.set_blocking(end, False)
    try:
        while True:
            os.write(end, bytes(4096))
    except BlockingIOError:
        os.set_blocking(end, True)
    unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    with subprocess.Popen(
        command,
        stdout=end,
        stderr=subprocess.DEVNULL,
        cwd=work,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, unlimited),  # noqa: PLW1509
    ) as program:
        until = time.monotonic() + 20
        while not ready() and time.monotonic() < until:
            time.sleep(0.01)
        time.sleep(0.2)  # now it waits to write the value
        program.send_signal(signal.SIGABRT)
        assert program.wait(30) == -signal.SIGABRT
    os.close(full)
    os.close(end)
    return set(os.listdir(work))


def test_a_crash_while_the_value_is_in_memory_leaves_no_core(
    tmp_path: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = f"{place}/state"
    prepared.prepare(root, "some")
    monkeypatch.setenv("OPENCLAW_STATE_DIR", root)
    reads = len(world.records(root))
    work = tmp_path / "work"
    work.mkdir()
    found = crashed(
        [ENTRY, "secrets", "get", "kept"], work, lambda: len(world.records(root)) > reads
    )
    assert found == set()
    where = Path("/proc/sys/kernel/core_pattern").read_text(encoding="ascii").strip()
    if where == "core":  # else the kernel gives it to a program, and no file says what that did
        control = ["/bin/sh", "-c", "echo; sleep 60"]
        assert crashed(control, work, lambda: True) != set()
