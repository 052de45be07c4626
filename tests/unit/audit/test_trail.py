"""Appending: one chain for many processes, and what a crash leaves is taken up again."""

from __future__ import annotations

import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from openclaw_cli.audit import event as events
from openclaw_cli.audit.head import Head, decode
from openclaw_cli.audit.reading import Reading
from openclaw_cli.audit.trail import FILE, REVEAL, Trail
from openclaw_cli.audit.verify import Verified, verify
from openclaw_cli.errors import IntegrityError, UnrecordedError
from openclaw_cli.store.header import Header
from tests.unit.audit.scribe import KEY, STORE

RECORD = {"kind": "secret_reveal", "name": "key", "outcome": "ok"}


@pytest.fixture
def folder(tmp_path: Path) -> str:
    return str(tmp_path / "audit")


def header() -> Header:
    found = Header()
    found.store = STORE
    found.floor_seq, found.floor_mac = 0, bytes(32)
    return found


def trail(folder: str, *, segment_bytes: int = 1 << 20) -> Trail:
    found = Trail(folder, segment_bytes=segment_bytes)
    found.bind(header(), KEY)
    return found


def head(folder: str) -> Head:
    return decode(Path(folder, "head").read_bytes(), KEY, STORE)


def proof(folder: str) -> Verified:
    with Reading(folder) as reading:
        return verify(reading, header(), KEY, head(folder))


def child(work: Callable[[], None]) -> int:
    """Run in a process of its own; return its id."""
    pid = os.fork()
    if pid:
        return pid
    try:
        work()
        os._exit(0)
    finally:
        os._exit(1)


def test_a_record_is_in_the_trail_and_the_head_knows_it(folder: str) -> None:
    (receipt,) = trail(folder).append([RECORD])
    assert (receipt.seq, receipt.mac) == (1, head(folder).mac)
    assert proof(folder).records == 1


def test_records_that_are_not_waited_for_are_followed_by_the_next_writer(folder: str) -> None:
    trail(folder).append([RECORD])
    trail(folder).append([RECORD], durable=False)
    assert head(folder).seq == 1
    trail(folder).append([RECORD])
    assert head(folder).seq == 3
    assert proof(folder).records == 3


def test_eight_processes_write_one_chain(folder: str) -> None:
    def work() -> None:
        mine = trail(folder, segment_bytes=20_000)
        for _ in range(100):
            mine.append([RECORD])

    children = [child(work) for _ in range(8)]
    assert [os.waitpid(pid, 0)[1] for pid in children] == [0] * 8
    found = proof(folder)
    borders = 2 * (found.segments - 1)
    assert found.records == 800 + borders
    assert found.segments > 5


def test_a_reader_beside_a_writer_sees_each_record_once_across_segments(folder: str) -> None:
    def work() -> None:
        mine = trail(folder, segment_bytes=4_000)
        for _ in range(150):
            mine.append([RECORD])

    pid = child(work)
    ended = 0
    whole: list[bytes] = []
    while not ended:
        ended = os.waitpid(pid, os.WNOHANG)[0]
        with Reading(folder) as reading:
            lines = [line for each in reading.segments for line in reading.lines(each)]
        whole = [line for line in lines if line.endswith(b"\n")]
        starts = [line.split(b",")[0] for line in whole]
        assert starts == [b'{"seq":%d' % number for number in range(1, len(whole) + 1)]
    assert len(whole) >= 150


def test_segments_that_are_begun_while_a_reader_looks_are_not_of_the_trail_that_it_sees(
    folder: str,
) -> None:
    mine = trail(folder, segment_bytes=4_000)
    mine.append([RECORD])
    due = [60]  # records: some segments

    def meanwhile(event: str, _arguments: object) -> None:
        while event == "os.listdir" and due and due[0]:
            due[0] -= 1
            mine.append([RECORD])

    sys.addaudithook(meanwhile)  # it stays for good, and does nothing more
    with Reading(folder) as reading:
        seen = [line.split(b",")[0] for each in reading.segments for line in reading.lines(each)]
    assert due == [0]
    assert len(list(Path(folder).glob("trail-*"))) > 1
    assert seen == [b'{"seq":%d' % number for number in range(1, len(seen) + 1)]


@pytest.mark.parametrize("left", [1, 40, 150, -1])
def test_a_line_that_a_crash_left_unfinished_is_cut_off_by_the_next_writer(
    folder: str, left: int
) -> None:
    trail(folder).append([RECORD])
    path = Path(folder, FILE)
    whole = path.read_bytes()
    trail(folder).append([RECORD], durable=False)
    torn = path.read_bytes()[len(whole) :][:left]
    path.write_bytes(whole + torn)
    assert proof(folder).unfinished == len(torn)
    (receipt,) = trail(folder).append([RECORD])
    assert receipt.seq == 2
    assert (proof(folder).records, proof(folder).unfinished) == (2, 0)


def test_a_writer_that_is_killed_at_any_moment_leaves_a_trail_that_goes_on(folder: str) -> None:
    def work() -> None:
        mine = trail(folder, segment_bytes=3_000)
        while True:
            mine.append([RECORD, RECORD])

    for pause in range(1, 13):
        pid = child(work)
        time.sleep(pause / 400)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        trail(folder, segment_bytes=3_000).append([RECORD])
        assert proof(folder).unfinished == 0


