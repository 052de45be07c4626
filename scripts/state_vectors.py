"""Writes `tests/vectors/state-VERSION/`: a whole state directory, as this version leaves it.

Made by the commands themselves: a store, a trail of two files, settings, a configuration in older
spellings, a rotation, a grant, another environment, and what a gateway leaves with a session of an
agent. It is frozen at each release: what is there is never written again.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from tempfile import TemporaryDirectory

from openclaw_cli import __version__

VERSION = __version__.rpartition(".")[0]
FOLDER = Path(__file__).resolve().parent.parent / "tests" / "vectors" / f"state-{VERSION}"
VALUES = {"session-key": "second", "team/db-password": "p@ss w\u00f6rd", "binary": "\x00\x01"}
LEFT_OUT = ("lock", "rotate.lock", "compiled", "gateway.lock", "gateway.sock", "gateway.log")
CONFIGURATION = """\
// as articles wrote it before the first release
{
  "agents": {
    "mailer": {"runtime": "thread-bound", "handler": "mailer:handle", "max-duration": 60},
    "talker": {
      "threadBound": true, /* keeps its process */ "mode": "session",
      "handler": "mailer:handle", "max-concurrent": 3,
    },
  },
  "externalSecrets": {
    "shared": {"apiKey": {"source": "env", "key": "SHARED_KEY", "rotationPolicy": "weekly"}}
  },
  "channels": {"telegram": {"botToken": "the gateway's own, which stays"}},
}
"""
HANDLER = """\
def handle(given: object, _context: object) -> object:
    return given
"""


def main() -> int:
    """Make it, unless it is there."""
    if FOLDER.exists():
        print(f"{FOLDER} is there, and stays as it is")
        return 1
    with TemporaryDirectory() as folder:
        state = Path(folder) / "state"
        _make(state)
        files = [path for path in sorted(state.rglob("*")) if path.is_file()]
        kept = [path for path in files if path.name not in LEFT_OUT and path.suffix != ".pyc"]
        for path in kept:
            target = FOLDER / path.relative_to(state)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    manifest = {"values": VALUES, "files": [str(path.relative_to(state)) for path in kept]}
    (FOLDER / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
    return 0


def _make(state: Path) -> None:
    def openclaw(*line: str, given: str = "") -> None:
        program = Path(sysconfig.get_path("scripts")) / "openclaw"
        command = ("/bin/sh", "-c", '"$@"; exit $?', "sh", program)  # the trail names the parent
        environ = {"PATH": os.defpath, "OPENCLAW_STATE_DIR": str(state)}
        subprocess.run([*command, *line], input=given.encode(), env=environ, check=True)

    openclaw("config", "set", "audit.segment-bytes", "64KiB")
    openclaw("config", "set", "store.versions", "5")
    (state / "openclaw.json").write_text(CONFIGURATION)
    (state / "openclaw.json").chmod(0o600)
    (state / "handlers").mkdir(mode=0o700)
    (state / "handlers" / "mailer.py").write_text(HANDLER)
    openclaw("secrets", "set", "session-key", given="first")
    for name, value in VALUES.items():
        openclaw("secrets", "set", name, given=value)
    openclaw("secrets", "describe", "team/db-password", "--label", "variable=PGPASSWORD")
    openclaw("secrets", "set", "deleted", given="deleted")
    openclaw("secrets", "delete", "deleted")
    openclaw("secrets", "rotate", "session-key", "--schedule", "weekly", "--with", "generate")
    openclaw("secrets", "set", "session-key", given=VALUES["session-key"])
    openclaw("secrets", "grant", "mailer", "team/*", "--uses", "3")
    openclaw("secrets", "expect", "team/db-password", "--from", "local", "--enforce")
    for _ in range(300):  # until the trail goes on in a second file
        openclaw("secrets", "run", "--secret", "team/*", "--", "true")
        if any(state.glob("audit/trail-*")):
            break
    openclaw("--environment", "test", "secrets", "set", "session-key", given="of the test")
    openclaw("gateway", "start")
    openclaw("agents", "run", "talker", "--thread=kept", "--input", "-", given='"remember"')
    openclaw("gateway", "stop")
    openclaw("secrets", "audit", "verify")


if __name__ == "__main__":
    sys.exit(main())
