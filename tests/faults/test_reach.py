"""An agent tries forty ways to reach another agent's secret, and gets none.

At the levels that `status` claims, `landlock` and `uid`, as the user who runs the tests (root in
CI) and as another one. Each way that leads anywhere for a person is tried as one, too: there it
must succeed.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests import others
from tests.conftest import Openclaw, runner
from tests.gateways import Gateway, running, settings

pytestmark = pytest.mark.slow

CROWN = "crown-jewels-7319"
_RUNTIME = "XDG_RUNTIME_DIR"

FILES = {
    "the key file": "secrets/key",
    "the store": "secrets/store.oc",
    "the lock": "secrets/lock",
    "the trail": "audit/trail.jsonl",
    "the trail's head": "audit/head",
    "the settings": "openclaw.json",
    "the state": "state.toml",
    "the tokens": "gateway/tokens.toml",
    "the log": "logs/agent.log",
    "what was said": "sessions",
}
BY_FILE = """
import pathlib
place = pathlib.Path({path!r})
for each in [place, *place.rglob("*")] if place.is_dir() else [place]:
    if not each.is_dir():
        print("READ", len(each.read_bytes()))
"""
BY_PROC = {
    "environment": "print('READ', open('/proc/{pid}/environ', 'rb').read())",
    "memory": "f = open('/proc/{pid}/mem', 'rb'); f.seek({address}); print('READ', f.read(64))",
    "descriptors": "print('READ', [open('/proc/{pid}/fd/' + each, 'rb')"
    " for each in os.listdir('/proc/{pid}/fd')])",
    "maps": "print('READ', open('/proc/{pid}/maps').read()[:200])",
    "root": "print('READ', os.listdir('/proc/{pid}/root/'))",
    "working directory": "print('READ', os.listdir('/proc/{pid}/cwd/'))",
    "ptrace": "checked(libc.ptrace(16, {pid}, 0, 0)); print('READ')",
    "pidfd": "fd = checked(libc.syscall(434, {pid}, 0)); checked(libc.syscall(438, fd, 3, 0));"
    " print('READ')",
    "vm_readv": """
class Vector(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]
buffer = ctypes.create_string_buffer(64)
ours, theirs = Vector(ctypes.addressof(buffer), 64), Vector({address}, 64)
checked(libc.process_vm_readv({pid}, ctypes.byref(ours), 1, ctypes.byref(theirs), 1, 0))
print("READ", buffer.raw)
""",
    "core file": "os.kill({pid}, 6); print('READ')",
}
NAMES = (
    *("crown", "Crown", "CROWN", "crow", "crown2", "own/../crown", "./crown", "crown#", "crown#x"),
    *("crown?version=1", "local://crown", "vault://local/crown", "openclaw://crown", "own\0crown"),
    *("own/*", "*", "", "cr\u043ewn"),
)
OTHERS = {
    "our own environment": "print(os.environ)",
    "what the zygote left in memory": """
needle = bytes(each ^ 1 for each in {hidden!r})
ours = id(needle)
for line in open("/proc/self/maps"):
    place, rights = line.split()[:2]
    if "r" not in rights or line.rstrip().endswith(("[vvar]", "[vsyscall]")):
        continue
    begin, end = (int(each, 16) for each in place.split("-"))
    with open("/proc/self/mem", "rb", 0) as memory:
        try:
            memory.seek(begin)
            found = memory.read(end - begin)
        except (OSError, OverflowError, ValueError):
            continue
    at = found.find(needle)
    while at >= 0:
        is_ours = ours <= begin + at < ours + 64
        if not is_ours:
            print("READ", place, hex(begin + at))
        at = found.find(needle, at + 1)
    del found
""",
    "descriptors that were left open": """
for each in os.listdir("/proc/self/fd"):
    try:
        print(os.pread(int(each), 4096, 0))
    except OSError:
        pass
""",
    "our program": "print(subprocess.run(['openclaw', 'secrets', 'get', 'crown'],"
    " capture_output=True, env=dict(os.environ, PATH={path!r})))",
    "our program, as a person": "env = dict(os.environ, PATH={path!r});"
    " env.pop('OPENCLAW_AGENT', 0); env.pop('OPENCLAW_INSTANCE', 0);"
    " print(subprocess.run(['openclaw', 'secrets', 'get', 'crown'], capture_output=True, env=env))",
    "an export": "env = dict(os.environ, PATH={path!r}); env.pop('OPENCLAW_AGENT', 0);"
    " print(subprocess.run(['openclaw', 'secrets', 'export'], capture_output=True, env=env))",
    "the control socket": """
