"""State directories as they are before a command: empty, with secrets, with what it needs."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from openclaw_cli import assembly, bundle, bundling
from openclaw_cli.agents import granting
from openclaw_cli.audit.trail import SEGMENT_BYTES
from openclaw_cli.changes import Changes
from openclaw_cli.home import Home, find
from openclaw_cli.model import SecretValue
from openclaw_cli.names import parse
from openclaw_cli.service import Secrets
from openclaw_cli.settings import Settings
from openclaw_cli.store.keys import session
from openclaw_cli.upkeep import Upkeep
from tests.faults.world import CANARY, changes, service
from tests.unit.interop import installation

PASSPHRASE = b"correct horse battery staple"


def prepare(root: str, before: str) -> None:
    """Make a state directory: `nothing`, `some` secrets, or an `old` one with a long trail.

    `put-back` has some, and a store of an older state; `anchored` an anchor beside it. The others
    have `some`, and what the command that is tried needs: see `_MORE`.
    """
    if before == "nothing":
        return
    made = changes(root, 1000 if before == "old" else SEGMENT_BYTES)
    made.create("kept", SecretValue(CANARY + b"-1"))
    made.set("kept", SecretValue(CANARY + b"-2"))
    shutil.copy(f"{root}/secrets/store.oc", f"{root}.backup")
    made.create("gone", SecretValue(CANARY + b"-3"))
    made.delete("gone")
    made.create("other", SecretValue(bytes(range(256)) * 3))
    if before in _MORE:
        _MORE[before](root)


def _put_back(root: str) -> None:
    shutil.copy(f"{root}.backup", f"{root}/secrets/store.oc")


def _anchored(root: str) -> None:
    state = f"{os.path.dirname(root)}/state"
    Path(root, "settings.toml").write_text(f'store.anchor = "file:{state}/anchor"\n')
    unlock = assembly.secrets(Home(root), Settings({}, {}), {}).unlock
    anchored = Secrets(Home(root), {"uid": 0}, unlock, anchor=f"file:{root}/anchor")
    Changes(anchored).set("other", SecretValue(b"-"))


def _granted(root: str) -> None:
    granting.grant(changes(root).change_store, {"uid": 0}, "reader", ["kept", "other"])


def _two_slots(root: str) -> None:
    Upkeep(service(root), changes(root)).add_slot("passphrase", PASSPHRASE)


def _unlocked(root: str) -> None:
    """Leave a session for the store, where the case has its runtime directory."""
    snapshot = service(root).open()
    assert snapshot is not None
    header, data_key = snapshot.header, snapshot.data_key
    snapshot.close()
    kept = os.environ["XDG_RUNTIME_DIR"]
    os.environ["XDG_RUNTIME_DIR"] = f"{root}/runtime"
    try:
        session.start(header, data_key, 3600)
    finally:
        os.environ["XDG_RUNTIME_DIR"] = kept


def _units(root: str) -> None:
    folder = f"{root}/config/systemd/user"
    os.makedirs(folder, mode=0o700)
    for name in ("rotate.service", "rotate.timer", "gateway.service"):
        Path(folder, f"openclaw-{name}").write_text("[Unit]\n")


def _old_words(root: str) -> None:
    Path(root, "openclaw.json").write_text('{"agents": {"a": {"threadBound": true}}} // mine\n')


def _project(root: str) -> None:
    os.mkdir(f"{root}/project")
    Path(root, "project", ".openclaw.toml").write_text('backend = "local"\n')


def _gateway(root: str) -> None:
    """Lay a gateway's program beside it, and its configuration into it."""
    installation.installed(Path(f"{root}.gateway"))
    Path(root, "openclaw.json").write_text(installation.CONFIG)


def _job(root: str) -> None:
    """Leave what a job leaves of reading a bundle, beside it."""
    secrets = service(root)
    known = secrets.catalogue().entries
    made = bundling.made(secrets, {"kept": secrets.read(parse("kept"))}, known, 3600)
    Path(f"{root}.bundle").write_bytes(made.data)
    environ = {bundle.VARIABLE: f"{root}.bundle", bundle.OUTPUT: f"{root}.job"}
    Path(f"{root}.key").write_bytes(made.key.hex().encode())
    reading = bundle.Bundle(find(environ), {"uid": 0}, {**environ, bundle.KEY_FILE: f"{root}.key"})
    for _ in range(JOB_READS):
        reading.read(parse("kept"))


JOB_READS = 5

_MORE = {
    "put-back": _put_back,
    "anchored": _anchored,
    "granted": _granted,
    "two-slots": _two_slots,
    "unlocked": _unlocked,
    "units": _units,
    "old-words": _old_words,
    "project": _project,
    "gateway": _gateway,
    "job": _job,
}
