"""Removing the oldest files: the chain says so, and nothing else may be missing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from openclaw_cli.audit.chain import line
from openclaw_cli.audit.prune import Plan, carry_out, plan
from openclaw_cli.audit.reading import Reading
from openclaw_cli.audit.trail import Trail
from openclaw_cli.audit.verify import Verified, verify
from openclaw_cli.errors import IntegrityError
from tests.unit.audit.scribe import DAY, KEY, NOON, STORE, Scribe

ACTOR = {"uid": 1000}


@pytest.fixture
def scribe(scribe: Scribe) -> Scribe:
    for day in range(5):
        scribe.read(NOON + day * DAY)
        scribe.rotate()
    scribe.read(NOON + 5 * DAY)
    Path(scribe.path("head")).write_bytes(scribe.head.encode(KEY, STORE))
    Path(scribe.path("head")).chmod(0o600)
    return scribe


def trail(scribe: Scribe) -> Trail:
    found = Trail(scribe.folder)
    found.bind(scribe.header(), KEY)
    return found


def planned(scribe: Scribe, before: float) -> Plan:
    with Reading(scribe.folder) as reading:
        return plan(reading, before)


def proof(scribe: Scribe) -> Verified:
    mine = trail(scribe)
    head = mine.known(mine.read_head())
    with Reading(scribe.folder) as reading:
        return verify(reading, scribe.header(2), KEY, head)


def test_files_go_when_every_record_in_them_is_older(scribe: Scribe) -> None:
    for days, names in ((0, []), (0.5, [1]), (2, [1, 2]), (2.1, [1, 2, 3]), (100, [1, 2, 3, 4, 5])):
        found = planned(scribe, NOON + days * DAY)
        assert [each.number for each in found.segments] == names


def test_a_pruned_trail_is_proved_from_where_it_begins(scribe: Scribe) -> None:
    found = planned(scribe, NOON + 2 * DAY)
    carry_out(trail(scribe), found, ACTOR)
    assert not Path(scribe.path("trail-000002.jsonl")).exists()
    done = proof(scribe)
    assert (done.first, done.segments, done.leftover) == (6, 4, 0)
    assert found.last == 5


def test_everything_but_the_newest_file_can_be_pruned_twice(scribe: Scribe) -> None:
    carry_out(trail(scribe), planned(scribe, NOON + 2 * DAY), ACTOR)
    carry_out(trail(scribe), planned(scribe, NOON + 100 * DAY), ACTOR)
    assert sorted(os.listdir(scribe.folder)) == ["head", "lock", "trail.jsonl"]
    assert proof(scribe).segments == 1
    assert planned(scribe, NOON + 100 * DAY).segments == []


@pytest.mark.parametrize("removed", [0, 1, 2])
def test_a_pruning_that_stopped_half_way_is_proved_and_finished_by_the_next(
    scribe: Scribe, removed: int
) -> None:
    found = planned(scribe, NOON + 3 * DAY)
    kept = [Path(scribe.path(each.name)).read_bytes() for each in found.segments]
    carry_out(trail(scribe), found, ACTOR)
    for segment, data in list(zip(found.segments, kept, strict=True))[removed:]:
        Path(scribe.path(segment.name)).write_bytes(data)
        Path(scribe.path(segment.name)).chmod(0o600)
    done = proof(scribe)
    assert done.last == scribe.head.seq + 1
    assert done.leftover == (3 - removed if removed else 0)
    again = planned(scribe, NOON + 3 * DAY)
    assert [each.number for each in again.segments] == [1, 2, 3][removed:]
    assert again.last == 0
    before = scribe.path()
    size = Path(before).stat().st_size
    carry_out(trail(scribe), again, ACTOR)
    assert Path(before).stat().st_size == size
    assert (proof(scribe).first, proof(scribe).leftover) == (9, 0)


def test_one_file_more_than_the_chain_says_may_not_be_missing(scribe: Scribe) -> None:
    carry_out(trail(scribe), planned(scribe, NOON + 2 * DAY), ACTOR)
    os.unlink(scribe.path("trail-000003.jsonl"))
    with pytest.raises(IntegrityError, match=r"trail-000003\.jsonl is missing"):
        proof(scribe)


def test_a_forged_record_of_a_pruning_hides_nothing(scribe: Scribe) -> None:
    """One that is where the chain is proved breaks it; one in a file it excuses is not believed."""
    last = scribe.macs[5]
    forged, _ = line(
        bytes(32),
        last,
        {
            "seq": 6,
            "at": "2026-11-20T12:00:00.000000Z",
            "kind": "trail_prune",
            "through": 2,
            "last": 5,
            "last_mac": last.hex(),
        },
    )
    os.unlink(scribe.path("trail-000001.jsonl"))
    for name in ("trail-000002.jsonl", "trail-000003.jsonl"):
        path = Path(scribe.path(name))
        whole = path.read_bytes()
        path.write_bytes(whole + forged)
        with pytest.raises(IntegrityError):
            proof(scribe)
        path.write_bytes(whole)
