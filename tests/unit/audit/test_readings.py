"""Who read one secret: told from its records, whatever else stands in the trail."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from openclaw_cli.audit.readings import of_secret

GOOD = {
    "seq": 1,
    "at": "2026-02-03T12:00:00.000000Z",
    "kind": "secret_reveal",
    "name": "key",
    "version": "2",
    "outcome": "ok",
    "actor": {"uid": 7, "via": "cron", "program": "/bin/sh"},
}


@pytest.fixture
def trail(tmp_path: Path) -> Path:
    tmp_path.chmod(0o700)
    return tmp_path


def write(trail: Path, *records: object) -> None:
    path = trail / "trail.jsonl"
    path.write_text("".join(json.dumps(each, separators=(",", ":")) + "\n" for each in records))
    path.chmod(0o600)


def test_readings_are_counted_by_version_and_the_newest_is_told(trail: Path) -> None:
    later = "2026-02-03T13:00:00.000000Z"
    write(
        trail,
        GOOD,
        {**GOOD, "seq": 2, "clock": later, "actor": {"agent": "mailer"}},
        {**GOOD, "seq": 3, "version": "3"},
    )
    found = of_secret(str(trail), "key")
    assert {version: each.count for version, each in found.items()} == {"2": 2, "3": 1}
    assert (found["2"].last.seq, found["2"].last.at) == (2, later)
    assert (found["2"].last.actor.agent, found["2"].last.actor.uid) == ("mailer", -1)
    assert (found["3"].last.actor.via, found["3"].last.actor.uid) == ("cron", 7)


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "secret_set"},
        {"outcome": "denied"},
        {"name": "other", "names": [{"name": "key"}]},
        {"at": "yesterday"},
        {"at": 12},
        {"actor": "me"},
        {"seq": "1"},
    ],
    ids=str,
)
def test_other_records_and_what_we_never_wrote_are_passed_over(
    trail: Path, change: dict[str, object]
) -> None:
    write(trail, {**GOOD, **change}, GOOD)
    assert of_secret(str(trail), "key")["2"].count == 1


def test_no_trail_is_no_reading(trail: Path) -> None:
    assert of_secret(str(trail / "none"), "key") == {}