s = socket.socket(socket.AF_UNIX); s.connect({socket!r})
s.sendall(b"POST /control/status HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 2\\r\\n\\r\\n{{}}")
answer = s.recv(65536)
print("READ" if answer.startswith(b"HTTP/1.1 200") else "refused", answer)
""",
    "the control socket, by a child that is gone": """
s = socket.socket(socket.AF_UNIX)
child = os.fork()
if not child:
    s.connect({socket!r})
    os._exit(0)
os.waitpid(child, 0)
s.sendall(b"POST /control/status HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 2\\r\\n\\r\\n{{}}")
answer = s.recv(65536)
print("READ" if answer.startswith(b"HTTP/1.1 200") else "refused", answer)
""",
    "HTTP without a token": """
s = socket.create_connection(("127.0.0.1", {port}))
s.sendall(b"GET /v1/status HTTP/1.1\\r\\nHost: 127.0.0.1\\r\\n\\r\\n")
answer = s.recv(65536)
print("READ" if answer.startswith(b"HTTP/1.1 200") else "refused", answer)
""",
    "another agent's handler": "open({handler!r}, 'a').write('x'); print('READ')",
    "another agent's program": "open({program!r}, 'a').write('x'); print('READ')",
    "a mount of our own": """
checked(libc.unshare(0x10000000 | 0x20000))
checked(libc.mount(b"none", b"/", None, 0x44000, None))
checked(libc.mount({secrets!r}.encode(), b"/mnt", None, 4096, None))
print("READ", os.listdir("/mnt"))
""",
    "a hard link": "os.link({key!r}, '/tmp/openclaw-reach-link'); print('READ')",
    "a move of the folder": "os.rename({secrets!r}, {secrets!r} + '-moved'); print('READ')",
    "the gateway's limits": "import resource; both = ({gateway}, resource.RLIMIT_NOFILE);"
    " resource.prlimit(*both, resource.prlimit(*both)); print('READ')",
    "the user's keys in the kernel": "checked(libc.syscall(250, 0, -4, 1)); print('READ')",
    "the gateway's memory": "print('READ', open('/proc/{gateway}/mem', 'rb'))",
    "the zygote's environment": "print('READ', open('/proc/{zygote}/environ').read())",
}


ELSEWHERE = """
import tempfile
tempfile.TemporaryFile(dir="/var/tmp").write(b"x")
print("done")
"""


@dataclass
class Scene:
    """A running gateway with both agents, and where everything is."""

    gateway: Gateway
    facts: dict[str, Any]
    level: str

    def tries(self, code: str) -> str:
        """Have the thief run code; return what it printed."""
        answer = self.gateway.agent("thief", code.format(**self.facts))
        assert answer.status == 200, answer
        return str(answer.json["output"])


@pytest.fixture(params=["as we are", "as nobody", "own uid, by root", "own uid, by nobody"])
def scene(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    folder = Path(tempfile.mkdtemp())
    level = "uid" if request.param.startswith("own uid") else "landlock"
    try:
        yield from _scene(folder, monkeypatch, level, as_nobody=request.param.endswith("nobody"))
    finally:
        shutil.rmtree(folder)


def _scene(
    folder: Path, monkeypatch: pytest.MonkeyPatch, level: str, *, as_nobody: bool
) -> Iterator[Scene]:
    folder.chmod(0o755)
    for name, variable in (("home", "HOME"), ("state", "OPENCLAW_STATE_DIR"), ("run", _RUNTIME)):
        (folder / name).mkdir()
        monkeypatch.setenv(variable, str(folder / name))
    more = {} if level == "landlock" else {"require-isolation": level}
    (folder / "agent.sh").write_text("true")
    settings(
        {
            "keeper": {
                "handler": "reach:Keeper",
                "mode": "session",
                "secrets": [{"name": "crown", "envVar": "CROWN"}],
                **more,
            },
            "thief": {
                "handler": "reach:try_it",
                "secrets": ["own"],
                "memory-limit": "200MB",
                **more,
            },
            "program": {"command": ["sh", str(folder / "agent.sh")], "preload": False, **more},
        }
    )
    before = [] if level == "landlock" and not as_nobody else others.reachable(folder)
    if as_nobody:
        before += [*others.ids_set_aside(folder), *others.AS_NOBODY]
        for each in [*folder.rglob("*")]:
            os.chown(each, others.NOBODY, others.NOBODY, follow_symlinks=False)
    openclaw = runner(before)
    openclaw("secrets", "create", "crown", input=CROWN.encode(), check=0)
    openclaw("secrets", "create", "own", input=b"mine", check=0)
    with running(openclaw) as gateway:
        kept = gateway.agent("keeper", "hello", session="t-1").json["output"]
        state = gateway.state
        until = time.monotonic() + 5
        while not list((state / "sessions").rglob("*")) and time.monotonic() < until:
            time.sleep(0.1)
        facts = {
            **kept,
            "hidden": bytes(each ^ 1 for each in CROWN.encode()),
            "gateway": gateway.pid,
            "port": gateway.port,
            "path": os.environ["PATH"],
            "socket": str(state / "run" / "gateway.sock"),
            "secrets": str(state / "secrets"),
            "key": str(state / "secrets" / "key"),
            "handler": str(state / "handlers" / "zoo.py"),
            "program": str(state.parent / "agent.sh"),
        }
        yield Scene(gateway, facts, level)


def test_forty_ways_to_anothers_secret_lead_nowhere(scene: Scene) -> None:
    rows = scene.gateway.ask("/v1/status?verbose").json["agents"]
    assert {
        each["name"]: each["level"] for each in rows if each["name"] != "program"
    } == dict.fromkeys(("keeper", "thief"), scene.level)
    ways = {name: f"print('READ', ctx.secrets[{name!r}])" for name in NAMES}
    for what, name in FILES.items():
        ways[what] = BY_FILE.format(path=str(scene.gateway.state / name))
    ways |= {f"another's {what}": code for what, code in BY_PROC.items()} | OTHERS
    assert len(ways) > 40
    reached = {}
    for what, code in ways.items():
        braces = what in NAMES or what in FILES
        said = scene.tries(code.replace("{", "{{").replace("}", "}}") if braces else code)
        if CROWN in said or "READ" in said.partition("FAILED")[0]:
            reached[what] = said
    assert reached == {}
    assert "'mine'" in scene.tries("print(repr(ctx.secrets['own']))")
    assert "done" in scene.tries(ELSEWHERE)
    assert (
        scene.gateway.agent("keeper", "still here?", session="t-1").json["output"]["pid"]
        == (scene.facts["pid"])
    )


@pytest.mark.parametrize("scene", ["as we are"], indirect=True)
def test_every_name_that_was_tried_is_recorded(scene: Scene, openclaw: Openclaw) -> None:
    for name in ("crown", "crown2", "local://crown"):
        assert "FAILED" in scene.tries(f"ctx.secrets[{name!r}]")
    found = openclaw("secrets", "audit", "--json", "--period", "1h", check=0).json()
    denied = [each for each in found["events"] if each.get("outcome") == "denied"]
    assert {each["name"] for each in denied} >= {"crown", "crown2"}
    assert all(each["actor"]["agent"] == "thief" for each in denied)


@pytest.mark.parametrize("scene", ["as we are"], indirect=True)
def test_the_same_ways_lead_there_for_a_person(scene: Scene) -> None:
    """The control: without our processes' isolation, the ways that are tried do work."""
    script = f"""
import json, sys
sys.path.insert(0, {str(Path(__file__).parents[1] / "handlers")!r})
import reach
for code in json.loads(sys.stdin.read()):
    print(json.dumps(reach.try_it(code, None)))
"""
    ways = [BY_FILE.format(path=str(scene.gateway.state / name)) for name in FILES.values()]
    ways.append(OTHERS["our program, as a person"].format(**scene.facts))
    if os.getuid() == 0:  # of whom nobody is safe without Landlock, not even what is not dumpable
        ways += [BY_PROC[each].format(**scene.facts) for each in ("environment", "memory")]
    done = subprocess.run(
        [sys.executable, "-c", script],
        input=json.dumps(ways),
        capture_output=True,
        text=True,
        check=True,
    )
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert all("READ" in each.partition("FAILED")[0] or CROWN in each for each in said), said
