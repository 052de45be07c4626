"""Making a bundle, and taking back the records that jobs left of reading one.

The key of a bundle's trails is derived from that of the store's, so that nothing has to be kept of
a bundle to verify what comes back.
"""

from __future__ import annotations

import os
import stat
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from openclaw_cli import bundle, newfile
from openclaw_cli.audit import chain
from openclaw_cli.audit import event as events
from openclaw_cli.audit.head import FILE as HEAD
from openclaw_cli.audit.head import LIMIT as HEAD_LIMIT
from openclaw_cli.audit.head import decode
from openclaw_cli.audit.reading import Reading
from openclaw_cli.audit.trail import FILE as TRAIL
from openclaw_cli.audit.trail import REVEAL
from openclaw_cli.errors import IntegrityError, NotFoundError, UsageError
from openclaw_cli.files import failure, private_directory, read_all
from openclaw_cli.model import CURRENT
from openclaw_cli.store.commit import LOCK, founded
from openclaw_cli.store.directory import Entry
from openclaw_cli.store.header import Slot
from openclaw_cli.store.keys.slots import wrap

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from openclaw_cli.model import Secret
    from openclaw_cli.service import Secrets
    from openclaw_cli.store.directory import Entries

MADE = "bundle_make"
TAKEN_BACK = "bundle_import"
LIMIT = 64 * 1024 * 1024  # bytes of a job's trail

_TAKEN = ("name", "backend", "field", "version", "outcome", "purpose", "ms")
_ACTOR = frozenset(("uid", "pid", "via", "tty", "address", "program", "agent", "thread"))
_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Made:
    """A new bundle: its file's bytes, its key, its id, and until when it may be read."""

    data: bytes
    key: bytes
    id: str
    expires: int


@dataclass(frozen=True, slots=True)
class Job:
    """What one job left: of which bundle, how it is told from others, and its records."""

    bundle: str
    run: str
    records: list[dict[str, Any]]


def made(
    secrets: Secrets,
    values: Mapping[str, Secret],
    known: Entries,
    seconds: float,
    *,
    key: bytes | None = None,
) -> Made:
    """Seal these secrets in a bundle for that many seconds; a record of it is kept first.

    `known` has what the store knows of them besides; `key` is one to use again: it only wraps the
    data key, which is new in each bundle.
    """
    now = time.time()
    draft = founded(os.urandom(16), os.urandom(32))
    store = draft.header.store
    snapshot = secrets.opened()
    try:
        draft.audit_key = bundle.trail_key(snapshot.index.audit_key, store)
    finally:
        snapshot.close()
    expires = int(now + seconds)
    key = key or os.urandom(32)
    slot = Slot(os.urandom(8), bundle.KIND, {"expires": expires, "made": int(now)}, b"")
    wrap(draft.header, slot, draft.data_key, key)
    draft.header.slots = [slot]
    moment = int(now * 1000)
    for name, secret in values.items():
        told = known.get(name)
        entry = Entry(name, told.provider if told else "", moment)
        entry.labels = dict(told.labels) if told else {}
        number = secret.version.id
        row = draft.new_row(
            name,
            int(number) if number.isdecimal() and len(number) < _DIGITS else 1,
            secret.value.reveal(),
            moment,
            "bundle",
        )
        row.stage = CURRENT
        entry.rows = [row]
        draft.directory.entries[name] = entry
    data = b"".join(draft.encode())
    record = {"kind": MADE, "names": sorted(values), "bundle": store.hex(), "outcome": "ok"}
    until = {"expires": chain.written(expires * 1_000_000), "actor": secrets.actor}
    secrets.trail.append([{**record, **until}])
    return Made(data, key, store.hex(), expires)


