"""One way through a period: what is counted, shown, learnt from before it, and checked."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from openclaw_cli.audit.head import Head
from openclaw_cli.audit.questions import Filter
from openclaw_cli.audit.reading import Reading
from openclaw_cli.audit.survey import Period, Survey, local_hour, survey
from tests.unit.audit.scribe import DAY, HOUR, KEY, NOON, Scribe, instant

TODAY = Period(NOON - DAY, NOON, NOON)


def asked(
    scribe: Scribe,
    period: Period = TODAY,
    wanted: Filter | None = None,
    *,
    key: bytes = KEY,
    limit: int = 0,
) -> Survey:
    with Reading(scribe.folder) as reading:
        return survey(
            reading,
            period,
            wanted or Filter(),
            key=key,
            head=scribe.head if key else None,
            limit=limit,
        )


def seen(found: Survey) -> list[int]:
    return [event.seq for event, _ in found.events]


def rules(found: Survey) -> list[str]:
    return [finding.rule for finding in found.answer.findings]


def test_an_empty_period_is_an_answer(scribe: Scribe) -> None:
    scribe.read(NOON - 2 * DAY)
    found = asked(scribe)
    assert (found.answer.events, rules(found), found.checked) == (0, [], True)


def test_only_the_period_is_counted_and_what_was_before_is_learnt_from(scribe: Scribe) -> None:
    for hour in range(6):
        scribe.read(NOON - 5 * DAY + hour * HOUR)
    scribe.rotate()
    inside = scribe.read(NOON - HOUR, actor={"program": "/usr/bin/curl"})
    found = asked(scribe)
    assert seen(found) == [inside]
    assert rules(found) == ["new-reader"]


def test_what_is_older_than_the_look_back_is_forgotten(scribe: Scribe) -> None:
    for hour in range(6):
        scribe.read(NOON - 40 * DAY + hour * HOUR)
    scribe.read(NOON - HOUR, actor={"program": "/usr/bin/curl"})
    assert rules(asked(scribe)) == []


def test_a_change_is_one_event_and_borders_between_files_are_none(scribe: Scribe) -> None:
    done = scribe.change(NOON - HOUR, "secret_set", version="2")
    scribe.rotate()
    found = asked(scribe)
    assert seen(found) == [done]
    assert found.answer.by_action == {"set": 1}
    assert len(asked(scribe, wanted=Filter(action="trail")).events) == 2


def test_the_newest_events_are_kept_and_all_are_counted(scribe: Scribe) -> None:
    for minute in range(50):
        scribe.read(NOON - HOUR + minute * 60)
    found = asked(scribe, limit=3)
    assert seen(found) == [48, 49, 50]
    assert found.answer.events == 50


def test_one_name_is_counted_alone_and_its_interrupted_change_is_found(scribe: Scribe) -> None:
    scribe.read(NOON - HOUR, name="other")
    intent = scribe.add(NOON - HOUR, "secret_set", names=["key", "other"], phase="intent")
    scribe.add(NOON - HOUR, "change_settled", of=intent, outcome="abandoned")
    scribe.read(NOON - HOUR)
    found = asked(scribe, wanted=Filter(name="key"))
    assert found.answer.by_action == {"get": 1, "change settled": 1}
    assert rules(found) == ["interrupted"]
    assert rules(asked(scribe, wanted=Filter(name="third"))) == []


def test_an_event_that_the_clock_put_into_the_period_counts(scribe: Scribe) -> None:
    scribe.read(NOON + 30 * DAY)
    back = scribe.read(NOON - HOUR)
    found = asked(scribe)
    assert seen(found) == [back]
    assert rules(found) == ["clock-back"]


def test_a_changed_record_in_the_period_breaks_the_chain(scribe: Scribe) -> None:
    scribe.read(NOON - 2 * DAY)
    for minute in range(5):
        scribe.read(NOON - HOUR + minute)
    path = Path(scribe.path())
    lines = path.read_bytes().splitlines(keepends=True)
    lines[3] = lines[3].replace(b'"outcome":"ok"', b'"outcome":"io"')
    path.write_bytes(b"".join(lines))
    found = asked(scribe)
    assert rules(found) == ["broken-chain"]
    assert found.answer.findings[0].what.startswith("the chain is broken at record 4")
    without = asked(scribe, key=b"")
    assert (rules(without), without.checked) == ([], False)


def test_a_removed_record_breaks_the_chain_though_its_neighbours_are_whole(scribe: Scribe) -> None:
    for minute in range(5):
        scribe.read(NOON - HOUR + minute)
    path = Path(scribe.path())
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:2] + lines[3:]))
    assert rules(asked(scribe)) == ["broken-chain"]


def test_a_changed_first_record_of_all_breaks_the_chain(scribe: Scribe) -> None:
    scribe.read(NOON - HOUR)
    path = Path(scribe.path())
    path.write_bytes(path.read_bytes().replace(b'"ok"', b'"io"'))
    assert "broken-chain" in rules(asked(scribe))


def test_a_cut_or_missing_trail_is_noticed(scribe: Scribe) -> None:
    scribe.read(NOON - HOUR)
    scribe.read(NOON - HOUR)
    path = Path(scribe.path())
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[0])
    (finding,) = asked(scribe).answer.findings
    assert finding.what == "the trail ends at record 1, and its head knows record 2"
    os.unlink(path)
    (finding,) = asked(scribe).answer.findings
    assert finding.what == "the trail is missing, and its head knows record 2"


def test_lines_that_are_no_records_are_counted_and_do_not_stop_the_answer(scribe: Scribe) -> None:
    scribe.read(NOON - HOUR)
    with Path(scribe.path()).open("ab") as file:
        file.write(f'{{"seq":2,"at":"{instant(NOON - HOUR)}","kind":7}}\n'.encode())
        file.write(b"not JSON\n\xff\xfe\n[]\n")
    scribe.head = Head()
    found = asked(scribe, key=b"")
    assert found.answer.events == 1
    assert [(each.rule, each.count) for each in found.answer.findings] == [("unreadable", 4)]


def test_a_change_that_is_under_way_is_not_yet_wrong(scribe: Scribe) -> None:
    scribe.add(NOON - 5, "secret_set", name="key", phase="intent")
    assert rules(asked(scribe)) == []
    assert rules(asked(scribe, Period(NOON - DAY, NOON + 120, NOON + 120))) == ["interrupted"]


def test_an_hour_is_the_one_on_this_machines_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    from openclaw_cli.audit import survey as module

    try:
        for zone, hour in (("UTC", 12), ("Asia/Tokyo", 21)):
            monkeypatch.setenv("TZ", zone)
            time.tzset()
            module._hour.cache_clear()  # noqa: SLF001
            assert local_hour(instant(NOON)) == hour
    finally:
        monkeypatch.setenv("TZ", "UTC")
        time.tzset()
        module._hour.cache_clear()  # noqa: SLF001
