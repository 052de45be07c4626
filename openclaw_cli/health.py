"""What is wrong with a home, and the command that mends it: for `status` and `doctor`.

`look` gathers what can be known without a value and without asking anybody; the rest are pure
questions about that. A store that cannot be opened is looked at as far as it goes.
"""

from __future__ import annotations

import os
import re
import stat
from calendar import timegm
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from openclaw_cli import duration
from openclaw_cli.audit import chain
from openclaw_cli.audit.trail import FILE as TRAIL
from openclaw_cli.audit.trail import REVEAL
from openclaw_cli.errors import LockedError, OpenclawError, StorageError, UnrecordedError
from openclaw_cli.files import Directory, read_all
from openclaw_cli.settings import SHARED, check_root
from openclaw_cli.states import FAILED, OLD, OVERDUE, state
from openclaw_cli.store.directory import Directory as Catalogue
from openclaw_cli.store.header import MAX_HEADER, Header
from openclaw_cli.store.header import decode as decode_header
from openclaw_cli.store.keys import file as key_file
from openclaw_cli.store.keys.slots import second
from openclaw_cli.store.reader import FILE as STORE

if TYPE_CHECKING:
    from openclaw_cli.audit.head import Head
    from openclaw_cli.home import Home
    from openclaw_cli.service import Secrets
    from openclaw_cli.store.directory import Entry

    Plaintext = Mapping[str, Mapping[str, Any]]

BAD = "bad"
ATTENTION = "attention"
ADVICE = "advice"
"""How much it matters: BAD and ATTENTION need a hand; ADVICE is a choice that may be right."""

PURGED_SOON = 7 * duration.DAY
RECENT_BYTES = 2 * 1024 * 1024  # of the trail, for who read what last
PLAINTEXT_BYTES = 4 * 1024 * 1024  # of a file; a longer one holds no settings
PLAINTEXT_WORDS = 300  # of a file: judging one takes a third of a millisecond

_SHOWN = 3  # names in one finding
_MS = 1000
_WORD = rb"[A-Za-z0-9_./+:-]{16,512}"
SCAN = "scan"
"""The purpose of a reading that only looks for copies of the value."""

_BACKUP = "store_backup"
_UNEXPECTED = b'"unexpected":"'
BUNDLE = "bundle"
"""What opened it, where the secrets are those of a bundle."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong, where, why it matters, and the mend; `what` is a stable word for machines."""

    what: str
    where: str
    why: str
    hint: str
    severity: str = ATTENTION


@dataclass(slots=True)
class Look:
    """What there is. `opened_by` is empty where the store is locked, absent or broken.

    `trouble` is the error that stopped the look; a locked store is none. Sizes are in bytes,
    `changed` in seconds since 1970.
    """

    store: str
    trail: str
    environment: str = ""
    there: bool = False
    header: Header | None = None
    size: int = 0
    changed: float = 0
    opened_by: str = ""
    locked: str = ""
    trouble: OpenclawError | None = None
    directory: Catalogue = field(default_factory=Catalogue)
    entries: list[Entry] = field(default_factory=list)
    head: Head | None = None
    trail_size: int = 0
    verified: bool = False

    @property
    def alive(self) -> list[Entry]:
        """The secrets that are not deleted."""
        return [each for each in self.entries if not each.deleted]

    @property
    def deleted(self) -> list[Entry]:
        """Those that can still be restored."""
        return [each for each in self.entries if each.deleted]


@dataclass(slots=True)
class LastRead:
    """When a secret was last read, as the trail writes it, and by whom.

    `readers` are all who read it lately, `scanned` is when copies of it were last looked for.
    """

    at: str = ""
    who: str = ""
    scanned: str = ""
    readers: set[str] = field(default_factory=set)


def look(home: Home, secrets: Secrets) -> Look:
    """Look at a home; `secrets` must be one that asks nobody. Nothing is made or changed."""
    seen = Look(secrets.file, home.audit, home.environment)
    try:
        _look_at_header(seen, home)
        _look_inside(seen, secrets)
    except LockedError as locked:
        seen.locked = locked.hint
    except OpenclawError as trouble:
        seen.trouble = trouble
    seen.trail_size = sum(map(_size, _segments(home.audit)))
    return seen