def left(path: str) -> list[str]:
    """Return the trails that a path names: one, or those of a job's output directory."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        raise newfile.missing(path) from None
    except OSError as refused:
        raise failure("open", path, refused) from None
    if not stat.S_ISDIR(found.st_mode):
        return [path]
    try:
        inside = sorted(os.listdir(path))
    except OSError as refused:
        raise failure("list", path, refused) from None
    folders = [path, f"{path}/audit", *(f"{path}/{name}/audit" for name in inside)]
    trails = [f"{folder}/{TRAIL}" for folder in folders if os.path.exists(f"{folder}/{TRAIL}")]
    if not trails:
        raise NotFoundError(f"no job left a trail in {path}", hint=f"name the file {TRAIL}")
    return trails


def verified(path: str, audit_key: bytes) -> Job:
    """Read what a job left, every record proved; raises `IntegrityError` at the first that is not.

    A last line without its end was never acknowledged, and is left out.
    """
    lines = [line for line in _read(path, LIMIT).splitlines(keepends=True) if line[-1:] == b"\n"]
    store = _bundle(path, lines[:1])
    key = bundle.trail_key(audit_key, store)
    before, records = chain.START, []
    for number, line in enumerate(lines, 1):
        try:
            before = chain.verified(key, before, line)
            record = chain.parse(line)
        except ValueError:
            raise _changed(path, f"record {number} is not what it was") from None
        if record["seq"] != number:
            raise _changed(path, f"record {number} is missing")
        if not _is_reading(line) or not isinstance(record.get("actor"), dict):
            raise _changed(path, f"record {number} is none that reading a bundle leaves")
        records.append(record)
    _check_head(path, key, store, len(records))
    return Job(store.hex(), chain.mac_of(lines[0]).hex(), records)


def take_back(secrets: Secrets, job: Job) -> int:
    """Add a job's records to the trail, but for those it has; return how many were added.

    The secrets must have been opened. Under the store's lock: of two who take back the same, the
    second finds that it was done.
    """
    folder = private_directory(secrets.home.secrets)
    try:
        with folder.lock(LOCK):
            known = _taken_back(secrets.trail.path, job.run)
            new = [record for record in job.records if record["seq"] > known]
            if not new:
                return 0
            summary = {
                "kind": TAKEN_BACK,
                "bundle": job.bundle,
                "run": job.run,
                "through": new[-1]["seq"],
                "outcome": "ok",
                "actor": secrets.actor,
            }
            secrets.trail.append([summary, *(_ours(job, record) for record in new)])
            return len(new)
    finally:
        folder.close()


def _ours(job: Job, record: dict[str, Any]) -> dict[str, Any]:
    """Return a job's record as it stands in ours: with its own number and time beside ours.

    Only what a reading has is taken over. Who holds the bundle's key can write what verifies, and
    must not be able to write an intent, a pruning or a change into our trail.
    """
    rest = {key: record[key] for key in _TAKEN if key in record}
    if "backend" in rest:
        rest["backend"] = bundle.KIND
    actor = {key: item for key, item in record["actor"].items() if key in _ACTOR}
    when = record.get("clock", record["at"])
    mine = {"bundle": job.bundle, "job_seq": record["seq"], "job_at": when}
    return {"kind": record["kind"], **rest, **mine, "actor": actor}


def _is_reading(line: bytes) -> bool:
    """Tell whether a line is one that reading a bundle leaves."""
    event = events.read(line)
    return event is not None and event.kind in (bundle.OPENED, REVEAL)


def _taken_back(trail: str, run: str) -> int:
    """Return up to which of a job's records the trail has them already, 0 for none."""
    needle = f'"run":"{run}"'.encode()
    last = 0
    with Reading(trail) as reading:
        for line in _lines(reading):
            if needle in line:
                record = chain.parse(line)
                if record.get("kind") == TAKEN_BACK and record.get("run") == run:
                    last = max(last, record["through"])
    return last


def _lines(reading: Reading) -> Iterator[bytes]:
    for segment in reading.segments:
        yield from reading.lines(segment)


def _bundle(path: str, first: Iterable[bytes]) -> bytes:
    for line in first:
        try:
            record = chain.parse(line)
            if record.get("kind") == bundle.OPENED:
                return bytes.fromhex(record["bundle"])
        except (ValueError, KeyError, TypeError):
            break
    raise UsageError(
        f"{path} is not what a job left of reading a bundle",
        hint="name the folder beside the bundle, FILE.job",
    )


def _check_head(path: str, key: bytes, store: bytes, records: int) -> None:
    """Compare with the head beside it, where the job's whole directory was brought along."""
    beside = f"{os.path.dirname(path) or '.'}/{HEAD}"
    if not os.path.lexists(beside):
        return
    try:
        head = decode(_read(beside, HEAD_LIMIT), key, store)
    except ValueError:
        raise _changed(path, "its head is not authentic") from None
    if head.seq > records:
        raise _changed(path, f"it ends at record {records}, and its head knows {head.seq}")


def _read(path: str, limit: int) -> bytes:
    """Read a file that may lie anywhere and belong to anybody: it proves itself."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as refused:
        raise failure("open", path, refused) from None
    try:
        return read_all(fd, path, limit)
    finally:
        os.close(fd)


def _changed(path: str, what: str) -> IntegrityError:
    return IntegrityError(
        f"{path} was changed: {what}", hint="nothing was taken back; look at the job that made it"
    )
