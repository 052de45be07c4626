"""The checklist: each practice goes from fail to kept by the command that it names."""

from __future__ import annotations

import json
import os
import shlex
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Result

Main = Callable[..., Result]


def practices(main: Main, *options: str) -> dict[str, dict[str, Any]]:
    answer = main("doctor", "--checklist", "--json", *options).json()
    failed = [each for each in answer["practices"] if not each["pass"]]
    assert answer["failed"] == len(failed)
    return {each["name"]: each for each in answer["practices"]}


@pytest.fixture
def state(main: Main, tmp_path: Path) -> Path:
    main("secrets", "set", "key", input=b"value", check=0)
    return tmp_path / "state"


def test_nothing_there_is_nothing_neglected_but_alerts(main: Main) -> None:
    found = practices(main)
    assert [name for name, each in found.items() if not each["pass"]] == ["alerts"]


def test_each_failure_says_why_and_a_command(main: Main, state: Path) -> None:
    assert state.exists()
    failed = [each for each in practices(main).values() if not each["pass"]]
    assert len(failed) >= 5
    assert all(each["why"] and each["command"] for each in failed)
    assert main("doctor", "--checklist").status == 10


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("backup", "store backup b.oc"),
        ("restore drill", "store restore --drill b.oc"),
        ("rehearsed leak", "secrets rotate --compromised key --dry-run"),
        ("second key", "store slots add recovery --recovery-file r.txt"),
    ],
)
def test_what_it_names_mends_it(
    main: Main, state: Path, monkeypatch: pytest.MonkeyPatch, name: str, line: str
) -> None:
    monkeypatch.chdir(state.parent)
    main("secrets", "rotate", "key", "--schedule", "daily", "--with", "generate", check=0)
    if "drill" in line:
        main("store", "backup", "b.oc", check=0)
    before = practices(main)[name]
    assert not before["pass"]
    assert before["command"].split()[:3] == ["openclaw", *line.split()[:2]]
    main(*line.split(), check=0)
    assert practices(main)[name]["pass"]


def test_a_schedule_of_a_week_is_enough_and_a_month_is_not(main: Main, state: Path) -> None:
    assert state.exists()
    found = practices(main)["rotation"]
    assert found["command"] == "openclaw secrets rotate key --schedule weekly"
    main("secrets", "rotate", "key", "--schedule", "monthly", "--with", "generate", check=0)
    assert not practices(main)["rotation"]["pass"]
    main(*shlex.split(found["command"])[1:], check=0)
    assert practices(main)["rotation"]["pass"]


@pytest.mark.parametrize(
    ("agent", "failing"),
    [
        ({"type": "thread-bound", "timeout": 120}, ""),
        ({"type": "thread-bound", "timeout": 121}, "sensitive agents"),
        ({"type": "singleton"}, "sensitive agents"),
        ({"type": "thread-bound", "timeout": 600, "mode": "session"}, ""),
    ],
)
def test_agents_with_secrets_are_looked_at(
    main: Main, state: Path, agent: dict[str, Any], failing: str
) -> None:
    document = {"agents": {"mailer": {**agent, "handler": "a:b", "secrets": ["key"]}}}
    (state / "openclaw.json").write_text(json.dumps(document))
    found = practices(main)
    ours = ("sensitive agents",)
    assert [name for name in ours if not found[name]["pass"]] == ([failing] if failing else [])


def test_a_grant_of_the_settings_is_unused_when_it_has_stood_there_for_long(
    main: Main, state: Path
) -> None:
    file = state / "openclaw.json"
    file.write_text(json.dumps({"agents": {"mailer": {"handler": "a:b", "secrets": ["key"]}}}))
    assert practices(main)["grants"]["pass"]
    assert main("secrets", "grants", "--unused", "30d", "--json").json()["grants"] == []
    long_ago = time.time() - 31 * 86_400
    os.utime(file, (long_ago, long_ago))
    assert "key for mailer" in practices(main)["grants"]["why"]


def test_long_runs_are_sessions(main: Main, state: Path) -> None:
    agent = {"type": "thread-bound", "handler": "a:b", "timeout": 600}
    (state / "openclaw.json").write_text(json.dumps({"agents": {"long": agent}}))
    found = practices(main)["long runs"]
    assert not found["pass"]
    assert "600 s" in found["why"]
    session = {"agents": {"long": {**agent, "mode": "session"}}}
    (state / "openclaw.json").write_text(json.dumps(session))
    assert practices(main)["long runs"]["pass"]


