"""The proof of the whole trail. Every single byte is in tests/faults/test_trail_tampering.py."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from openclaw_cli.audit.chain import line
from openclaw_cli.audit.head import Head
from openclaw_cli.audit.reading import Reading
from openclaw_cli.audit.verify import Chain, Mark, Verified, link, verify
from openclaw_cli.errors import IntegrityError
from openclaw_cli.store.seal import hmac
from tests.unit.audit.scribe import HOUR, KEY, NOON, Scribe


@pytest.fixture
def scribe(scribe: Scribe) -> Scribe:
    for hour in range(9):
        scribe.read(NOON + hour * HOUR)
        if hour in (2, 5):
            scribe.rotate()
    return scribe


def proof(scribe: Scribe, *, floor: int = 3, head: Head | None = None) -> Verified:
    with Reading(scribe.folder) as reading:
        return verify(reading, scribe.header(floor), scribe.key, head or scribe.head)


def test_an_untouched_trail_is_proved_from_its_first_record_to_its_last(scribe: Scribe) -> None:
    found = proof(scribe)
    assert (found.records, found.first, found.last, found.segments) == (13, 1, 13, 3)
    assert found.begins == "2026-11-20T12:00:00.000000Z"
    assert found.ends == "2026-11-20T20:00:00.000000Z"
    assert (found.leftover, found.unfinished) == (0, 0)


def test_nothing_is_proved_where_nothing_was_recorded(tmp_path: Path) -> None:
    found = proof(Scribe(str(tmp_path / "new")), floor=0)
    assert (found.records, found.segments) == (0, 0)


def test_a_missing_trail_is_no_proof(scribe: Scribe) -> None:
    for file in Path(scribe.folder).iterdir():
        file.unlink()
    with pytest.raises(IntegrityError, match="it is missing, and the store knows record 3"):
        proof(scribe)


def test_a_missing_segment_is_named(scribe: Scribe) -> None:
    os.unlink(scribe.path("trail-000002.jsonl"))
    with pytest.raises(IntegrityError, match=r"trail-000002\.jsonl is missing"):
        proof(scribe)


def test_a_missing_beginning_is_not_taken_for_a_pruned_one(scribe: Scribe) -> None:
    os.unlink(scribe.path("trail-000001.jsonl"))
    with pytest.raises(IntegrityError, match=r"what came before trail-000002\.jsonl is missing"):
        proof(scribe)


def test_a_changed_record_is_named(scribe: Scribe) -> None:
    path = Path(scribe.path("trail-000002.jsonl"))
    path.write_bytes(path.read_bytes().replace(b'"pid":1', b'"pid":2', 1))
    with pytest.raises(IntegrityError, match=r"record 6, in trail-000002\.jsonl, is not what"):
        proof(scribe)


def test_a_cut_tail_is_noticed_by_the_head(scribe: Scribe) -> None:
    path = Path(scribe.path())
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    with pytest.raises(IntegrityError, match="ends at record 12, and the head knows record 13"):
        proof(scribe)


def test_a_trail_and_head_put_back_together_are_noticed_by_the_store(scribe: Scribe) -> None:
    path = Path(scribe.path())
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]))
    old = Head()
    old.seq, old.mac, old.segment = 12, scribe.macs[12], 3
    old.offset = path.stat().st_size
    assert proof(scribe, head=old).last == 12
    with pytest.raises(IntegrityError, match="and the store knows record 13"):
        proof(scribe, head=old, floor=13)


def test_a_record_that_an_anchor_knows_must_be_the_one_in_the_trail(scribe: Scribe) -> None:
    for mac, fine in ((scribe.macs[7], True), (bytes(32), False)):
        with Reading(scribe.folder) as reading:
            mark = Mark(7, mac, "the anchor")
            if fine:
                verify(reading, scribe.header(), KEY, scribe.head, anchors=[mark])
                continue
            with pytest.raises(IntegrityError, match="record 7 is not the one the anchor knows"):
                verify(reading, scribe.header(), KEY, scribe.head, anchors=[mark])


def test_records_after_the_head_are_what_a_crash_leaves_and_are_proved_too(scribe: Scribe) -> None:
    head = scribe.head
    scribe.head = Head()
    for field in Head.__slots__:
        setattr(scribe.head, field, getattr(head, field))
    scribe.read(NOON + 9 * HOUR)
    assert proof(scribe, head=head).last == 14
    path = Path(scribe.path())
    path.write_bytes(path.read_bytes()[:-5])
    found = proof(scribe, head=head)
    assert found.last == 13
    assert found.unfinished > 200


def test_a_line_that_is_unfinished_before_the_head_is_not_a_crash(scribe: Scribe) -> None:
    path = Path(scribe.path())
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(IntegrityError, match="record 13"):
        proof(scribe)


def test_a_closed_segment_must_end_with_its_seal(scribe: Scribe) -> None:
    newest = Path(scribe.path())
    newest.rename(scribe.path("trail-000003.jsonl"))
    with pytest.raises(IntegrityError, match=r"the end of trail-000003\.jsonl is missing"):
        proof(scribe)


def test_a_gap_in_the_numbers_is_noticed_even_with_valid_macs(scribe: Scribe) -> None:
    text, mac = line(scribe.key, scribe.head.mac, {"seq": 15, "at": scribe.head.at, "kind": "x"})
    with Path(scribe.path()).open("ab") as file:
        file.write(text)
    scribe.macs.append(mac)
    with pytest.raises(IntegrityError, match="record 14 is missing"):
        proof(scribe)


def test_another_key_proves_nothing(scribe: Scribe) -> None:
    scribe.key = bytes(32)
    with pytest.raises(IntegrityError, match="record 1"):
        proof(scribe)


def test_the_quick_hmac_is_the_one_of_the_writer() -> None:
    for length in (0, 1, 63, 64, 65, 300):
        assert link(KEY)(b"\x01" * 32, b"b" * length) == hmac(KEY, b"\x01" * 32 + b"b" * length)


def test_part_of_a_chain_is_followed_from_where_it_is_taken_up(scribe: Scribe) -> None:
    lines = Path(scribe.path("trail-000002.jsonl")).read_bytes().splitlines(keepends=True)
    for before in (b"", scribe.macs[4]):
        chain = Chain(KEY, before)
        assert [chain.broken(text) for text in lines] == [False] * 5
    chain = Chain(KEY, b"")
    changed = [lines[0], lines[1].replace(b'"pid":1', b'"pid":2'), *lines[3:]]
    assert [chain.broken(text) for text in changed] == [False, True, True, False]
