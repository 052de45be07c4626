"""What people and machines are shown of rotations: state, next, last, consumers, overview."""

from __future__ import annotations

import os
import pty
import re
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from openclaw_cli import assembly, states
from openclaw_cli.duration import DAY, HOUR
from openclaw_cli.errors import RefusedError
from openclaw_cli.home import find
from openclaw_cli.names import parse
from openclaw_cli.rotation import consumers, policy, schedule, steps
from openclaw_cli.rotation.overview import STATUSES, overview
from openclaw_cli.rotation.policy import Old, Policy
from openclaw_cli.rotation.wishes import Asked
from openclaw_cli.settings import Settings
from tests.conftest import Openclaw, Result

NOW = 1_795_000_000.0
DAILY = Policy(rotator="acme", schedule="daily", next_due=NOW, last_ok=NOW - DAY)

Main = Callable[..., Result]


@pytest.mark.parametrize(
    ("now", "word"), [(NOW - 1, ""), (NOW + HOUR, "due"), (NOW + DAY + 1, "overdue")]
)
def test_the_state_says_how_late_it_is(now: float, word: str) -> None:
    assert states.of_rotation(policy.write(DAILY), now) == word


def test_a_failure_is_said_until_it_works_again() -> None:
    failing = steps.failed(DAILY, steps.SET, RefusedError("no"), NOW)
    assert states.of_rotation(policy.write(failing), NOW) == "failed"
    again = steps.renewed(failing, "a", bytes(16), NOW)
    assert states.of_rotation(policy.write(again), NOW) == ""


def test_a_value_with_a_schedule_is_not_called_old() -> None:
    year = 365 * DAY
    assert states.word(False, year, 90, {}, NOW) == "old"
    assert states.word(False, year, 90, policy.write(DAILY), NOW - HOUR) == "ok"


def test_the_overview_has_every_rotation_as_data() -> None:
    secrets = assembly.secrets(find(os.environ), Settings({}, {}), os.environ)
    runs = assembly.rotation(secrets, Settings({}, {}))
    from openclaw_cli.model import SecretValue

    for name in ("a", "b", "quiet"):
        assembly.changes(secrets, Settings({}, {})).create(name, SecretValue(b"x"))
    runs.wishes.keep("a", Asked(schedule.parse("daily"), rotator="generate"))
    runs.wishes.keep("b", Asked(schedule.parse("weekly"), rotator="person"))
    runs.due()
    now = time.time() + 3 * DAY
    found = {each.name: each for each in overview(secrets.catalogue(), now)}
    assert set(found) == {"a", "b"}
    assert found["a"].status == states.OVERDUE
    assert found["a"].overdue > DAY
    assert found["b"].rotator == "person"
    assert {each.status for each in found.values()} <= set(STATUSES)


def test_who_has_not_read_the_new_value_is_waited_for(openclaw: Openclaw) -> None:
    openclaw("secrets", "set", "k", input=b"one", check=0)
    secrets = assembly.secrets(find(os.environ), Settings({}, {}), os.environ)
    trail = secrets.home.audit
    openclaw("secrets", "get", "k", check=0)
    reader = next(iter(consumers.readers(trail, "k")["1"]))
    secrets.read(parse("k"), purpose="rotate")  # ours: nobody's use of it
    old = Old(1, "0" * 32, NOW, promoted=NOW, at=NOW)
    openclaw("secrets", "set", "k", input=b"two", check=0)
    assert consumers.waiting(trail, "k", old) == [reader]
    assert not consumers.all_have(trail, "k", old)
    openclaw("secrets", "get", "k", check=0)
    assert consumers.all_have(trail, "k", old)


def test_failed_and_overdue_rotations_need_a_hand(main: Main) -> None:
    main("secrets", "create", "k", "--generate", check=0)
    main("secrets", "rotate", "k", "--schedule", "daily", check=0)
    assert main("status", "--check").status in {0, 10}
    secrets = assembly.secrets(find(os.environ), Settings({}, {}), os.environ)
    ledger = assembly.rotation(secrets, Settings({}, {})).ledger
    ledger.failed(["k"], steps.SET, RefusedError("acme said no", hint="ask acme"))
    checked = main("status", "--check", "--json")
    assert checked.status == 10
    assert "rotation-failed" in {each["what"] for each in checked.json()["findings"]}
    assert b"acme said no" in main("secrets", "status", "k").out
    assert main("secrets", "list", "--json").json()["secrets"][0]["state"] == "failed"
    shown = main("status", "--secrets").out
    assert b"failed" in shown


@pytest.mark.parametrize("line", ["rotate --due", "rotate nothing", "rotate --due --dry-run"])
def test_no_store_is_made_by_asking_for_a_rotation(main: Main, line: str) -> None:
    main("secrets", *line.split())
    assert not os.path.lexists(f"{find(os.environ).secrets}/store.oc")


def read_all(terminal: int) -> str:
    """Read what was written to a terminal whose other side is closed."""
    found = b""
    with suppress(OSError):  # EIO is its end
        while chunk := os.read(terminal, 65536):
            found += chunk
    os.close(terminal)
    return found.decode()