def findings(
    seen: Look,
    home: Home,
    now: float,
    *,
    old_days: int,
    deleted_days: int,
    plaintext: Plaintext | None = None,
    encryption: Mapping[str, str] | None = None,
) -> list[Finding]:
    """Return all that needs a hand, the worst first; `now` in seconds since 1970."""
    found = [
        *of_permissions(home),
        *of_keys(seen, home),
        *of_encryption(seen, encryption or {}),
        *of_plaintext(home, plaintext, {each.name for each in seen.alive}),
        *of_age(seen.alive, now, old_days),
        *of_rotation(seen.directory, now),
        *of_deletion(seen.deleted, now, deleted_days),
        *of_unexpected(seen.trail, now),
    ]
    order = (BAD, ATTENTION, ADVICE)
    return sorted(found, key=lambda each: order.index(each.severity))


def of_permissions(home: Home) -> list[Finding]:
    """Find what others can read or write, or what is not ours."""
    found = []
    try:
        check_root(home.root)
    except OpenclawError as refused:
        found.append(Finding("permissions", home.root, refused.message, refused.hint, BAD))
    for folder in (home.secrets, home.audit):
        found += _too_open(folder, 0o700)
        for name in _listed(folder):
            path = f"{folder}/{name}"
            if not stat.S_ISDIR(_mode(path)):
                found += _too_open(path, 0o600)
    elsewhere = key_file.path(home)
    if os.path.dirname(elsewhere) != home.secrets:
        found += _too_open(elsewhere, 0o600)
    return found


def of_one_key(header: Header, store: str) -> list[Finding]:
    """Find that one lost key would be the end of it."""
    if len(header.slots) > 1:
        return []
    kind = header.slots[0].kind
    why = f"only one key opens the store ({kind}): without it all secrets are lost"
    return [Finding("one-key", store, why, f"openclaw store slots add {second(kind)}")]


def of_keys(seen: Look, home: Home) -> list[Finding]:
    """Find what makes the keys of a store easy to lose, or easy to take along."""
    if seen.header is None or seen.opened_by == BUNDLE:
        return []
    found = of_one_key(seen.header, seen.store)
    kinds = [slot.kind for slot in seen.header.slots]
    if key_file.KIND in kinds and _beside(key_file.path(home), home):
        found.append(
            Finding(
                "key-beside-store",
                key_file.path(home),
                "the key lies beside the store: who copies the directory can open it",
                "openclaw store slots add passphrase (or keyring), then slots remove file",
                ADVICE,
            )
        )
    return found


def of_encryption(seen: Look, wanted: Mapping[str, str]) -> list[Finding]:
    """Find that the store's key is not wrapped by what the configuration names."""
    kind = wanted.get("slot", "")
    if not kind or seen.header is None or kind in [slot.kind for slot in seen.header.slots]:
        return []
    key = f" --key-id {wanted['key']}" if "key" in wanted else ""
    return [
        Finding(
            "not-wrapped",
            seen.store,
            f"the configuration names {kind} for encryption, and the store has no such key slot",
            f"openclaw store slots add {kind}{key}",
        )
    ]


def of_age(entries: Iterable[Entry], now: float, old_days: int) -> list[Finding]:
    """Find values that are older than `old_days`."""
    old = [each.name for each in entries if state(each, now, old_days) == OLD]
    if not old:
        return []
    what = "1 value is" if len(old) == 1 else f"{len(old)} values are"
    return [
        Finding(
            "old-values",
            "secrets",
            f"{what} older than {old_days} days: {_some(old)}",
            f"openclaw secrets set {min(old)}",
        )
    ]


def of_rotation(directory: Catalogue, now: float) -> list[Finding]:
    """Find rotations that failed, and those whose time is long past, elsewhere too."""
    from openclaw_cli.rotation.overview import overview

    by_status: dict[str, list[str]] = {}
    for each in overview(directory, now):
        by_status.setdefault(each.status, []).append(each.name)
    found = []
    failed, late = by_status.get(FAILED, []), by_status.get(OVERDUE, [])
    if failed:
        what = "1 rotation" if len(failed) == 1 else f"{len(failed)} rotations"
        why = f"{what} failed: {_some(failed)}"
        hint = f"openclaw secrets status {min(failed)}"
        found.append(Finding("rotation-failed", "rotation", why, hint, BAD))
    if late:
        what = "1 secret is" if len(late) == 1 else f"{len(late)} secrets are"
        why = f"{what} overdue: {_some(late)}"
        found.append(Finding("rotation-overdue", "rotation", why, "openclaw secrets rotate --due"))
    return found


