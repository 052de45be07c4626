"""Writes `tests/vectors/1/`: stores of format 1, good and bad, and what each must give.

They are frozen: a file that is there is never written again, and `--check` only says whether they
are all there and still what this program would write. The same bytes come out each time, because
randomness and time are replaced below, and salts are made as they were when the files were;
nothing else of the program knows of that.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from openclaw_cli.home import Home
from openclaw_cli.model import CURRENT, PREVIOUS, RETIRED
from openclaw_cli.store import index, record
from openclaw_cli.store.commit import Draft, founded
from openclaw_cli.store.directory import Entry, Row
from openclaw_cli.store.keys import passphrase, slots
from openclaw_cli.store.rekey import rekey
from openclaw_cli.store.seal import parts

FOLDER = Path(__file__).parent.parent / "tests" / "vectors" / "1"
NOW = 1_790_000_000_000  # milliseconds since 1970
PASSPHRASE = "correct horse battery staple"  # noqa: S105  an example
ACCENTED = "cafe\u0301 cre\u0300me bru\u0302le\u0301e"  # decomposed: NFC makes other bytes of it
FIXED = 12  # where the fixed part of the header begins
SLOTS = FIXED + 137


class Stream:
    """Bytes that look random and are the same each time."""

    def __init__(self, seed: str) -> None:
        self._seed, self._count = seed, 0

    def __call__(self, size: int) -> bytes:
        """Return the next bytes."""
        made = b""
        while len(made) < size:
            self._count += 1
            made += hashlib.sha256(f"{self._seed} {self._count}".encode()).digest()
        return made[:size]


def first_salt(key: bytes, plain: bytes, bound: bytes) -> bytes:
    """Make a salt as it was done first: no reader knows how."""
    mixed = hashlib.blake2b(key=key, digest_size=32)
    mixed.update(os.urandom(32))
    mixed.update(parts(bound, plain))
    return mixed.digest()


def repeat(seed: str) -> None:
    """Have what is random come out the same each time."""
    os.urandom = Stream(seed)
    for module in (index, record):
        vars(module)["salt_for"] = first_salt


class Made:
    """One store on its way into the folder."""

    def __init__(self, name: str, home: Home) -> None:
        repeat(name)
        time.time = lambda: NOW / 1000
        self.name, self.home = name, home
        self.draft = founded(os.urandom(16), os.urandom(32))
        self.keys: dict[str, str] = {}
        self.data = b""

    def slot(self, kind: str, given: bytes = b"") -> None:
        """Add a key slot and note the key."""
        if kind == "recovery":
            from openclaw_cli.store.keys.recovery import fresh

            given = fresh()
        slots.add(self.home, self.draft.header, self.draft.data_key, kind, given)
        key = Path(self.home.secrets, "key")
        self.keys[kind] = given.decode() or key.read_text(encoding="ascii").strip()

    def secret(self, name: str, *values: bytes, deleted: bool = False, provider: str = "") -> None:
        """Add a secret; the last value is the current one."""
        entry = self.draft.directory.entries[name] = Entry(name, provider, NOW)
        for number, value in enumerate(values, 1):
            row = self.draft.new_row(name, number, value, NOW + number, "set")
            row.stage = {0: CURRENT, 1: PREVIOUS}.get(len(values) - number, RETIRED)
            entry.rows.append(row)
        entry.deleted = NOW + 999 if deleted else 0

    def sealed(self) -> bytes:
        """Return the file."""
        self.data = b"".join(self.draft.encode())
        return self.data

    @property
    def start(self) -> int:
        """Where the records begin."""
        header = self.draft.header
        return len(header.encode()) + header.index_length

    def contents(self) -> dict[str, Any]:
        """Return what the file must give."""
        header, draft = self.draft.header, self.draft
        return {
            "file": f"{self.name}.oc",
            "keys": self.keys,
            "store": header.store.hex(),
            "epoch": header.epoch,
            "generation": header.generation,
            "data_key": draft.data_key.hex(),
            "audit_key": draft.audit_key.hex(),
            "name_key": draft.name_key.hex(),
            "secrets": {
                entry.name: self._secret(entry) for entry in draft.directory.entries.values()
            },
        }

    def _secret(self, entry: Entry) -> dict[str, Any]:
        return {
            "provider": entry.provider,
            "labels": entry.labels,
            "deleted": entry.deleted,
            "versions": {
                str(row.number): {
                    "stage": row.stage,
                    "value": base64.b64encode(_value(self.draft, entry.name, row)).decode(),
                }
                for row in entry.rows
            },
        }


def _value(draft: Draft, name: str, row: Row) -> bytes:
    from openclaw_cli.store.record import bound_to_version, open_record

    bound = bound_to_version(draft.header, name, row.number)
    return open_record(draft.data_key, bound, row.sealed, row.place.tag, name)


def good(home: Home) -> dict[str, Made]:
    """Return the good stores by name."""
    made = {}

    def begin(name: str) -> Made:
        made[name] = Made(name, home)
        return made[name]

    empty = begin("empty")
    empty.slot("file")

    one = begin("one")
    one.slot("file")
    one.secret("db/password", b"hunter2")

    versions = begin("versions")
    versions.slot("file")
    versions.secret("openai-api-key", b"sk-1", b"sk-2", b"sk-3", b"sk-4", provider="openai")
    versions.secret("binary", bytes(range(256)), b"\0", b"\xff\xfe\n")
    versions.secret("long", b"x" * 59, b"y" * 60, b"z" * 61)
    versions.draft.directory.entries["binary"].labels = {"team": "caf\u00e9"}
    versions.draft.header.generation = 7
    versions.draft.header.floor_seq = 41
    versions.draft.header.floor_mac = bytes(range(32))

    deleted = begin("deleted")
    deleted.slot("file")
    deleted.secret("kept", b"still here")
    deleted.secret("gone", b"one", b"two", deleted=True)

    words = begin("passphrase")
    words.slot("passphrase", PASSPHRASE.encode())
    words.slot("passphrase", ACCENTED.encode())
    words.keys["passphrase"] = PASSPHRASE
    words.keys["passphrase_nfd"] = ACCENTED
    words.secret("a", b"by passphrase")

    paper = begin("recovery")
    paper.slot("recovery")
    paper.slot("file")
    paper.secret("a", b"by recovery key")

    rekeyed = begin("rekeyed")
    rekeyed.slot("file")
    rekeyed.secret("a", b"before", b"after")
    rekeyed.sealed()
    keys = {slot.id: bytes.fromhex(rekeyed.keys["file"]) for slot in rekeyed.draft.header.slots}
    rekey(rekeyed.draft, os.urandom(32), keys)
    rekeyed.draft.header.generation = 2

    many = begin("many")
    many.slot("file")
    for number in range(100):
        many.secret(f"team/{number:03d}", f"value {number}".encode() * (number % 9 + 1))

    for each in made.values():
        each.sealed()
    return made


class Bad:
    """The bad files made from one good store, each with the status and the words it must give."""

    def __init__(self, like: Made) -> None:
        self.like = like
        self.found: list[dict[str, Any]] = []

    def add(
        self, name: str, data: bytes, reason: str, *, how: str = "open", status: int = 4
    ) -> None:
        """Note one; `how` is what must fail: open, get NAME, or check."""
        self.found.append(
            {
                "file": f"bad-{name}.oc",
                "keys": self.like.keys,
                "how": how,
                "status": status,
                "reason": reason,
                "data": data,
            }
        )

    def patch(self, name: str, at: int, new: bytes, reason: str, *, how: str = "open") -> None:
        """Note one with some bytes replaced."""
        data = self.like.data
        self.add(name, data[:at] + new + data[at + len(new) :], reason, how=how)

    def flip(self, name: str, at: int, reason: str, *, how: str = "open") -> None:
        """Note one with one bit turned."""
        self.patch(name, at, bytes([self.like.data[at] ^ 1]), reason, how=how)


def bad_headers(one: Made, other: Made) -> list[dict[str, Any]]:
    """Return what is wrong in the part that is read without a key."""
    bad = Bad(one)
    malformed, unopened = "the header of the store is damaged", "does not open the store"
    bad.add("empty", b"", malformed)
    bad.add("other-magic", b"SQLite format 3\0" + one.data[16:], malformed)
    bad.add("format-2", b"OCSTORE2" + one.data[8:], "has format 2", status=78)
    bad.add("truncated-in-header", one.data[:100], malformed)
    bad.patch("header-length-huge", 8, b"\xff\xff\xff\xff", malformed)
    bad.patch("header-length-short", 8, struct.pack(">I", 116), malformed)
    bad.patch("no-slots", SLOTS - 1, b"\0", malformed)
    bad.patch("seventeen-slots", SLOTS - 1, b"\x11", malformed)
    bad.patch("two-slots-claimed", SLOTS - 1, b"\x02", malformed)
    bad.patch("slot-too-long", SLOTS + 8, b"\xff", malformed)
    bad.flip("slot-flipped", SLOTS + 50, unopened)
    bad.flip("commitment-flipped", FIXED + 30, unopened)
    bad.flip("store-id-flipped", FIXED, unopened)
    bad.flip("epoch-flipped", FIXED + 19, unopened)
    bad.add("slot-of-another-store", _with_slot_of(one, other), unopened)
    bad.add("second-data-key", _second_data_key(one), unopened)
    return bad.found


def bad_indexes(one: Made) -> list[dict[str, Any]]:
    """Return what is noticed when the index is opened, which vouches for the header."""
    bad = Bad(one)
    damaged = "the index of the store is damaged"
    index = len(one.draft.header.encode())
    bad.flip("generation-flipped", FIXED + 27, damaged)
    bad.flip("floor-flipped", FIXED + 67, damaged)
    bad.flip("floor-mac-flipped", FIXED + 68, damaged)
    bad.flip("index-salt-flipped", FIXED + 100, damaged)
    bad.patch("index-length-huge", FIXED + 132, b"\xff\xff\xff\xff", "cut short")
    bad.patch("index-length-zero", FIXED + 132, bytes(4), "cut short")
    bad.flip("index-flipped", index + 40, damaged)
    bad.add("index-of-another-generation", _later_index(one), damaged)
    bad.add("truncated-in-index", one.data[: index + 20], "cut short")
    bad.add("truncated-by-one", one.data[:-1], "bytes long and was written with")
    bad.add("appended", one.data + b"\0", "bytes long and was written with")
    return bad.found


def bad_records(one: Made, versions: Made) -> list[dict[str, Any]]:
    """Return what `get` sees in the record it reads, and `check` in all of them."""
    bad = Bad(one)
    place = one.draft.directory.entries["db/password"].rows[0].place
    start = one.start + place.offset
    end = start + place.length
    what, how = "version 1 of db/password", "get db/password"
    bad.flip("record-salt-flipped", start, what, how=how)
    bad.flip("record-flipped", start + 30, what, how=how)
    bad.flip("record-tag-flipped", end - 1, what, how=how)
    bad.flip("directory-flipped", end + 20, "the directory of the store", how="check")
    bad.flip("directory-tag-flipped", len(one.data) - 1, "the directory of the store", how="check")

    moved = Bad(versions)
    rows = {
        (entry.name, row.number): row.place
        for entry in versions.draft.directory.entries.values()
        for row in entry.rows
    }
    current, older, oldest = (rows["openai-api-key", number] for number in (4, 3, 1))
    another = rows["long", 1]
    what, how = "version 4 of openai-api-key", "get openai-api-key"
    there, mine, before, first = (
        versions.data[versions.start + each.offset :][: each.length]
        for each in (another, current, older, oldest)
    )
    swapped = versions.data.replace(there, bytes(len(there))).replace(mine, there)
    moved.add("swapped-records", swapped.replace(bytes(len(mine)), mine), what, how=how)
    moved.patch("rolled-back-record", versions.start + current.offset, before, what, how=how)
    moved.patch(
        "rolled-back-version",
        versions.start + older.offset,
        first,
        "version 3 of openai",
        how="check",
    )
    return bad.found + moved.found


def bad_parameters(words: Made) -> list[dict[str, Any]]:
    """Return slots that ask for what is refused before anything is derived."""
    bad = Bad(words)
    for name, old, new in (
        ("8-kib", '"m":19456', '"m":8'),
        ("below-the-floor", '"m":19456', '"m":19455'),
        ("4-tib", '"m":19456', '"m":4294967296'),
        ("above-the-ceiling", '"m":19456', '"m":1048577'),
        ("no-pass", '"t":1', '"t":0'),
        ("eleven-passes", '"t":1', '"t":11'),
        ("nine-lanes", '"p":1', '"p":9'),
        ("true-lanes", '"p":1', '"p":true'),
        ("a-fraction", '"t":1', '"t":1.0'),
        ("unknown-field", '"t":1', '"t":1,"x":1'),
        ("no-salt", '"salt"', '"tlas"'),
    ):
        data = _with_parameters(words.data, lambda text, a=old, b=new: text.replace(a, b))  # type: ignore[misc]
        bad.add(f"argon2-{name}", data, "asks for what no version of openclaw writes")
    for name, text in (
        ("twice", '{"t":1,"t":1}'),
        ("a-list", "[]"),
        ("deep", "[" * 60_000),
        ("not-json", "\xff"),
    ):
        data = _with_parameters(words.data, lambda _text, t=text: t)  # type: ignore[misc]
        bad.add(f"parameters-{name}", data, "the header of the store is damaged")
    return bad.found


def _with_parameters(data: bytes, change: Callable[[str], str]) -> bytes:
    """Return the store with the first slot's parameters edited and the lengths made right."""
    _, kind, length, _ = struct.unpack_from(">8sBHB", data, SLOTS)
    start = SLOTS + 12 + kind
    text = change(data[start : start + length].decode()).encode("latin-1")
    grown = data[:start] + text + data[start + length :]
    header = struct.unpack_from(">I", data, 8)[0] + len(text) - length
    return (
        grown[:8]
        + struct.pack(">I", header)
        + grown[12 : SLOTS + 9]
        + struct.pack(">H", len(text))
        + grown[SLOTS + 11 :]
    )


