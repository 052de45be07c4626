"""What a confined process tries, by Python and by system calls of its own, and does not get.

Each is tried without confinement first: there it must succeed, or the test would prove nothing.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from openclaw_cli.agents import landlock
from openclaw_cli.agents.policy import confinement
from openclaw_cli.agents.spec import AgentSpec, Permissions
from tests.faults import world

pytestmark = pytest.mark.slow

PRELUDE = """
import ctypes, json, os, socket, subprocess, sys
from openclaw_cli.agents import landlock
libc = ctypes.CDLL(None, use_errno=True)
plan = json.loads(sys.argv[1])
landlock.confine(plan)

def checked(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result

def syscall(number, *arguments):
    return checked(libc.syscall(number, *arguments))
"""

READ = """
import os
print(open({path!r}).read())
"""
READ_BY_SYSCALL = """
fd = syscall(257, -100, {path!r}.encode(), 0, 0)
print(os.read(fd, 100).decode())
"""
READ_BY_LINK = """
link = {work!r} + "/link" + str(os.getpid())
os.symlink({path!r}, link)
print(open(link).read())
"""
READ_BY_HARD_LINK = """
os.link({path!r}, {work!r} + "/hard")
print(open({work!r} + "/hard").read())
"""
READ_BY_PROC = """
print(open("/proc/self/root" + {path!r}).read())
"""
READ_BY_MMAP = """
import mmap
fd = os.open({path!r}, os.O_RDONLY)
print(mmap.mmap(fd, 0, prot=mmap.PROT_READ)[:].decode())
"""
READ_BY_CHILD = """
print(subprocess.run(["cat", {path!r}], capture_output=True, check=True).stdout.decode())
"""
READ_BY_MOVE = """
os.rename({path!r}, {work!r} + "/moved")
print(open({work!r} + "/moved").read())
"""
READ_BY_FOLDER_MOVE = """
os.rename(os.path.dirname({path!r}), {work!r} + "/folder")
print(open({work!r} + "/folder/" + os.path.basename({path!r})).read())
"""
READ_IN_NAMESPACE = """
checked(libc.unshare(0x10000000 | 0x20000))
checked(libc.mount(b"none", b"/", None, 0x44000, None))
checked(libc.mount(os.path.dirname({path!r}).encode(), {work!r}.encode(), None, 4096, None))
print(open({work!r} + "/" + os.path.basename({path!r})).read())
"""
WRITE = "open({out!r}, 'w').write('done'); print('done')"
WRITE_BY_SYSCALL = """
fd = syscall(257, -100, {out!r}.encode(), os.O_WRONLY | os.O_CREAT, 0o600)
print(os.write(fd, b"done") and "done")
"""
APPEND = "open({path!r}, 'a').write('x'); print('done')"
TRUNCATE = "os.truncate({path!r}, 0); print('done')"
DELETE = "os.unlink({path!r}); print('done')"
DELETE_BY_SYSCALL = "syscall(263, -100, {path!r}.encode(), 0); print('done')"
EXEC = "print(subprocess.run(['echo', 'done'], capture_output=True, check=True).stdout.decode())"
SYSTEM = "print('done' if os.system('exit 7') == 7 << 8 else 'no')"
EXEC_BY_SYSCALL = """
path, argv = b"/bin/echo", (ctypes.c_char_p * 3)(b"echo", b"done", None)
sys.stdout.flush()
syscall(59, path, argv, None)
"""
CONNECT = "socket.create_connection(('127.0.0.1', {port}), 2); print('done')"
CONNECT_BY_SYSCALL = """
import struct
fd = syscall(41, 2, 1, 0)
where = struct.pack("<H", 2) + struct.pack(">H", {port}) + bytes([127, 0, 0, 1]) + bytes(8)
syscall(42, fd, where, 16)
print("done")
"""
ENVIRON = "print(open('/proc/{pid}/environ').read())"
MEMORY = "open('/proc/{pid}/mem', 'rb'); print('done')"
PTRACE = "checked(libc.ptrace(16, {pid}, 0, 0)); print('done')"
READV = """
class Vector(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]
buffer = ctypes.create_string_buffer(8)
ours, theirs = Vector(ctypes.addressof(buffer), 8), Vector({address}, 8)
checked(libc.process_vm_readv({pid}, ctypes.byref(ours), 1, ctypes.byref(theirs), 1, 0))
print("done")
"""
PIDFD = """
fd = syscall(434, {pid}, 0)
syscall(438, fd, 1, 0)
print("done")
"""
KILL = "os.kill({pid}, 9); print('done')"
LISTEN_IN = "fd = os.open({path!r}, os.O_RDONLY | os.O_NOCTTY); print(os.read(fd, 100))"
TOUCHED = "open({path!r}, 'a').close(); print('done')"

SECRET = "hunter2"
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")


def plan(root: Path, *allowed: str, denied: tuple[str, ...] = ()) -> dict[str, Any]:
    spec = AgentSpec("a", permissions=Permissions(allowed, denied))
    return confinement(spec, {}, root=str(root), code=[os.getcwd(), *filter(None, sys.path)])


def run(told: dict[str, Any], code: str) -> tuple[bool, str]:
    """Run code in a confined process; tell whether it came to its end, and what it printed."""
    command = [sys.executable, "-c", PRELUDE + code, json.dumps(told)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    return done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Make a state directory with a store's key in it, and a folder to work in beside it."""
    (tmp_path / "home" / "state" / "secrets").mkdir(parents=True)
    (tmp_path / "home" / "work").mkdir()
    (tmp_path / "home" / "state" / "secrets" / "key").write_text(SECRET)
    (tmp_path / "home" / "state" / "openclaw.json.bak").write_text(SECRET)
    return tmp_path / "home" / "state"


@pytest.fixture
def listening() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize(
    "code",
    [
        *(READ, READ_BY_SYSCALL, READ_BY_LINK, READ_BY_PROC, READ_BY_MMAP, READ_BY_CHILD),
        *(READ_BY_HARD_LINK, READ_BY_MOVE, READ_BY_FOLDER_MOVE, READ_IN_NAMESPACE),
    ],
)
@pytest.mark.parametrize("name", ["secrets/key", "openclaw.json.bak"])
def test_the_stores_key_is_out_of_reach_whatever_is_permitted(
    root: Path, code: str, name: str
) -> None:
    if code in (READ_BY_FOLDER_MOVE, READ_IN_NAMESPACE) and not name.startswith("secrets"):
        name = "secrets/key"
    written = code.format(path=str(root / name), work=str(root.parent / "work"))
    came, said = run(plan(root), written)
    assert SECRET not in said, said
    assert not came
    assert SECRET in run({}, written)[1], "the control did not work"


@pytest.mark.parametrize(
    ("code", "denied"),
    [
        (READ, "read"),
        (READ_BY_SYSCALL, "read"),
        (READ_BY_CHILD, "read"),
        (WRITE, "write"),
        (WRITE_BY_SYSCALL, "write"),
        (APPEND, "write"),
        (TRUNCATE, "write"),
        (DELETE, "delete"),
        (DELETE_BY_SYSCALL, "delete"),
        (EXEC, "exec"),
        (SYSTEM, "exec"),
        (EXEC_BY_SYSCALL, "exec"),
        (CONNECT, "network_connect"),
        (CONNECT_BY_SYSCALL, "network_connect"),
    ],
)
def test_what_is_denied_fails_and_what_is_not_works(
    root: Path, listening: int, code: str, denied: str
) -> None:
    work = root.parent / "work"
    for confined in (True, False):
        target = work / f"file-{confined}"
        target.write_text("done")
        out = work / f"new-{confined}"
        written = code.format(path=str(target), out=str(out), work=str(work), port=listening)
        came, said = run(plan(root, denied=(denied,) if confined else ()), written)
        assert ("done" in said and came) is not confined, said
    assert (work / "file-True").read_text() == "done"
    assert not (work / "new-True").exists()


def test_only_what_is_allowed_is_allowed(root: Path, listening: int) -> None:
    told = plan(root, "read")
    work = str(root.parent / "work")
    Path(work, "f").write_text("done")
    assert run(told, READ.format(path=f"{work}/f"))[0]
    for code in (WRITE, EXEC, CONNECT, DELETE):
        written = code.format(out=f"{work}/new", path=f"{work}/f", port=listening)
        assert not run(told, written)[0]


def test_a_denied_program_is_not_started_and_others_are(root: Path) -> None:
    told = plan(root, denied=("rm",))
    work = root.parent / "work"
    (work / "f").touch()
    assert not run(told, f"subprocess.run(['rm', {str(work / 'f')!r}], check=True)")[0]
    assert (work / "f").exists()
    assert run(told, EXEC)[0]


def test_an_allowed_program_is_started_and_others_are_not(root: Path) -> None:
    told = plan(root, "read", "echo")
    assert run(told, EXEC)[0]
    assert not run(told, "subprocess.run(['cat', '/dev/null'], check=True)")[0]


@pytest.mark.parametrize("code", [ENVIRON, MEMORY, PTRACE, PIDFD, READV, KILL])
def test_no_process_outside_can_be_looked_into_or_ended(root: Path, code: str) -> None:
    for confined in (True, False):
        with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
            time.sleep(0.3)
            start = next(
                line.partition("-")[0]
                for line in Path(f"/proc/{other.pid}/maps").read_text().splitlines()
                if " r" in line
            )
            address = f"0x{start}"
            written = code.format(pid=other.pid, address=address)
            came, said = run(plan(root) if confined else {}, written)
            assert came is not confined, said
            assert (other.poll() is None) is (confined or code != KILL)
            other.kill()


def test_what_is_typed_at_a_terminal_is_not_the_agents_to_read(root: Path) -> None:
    for confined in (True, False):
        typing, terminal = os.openpty()
        os.write(typing, SECRET.encode() + b"\n")
        code = LISTEN_IN.format(path=os.ttyname(terminal))
        came, said = run(plan(root) if confined else {}, code)
        assert (SECRET in said and came) is not confined, said
        os.close(typing)
        os.close(terminal)


@pytest.mark.parametrize(
    "path", ["/proc/sys/kernel/core_pattern", "/etc/hosts", "/usr/lib/os-release"]
)
def test_what_the_system_runs_and_reads_is_not_the_agents_to_change(root: Path, path: str) -> None:
    world.need_root()
    for confined in (True, False):
        came, said = run(plan(root) if confined else {}, TOUCHED.format(path=path))
        assert came is not confined, said


def test_devices_that_programs_need_are_there(root: Path) -> None:
    code = """
for each in ("null", "zero", "urandom"):
    open(f"/dev/{each}", "rb").close()
open("/dev/null", "w").write("x")
open("/dev/shm/openclaw-test", "w").write("x")
os.unlink("/dev/shm/openclaw-test")
"""
    assert run(plan(root), code) == (True, "")


def test_siblings_of_one_domain_are_apart_once_each_has_its_own(root: Path) -> None:
    code = """
import time
pid = os.fork()
if pid == 0:
    SEPARATE
    time.sleep(20)
    os._exit(0)
time.sleep(0.3)
if os.fork() == 0:
    SEPARATE
    try:
        open(f"/proc/{pid}/environ").read()
        os._exit(1)
    except PermissionError:
        os._exit(0)
status = os.wait()[1]
os.kill(pid, 9)
print("apart" if status == 0 else "together")
"""
    told = plan(root)
    assert "apart" in run(told, code.replace("SEPARATE", "landlock.separate(landlock.domain())"))[1]
    assert "together" in run(told, code.replace("SEPARATE", "pass"))[1]


def test_another_user_is_held_as_well() -> None:
    place = Path(tempfile.mkdtemp(prefix="openclaw-landlock-", dir="/tmp"))
    try:
        (place / "state" / "secrets").mkdir(parents=True)
        (place / "state" / "secrets" / "key").write_text(SECRET)
        shutil.copytree(Path(landlock.__file__).parent, place / "lib" / "openclaw_cli" / "agents")
        (place / "lib" / "openclaw_cli" / "__init__.py").touch()
        for each in [place, *place.rglob("*")]:
            os.chown(each, 65534, 65534)
        code = READ.format(path=str(place / "state" / "secrets" / "key"))
        command = f"import sys; sys.path.insert(0, {str(place / 'lib')!r})\n" + PRELUDE + code
        for told, reads in (
            ({**plan(place / "state"), "readable": [], "code": []}, False),
            ({}, True),
        ):
            done = subprocess.run(
                [*NOBODY, "/usr/bin/python3", "-c", command, json.dumps(told)],
                capture_output=True,
                text=True,
                check=False,
            )
            assert (SECRET in done.stdout) is reads, done.stderr
    finally:
        shutil.rmtree(place)


def test_where_the_kernel_cannot_a_strict_plan_is_refused() -> None:
    # In a process of its own: what root gives up on the way is given up for good.
    code = """
import json, sys
from openclaw_cli.agents import landlock
landlock.version = lambda: 0
told = json.loads(sys.argv[1])
print(repr(landlock.confine(told)), landlock.separate(landlock.domain()))
try:
    landlock.confine({**told, "strict": True})
except landlock.Unconfined:
    print("refused")
"""
    asked = [sys.executable, "-c", code, json.dumps(plan(Path("/nowhere")))]
    done = subprocess.run(asked, capture_output=True, text=True, check=True)
    assert done.stdout == "'' None\nrefused\n"


def test_it_costs_little(root: Path) -> None:
    code = """
import time
began = time.perf_counter()
for _ in range(5):
    landlock.separate(landlock.domain())
print((time.perf_counter() - began) / 5)
"""
    came, said = run(plan(root), code)
    assert came
    assert float(said) < 0.05