def of_deletion(entries: Iterable[Entry], now: float, keep_days: int) -> list[Finding]:
    """Find deleted secrets that can be restored for a few days only."""
    left = {
        each.name: each.deleted / _MS + keep_days * duration.DAY - now
        for each in entries
        if each.deleted / _MS + keep_days * duration.DAY - now < PURGED_SOON
    }
    if not left:
        return []
    what = "1 deleted secret is" if len(left) == 1 else f"{len(left)} deleted secrets are"
    soonest = max(0.0, min(left.values()))
    return [
        Finding(
            "purged-soon",
            "secrets",
            f"{what} gone for good within {duration.compact(soonest)}: {_some(left)}",
            f"openclaw secrets restore {min(left)}",
            ADVICE,
        )
    ]


def of_unexpected(trail: str, now: float) -> list[Finding]:
    """Find readings of the last day that were not as expected."""
    names = set()
    for line in _recent(trail, REVEAL):
        if _UNEXPECTED not in line:
            continue
        record = _record(line)
        if when(str(record.get("at", ""))) > now - duration.DAY:
            names.add(str(record.get("name", "")))
    if not names:
        return []
    what = "1 secret was" if len(names) == 1 else f"{len(names)} secrets were"
    return [
        Finding(
            "unexpected",
            "trail",
            f"{what} asked for in the last day as it is not expected: {_some(names)}",
            f"openclaw secrets audit --name {min(names)}",
        )
    ]


def of_plaintext(
    home: Home, named: Plaintext | None = None, kept: Collection[str] = ()
) -> list[Finding]:
    """Find keys that lie in plain text in the files of the state directory.

    `named` is `Settings.plaintext`: what the configuration itself calls a secret; `kept` are those
    that the store has. Of the rest only what is surely a key by its form is reported, with its line
    and never its text.
    """
    found = [_named_plainly(path, names, kept) for path, names in _by_file(named or {}).items()]
    known = {each.where for each in found}
    folders = dict.fromkeys((home.root, home.base))
    for path in [f"{folder}/{name}" for folder in folders for name in _listed(folder)]:
        name = os.path.basename(path)
        if name != ".env" and not name.startswith((SHARED, ".env.", "settings.toml")):
            continue
        if stat.S_ISREG(_mode(path)) and path not in known:
            found += _plaintext(path)
    return found


def needs_a_hand(found: Iterable[Finding]) -> bool:
    """Tell whether anything is more than advice."""
    return any(each.severity != ADVICE for each in found)


def last_reads(trail: str) -> dict[str, LastRead]:
    """Return who read each secret last, from the last two mebibytes of the trail in a folder."""
    from openclaw_cli.audit.event import read  # brings msgspec with it
    from openclaw_cli.audit.telling import user_name, who

    found: dict[str, LastRead] = {}
    for line in _recent(trail, REVEAL):
        event = read(line)
        if event is None or event.failed:
            continue
        seen = found.setdefault(event.name, LastRead())
        if event.purpose == SCAN:
            seen.scanned = seen.scanned or event.at
            continue
        by = who(event.actor, user_name)
        seen.readers.add(by)
        if not seen.at:
            seen.at, seen.who = event.at, by
    return found


def last_backup(trail: str) -> str:
    """Return when the store was last backed up, as the trail writes it; "" for not recently."""
    return last_of(trail, _BACKUP)


def last_of(trail: str, kind: str) -> str:
    """Return when something was last done with success; "" for not recently."""
    for line in _recent(trail, kind):
        record = _record(line)
        if record.get("outcome") == "ok":
            return str(record.get("at", ""))
    return ""


def when(at: str) -> float:
    """Return the seconds since 1970 of a time as the trail writes it, 0 for what is none."""
    try:  # by hand: `strptime` costs as much as a whole start of Python
        day, clock = at[:10].split("-"), at[11:19].split(":")
        return timegm((*map(int, day), *map(int, clock)))
    except (ValueError, IndexError):
        return 0.0


def _look_at_header(seen: Look, home: Home) -> None:
    try:
        folder = Directory(home.secrets)
    except FileNotFoundError:
        return
    try:
        fd = folder.open(STORE)
    except FileNotFoundError:
        return
    finally:
        folder.close()
    try:
        found = os.fstat(fd)
        seen.there, seen.size, seen.changed = True, found.st_size, found.st_mtime
        seen.header, _ = decode_header(os.pread(fd, MAX_HEADER + 64, 0))
    finally:
        os.close(fd)


def _look_inside(seen: Look, secrets: Secrets) -> None:
    raw = secrets.trail.read_head()
    snapshot = secrets.open()
    if snapshot is None:
        return
    try:
        seen.there, seen.header, seen.opened_by = True, snapshot.header, snapshot.unlocked_by
        found = os.fstat(snapshot.fd)
        seen.size, seen.changed = found.st_size, found.st_mtime
        seen.head = secrets.trail.known(raw)
        seen.directory = snapshot.directory()
        seen.entries = list(seen.directory.entries.values())
    finally:
        snapshot.close()
    if os.path.lexists(f"{secrets.trail.path}/{TRAIL}"):
        try:
            seen.head = secrets.trail.tip()
        except UnrecordedError:
            return  # what cannot be written can still be shown, as far as it was known
    seen.verified = True


