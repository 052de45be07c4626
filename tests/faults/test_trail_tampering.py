"""Every edit of the trail: `audit verify` says 4, and whoever appends to it does not hide it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from openclaw_cli.audit.head import SIZE, Head, decode
from openclaw_cli.audit.reading import Reading
from openclaw_cli.audit.trail import Trail
from openclaw_cli.audit.verify import Verified, verify
from openclaw_cli.errors import IntegrityError, UnrecordedError
from openclaw_cli.store.header import Header
from tests.conftest import NIGHTLY

pytestmark = pytest.mark.slow

KEY = bytes(range(32))
STORE = b"the store's id.."
STEP = 1 if NIGHTLY else 11
"""Every byte in the nightly run, every eleventh otherwise."""

Files = dict[str, bytes]
Harm = Callable[[Files], Iterator[tuple[str, Files]]]


class Made:
    """A trail of three segments whose last record the head knows, and a store that knows one."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.header = Header()
        self.header.store = STORE
        self.header.floor_seq, self.header.floor_mac = 0, bytes(32)
        self.files: Files = {}
        self.history: list[Files] = []
        for number in range(13):
            record = {"kind": "secret_reveal", "name": f"key-{number}", "outcome": "ok"}
            (receipt,) = self.trail().append([record])
            self.history.append(self.look())
            if number == 10:
                self.header.floor_seq, self.header.floor_mac = receipt.seq, receipt.mac
        self.files = self.look()

    def trail(self) -> Trail:
        trail = Trail(self.folder, segment_bytes=1000)
        trail.bind(self.header, KEY)
        return trail

    def look(self) -> Files:
        names = sorted(os.listdir(self.folder))
        return {name: Path(self.folder, name).read_bytes() for name in names if name != "lock"}

    def lay(self, files: Files) -> None:
        for name in os.listdir(self.folder):
            os.unlink(f"{self.folder}/{name}")
        for name, data in files.items():
            fd = os.open(f"{self.folder}/{name}", os.O_WRONLY | os.O_CREAT, 0o600)
            os.write(fd, data)
            os.close(fd)

    def proof(self) -> Verified:
        trail = self.trail()
        head = trail.known(trail.read_head())
        with Reading(self.folder) as reading:
            return verify(reading, self.header, KEY, head)

    def noticed(self) -> bool:
        try:
            self.proof()
        except IntegrityError:
            return True
        return False

    def refused_to_a_writer(self) -> bool:
        try:
            self.trail().append([{"kind": "secret_reveal", "name": "after", "outcome": "ok"}])
        except IntegrityError:
            return True
        return False


@pytest.fixture
def made(place: str) -> Made:
    return Made(f"{place}/audit")


def flipped(files: Files) -> Iterator[tuple[str, Files]]:
    for name, data in files.items():
        for at in range(0, len(data), 1 if name == "head" else STEP):
            bit = 1 << (at % 8)
            changed = data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :]
            yield f"bit {bit} of byte {at} of {name}", {**files, name: changed}


def _lines(files: Files) -> Iterator[tuple[str, list[bytes]]]:
    for name, data in files.items():
        if name != "head":
            yield name, data.splitlines(keepends=True)


def deleted(files: Files) -> Iterator[tuple[str, Files]]:
    for name, lines in _lines(files):
        for at in range(len(lines)):
            rest = b"".join(lines[:at] + lines[at + 1 :])
            yield f"line {at} of {name} deleted", {**files, name: rest}


def swapped(files: Files) -> Iterator[tuple[str, Files]]:
    for name, lines in _lines(files):
        for at in range(len(lines) - 1):
            order = [*lines[:at], lines[at + 1], lines[at], *lines[at + 2 :]]
            yield f"lines {at} and {at + 1} of {name}", {**files, name: b"".join(order)}


def doubled(files: Files) -> Iterator[tuple[str, Files]]:
    for name, lines in _lines(files):
        for at in range(len(lines)):
            more = b"".join([*lines[: at + 1], lines[at], *lines[at + 1 :]])
            yield f"line {at} of {name} twice", {**files, name: more}


def truncated(files: Files) -> Iterator[tuple[str, Files]]:
    for name, data in files.items():
        for at in range(0, len(data), 1 if name == "head" else STEP):
            yield f"{name} cut at {at}", {**files, name: data[:at]}
    for name, lines in _lines(files):
        for at in range(len(lines)):
            yield f"{name} cut before line {at}", {**files, name: b"".join(lines[:at])}


def inserted(files: Files) -> Iterator[tuple[str, Files]]:
    for name, lines in _lines(files):
        for at in range(len(lines) + 1):
            for new in (b"{}\n", b"\n", lines[0]):
                more = b"".join([*lines[:at], new, *lines[at:]])
                yield f"{new[:9]!r} before line {at} of {name}", {**files, name: more}


def missing(files: Files) -> Iterator[tuple[str, Files]]:
    for name in files:
        yield f"{name} removed", {each: data for each, data in files.items() if each != name}
    yield "everything removed", {}
    yield "only the head left", {"head": files["head"]}


def renamed(files: Files) -> Iterator[tuple[str, Files]]:
    for name in files:
        for other in ("trail-000001.jsonl", "trail-000002.jsonl", "trail-000009.jsonl"):
            if name in (other, "head"):
                continue
            rest = {each: data for each, data in files.items() if each != name}
            yield f"{name} renamed to {other}", {**rest, other: files[name]}


