"""Writes `tests/vectors/bundle-1/`: a bundle of format 1, and what a job left of reading it.

Frozen as the stores beside it are: what is there is never written again, and `--check` says whether
it is still what this program would write.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from openclaw_cli import bundling  # noqa: E402
from openclaw_cli.assembly import secrets as of_home  # noqa: E402
from openclaw_cli.home import find  # noqa: E402
from openclaw_cli.model import Secret, SecretValue, Version  # noqa: E402
from openclaw_cli.names import parse  # noqa: E402
from openclaw_cli.settings import Settings  # noqa: E402
from openclaw_cli.store.directory import Entries, Entry  # noqa: E402
from openclaw_cli.store.keys import given  # noqa: E402
from scripts.vectors import NOW, repeat  # noqa: E402

FOLDER = ROOT / "tests" / "vectors" / "bundle-1"
ACTOR = {"uid": 1000, "pid": 4711, "via": "ci", "program": "/usr/bin/bash"}
VALUES = {"deploy-token": b"hunter2", "binary": b"\0\xff\n"}
SECONDS = 3600


class Maker:
    """As much of a store's secrets as making a bundle needs."""

    def __init__(self, audit_key: bytes) -> None:
        snapshot = SimpleNamespace(index=SimpleNamespace(audit_key=audit_key), close=lambda: None)
        self.opened = lambda: snapshot
        self.trail = SimpleNamespace(append=lambda _records: [])
        self.actor = ACTOR


def everything() -> dict[str, bytes]:
    """Return every file of the folder, by name."""
    repeat("bundle")
    time.time = lambda: NOW / 1000
    time.time_ns = lambda: NOW * 1_000_000
    time.monotonic = lambda: 0.0
    audit_key = os.urandom(32)
    known = Entries()
    known["deploy-token"] = Entry("deploy-token", "github", NOW)
    known["deploy-token"].labels = {"variable": "GH_TOKEN"}
    values = {
        name: Secret(SecretValue(value), Version("3"), "local") for name, value in VALUES.items()
    }
    maker: Any = Maker(audit_key)
    made = bundling.made(maker, values, known, SECONDS)
    with TemporaryDirectory() as folder:
        job = _job(Path(folder), made)
        files = {name: (job / name).read_bytes() for name in ("trail.jsonl", "head")}
    manifest = {
        "format": 1,
        "file": "two.bundle",
        "key": made.key.hex(),
        "bundle": made.id,
        "made": NOW // 1000,
        "expires": made.expires,
        "store_audit_key": audit_key.hex(),
        "values": {name: value.hex() for name, value in VALUES.items()},
        "records": len(files["trail.jsonl"].splitlines()),
    }
    files["two.bundle"] = made.data
    files["manifest.json"] = (json.dumps(manifest, indent=1) + "\n").encode()
    return files


def _job(folder: Path, made: bundling.Made) -> Path:
    """Read the bundle as a job would; return the folder of its trail."""
    (folder / "two.bundle").write_bytes(made.data)
    environ = {"OPENCLAW_BUNDLE": str(folder / "two.bundle")}
    given.take({given.BUNDLE: made.key.hex()}, None)
    home = find(environ)
    secrets = of_home(home, Settings({}, {}), environ)
    secrets.actor = ACTOR
    for name in (*VALUES, "absent"):
        secrets.read_many([parse(name)], purpose="get")
    return Path(home.audit)


def main(arguments: list[str]) -> int:
    """Write what is missing, or with `--check` say what differs; return the exit status."""
    status = 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, data in everything().items():
        path = FOLDER / name
        if not path.exists() and arguments != ["--check"]:
            path.write_bytes(data)
        elif not path.exists() or path.read_bytes() != data:
            print(f"{path} is not what this program writes; it stays as it is")
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
