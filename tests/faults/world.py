"""What a state directory holds, and whether it is sound; asked without the commands under test."""

from __future__ import annotations

import base64
import os
import shutil
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openclaw_cli import assembly
from openclaw_cli.audit import chain
from openclaw_cli.audit import head as heads
from openclaw_cli.audit.trail import SEGMENT_BYTES
from openclaw_cli.changes import Changes
from openclaw_cli.errors import IntegrityError
from openclaw_cli.home import Home
from openclaw_cli.model import SecretValue
from openclaw_cli.names import parse
from openclaw_cli.service import Secrets
from openclaw_cli.settings import DEFAULTS, Settings
from openclaw_cli.upkeep import open_backup

CANARY = b"canary-7Q2xw9Lm4Tz8Vb1Rk6Yp3Nc5"
"""The value that every command is given, and that may be nowhere but in its answer."""

SPELLINGS = (CANARY, base64.b64encode(CANARY)[4:-4], CANARY.hex().encode())

_ENTRIES = {
    "secrets": {"store.oc", "lock", "key", "rotate.lock"},
    "audit": {"trail.jsonl", "head", "lock"},
}

State = tuple[Any, ...] | None
REFUSED: State = ("refused",)


@dataclass(frozen=True)
class Case:
    """A command that changes something: its line, what it is given, and what is there before."""

    line: tuple[str, ...]
    before: str = "some"
    given: bytes = b""
    inside: Callable[[], None] | None = None

    def filled(self, template: str) -> tuple[str, ...]:
        """Return the line for a state directory that was copied from `template`, to beside it."""
        state = f"{os.path.dirname(template)}/state"
        return tuple(word.format(backup=f"{template}.backup", state=state) for word in self.line)

    def __str__(self) -> str:
        return " ".join(self.line[:2] + tuple(w for w in self.line[2:] if w.startswith("--")))


NEW = CANARY + b"-new"
PASSPHRASE = b"correct horse battery staple"


def tiny_segments() -> None:
    """Let the trail begin a new file at each record."""
    DEFAULTS["audit.segment-bytes"] = 100


CASES = (
    Case(("secrets", "create", "first"), "nothing", NEW),
    Case(("secrets", "create", "second"), "some", NEW),
    Case(("secrets", "set", "kept"), "some", NEW),
    Case(("secrets", "set", "kept"), "some", NEW, tiny_segments),
    Case(("secrets", "describe", "kept", "--label", "owner=ada")),
    Case(("secrets", "rollback", "kept")),
    Case(("secrets", "delete", "kept")),
    Case(("secrets", "delete", "kept", "--purge", "--yes")),
    Case(("secrets", "restore", "gone")),
    Case(("secrets", "import", "-", "--format", "dotenv"), given=b"A_KEY=%s\nB=2\n" % NEW),
    Case(("secrets", "copy", "kept", "copied")),
    Case(("secrets", "get", "kept")),
    Case(("secrets", "export", "kept", "--format", "json")),
    Case(("secrets", "audit", "prune", "--before", "2099-01-01", "--yes"), "old"),
    Case(("store", "init", "--no-recovery"), "nothing"),
    Case(("store", "rekey")),
    Case(("store", "slots", "add", "passphrase", "--passphrase-file", "-"), given=PASSPHRASE),
    Case(("store", "restore", "{backup}", "--yes")),
    Case(("config", "set", "store.versions", "5")),
    Case(("store", "backup", "{state}/copy.oc")),
    Case(("store", "accept-rollback", "--yes"), "put-back"),
    Case(("secrets", "set", "kept"), "anchored", NEW),
)
"""One line for each command that writes; a second one where it also begins a file of the trail."""


def service(root: str, segment_bytes: int = SEGMENT_BYTES) -> Secrets:
    """Return what reads the secrets of a state directory."""
    made = assembly.secrets(Home(root), Settings({}, {}), {})
    return Secrets(
        made.home,
        {"uid": 0, "pid": os.getpid()},
        made.unlock,
        segment_bytes=segment_bytes,
        anchor=f"file:{root}/anchor" if os.path.lexists(f"{root}/anchor") else "",
    )


def changes(root: str, segment_bytes: int = SEGMENT_BYTES) -> Changes:
    """Return what changes them."""
    return Changes(service(root, segment_bytes))


