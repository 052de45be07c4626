"""Asks agents of a gateway in a delegated folder of control groups, and prints what came.

`limited_tree.py FOLDER PLACE`: the folder can have limits of memory and of processes; the place is
in memory, and empty.
"""

from __future__ import annotations

import http.client
import json
import os
import shlex
import subprocess
import sys
import tomllib
from functools import partial
from pathlib import Path
from typing import Any

FOLDER, PLACE = map(Path, sys.argv[1:])
STATE, LEFT = PLACE / "state", PLACE / "left"
HANDLERS = Path(__file__).parents[1] / "handlers"
OPENCLAW = [sys.executable, "-P", "-m", "openclaw_cli"]
CODE = {"handler": "reach:try_it"}
AGENTS = {"tree": {**CODE, "memory-limit": "60MB"}, "crowd": {**CODE, "memory-limit": "1GB"}}

GROUP = "print(open('/proc/self/cgroup').read().rpartition('/')[2].strip())"
# Memory that is shared: neither RLIMIT_DATA counts it nor who adds up what processes have alone.
TREE = """
code = '''
import mmap, time
x = mmap.mmap(-1, 40 * 2**20)
for _ in range(40):
    x.write(bytes(2**20))
time.sleep(4)
'''
for each in [subprocess.Popen([sys.executable, "-I", "-S", "-c", code]) for _ in range(3)]:
    each.wait()
print("all of them")
"""
CROWD = """
import threading
end = threading.Event()
made = []
try:
    while len(made) < 400:
        one = threading.Thread(target=end.wait)
        one.start()
        made.append(one)
except RuntimeError:
    pass
end.set()
print(len(made))
"""
LEAVES = f"""
{GROUP}
with open("{LEFT}/file", "wb") as file:
    file.write(bytes(30 * 2**20))
"""


def main() -> None:
    """Do it, and print what came of it."""
    STATE.mkdir(mode=0o700)
    LEFT.mkdir()
    (STATE / "handlers").symlink_to(HANDLERS)
    (STATE / "openclaw.json").write_text(json.dumps({"agents": AGENTS, "gateway": {"port": 0}}))
    os.environ["OPENCLAW_STATE_DIR"] = str(STATE)
    # The command that starts it is in the folder, too, and leaves it.
    enters = ["sh", "-c", f'echo 0 >{FOLDER}/cgroup.procs; exec "$@"', "sh"]
    port = json.loads(_run([*enters, *OPENCLAW, "gateway", "start", "--json"]))["address"]
    ask = partial(_by_http, int(port.rpartition(":")[2]))
    status = json.loads(_run([*OPENCLAW, "agents", "status", "--verbose", "--json"]))
    found: dict[str, Any] = {}
    found["holds"] = {each["name"]: each["holds"] for each in status["agents"]}
    found["cgroup"] = status["cgroup"]
    group = FOLDER / ask("tree", GROUP)[0]
    files = ("memory.max", "memory.swap.max", "memory.oom.group", "pids.max")
    found["said"] = {name: (group / name).read_text().strip() for name in files}
    found["before"] = [*{ask("tree", GROUP)[0] for _ in range(4)}]
    found["tree"] = ask("tree", TREE)
    found["ended"] = _ended()
    used = found["leaves"] = ask("tree", LEAVES)[0]
    found["taken again"] = used in [ask("tree", GROUP)[0] for _ in range(3)]
    found["crowd"] = ask("crowd", CROWD)[0]
    _run([*OPENCLAW, "gateway", "stop"])
    found["left"] = [each.name for each in FOLDER.iterdir() if each.is_dir()]
    # The control: with no gateway there are no groups.
    for name, code in (("tree", TREE), ("crowd", CROWD)):
        line = [*OPENCLAW, "agents", "run", name, "--input", "-"]
        found[f"{name} without"] = _run(line, json.dumps(code)).strip()
    print(f"\nFOUND {json.dumps(found)}", flush=True)  # noqa: T201


def _by_http(port: int, agent: str, code: str) -> tuple[str, str]:
    """Return what an agent printed, and the outcome."""
    token = tomllib.loads((STATE / "gateway" / "tokens.toml").read_text())["default"]["token"]
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    client.request(
        "POST",
        f"/v1/agents/{agent}",
        json.dumps({"input": code}),
        {"Authorization": f"Bearer {token}"},
    )
    answer = json.loads(client.getresponse().read())
    client.close()
    return str(answer.get("output") or "").strip(), str(answer)


def _ended() -> list[str]:
    """Return how many the kernel has ended for memory, in the folder and below."""
    lines = (FOLDER / "memory.events").read_text().splitlines()
    return [each for each in lines if each.startswith(("oom_kill ", "oom_group_kill "))]


def _run(argv: list[str], given: str = "") -> str:
    done = subprocess.run(argv, input=given, capture_output=True, text=True, check=False)
    print(shlex.join(argv[-4:]), done.returncode, done.stderr[-500:], flush=True)  # noqa: T201
    return done.stdout or done.stderr


if __name__ == "__main__":
    main()