def exchanged(files: Files) -> Iterator[tuple[str, Files]]:
    names = [name for name in files if name != "head"]
    for one in names:
        for other in names:
            if one != other:
                yield f"{other} in place of {one}", {**files, one: files[other]}
            if one < other:
                both = {one: files[other], other: files[one]}
                yield f"{one} and {other} exchanged", {**files, **both}


EVERY: list[Harm] = [
    flipped,
    deleted,
    swapped,
    doubled,
    truncated,
    inserted,
    missing,
    renamed,
    exchanged,
]


@pytest.mark.parametrize("harm", EVERY, ids=lambda harm: harm.__name__)
def test_every_edit_is_noticed_and_stays_noticed_after_the_next_record(
    made: Made, harm: Harm
) -> None:
    assert len(made.files) == 4
    tried = 0
    for what, files in harm(made.files):
        made.lay(files)
        assert made.noticed(), what
        if not made.refused_to_a_writer():
            assert made.noticed(), f"{what}, and a record after it"
        tried += 1
    assert tried >= 5


def test_an_untouched_trail_is_not_accused(made: Made) -> None:
    made.lay(made.files)
    assert made.proof().segments == 3
    assert not made.refused_to_a_writer()
    assert not made.noticed()


def test_without_the_chain_most_edits_would_go_unnoticed(made: Made) -> None:
    """The red control: the numbers alone, and that each line is JSON, tell little."""

    def numbered(files: Files) -> bool:
        texts = [text for name, lines in _lines(files) for text in lines if name != "trail.jsonl"]
        texts += files.get("trail.jsonl", b"").splitlines(keepends=True)
        try:
            numbers = [json.loads(text)["seq"] for text in texts]
        except (ValueError, KeyError, TypeError):
            return False
        return numbers == list(range(1, len(numbers) + 1))

    edits = [files for _, files in flipped(made.files)]
    unnoticed = sum(numbered(files) for files in edits)
    assert unnoticed > len(edits) / 2
    assert numbered(made.files)


@pytest.mark.parametrize(
    "harm",
    [
        lambda files: {**files, "head": b""},
        lambda files: {**files, "head": files["head"][:-1]},
        lambda files: {**files, "head": bytes(SIZE)},
        lambda files: {name: data for name, data in files.items() if name != "head"},
        lambda files: {name: data for name, data in files.items() if name != "trail.jsonl"},
        lambda files: {**files, "trail.jsonl": files["trail.jsonl"][:-1]},
        lambda files: {**files, "trail.jsonl": files["trail-000002.jsonl"]},
        lambda files: {**files, "trail.jsonl": files["trail.jsonl"] + b"{}\n"},
        lambda _files: {},
    ],
)
def test_a_writer_refuses_what_it_can_see(made: Made, harm: Callable[[Files], Files]) -> None:
    made.lay(harm(made.files))
    assert made.refused_to_a_writer()


def test_trail_and_head_put_back_together_are_noticed_if_the_store_was_changed_since(
    made: Made,
) -> None:
    for number, files in enumerate(made.history):
        made.lay(files)
        since = number < 10
        assert made.noticed() is since, number
        assert made.refused_to_a_writer() is since, number


def test_an_old_head_alone_is_what_a_power_cut_leaves_unless_its_segment_is_closed(
    made: Made,
) -> None:
    newest = decode(made.files["head"], KEY, STORE)
    kinds = set()
    for files in made.history:
        old = decode(files["head"], KEY, STORE)
        made.lay({**made.files, "head": files["head"]})
        legal = old.segment == newest.segment
        kinds.add(legal)
        assert made.noticed() is not legal
        assert made.refused_to_a_writer() is not legal
    assert kinds == {True, False}


def test_a_head_made_with_another_key_is_refused(made: Made) -> None:
    head = decode(made.files["head"], KEY, STORE)
    assert isinstance(head, Head)
    made.lay({**made.files, "head": head.encode(bytes(32), STORE)})
    assert made.noticed()
    assert made.refused_to_a_writer()


@pytest.mark.integration
def test_a_full_disk_refuses_the_record_and_leaves_a_trail_that_verifies(place: str) -> None:
    """On a small file system of its own, which needs unprivileged namespaces (`unshare`)."""
    mount = f"{place}/small"
    os.mkdir(mount)
    code = (
        "import os, sys; from tests.faults.test_trail_tampering import fill;"
        "os.umask(0o077); fill(sys.argv[1])"
    )
    script = 'mount -t tmpfs -o size=64k,mode=700 none "$1" && exec "$2" -c "$3" "$1"'
    done = subprocess.run(
        ["unshare", "-Urm", "sh", "-c", script, "sh", mount, sys.executable, code],
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.getcwd()},
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == b"refused, proved, went on\n"
    shutil.rmtree(mount)


def fill(folder: str) -> None:
    """Append until the disk is full; then look, make room, and go on."""
    made = Made(f"{folder}/audit")
    record = {"kind": "secret_reveal", "name": "k" * 200, "outcome": "ok"}
    refused = ""
    while not refused:
        try:
            made.trail().append([record])
        except UnrecordedError as full:
            refused = full.message
    assert "no space left" in refused
    last = made.proof().last
    with pytest.raises(UnrecordedError):
        made.trail().append([record])
    assert made.proof().last == last
    os.unlink(f"{folder}/audit/trail-000001.jsonl")  # what a person would do, and be told of
    made.trail().append([record])
    assert made.noticed()
    print("refused, proved, went on")  # noqa: T201