def prepare(root: str, before: str) -> None:
    """Make a state directory: `nothing`, `some` secrets, or an `old` one with a long trail.

    `put-back` has some, and a store of an older state; `anchored` an anchor beside it.
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
    if before == "put-back":
        shutil.copy(f"{root}.backup", f"{root}/secrets/store.oc")
    if before == "anchored":
        state = f"{os.path.dirname(root)}/state"
        Path(root, "settings.toml").write_text(f'store.anchor = "file:{state}/anchor"\n')
        unlock = assembly.secrets(Home(root), Settings({}, {}), {}).unlock
        anchored = Secrets(Home(root), {"uid": 0}, unlock, anchor=f"file:{root}/anchor")
        Changes(anchored).set("other", SecretValue(b"-"))


def state(root: str) -> State:
    """Return every version of every secret with its value; None where there is no store.

    And whether there is a backup, a whole one. `REFUSED` where the store was put back.
    """
    try:
        snapshot = service(root).open()
    except IntegrityError:
        return REFUSED
    if snapshot is None:
        return None
    try:
        entries = snapshot.directory().entries.values()
        return (
            snapshot.header.epoch,
            tuple(slot.kind for slot in snapshot.header.slots),
            _backed_up(root),
            tuple(
                (
                    each.name,
                    bool(each.deleted),
                    each.provider,
                    tuple(sorted(each.labels.items())),
                    tuple(
                        (row.number, row.stage, snapshot.value(each.name, row.number, row.place))
                        for row in each.rows
                    ),
                )
                for each in sorted(entries, key=lambda entry: entry.name)
            ),
        )
    finally:
        snapshot.close()


def _backed_up(root: str) -> bool:
    path = f"{root}/copy.oc"
    if not os.path.lexists(path):
        return False
    open_backup(path, service(root).unlock).close()
    return True


def records(root: str) -> list[dict[str, Any]]:
    """Return every record of the trail, the whole chain verified against store and head."""
    secrets = service(root)
    raw = secrets.trail.read_head()
    snapshot = secrets.open()
    if snapshot is None:
        return []
    key, header = snapshot.index.audit_key, snapshot.header
    snapshot.close()
    lines = []
    for path in segments(root):
        with open(path, "rb") as file:
            lines += [line for line in file if line.endswith(b"\n")]  # a crash leaves half of one
    every = [chain.parse(line) for line in lines]
    pruned = max((each for each in every if each["kind"] == "trail_prune"), key=_last, default={})
    start, before = pruned.get("last", 0), bytes.fromhex(pruned.get("last_mac", "00" * 32))
    macs = {start: before}
    found: list[dict[str, Any]] = []
    for line, record in zip(lines, every, strict=True):
        if record["seq"] <= start:
            continue
        before = chain.verified(key, before, line)
        assert record["seq"] == start + len(found) + 1
        macs[record["seq"]] = before
        found.append(record)
    head = heads.decode(raw, key, header.store) if raw else heads.Head()
    assert macs.get(head.seq) == head.mac, "the head does not lie on the chain"
    if header.floor_seq >= start:
        assert macs.get(header.floor_seq) == header.floor_mac, "the store's floor does not"
    return found


def _last(pruning: dict[str, Any]) -> int:
    return int(pruning["last"])


def segments(root: str) -> list[str]:
    """Return the files of the trail, the oldest first."""
    folder = f"{root}/audit"
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    old = [name for name in names if name.startswith("trail-") and name.endswith(".jsonl")]
    new = ["trail.jsonl"] if "trail.jsonl" in names else []
    return [f"{folder}/{name}" for name in old + new]


def strays(root: str) -> list[str]:
    """Return the files that have no business there, `*.new` among them."""
    found = []
    for folder, folders, files in os.walk(root):
        inside = os.path.relpath(folder, root)
        known = _ENTRIES.get(inside, {"settings.toml", "compiled", "copy.oc", "anchor"})
        found += [
            f"{inside}/{name}"
            for name in files
            if name not in known and not (inside == "audit" and name.startswith("trail-0"))
        ]
        if inside == ".":
            found += sorted(set(folders) - set(_ENTRIES))
        else:
            found += folders
    return sorted(found)


def loose(root: str) -> list[str]:
    """Return what others may open."""
    return [
        path
        for folder, _, files in os.walk(root)
        for path in [folder, *(f"{folder}/{name}" for name in files)]
        if stat.S_IMODE(os.lstat(path).st_mode) & 0o077
    ]


def leaked(*texts: bytes) -> bool:
    """Tell whether the canary is in one of these, as it is, in base64 or in hexadecimal."""
    return any(each in text for text in texts for each in SPELLINGS)


def check_usable(root: str, told: bytes = b"") -> None:
    """Use it as if nothing had happened: write, read, look at the trail.

    What `told` names may lie there; what the next change of a setting will remove; and the half of
    a backup that was interrupted, sealed as the whole is. A store that was put back is refused
    until that is accepted.
    """
    if state(root) == REFUSED:
        return
    made = changes(root)
    made.set("after", SecretValue(b"afterwards"))
    assert service(root).read(parse("after")).value.reveal() == b"afterwards"
    found = records(root)
    assert found[-1]["name"] == "after"
    opened = {each["seq"] for each in found if each.get("phase") == "intent"}
    closed = {each["of"] for each in found if "of" in each}
    assert opened <= closed, "an intent was never closed"
    left = [each for each in strays(root) if each.encode() not in told]
    assert [each for each in left if not _passes(each)] == []
    assert loose(root) == []


def _passes(stray: str) -> bool:
    half = stray.startswith("./copy.oc.") and stray.endswith(".new")
    return half or stray in ("./settings.toml.new", "./compiled.new")


def copied(template: str, into: str) -> str:
    """Return a fresh copy of a prepared state directory."""
    shutil.rmtree(into, ignore_errors=True)
    if os.path.isdir(template):
        shutil.copytree(template, into)
    return into


def unchanged(before: State, now: State) -> bool:
    """Tell whether nothing that a person keeps is different; an empty store is as good as none."""
    return now == before or (before is None and now is not None and not now[-1])


def need_root() -> None:
    """Fail, and say why, where a test cannot mount or become somebody else."""
    assert os.geteuid() == 0, "this test mounts file systems or becomes another user: run as root"


def contents(root: str) -> list[bytes]:
    """Return what every file holds."""
    found = []
    for folder, _, files in os.walk(root):
        for name in files:
            with open(f"{folder}/{name}", "rb") as file:
                found.append(file.read())
    return found
