"""Links, the log, the scheduler and dispatch, each by itself."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from openclaw_cli.agents.spec import CronEntry
from openclaw_cli.errors import DeniedError, RefusedError, StorageError, TemporaryError
from openclaw_cli.gateway import dispatch, state, unit
from openclaw_cli.gateway.link import Links
from openclaw_cli.gateway.log import APPENDING, READING, Log, opened
from openclaw_cli.gateway.metrics import Metrics
from openclaw_cli.gateway.scheduler import Scheduler
from openclaw_cli.gateway.serving import Troubles
from openclaw_cli.gateway.watch import OFTEN, Watch
from openclaw_cli.home import Home
from openclaw_cli.rotation.runs import Report
from openclaw_cli.runtime.lines import LINE, PRINTED, Lines
from openclaw_cli.runtime.request import Reply
from openclaw_cli.runtime.session import Session

THREE = 1_795_143_600.0  # 2026-11-20T03:00:00Z
NIGHTLY = CronEntry("rotate-secrets", "0 3 * * *", rotates=True)
NO_AGENTS: Any = SimpleNamespace(pools={})
OTHER = CronEntry("news", "0 3 * * *", rotates=False)


def test_a_link_works_once_and_its_cookie_goes_on() -> None:
    links = Links()
    link = links.make()
    cookie = links.trade(link)
    assert links.knows(cookie)
    assert links.trade(link) == ""
    assert not links.knows(link)
    assert links.trade(cookie) == ""


@pytest.mark.parametrize("text", ["", ".", "1.x.y", "ü.x.y", "9999999999.x." + "0" * 64])
def test_what_we_did_not_sign_is_no_link(text: str) -> None:
    assert Links().trade(text) == ""
    assert not Links().knows(text)


def test_a_link_is_over_in_time_and_is_of_one_node() -> None:
    links = Links()
    assert links.trade(links.make(-1)) == ""
    assert Links().trade(links.make()) == ""


def test_the_log_is_lines_of_json_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "agent.log"
    log = Log(str(path))
    log.write("agent_exec", "a", {"thread": "x\ny", "nothing": None})
    line = json.loads(path.read_text())
    assert (line["kind"], line["thread"]) == ("thread-bound", "x\ny")
    assert "nothing" not in line
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_line_that_waits_is_written_with_the_next_one_or_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "agent.log"
    log = Log(str(path))
    log.add("thread_spawn", "a", {"pid": 1})
    assert not path.read_bytes()
    log.write("agent_exec", "a", {"odd": float("nan"), "other": Path("x")})
    log.add("instance_end", "a", {})
    log.close()
    events = [json.loads(line)["event"] for line in path.read_text().splitlines()]
    assert events == ["thread_spawn", "agent_exec", "instance_end"]


def test_requests_are_counted_by_how_long_they_took() -> None:
    metrics = Metrics()
    for seconds in (0.001, 0.005, 0.006, 400):
        metrics.answered("a", "ok", seconds)
    metrics.answered("a", "busy", 0)
    text = metrics.text().decode()
    name = "openclaw_thread_bound_execution_seconds"
    labels = 'agent="a",outcome="ok"'
    for least, count in (("0.005", 2), ("0.01", 3), ("300.0", 3), ("+Inf", 4)):
        assert f'{name}_bucket{{agent="a",le="{least}",outcome="ok"}} {count}.0' in text
    assert f"{name}_count{{{labels}}} 4.0" in text
    assert f"{name}_sum{{{labels}}} 400.012" in text
    assert 'openclaw_thread_bound_rejected_total{agent="a",reason="busy"} 1.0' in text
    assert name not in Metrics(("error-rate",)).text().decode()


def test_the_log_is_rotated_by_size_and_keeps_so_many(tmp_path: Path) -> None:
    path = tmp_path / "agent.log"
    log = Log(str(path), size=300, kept=3)
    for number in range(40):
        log.write("e", "a", {"number": number})
    files = sorted(each.name for each in tmp_path.glob("agent.log*"))
    assert files == ["agent.log", "agent.log.1", "agent.log.2", "agent.log.3"]
    assert max(each.stat().st_size for each in tmp_path.glob("agent.log*")) <= 300
    assert json.loads(path.read_text().splitlines()[-1])["number"] == 39


def test_a_log_that_was_moved_is_opened_again(tmp_path: Path) -> None:
    path = tmp_path / "agent.log"
    log = Log(str(path))
    path.rename(tmp_path / "moved")
    log.reopen()
    log.write("e", "a", {})
    assert path.read_text()


def test_a_log_that_cannot_be_begun_anew_goes_on_in_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "agent.log"
    log = Log(str(path), size=300, kept=3)
    full = OSError(errno.ENOSPC, "full")
    real = os.open

    def refused(place: str, flags: int, mode: int = 0o777, **more: int) -> int:
        if place == str(path):
            raise full
        return real(place, flags, mode, **more)

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", refused)
        for number in range(20):
            log.write("e", "a", {"number": number})
        with pytest.raises(StorageError):
            log.reopen()
    log.write("e", "a", {"number": 20})
    log.close()
    kept = [
        json.loads(line)["number"]
        for each in ("agent.log.1", "agent.log")
        for line in (tmp_path / each).read_text().splitlines()
    ]
    assert kept == list(range(21))
    assert json.loads(path.read_text())["number"] == 20


def test_what_anybody_can_cause_does_not_write_the_log_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "agent.log"
    watch = Watch(Log(str(path)), Metrics())
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now)
    for _ in range(1000):
        watch.often("refused", why="no token")
    now += 61
    for _ in range(2):
        watch.often("refused", why="no token")
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert len(lines) == OFTEN + 2
    assert [each.get("left_out") for each in lines[-3:]] == [None, 1000 - OFTEN, None]


def test_what_fails_beside_all_requests_is_said_once_and_shows_no_value(
    capfd: pytest.CaptureFixture[str],
) -> None:
    async def failing() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(Troubles())
        for _ in range(1000):
            crash = OSError(errno.EMFILE, "hunter2")
            loop.call_exception_handler({"message": "accept", "exception": crash})
        loop.call_exception_handler({"message": "another"})

    asyncio.run(failing())
    first, second = capfd.readouterr().err.splitlines()
    assert first == "openclaw: OSError (EMFILE) at ?"
    assert second == "openclaw: another"


@pytest.mark.parametrize("flags", [APPENDING, READING])
def test_what_is_no_log_is_neither_followed_nor_waited_for(tmp_path: Path, flags: int) -> None:
    (tmp_path / "elsewhere").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "folder").mkdir()
    for name in ("link", "fifo", "folder"):
        with pytest.raises((DeniedError, StorageError)):
            opened(str(tmp_path / name), flags)
    assert (tmp_path / "elsewhere").read_text() == "mine"


@pytest.mark.parametrize(
    "text",
    [
        'gateway = 5\nzygotes = 7\nsessions = "x"\n',
        "zygotes = [5]\nsessions = [5, {agent = 1}]\n[gateway]\nboot = 1\n",
        f"format = {'9' * 10_000}\n",
        f"sessions = {'[' * 100_000}\n",
    ],
)
def test_a_state_that_is_not_ours_is_as_good_as_none(tmp_path: Path, text: str) -> None:
    tmp_path.chmod(0o700)
    path = tmp_path / "state.toml"
    path.write_text(text)
    path.chmod(0o600)
    found = state.read(str(tmp_path))
    assert state.reconcile(found) == []
    assert state.restore(found, NO_AGENTS, str(tmp_path / "sessions")) == 0


def test_of_what_was_said_the_turns_that_are_none_are_left_out(tmp_path: Path) -> None:
    folder = str(tmp_path / "sessions")
    session = Session("a", "t", 0.0, 0.0, transcript=[{"input": 1, "output": 2}])
    state.remember(folder, session)
    (path,) = (tmp_path / "sessions").iterdir()
    with path.open("ab") as file:
        file.write(b"5\n\xff\n" + b"[" * 100_000 + b"\n")
    assert state.transcript(folder, "a", "t") == session.transcript
    path.chmod(0o644)
    assert state.transcript(folder, "a", "t") == []


def test_printed_lines_are_bounded_in_length_and_in_all() -> None:
    lines = Lines()
    assert lines.feed(b"one\ntw") == ["one"]
    assert lines.feed(b"o\n") == ["two"]
    assert len(lines.feed(b"x" * 2 * LINE)[0]) == LINE
    assert lines.feed(b"rest") == []
    assert lines.feed(b"") == ["rest"]
    many = Lines()
    said = [line for _ in range(100) for line in many.feed(b"y" * 10_000 + b"\n")]
    assert said[-1].startswith(f"more than {PRINTED}")
    assert sum(map(len, said)) < 2 * PRINTED


def test_what_is_due_is_rotated_once_and_told() -> None:
    clock, runs, told = [THREE - 60], [], []

    def rotate() -> Report:
        runs.append(clock[0])
        due = RefusedError("a person must renew it")
        return Report(by_person=[("new", due), ("old", due)], told={"old"})

    async def main() -> None:
        scheduler = Scheduler(
            rotate, lambda event, *_, **fields: told.append((event, fields)), now=lambda: clock[0]
        )
        for seconds in (20, 35, 10, 10, 3600):
            clock[0] += seconds
            await scheduler.tick([NIGHTLY, OTHER])

    asyncio.run(main())
    assert runs == [THREE + 5]
    [(event, fields)] = told
    assert event == "rotation"
    assert fields == {"entry": "rotate-secrets", "rotated": [], "failed": [], "by_person": ["new"]}


def test_a_clock_that_goes_back_meets_nothing_twice_and_a_failure_is_told() -> None:
    clock, told = [THREE - 60], []

    def rotate() -> Report:
        raise TemporaryError("the clock cannot be believed")

    async def main() -> None:
        scheduler = Scheduler(
            rotate, lambda event, *_, **fields: told.append((event, fields)), now=lambda: clock[0]
        )
        for seconds in (70, -30, 40):
            clock[0] += seconds
            await scheduler.tick([NIGHTLY])

    asyncio.run(main())
    assert [event for event, _ in told] == ["rotation_failed"]


def test_coalesced_answers_are_in_the_order_asked_and_failures_say_so() -> None:
    replies = [
        Reply("b", "1", "ok", output="second"),
        Reply("a", "2", "timeout", error="its time was over"),
        Reply("c", "3", "ok", output={"n": 1}),
    ]
    assert dispatch.coalesced(replies).splitlines() == [
        "[b] second",
        "[a] (timeout: its time was over)",
        '[c] {"n":1}',
    ]


def test_the_unit_quotes_what_systemd_would_read_otherwise() -> None:
    text = unit.text(Home('/home/ada/my "state" 100%'))
    assert r'Environment="OPENCLAW_STATE_DIR=/home/ada/my \"state\" 100%%"' in text
