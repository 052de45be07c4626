"""What a state directory holds, and whether it is sound; asked without the commands under test."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import stat
from pathlib import Path
from typing import Any

from openclaw_cli import assembly
from openclaw_cli.audit import chain
from openclaw_cli.audit import head as heads
from openclaw_cli.audit.trail import SEGMENT_BYTES
from openclaw_cli.backup_file import open_whole
from openclaw_cli.changes import Changes
from openclaw_cli.errors import IntegrityError
from openclaw_cli.home import Home
from openclaw_cli.model import SecretValue
from openclaw_cli.names import parse
from openclaw_cli.service import Secrets
from openclaw_cli.settings import Settings

CANARY = b"canary-7Q2xw9Lm4Tz8Vb1Rk6Yp3Nc5"
"""The value that every command is given, and that may be nowhere but in its answer."""

SPELLINGS = (CANARY, base64.b64encode(CANARY)[4:-4], CANARY.hex().encode())

_KNOWN = re.compile(
    r"(?:environments/staging/)?"
    r"(?:secrets(?:/(?:store\.oc|lock|key|rotate\.lock))?"
    r"|audit(?:/(?:trail(?:-0\d+)?\.jsonl|head|lock))?)"
    r"|environments(?:/staging)?"
    r"|settings\.toml|compiled|trusted|project(?:/\.openclaw\.toml)?|anchor|openclaw\.json"
    r"|copy\.oc|out\.\w+|job\.bundle|job\.key|baseline\.json"
    r"|interop(?:/gateway\.json)?"
    r"|runtime(?:/openclaw(?:/[0-9a-f]{32})?)?"
    r"|config(?:/systemd(?:/user(?:/openclaw-\w+\.(?:service|timer))?)?)?"
)
"""What a command may leave in a state directory, relative to it."""

_INSTANT = re.compile(rb"20\d\d-\d\d-\d\d[T ]\d\d:\d\d(?::\d\dZ)?")
"""When a report was made."""

_STORE = re.compile(r"(?:secrets|audit)/")
"""What any change takes up."""

LEFT = (".new", ".candidate", ".before-upgrade")
"""How the names end of what an interruption leaves."""

_SEALED = re.compile(r"job\.(?:bundle|key)|baseline\.json|runtime/openclaw/[0-9a-f]{32}")
"""What is another each time it is made, but always as long."""

_OURS = re.compile(
    r"(?:environments/staging/)?(?:secrets|audit)/.*|compiled|anchor|copy\.oc"
    r"|.*\.(?:new|candidate|before-upgrade)"
)
"""What a state says otherwise, and what an interruption leaves."""

State = tuple[Any, ...] | None
_FILES = 4
REFUSED: State = ("refused",)


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


def state(root: str) -> State:
    """Return all that a person keeps: secrets with every version and value, grants, files.

    None where there is no store. Of a backup, whether there is a whole one. `REFUSED` where the
    store was put back.
    """
    try:
        snapshot = service(root).open()
    except IntegrityError:
        return REFUSED
    kept = files(root)
    staging = f"{root}/environments/staging"
    elsewhere = state(staging) if os.path.isdir(staging) else None
    if unchanged(None, elsewhere):
        elsewhere = None
    if snapshot is None:
        return None if not kept else ("no store", (), False, (), kept, elsewhere, (), ())
    try:
        directory = snapshot.directory()
        granted = directory.extra.get("grants", {})
        return (
            snapshot.header.epoch,
            tuple(slot.kind for slot in snapshot.header.slots),
            _backed_up(root),
            tuple(each["job_seq"] for each in records(root) if "job_seq" in each),
            kept,
            elsewhere,
            tuple((who, what, left[1:]) for who in granted for what, left in granted[who].items()),
            tuple(
                (
                    each.name,
                    bool(each.deleted),
                    each.provider,
                    tuple(sorted(each.labels.items())),
                    tuple(sorted(each.policy)),
                    tuple(
                        (row.number, row.stage, snapshot.value(each.name, row.number, row.place))
                        for row in each.rows
                    ),
                )
                for each in sorted(directory.entries.values(), key=lambda entry: entry.name)
            ),
        )
    finally:
        snapshot.close()


def files(root: str) -> tuple[tuple[str, bytes | int], ...]:
    """Return the files besides store and trail, with what they hold."""
    found = [each for each in _below(root) if not _OURS.fullmatch(each)]
    return tuple((each, _told(f"{root}/{each}", each)) for each in found if _is_file(root, each))


def _is_file(root: str, name: str) -> bool:
    return os.path.isfile(f"{root}/{name}")


def _told(path: str, name: str) -> bytes | int:
    data = _INSTANT.sub(b"then", Path(path).read_bytes())
    if name == "trusted":
        return len(json.loads(data))  # it has times in it
    return len(data) if _SEALED.fullmatch(name) else data


def _below(root: str) -> list[str]:
    """Return every folder and file, relative to it."""
    return sorted(
        os.path.normpath(f"{os.path.relpath(folder, root)}/{name}")
        for folder, folders, files in os.walk(root)
        for name in (*folders, *files)
    )


def _backed_up(root: str) -> bool:
    path = f"{root}/copy.oc"
    if not os.path.lexists(path):
        return False
    open_whole(path, service(root).unlock).close()
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
    """Return what has no business there, `*.new` among them, relative to it."""
    return sorted(each for each in _below(root) if not _KNOWN.fullmatch(each))


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

    What `told` names may lie there, and outside of store and trail what was being written. A store
    that was put back is refused until that is accepted.
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
    """Tell whether the next use of the same command takes it away; see `newfile.py`."""
    return stray.endswith(LEFT) and not _STORE.match(stray)


def copied(template: str, into: str) -> str:
    """Return a fresh copy of a prepared state directory."""
    shutil.rmtree(into, ignore_errors=True)
    if os.path.isdir(template):
        shutil.copytree(template, into)
    return into


def unchanged(before: State, now: State) -> bool:
    """Tell whether nothing that a person keeps is different; an empty store is as good as none."""
    return now == before or (before is None and now is not None and not (now[_FILES] or now[-1]))


def need_root() -> None:
    """Fail, and say why, where a test cannot mount or become somebody else."""
    assert os.geteuid() == 0, "this test mounts file systems or becomes another user: run as root"


def contents(root: str, but: str = "") -> list[bytes]:
    """Return what every file holds, `but` for one."""
    found = []
    for folder, _, files in os.walk(root):
        for name in files:
            if but and f"{folder}/{name}".startswith(f"{root}/{but}"):
                continue  # and what it is written as first
            with open(f"{folder}/{name}", "rb") as file:
                found.append(file.read())
    return found