def _record(line: bytes) -> dict[str, Any]:
    """Return the fields of a line of the trail, none for one that is damaged."""
    try:
        return chain.parse(line)
    except ValueError:
        return {}


def _too_open(path: str, mode: int) -> list[Finding]:
    try:
        found = os.lstat(path)
    except OSError:
        return []
    if stat.S_ISLNK(found.st_mode):
        return [Finding("permissions", path, f"{path} is a symbolic link", f"ls -l {path}", BAD)]
    if found.st_uid != os.geteuid():
        why = f"{path} belongs to another user"
        return [Finding("permissions", path, why, f"ls -ld {path}", BAD)]
    if found.st_mode & 0o077:
        why = f"others can open {path}"
        return [Finding("permissions", path, why, f"chmod {mode:o} {path}", BAD)]
    return []


def _beside(path: str, home: Home) -> bool:
    return os.path.lexists(path) and os.path.realpath(path).startswith(f"{home.root}/")


def _by_file(named: Plaintext) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, each in named.items():
        found.setdefault(each["origin"].rpartition(":")[0], []).append(name)
    return found


def _named_plainly(path: str, names: list[str], kept: Collection[str]) -> Finding:
    left = sorted({*names} - {*kept})
    them = "it" if len(names) == 1 else "them"
    hint = f"the store has {them}: take {them} out of {path}"
    if left:
        hint = "openclaw secrets migrate"
    what = "1 secret stands" if len(names) == 1 else f"{len(names)} secrets stand"
    readable = bool(_mode(path) & 0o077)
    others = ", which others can read" if readable else ""
    return Finding(
        "plaintext",
        path,
        f"{what} in plain text in {path}{others}: {_some(names)}",
        hint,
        BAD if readable else ATTENTION,
    )


def _plaintext(path: str) -> list[Finding]:
    from openclaw_cli import providers

    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return []
    try:
        text = read_all(fd, path, PLAINTEXT_BYTES)
    except StorageError:
        return []
    finally:
        os.close(fd)
    for number, word in _words(text)[:PLAINTEXT_WORDS]:
        issuer = providers.recognise(word)
        if issuer:
            return [
                Finding(
                    "plaintext",
                    path,
                    f"a key of {issuer.title} stands in plain text in {path}, line {number}",
                    f"openclaw secrets create {issuer.name}-key, then take it out of there",
                )
            ]
    return []


def _words(text: bytes) -> list[tuple[int, bytes]]:
    """Return what may be a key in JSON, TOML or dotenv, with its line."""
    found: dict[bytes, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        for word in re.findall(_WORD, line):
            if re.search(rb"[0-9]", word) and re.search(rb"[A-Za-z]", word):
                found.setdefault(word, number)
    return [(number, word) for word, number in found.items()]


def _recent(trail: str, kind: str) -> Iterator[bytes]:
    """Give the last lines of one kind, the newest first."""
    needle = f'"kind":"{kind}"'.encode()
    left = RECENT_BYTES
    for path in reversed(_segments(trail)):
        data = _tail(path, left)
        if needle in data:
            yield from (line for line in reversed(data.splitlines(True)) if needle in line)
        left -= _size(path)
        if left <= 0:
            return


def _tail(path: str, most: int) -> bytes:
    """Return the last lines of a file, `most` bytes of it; nothing where it cannot be read."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return b""
    try:
        size = os.fstat(fd).st_size
        data = os.pread(fd, most, max(0, size - most))
    except OSError:
        return b""
    finally:
        os.close(fd)
    return data if size <= most else data.partition(b"\n")[2]


def _segments(trail: str) -> list[str]:
    """Return the paths of the trail's files, the newest last."""
    closed = [name for name in _listed(trail) if name.startswith("trail-")]
    return [f"{trail}/{name}" for name in [*sorted(closed), TRAIL]]


def _size(path: str) -> int:
    try:
        return os.lstat(path).st_size
    except OSError:
        return 0


def _listed(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def _mode(path: str) -> int:
    try:
        return os.lstat(path).st_mode
    except OSError:
        return 0


def _some(names: Iterable[str]) -> str:
    listed = sorted(names)
    more = f" and {len(listed) - _SHOWN} more" if len(listed) > _SHOWN else ""
    return ", ".join(listed[:_SHOWN]) + more