def _with_slot_of(store: Made, other: Made) -> bytes:
    """Return a store with another's slot, which the same key file opens where it belongs."""
    mine, theirs = (each.draft.header.encode()[SLOTS:] for each in (store, other))
    return store.data.replace(mine, theirs)


def _later_index(store: Made) -> bytes:
    """Return a store with the index of the generation after it, which is as long."""
    draft, data = store.draft, store.data
    place = slice(
        len(draft.header.encode()), len(draft.header.encode()) + draft.header.index_length
    )
    kept = draft.header
    draft.header = kept.copy()
    draft.header.generation += 1
    later = b"".join(draft.encode())
    draft.header = kept
    return data[: place.start] + later[place] + data[place.stop :]


def _second_data_key(store: Made) -> bytes:
    """Return a store with a slot that opens rightly, to a data key that is not the store's."""
    header = store.draft.header
    wrong = header.copy()
    slot = header.slots[0]
    key = bytes.fromhex(store.keys["file"])
    again = type(slot)(slot.id, slot.kind, slot.parameters, b"")
    slots.wrap(wrong, again, os.urandom(32), key)
    wrong.slots = [again]
    return store.data.replace(header.encode()[SLOTS:], wrong.encode()[SLOTS:])


def everything() -> dict[str, bytes]:
    """Return every file of the folder, by name."""
    passphrase.MEMORY, passphrase.PASSES, passphrase.LANES = 19 * 1024, 1, 1  # the least allowed
    with TemporaryDirectory() as folder:
        made = good(Home(folder))
        files = {f"{name}.oc": each.data for name, each in made.items()}
        contents = [each.contents() for each in made.values()]
        refused = bad_headers(made["one"], made["empty"])
        refused += bad_records(made["one"], made["versions"])
        refused += bad_parameters(made["passphrase"])
        refused += bad_indexes(made["one"])
    for each in refused:
        files[each["file"]] = each.pop("data")
    manifest = {"format": 1, "good": contents, "bad": refused}
    files["manifest.json"] = (json.dumps(manifest, indent=1) + "\n").encode()
    return files


def main(arguments: list[str]) -> int:
    """Write what is missing, or with `--check` say what differs; return the exit status."""
    checking = arguments == ["--check"]
    status = 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, data in everything().items():
        path = FOLDER / name
        if path.exists():
            if path.read_bytes() != data:
                print(f"{path} is not what this program writes; it stays as it is")
                status = 1
        elif checking:
            print(f"{path} is missing")
            status = 1
        else:
            path.write_bytes(data)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
