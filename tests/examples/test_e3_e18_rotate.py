"""E3, E18 and the rotation of C9 and C20: kept rotated, from cron, by what people paste."""

from __future__ import annotations

import json
import os
import subprocess
import sysconfig
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.conftest import Openclaw, Result

SCRIPTS = sysconfig.get_path("scripts")
Later = Callable[..., Result]


@pytest.fixture
def later() -> Later:
    """Run a command some time from now, by libfaketime: `later("+2d", "secrets", ...)`."""

    def run(shift: str, *arguments: str, check: int | None = None, jump: bool = False) -> Result:
        clock = {"FAKETIME_DONT_FAKE_MONOTONIC": "1"} if jump else {}
        done = subprocess.run(
            ["faketime", "-f", shift, os.path.join(SCRIPTS, "openclaw"), *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env={**os.environ, **clock},
            check=False,
        )
        result = Result(done.returncode, done.stdout, done.stderr)
        assert check is None or result.status == check, result
        return result

    return run


def pasted(openclaw: Openclaw, *, check: int) -> Result:
    return openclaw("secrets", "rotate", "--name=openai-api-key", "--schedule=daily", check=check)


@pytest.fixture
def openai(openclaw: Openclaw) -> None:
    line = ("secrets", "create", "--name=openai-api-key", "--provider=openai")
    openclaw(*line, input=b"sk-xxx", check=0)


@pytest.mark.usefixtures("openai")
def test_e3_is_recorded_and_harmless_every_hour(openclaw: Openclaw) -> None:
    first = pasted(openclaw, check=0)
    assert b"a person is reminded daily" in first.err
    assert pasted(openclaw, check=0).err == first.err
    assert openclaw("secrets", "get", "openai-api-key").out == b"sk-xxx"
    commits = [
        event
        for event in json.loads(openclaw("secrets", "audit", "--json").out)["events"]
        if event["kind"] == "rotation_policy"
    ]
    assert len(commits) == 1


@pytest.mark.integration
@pytest.mark.usefixtures("openai")
def test_e3_becomes_due_is_reported_and_set_completes_it(openclaw: Openclaw, later: Later) -> None:
    pasted(openclaw, check=0)
    reminded = later("+2d", "secrets", "rotate", "--due", check=10)
    assert reminded.out == b""
    assert reminded.err.count(b"\n") == 1
    assert b"https://platform.openai.com/api-keys" in reminded.err
    assert later("+2d", "secrets", "rotate", "--due", check=10).err == b""  # once a day
    line = ("secrets", "rotate", "--name=openai-api-key", "--schedule=daily")
    assert b"a person must renew" in later("+2d", *line, check=10).err
    later("+2d", "secrets", "set", "openai-api-key", "--generate", check=0)
    later("+2d", "secrets", "rotate", "--due", check=0)


@pytest.mark.integration
@pytest.mark.parametrize("text", ["daily", "weekly", "monthly", "every:12h", "cron:0 3 * * *"])
def test_e3_with_a_value_that_we_choose_is_rotated_when_due(
    openclaw: Openclaw, later: Later, text: str
) -> None:
    openclaw("secrets", "create", "session-key", "--generate=token:hex:32", check=0)
    openclaw("secrets", "rotate", "session-key", "--schedule", text, check=0)
    first = openclaw("secrets", "get", "session-key").out
    later("+32d", "secrets", "rotate", "--due", check=0)
    second = openclaw("secrets", "get", "session-key").out
    assert second != first
    assert len(bytes.fromhex(second.decode())) == 32


@pytest.mark.integration
def test_e18_is_quiet_and_rotates_what_is_due(openclaw: Openclaw, later: Later) -> None:
    for number in range(5):
        openclaw("secrets", "create", f"key-{number}", "--generate", check=0)
        openclaw("secrets", "rotate", f"key-{number}", "--schedule", "daily", check=0)
    before = [openclaw("secrets", "get", f"key-{number}").out for number in range(5)]
    assert openclaw("secrets", "rotate", "--due", check=0) == Result(0, b"", b"")
    planned = later("+2d", "secrets", "rotate", "--due", "--dry-run", check=0).out
    assert planned.count(b": rotate\n") == 5
    assert later("+2d", "secrets", "rotate", "--due", check=0) == Result(0, b"", b"")
    after = [openclaw("secrets", "get", f"key-{number}").out for number in range(5)]
    assert not set(before) & set(after)
    assert later("+2d", "secrets", "rotate", "--due", check=0) == Result(0, b"", b"")
    assert after == [openclaw("secrets", "get", f"key-{number}").out for number in range(5)]


@pytest.mark.integration
def test_e18_twenty_at_once_rotate_once(openclaw: Openclaw, later: Later) -> None:
    openclaw("secrets", "create", "session-key", "--generate", check=0)
    openclaw("secrets", "rotate", "session-key", "--schedule", "daily", check=0)
    with ThreadPoolExecutor(20) as pool:
        done = list(pool.map(lambda _: later("+2d", "secrets", "rotate", "--due"), range(20)))
    assert {each.status for each in done} == {0}
    history = openclaw("secrets", "history", "session-key", "--json").json()
    assert len(history["versions"]) == 2


def test_twenty_rotations_of_one_secret_at_once_are_one(openclaw: Openclaw) -> None:
    openclaw("secrets", "create", "session-key", "--generate", check=0)
    with ThreadPoolExecutor(20) as pool:
        done = list(pool.map(lambda _: openclaw("secrets", "rotate", "session-key"), range(20)))
    assert sorted(each.status for each in done) == [0] + [11] * 19
    history = openclaw("secrets", "history", "session-key", "--json").json()
    assert len(history["versions"]) == 2


@pytest.mark.integration
def test_e18_says_a_line_for_a_failure_and_carries_on(openclaw: Openclaw, later: Later) -> None:
    program = Path(os.environ["HOME"]) / "rotate-acme"
    program.write_text("#!/bin/sh\ngrep -q '\"check\"'\n")  # any other step is refused
    for name in ("acme-key", "session-key"):
        openclaw("secrets", "create", name, "--generate", check=0)
        openclaw("secrets", "rotate", name, "--schedule", "daily", check=0)
    program.chmod(0o700)
    line = ("secrets", "rotate", "acme-key", "--schedule", "daily", "--with", "command")
    openclaw(*line, "--setting", f"command={program}", check=0)
    failed = later("+2d", "secrets", "rotate", "--due", check=8)
    assert failed.err.count(b"\n") == 1
    assert b"acme-key" in failed.err
    history = openclaw("secrets", "history", "session-key", "--json").json()
    assert len(history["versions"]) == 2


@pytest.mark.integration
def test_e18_by_a_clock_that_jumped_changes_nothing(openclaw: Openclaw, later: Later) -> None:
    for number in range(4):
        openclaw("secrets", "create", f"key-{number}", "--generate", check=0)
        openclaw("secrets", "rotate", f"key-{number}", "--schedule", "daily", check=0)
    openclaw("secrets", "rotate", "--due", env={"OPENCLAW_NO_HOT": "1"}, check=0)
    jumped = later("+10y", "secrets", "rotate", "--due", check=75, jump=True)
    assert b"nothing is rotated" in jumped.err
    assert jumped.err.count(b"Traceback") == 0
    later("+10y", "secrets", "rotate", "--due", "--all", check=0, jump=True)
    back = openclaw("secrets", "rotate", "--due", check=75)
    assert b"the clock shows" in back.err


def state(document: object) -> None:
    place = Path(os.environ["OPENCLAW_STATE_DIR"])
    place.mkdir(mode=0o700, exist_ok=True)
    (place / "openclaw.json").write_text(json.dumps(document))


@pytest.mark.integration
def test_c20_gives_the_store_a_new_data_key_by_schedule(openclaw: Openclaw, later: Later) -> None:
    openclaw("secrets", "create", "session-key", "--generate", check=0)
    before = openclaw("secrets", "get", "session-key").out
    state({"encryption": {"provider": "external", "source": "file", "rotation": "daily"}})
    openclaw("secrets", "rotate", "--due", check=0)
    assert openclaw("store", "check", "--json").json()["epoch"] == 1
    later("+2d", "secrets", "rotate", "--due", check=0)
    assert openclaw("store", "check", "--json").json()["epoch"] == 2
    later("+2d", "secrets", "rotate", "--due", check=0)
    assert openclaw("store", "check", "--json").json()["epoch"] == 2
    assert openclaw("secrets", "get", "session-key").out == before


@pytest.mark.integration
def test_c20_a_data_key_that_cannot_be_renewed_is_not_tried_each_time(
    openclaw: Openclaw, later: Later, tmp_path: Path
) -> None:
    openclaw("secrets", "create", "session-key", "--generate", check=0)
    words = tmp_path / "words"
    words.write_text("correct horse battery staple")
    words.chmod(0o600)
    openclaw("store", "slots", "add", "passphrase", "--passphrase-file", str(words), check=0)
    state({"encryption": {"provider": "external", "source": "file", "rotation": "daily"}})
    openclaw("secrets", "rotate", "--due", check=0)
    day = 24 * 3600
    failed = later(f"+{2 * day}s", "secrets", "rotate", "--due", check=8)
    assert failed.err.count(b"\n") == 1
    assert b"openclaw store rekey" in failed.err
    assert later(f"+{2 * day + 60}s", "secrets", "rotate", "--due", check=0).err == b""
    again = later(f"+{2 * day + 400}s", "secrets", "rotate", "--due", check=8)
    assert again.err == failed.err
    assert later(f"+{2 * day + 800}s", "secrets", "rotate", "--due", check=0).err == b""
    shown = openclaw("doctor", "--json").out
    assert b"the store's data key" in shown


@pytest.mark.integration
def test_c9_is_due_where_it_lives_elsewhere_and_set_completes_it(
    openclaw: Openclaw, later: Later, tmp_path: Path
) -> None:
    key = tmp_path / "anthropic.key"
    key.write_text("sk-ant-0")
    key.chmod(0o600)
    source = {"source": f"file://{key}", "rotationPolicy": "daily"}
    state({"externalSecrets": {"anthropic": {"apiKey": source}}})
    openclaw("secrets", "rotate", "--due", check=0)
    reminded = later("+2d", "secrets", "rotate", "--due", check=10)
    assert b"a person must renew anthropic/apiKey" in reminded.err
    key.write_text("sk-ant-1")
    later("+2d", "secrets", "rotate", "--due", check=0)


def test_c10_a_schedule_that_cannot_be_met_is_said(openclaw: Openclaw) -> None:
    for text, status in (("every:1m", 78), ("cron:0 0 30 2 *", 78), ("cron:* * * * *", 8)):
        state({"secrets": {"aws": {"source": "vault", "rotation": text}}})
        failed = openclaw("secrets", "rotate", "--due", check=status)
        assert b"5 minutes" in failed.err


@pytest.mark.integration
def test_c20_a_group_of_api_keys_is_due_by_the_group_s_schedule(
    openclaw: Openclaw, later: Later, tmp_path: Path
) -> None:
    """C20 and C10: each API key of the place, one that is named itself by its own schedule."""
    folder = tmp_path / "keys"
    folder.mkdir(mode=0o700)
    for name in ("deepseek-api-key", "mistral-api-key", "openai-api-key", "db-password"):
        (folder / name).write_text("sk-0")
        (folder / name).chmod(0o600)
    settings = Path(os.environ["OPENCLAW_STATE_DIR"]) / "settings.toml"
    state(
        {
            "secrets": {
                "api-keys": {"source": "file", "rotation": "weekly"},
                "openai-api-key": {
                    "source": f"file://{folder}/openai-api-key",
                    "rotation": "daily",
                },
            }
        }
    )
    settings.write_text(f'[backends.file]\nroot = "{folder}"\n')
    openclaw("secrets", "rotate", "--due", check=0)
    soon = later("+2d", "secrets", "rotate", "--due", check=10)
    assert b"openai-api-key" in soon.err
    assert b"deepseek" not in soon.err
    due = later("+8d", "secrets", "rotate", "--due", check=10).err.decode()
    assert "a person must renew deepseek-api-key" in due
    assert "a person must renew mistral-api-key" in due
    assert "db-password" not in due
    assert "api-keys" not in due
    later("+8d", "secrets", "set", "deepseek-api-key", "--generate", check=0)
    left = later("+8d", "secrets", "rotate", "--due", "--json", check=10).json()
    assert "deepseek-api-key" not in {each["name"] for each in left["by_person"]}


@pytest.mark.integration
def test_c20_a_group_in_the_store_rotates_each_key_that_can_be(
    openclaw: Openclaw, later: Later
) -> None:
    state({"secrets": {"api-keys": {"source": "local", "rotation": "weekly"}}})
    openclaw("secrets", "create", "internal-api-key", "--generate", check=0)
    openclaw("secrets", "create", "session-cookie", "--generate", check=0)
    openclaw("secrets", "rotate", "--due", check=0)
    assert "weekly" in openclaw("secrets", "status", "internal-api-key").out.decode()
    later("+8d", "secrets", "rotate", "--due", check=0)
    versions = [
        len(openclaw("secrets", "history", name, "--json").json()["versions"])
        for name in ("internal-api-key", "session-cookie")
    ]
    assert versions == [2, 1]
    openclaw("secrets", "create", "later-api-key", "--generate", check=0)
    later("+10d", "secrets", "rotate", "--due", check=0)
    assert "weekly" in openclaw("secrets", "status", "later-api-key").out.decode()


@pytest.mark.integration
def test_e18_a_dry_run_names_what_is_elsewhere_and_who_is_to_be_told(
    openclaw: Openclaw, later: Later, tmp_path: Path
) -> None:
    key = tmp_path / "anthropic.key"
    key.write_text("sk-ant-0")
    key.chmod(0o600)
    source = {"source": f"file://{key}", "rotationPolicy": "daily"}
    encryption = {"provider": "external", "source": "file", "rotation": "daily"}
    state({"externalSecrets": {"anthropic": {"apiKey": source}}, "encryption": encryption})
    openclaw("secrets", "create", "session-key", "--generate", check=0)
    told = "signal:HUP:/nowhere/app.pid"
    openclaw("secrets", "rotate", "session-key", "--tell", told, check=3)
    openclaw("secrets", "rotate", "--due", check=0)
    planned = later("+2d", "secrets", "rotate", "--due", "--dry-run", check=0).out.decode()
    assert f"session-key: tell {told}\n" in planned
    assert "anthropic/apiKey: a person must renew it, if nobody has\n" in planned
    assert "the store's data key: renew it\n" in planned
