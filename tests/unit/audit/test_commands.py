"""`openclaw secrets audit` as it is typed."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from openclaw_cli.changes import Changes
from openclaw_cli.errors import NotFoundError
from openclaw_cli.model import SecretValue
from openclaw_cli.names import parse
from openclaw_cli.service import Secrets
from tests.conftest import SCRIPTS, Result

Main = Callable[..., Result]
VALUE = SecretValue(b"value")


@pytest.fixture
def trail(secrets: Secrets, changes: Changes) -> Path:
    """Return the folder of a trail with four readings and two changes."""
    changes.create("openai", VALUE)
    changes.create("prod/db", VALUE)
    for name in ("openai", "openai", "prod/db"):
        secrets.read(parse(name))
    with pytest.raises(NotFoundError):
        secrets.read(parse("nothing"))
    return Path(secrets.home.audit)


def answer(main: Main, *arguments: str) -> Any:  # noqa: ANN401
    return main("secrets", "audit", "--json", *arguments, check=0).json()


def actions(found: dict[str, Any]) -> dict[str, int]:
    counted: dict[str, int] = found["totals"]["by_action"]
    return counted


def test_it_says_who_did_what_and_the_totals_and_that_nothing_looks_wrong(
    main: Main, trail: Path
) -> None:
    del trail
    text = main("secrets", "audit", check=0).out.decode()
    lines = text.splitlines()
    assert lines[0].split() == ["WHEN", "WHO", "ACTION", "SECRET", "VERSION", "OUTCOME", "FROM"]
    assert [line.split("  ")[2] for line in lines if "prod/db" in line][:1]
    assert any(line.startswith("openai ") and " 2 " in line for line in lines)
    assert "7 events, 3 secrets, 3 read, 2 changed, 1 failed, by 1 actor" in lines
    assert lines[-1] == "nothing looks wrong"


def test_json_has_the_records_the_totals_and_the_findings(main: Main, trail: Path) -> None:
    del trail
    found = answer(main)
    assert found["schema"] == 1
    assert found["verified"] is True
    assert found["matched"] == len(found["events"]) == 7
    assert found["totals"]["by_secret"]["openai"]["reads"] == 2
    assert found["findings"] == []
    assert {"mac", "seq", "at", "actor"} <= found["events"][0].keys()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--name", "openai"], {"get": 2, "create": 1}),
        (["--name", "prod/*"], {"get": 1, "create": 1}),
        (["--action", "read"], {"get": 4}),
        (["--action", "create"], {"create": 2}),
        (["--action", "store_init"], {"store init": 1}),
        (["--actor", str(os.getuid())], {"get": 4, "create": 2, "store init": 1}),
        (["--actor", "nobody-else"], {}),
        (["--period", "2020-01-01"], {}),
        (["--period", "today"], {"get": 4, "create": 2, "store init": 1}),
    ],
)
def test_the_question_can_be_narrowed(
    main: Main, trail: Path, options: list[str], expected: dict[str, int]
) -> None:
    del trail
    assert actions(answer(main, *options)) == expected


def test_a_limit_leaves_out_the_oldest_and_says_so(main: Main, trail: Path) -> None:
    del trail
    done = main("secrets", "audit", "--limit", "2", check=0)
    assert b"5 earlier ones are not shown: --limit 0 shows all" in done.err
    assert [each["seq"] for each in answer(main, "--limit", "1")["events"]] == [9]


def test_a_misspelt_action_or_period_is_refused_with_a_suggestion(main: Main, trail: Path) -> None:
    del trail
    done = main("secrets", "audit", "--action", "raed", check=2)
    assert done.err.splitlines()[1].startswith(b"  hint: did you mean read")
    main("secrets", "audit", "--period", "lately", check=2)


def test_without_a_store_nothing_was_recorded_and_nothing_can_be_proved(main: Main) -> None:
    assert b"nothing was recorded" in main("secrets", "audit", check=0).out
    assert b"there is no store yet" in main("secrets", "audit", "verify", check=3).err


def test_verify_says_what_it_proved(main: Main, trail: Path) -> None:
    del trail
    text = main("secrets", "audit", "verify", check=0).out
    assert text.startswith(b"verified: records 1 to 9, in 1 file\n")
    found = main("secrets", "audit", "verify", "--json", check=0).json()
    assert (found["verified"], found["records"], found["last"]) == (True, 9, 9)


@pytest.mark.parametrize("gone", [["trail.jsonl"], ["head"], ["trail.jsonl", "head"]])
def test_verify_without_a_trail_or_its_head_is_status_4(
    main: Main, trail: Path, gone: list[str]
) -> None:
    for name in gone:
        (trail / name).unlink()
    main("secrets", "audit", "verify", check=4)
    wrong = main("secrets", "audit", check=0)
    assert b"what looks wrong" in wrong.out


def test_a_trail_without_its_store_is_status_4(main: Main, trail: Path, secrets: Secrets) -> None:
    (trail / "head").unlink()
    Path(secrets.home.secrets, "store.oc").unlink()
    assert b"no store that knows it" in main("secrets", "audit", "verify", check=4).err


def test_a_locked_store_leaves_the_trail_readable_but_not_verified(
    main: Main, trail: Path, secrets: Secrets
) -> None:
    del trail
    Path(secrets.home.secrets, "key").unlink()
    done = main("secrets", "audit", check=0)
    assert b"warning: not verified: the store is locked" in done.err
    assert b"openai" in done.out
    assert answer(main)["verified"] is False
    main("secrets", "audit", "verify", check=5)


def test_a_changed_record_is_told_by_audit_and_refused_by_verify(main: Main, trail: Path) -> None:
    file = trail / "trail.jsonl"
    file.write_bytes(file.read_bytes().replace(b'"name":"prod/db"', b'"name":"prod/xx"', 1))
    text = main("secrets", "audit", check=0).out
    assert b"the chain is broken at record" in text
    assert b"openclaw secrets audit verify" in text
    assert b"record 4, in trail.jsonl, is not what it was" in (
        main("secrets", "audit", "verify", check=4).err
    )


def test_an_export_as_json_lines_is_the_trail_byte_for_byte(main: Main, trail: Path) -> None:
    whole = (trail / "trail.jsonl").read_bytes()
    assert main("secrets", "audit", "export", check=0).out == whole
    assert main("secrets", "audit", "export", "--period", "2020-01-01", check=0).out == b""


def test_an_export_to_a_file_is_private_and_replaces_nothing_unasked(
    main: Main, trail: Path, tmp_path: Path
) -> None:
    target = tmp_path / "out.jsonl"
    line = ["secrets", "audit", "export", "-o", str(target)]
    assert main(*line, check=0).err == f"wrote 9 records to {target}\n".encode()
    assert target.stat().st_mode & 0o777 == 0o600
    target.write_text("mine")
    assert b"exists already" in main(*line, check=11).err
    assert target.read_text() == "mine"
    main(*line, "--force", check=0)
    assert target.read_bytes() == (trail / "trail.jsonl").read_bytes()
    assert sorted(os.listdir(tmp_path)).count("out.jsonl.new") == 0


def test_an_export_does_not_follow_a_link(main: Main, trail: Path, tmp_path: Path) -> None:
    del trail
    (tmp_path / "other").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "other")
    main("secrets", "audit", "export", "-o", str(tmp_path / "link"), check=11)
    main("secrets", "audit", "export", "-o", str(tmp_path / "link"), "--force", check=0)
    assert (tmp_path / "other").read_text() == "mine"


def test_a_table_for_a_spreadsheet_has_no_formulas(
    main: Main, secrets: Secrets, changes: Changes
) -> None:
    changes.create("key", VALUE)
    secrets.actor = {**secrets.actor, "agent": '=HYPERLINK("http://x")', "thread": "@SUM(A1)"}
    secrets.read(parse("key"))
    text = main("secrets", "audit", "export", "--format", "csv", check=0).out.decode()
    rows = list(csv.DictReader(text.splitlines()))
    assert (rows[-1]["agent"], rows[-1]["thread"]) == ('\'=HYPERLINK("http://x")', "'@SUM(A1)")
    assert (rows[-1]["kind"], rows[-1]["name"], rows[-1]["uid"]) == (
        "secret_reveal",
        "key",
        str(os.getuid()),
    )
    main("secrets", "audit", "export", "--format", "xml", check=2)


def test_pruning_asks_and_removes_nothing_that_is_young(main: Main, trail: Path) -> None:
    done = main("secrets", "audit", "prune", "--before", "90d", check=0)
    assert done.err == b"no file of the trail is that old\n"
    assert (trail / "trail.jsonl").exists()
    main("secrets", "audit", "prune", check=2)
    main("secrets", "audit", "prune", "--before", "1d..2d", check=2)


def test_pruning_removes_old_files_and_the_rest_is_proved(main: Main, secrets: Secrets) -> None:
    main("secrets", "set", "key", input=b"value", check=0)
    for _ in range(3):
        small = type(secrets)(secrets.home, secrets.actor, secrets.unlock, segment_bytes=300)
        small.read(parse("key"))
    time.sleep(1.1)
    line = ["secrets", "audit", "prune", "--before", "1s"]
    assert b"a confirmation needs a terminal" in main(*line, check=2).err
    assert b"removed 3 files of the trail" in main(*line, "--yes", check=0).err
    text = main("secrets", "audit", "verify", check=0).out
    assert b"were pruned, and the chain says so" in text
    assert actions(answer(main)) == {"get": 1, "trail prune": 1}


def test_a_damaged_trail_is_not_pruned(main: Main, trail: Path) -> None:
    file = trail / "trail.jsonl"
    file.write_bytes(file.read_bytes().replace(b'"pid":', b'"Pid":', 1))
    main("secrets", "audit", "prune", "--before", "1s", "--yes", check=4)


# Following it: in a process of its own, since it never ends by itself.


def following(*arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [os.path.join(SCRIPTS, "openclaw"), "secrets", "audit", "--follow", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_followed_records_come_at_once_until_ctrl_c(trail: Path, secrets: Secrets) -> None:
    del trail
    with following("--json") as process:
        assert process.stdout
        assert process.stderr
        seen = [json.loads(process.stdout.readline())["seq"] for _ in range(9)]
        assert seen == list(range(1, 10))
        secrets.read(parse("openai"))
        assert json.loads(process.stdout.readline())["name"] == "openai"
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130
        assert process.stderr.read() == b""


def test_followed_records_are_lines_for_people_and_can_be_narrowed(
    trail: Path, secrets: Secrets
) -> None:
    del trail
    with following("--limit", "3", "--name", "prod/db") as process:
        assert process.stdout
        assert b"  get  prod/db  1  ok  " in process.stdout.readline()
        secrets.read(parse("openai"))
        secrets.read(parse("prod/db"))
        assert b"  get  prod/db  1  ok  " in process.stdout.readline()
        process.terminate()


def test_following_ends_quietly_when_its_reader_leaves(trail: Path) -> None:
    del trail
    with following() as process:
        assert process.stdout
        assert process.stderr
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(10) == 141
        assert process.stderr.read() == b""


@pytest.mark.parametrize("as_json", [True, False])
def test_a_line_that_cannot_be_read_is_said_and_following_goes_on(
    trail: Path, as_json: bool
) -> None:
    with following(*(["--json"] if as_json else []), "--action", "get") as process:
        assert process.stdout
        assert process.stderr
        while b"openai" not in process.stdout.readline():  # the last that is there
            pass
        with (trail / "trail.jsonl").open("ab") as file:
            file.write(b"no record\n")
        assert b"after record 9, cannot be read" in process.stderr.readline()
        if as_json:
            while (told := json.loads(process.stdout.readline()))["kind"] != "unreadable":
                pass
            assert (told["after"], told["hint"]) == (9, "openclaw secrets audit verify")
        else:
            assert b"openclaw secrets audit verify" in process.stderr.readline()
        process.terminate()


def test_a_period_that_is_over_cannot_be_followed(main: Main, trail: Path) -> None:
    del trail
    main("secrets", "audit", "--follow", "--period", "2020-01-01", check=2)


def test_a_lost_anchor_is_no_proof(main: Main, tmp_path: Path) -> None:
    anchor = tmp_path / "anchor"
    main("secrets", "set", "key", input=b"value", check=0)
    main("config", "set", "store.anchor", f"file:{anchor}", check=0)
    done = main("secrets", "audit", "verify", check=0)
    assert b"there is no anchor yet" in done.err
    main("secrets", "set", "key", input=b"value", check=0)
    assert main("secrets", "audit", "verify", check=0).err == b""
    anchor.unlink()
    assert b"is missing, and the trail says" in main("secrets", "audit", "verify", check=4).err