def test_a_rotation_that_stopped_after_the_rename_is_finished(folder: str) -> None:
    trail(folder, segment_bytes=100).append([RECORD])
    trail(folder, segment_bytes=100).append([RECORD])
    assert proof(folder).segments == 2
    path = Path(folder, FILE)
    # As it lies when the newest file was not made yet, and the head is of before the rename.
    old = Path(folder, "trail-000001.jsonl").read_bytes()
    known = head(folder)
    path.unlink()
    known.seq, known.segment, known.offset = 2, 1, len(old)
    known.mac = bytes.fromhex(old[-67:-3].decode())
    Path(folder, "head").write_bytes(known.encode(KEY, STORE))
    trail(folder).append([RECORD])
    assert b'"kind":"trail_start","segment":2' in path.read_bytes()
    assert (proof(folder).records, proof(folder).segments) == (4, 2)


def test_a_segment_that_was_begun_without_its_first_record_gets_it(folder: str) -> None:
    trail(folder, segment_bytes=100).append([RECORD])
    trail(folder, segment_bytes=100).append([RECORD])
    known = head(folder)
    text = Path(folder, "trail-000001.jsonl").read_bytes()
    Path(folder, FILE).write_bytes(b"")
    known.seq, known.segment, known.offset = 2, 2, 0
    known.mac = bytes.fromhex(text[-67:-3].decode())
    Path(folder, "head").write_bytes(known.encode(KEY, STORE))
    trail(folder).append([RECORD])
    assert proof(folder).records == 4


def test_each_line_that_is_written_can_be_read_whatever_its_texts_hold(folder: str) -> None:
    odd = "a\ud800b\udfff \\ud800 \U0001f511 \ud83d\udd11"
    actor = {"agent": odd, "thread": "t\udcff"}
    record = {"kind": REVEAL, "name": odd, "names": [odd], "actor": actor, "x\ud800": {"y": [odd]}}
    writer = trail(folder)
    writer.append([record, {"kind": REVEAL, "name": "key \U0001f511"}])
    writer.append([{"kind": REVEAL, "name": "after"}])
    with Reading(folder) as reading:
        found = [events.read(line) for line in reading.in_spans(reading.tail(10))]
    named = [each.name if each else None for each in found]
    told = r"a\ud800b\udfff \ud800 " + "\U0001f511 " + r"\ud83d\udd11"
    assert named == [told, "key \U0001f511", "after"]
    assert found[0] is not None
    assert (found[0].actor.thread, found[0].names) == (r"t\udcff", [told])
    assert proof(folder).records == 3


def test_a_clock_that_went_back_is_written_beside_a_time_that_does_not(folder: str) -> None:
    mine = trail(folder)
    mine.append([RECORD])
    ahead = head(folder)
    ahead.at = "2999-01-01T00:00:00.000000Z"
    Path(folder, "head").write_bytes(ahead.encode(KEY, STORE))
    mine.append([RECORD])
    text = Path(folder, FILE).read_bytes().splitlines()[1]
    assert b'"at":"2999-01-01T00:00:00.000000Z","clock":"2' in text


def test_a_file_that_may_not_grow_refuses_the_record_and_stays_whole(folder: str) -> None:
    trail(folder).append([RECORD])
    size = Path(folder, FILE).stat().st_size

    def work() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 100, size + 100))
        with pytest.raises(UnrecordedError, match="file too large"):
            trail(folder).append([RECORD])

    assert os.waitpid(child(work), 0)[1] == 0
    assert Path(folder, FILE).stat().st_size == size
    assert proof(folder).records == 1
    trail(folder).append([RECORD])


@pytest.mark.parametrize(
    ("what", "harm"),
    [
        ("it was cut", lambda data: data[:-1]),
        ("its last known record was changed", lambda data: data[:-10] + b"_" + data[-9:]),
        ("record 3 was changed", lambda data: data + b"{}\n"),
    ],
)
def test_a_writer_refuses_a_trail_that_was_changed_where_it_looks(
    folder: str, what: str, harm: Callable[[bytes], bytes]
) -> None:
    trail(folder).append([RECORD, RECORD])
    path = Path(folder, FILE)
    path.write_bytes(harm(path.read_bytes()))
    with pytest.raises(IntegrityError, match=what):
        trail(folder).append([RECORD])


def test_a_head_cannot_be_forged_or_taken_from_another_store(folder: str) -> None:
    trail(folder).append([RECORD])
    forged = Head()
    for raw in (forged.encode(bytes(32), STORE), forged.encode(KEY, b"1" * 16), b"", b"torn"):
        Path(folder, "head").write_bytes(raw)
        mine = trail(folder)
        known = header()
        known.floor_seq = 1
        mine.bind(known, KEY)
        with pytest.raises(IntegrityError, match="its head is"):
            mine.append([RECORD])


def test_what_follows_a_commit_in_the_head_may_fail_without_failing_the_change(
    folder: str,
) -> None:
    mine = trail(folder)
    mine.append([RECORD])

    def work() -> None:
        os.setuid(65534) if os.geteuid() == 0 else os.chmod(folder, 0)
        mine.commit_known(2, bytes(16))

    assert os.waitpid(child(work), 0)[1] in (0, 256)
    os.chmod(folder, 0o700)
    assert head(folder).generation == 0