def test_a_mistake_in_what_is_said_of_agents_is_told_and_the_rest_goes_on(
    main: Main, state: Path
) -> None:
    (state / "openclaw.json").write_text('{"agents": {"x": {"type": "nonsense"}}}')
    found = practices(main)
    assert found["settings"]["command"] == "openclaw config check"
    assert "trail" in found
    assert "alerts" not in found


def test_alerts_that_somebody_hears(main: Main, state: Path) -> None:
    document = {"monitoring": {"alerts": {"command": ["/usr/local/bin/page"]}}}
    (state / "openclaw.json").write_text(json.dumps(document))
    assert practices(main)["alerts"]["pass"]


def test_plain_text_in_the_configuration_and_in_its_copies(main: Main, state: Path) -> None:
    text = '{"openai": {"apiKey": "sk-proj-Ab3dEf6hIj9kLm2nOp5qRs8tUv1wXy4zAb3dEf6hIj9kLm2n"}}'
    (state / "openclaw.json.backup").write_text(text)
    found = practices(main)
    assert not found["copies of settings"]["pass"]
    assert found["by reference"]["pass"]
    (state / "openclaw.json").write_text(text)
    assert not practices(main)["by reference"]["pass"]


def test_a_changed_trail_fails(main: Main, state: Path) -> None:
    main("secrets", "set", "other", input=b"value", check=0)
    path = state / "audit" / "trail.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"store_init"', b'"store_inti"'))
    assert not practices(main)["trail"]["pass"]


def test_fix_mends_rights_and_grants_that_ended_and_nothing_else(main: Main, state: Path) -> None:
    document = {"agents": {"mailer": {"type": "thread-bound", "handler": "a:b"}}}
    (state / "openclaw.json").write_text(json.dumps(document))
    main("secrets", "grant", "mailer", "key", "--expires", "1s", check=0)
    os.utime(state)
    import time

    time.sleep(1.1)
    lock = state / "audit" / "lock"
    lock.chmod(0o644)
    before = practices(main)
    assert not before["permissions"]["pass"]
    assert before["permissions"]["fixable"]
    assert stat.S_IMODE(lock.stat().st_mode) == 0o644
    lock.chmod(0o600)
    assert not practices(main)["grants"]["pass"]
    lock.chmod(0o640)
    after = practices(main, "--fix")
    assert after["permissions"]["fixed"]
    assert stat.S_IMODE(lock.stat().st_mode) == 0o600
    assert practices(main, "--fix")["grants"]["pass"]
    assert main("secrets", "grants", "--json").json()["grants"] == []
    assert not practices(main)["rotation"]["pass"]


def test_a_store_that_cannot_be_read_is_told_and_mended_first(main: Main, state: Path) -> None:
    store = state / "secrets" / "store.oc"
    store.chmod(0o644)
    found = practices(main)
    assert [name for name, each in found.items() if not each["pass"]] == ["permissions", "store"]
    assert "others can open" in found["store"]["why"]
    assert practices(main, "--fix")["permissions"]["fixed"]
    assert stat.S_IMODE(store.stat().st_mode) == 0o600
    assert "store" not in practices(main)


def test_fix_alone_is_a_slip(main: Main) -> None:
    main("doctor", "--fix", check=2)


def test_a_drill_touches_nothing_and_proves_every_version(
    main: Main, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(state.parent)
    main("store", "backup", "b.oc", check=0)
    main("secrets", "set", "key", input=b"newer", check=0)
    before = (state / "secrets" / "store.oc").read_bytes()
    answer = main("store", "restore", "--drill", "b.oc", "--json", check=0).json()
    assert (answer["secrets"], answer["behind"], answer["opened_by"]) == (1, 1, "file")
    assert (state / "secrets" / "store.oc").read_bytes() == before
    assert not (state / "secrets" / "store.oc.replaced").exists()
    data = Path("b.oc").read_bytes()
    Path("bad.oc").write_bytes(data[:-30] + bytes([data[-30] ^ 1]) + data[-29:])
    main("store", "restore", "--drill", "bad.oc", check=4)


def test_a_drill_works_where_there_is_no_store(
    main: Main, state: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(state.parent)
    main("store", "backup", "b.oc", check=0)
    monkeypatch.setenv("OPENCLAW_STORE_KEY_FILE", str(state / "secrets" / "key"))
    monkeypatch.setenv("OPENCLAW_STATE_DIR", str(tmp_path / "empty"))
    assert main("store", "restore", "--drill", "b.oc", "--json", check=0).json()["behind"] is None
    assert not (tmp_path / "empty").exists()