def test_the_steps_are_shown_as_they_happen_on_a_terminal(
    main: Main, monkeypatch: pytest.MonkeyPatch
) -> None:
    main("secrets", "create", "k", "--generate", check=0)
    monkeypatch.setenv("TERM", "xterm")
    ours, theirs = pty.openpty()
    kept = os.dup(2)
    try:
        os.dup2(theirs, 2)
        from openclaw_cli.cli.hot import main as entry

        assert entry(["secrets", "rotate", "k"]) == 0
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(theirs)
    shown = read_all(ours)
    assert "k: create" in shown
    assert "rotated k: version 2 is its new value" in shown


def test_who_is_told_by_a_later_run_is_said(main: Main, tmp_path: Path) -> None:
    program = tmp_path / "app"
    program.write_text("#!/bin/sh\ncat >> $0.heard\n")
    program.chmod(0o700)
    for setting in ("tell-most=1", "tell-pause=0"):
        main("config", "set", *f"rotation.{setting}".split("="), check=0)
    whom = [f"command:{program} {number}" for number in (1, 2, 3)]
    main("secrets", "create", "k", "--generate", check=0)
    done = main("secrets", "rotate", "k", *(f"--tell={each}" for each in whom), check=0)
    assert f"told by the next rotate --due: {whom[1]}, {whom[2]}" in done.err.decode()
    assert main("secrets", "status", "k", "--json").json()["rotation"]["untold"] == whom[1:]
    assert main("secrets", "rotate", "--due", "--json", check=0).json()["untold"] == 1
    assert main("secrets", "rotate", "--due", "--json", check=0).json()["untold"] == 0
    assert Path(f"{program}.heard").read_text().count('"event": "rotated"') == 3


def test_a_rehearsal_is_recorded_once(main: Main) -> None:
    main("secrets", "create", "k", "--generate", check=0)
    line = ("secrets", "rotate", "k", "--compromised", "--dry-run")
    assert b"promote, revoke at once" in main(*line, check=0).out
    events = main("secrets", "audit", "--json").json()["events"]
    assert [each["kind"] for each in events].count("rotation_rehearsal") == 1


def test_a_rotation_whose_consumer_was_not_told_is_said_to_have_happened(main: Main) -> None:
    main("secrets", "create", "k", "--generate", check=0)
    done = main("secrets", "rotate", "k", "--tell", "signal:HUP:/nowhere/app.pid", check=3)
    assert b"rotated k: version 2 is its new value" in done.err
    assert b"signal:HUP:/nowhere/app.pid was not told of the new value: " in done.err


def test_what_a_rotation_reads_for_itself_is_nobody_s_reading(main: Main, tmp_path: Path) -> None:
    program = tmp_path / "rotate-acme"
    program.write_text("#!/bin/sh\ncat > /dev/null\n")
    program.chmod(0o700)
    main("secrets", "create", "k", input=b"first", check=0)
    main("secrets", "get", "k", check=0)
    how = ("--with", "command", "--setting", f"command={program}", "--setting", "kind=token:hex")
    main("secrets", "rotate", "k", *how, check=0)
    new, old = main("secrets", "history", "k", "--json").json()["versions"]
    assert (new["reads"], old["reads"]) == (0, 1)


def test_a_notify_that_cannot_be_run_is_refused_before_it_is_needed(main: Main) -> None:
    main("secrets", "create", "k", "--generate", check=0)
    done = main("secrets", "rotate", "--due", "--notify", "tell-me", check=2)
    assert b"absolute path" in done.err
    assert (
        b"there is no program" in main("secrets", "rotate", "--due", "--notify", "/x", check=2).err
    )


def test_whatever_stops_a_run_is_notified(main: Main, tmp_path: Path) -> None:
    program = tmp_path / "tell-us"
    program.write_text("#!/bin/sh\ncat > $0.heard\n")
    program.chmod(0o700)
    main("secrets", "create", "k", "--generate", check=0)
    main("secrets", "rotate", "k", "--schedule", "daily", check=0)
    os.rename(f"{find(os.environ).secrets}/key", tmp_path / "key")
    main("secrets", "rotate", "--due", "--notify", str(program), check=5)
    assert '"kind": "locked"' in Path(f"{program}.heard").read_text()


def test_a_schedule_that_is_taken_away_is_said(main: Main) -> None:
    main("secrets", "create", "k", "--generate", check=0)
    main("secrets", "rotate", "k", "--schedule", "daily", check=0)
    done = main("secrets", "rotate", "k", "--schedule", "never", check=0)
    assert b"k: it is rotated when somebody asks, and never by itself" in done.err


def test_a_list_shows_when_a_secret_was_rotated_last_and_when_it_is_next(main: Main) -> None:
    main("secrets", "create", "k", "--generate", check=0)
    main("secrets", "create", "other", "--generate", check=0)
    main("secrets", "rotate", "k", check=0)
    main("secrets", "rotate", "k", "--schedule", "daily", check=0)
    columns = ("--columns", "name,last-rotation,next-rotation")
    lines = main("secrets", "list", *columns, check=0).out.decode().splitlines()
    assert lines[0].split() == ["NAME", "LAST", "ROTATION", "NEXT", "ROTATION"]
    assert re.match(r"k +(now|\d seconds? ago) +in \d+ hours?$", lines[1])
    assert lines[2].split() == ["other", "-", "-"]
    main("secrets", "list", "--sort", "last-rotation", check=0)
    assert b"LAST" not in main("secrets", "list", check=0).out
