"""Changes beside the store are in the trail: announced, and how they ended, and never a value."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Result
from tests.unit.interop import installation

Main = Callable[..., Result]

VALUE = "canary-4711.example"


@pytest.fixture
def state(tmp_path: Path, main: Main, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    main("secrets", "create", "kept", input=b"value", check=0)
    return tmp_path / "state"


def records(state: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (state / "audit/trail.jsonl").read_text().splitlines()]


def told(state: Path, kind: str) -> list[dict[str, Any]]:
    """Return what was recorded of a kind, without what every record has."""
    every = ("seq", "at", "mac", "kind", "actor")
    return [
        {key: value for key, value in each.items() if key not in every}
        for each in records(state)
        if each["kind"] == kind
    ]


def both(state: Path, kind: str) -> dict[str, Any]:
    """Return what a change is about; it must have been announced once, and ended well."""
    announced, ended = told(state, kind)
    assert announced.pop("outcome") == "intent"
    number = next(each["seq"] for each in records(state) if each["kind"] == kind)
    assert (ended.pop("outcome"), ended.pop("announced")) == ("ok", number)
    assert announced == ended
    return announced


def project(folder: Path) -> str:
    folder.mkdir()
    (folder / ".openclaw.toml").write_text('backend = "local"\n')
    return f"{folder}/.openclaw.toml"


def test_of_a_setting_the_name_is_recorded_and_not_the_value(main: Main, state: Path) -> None:
    main("config", "set", "store.anchor", f"file:{state}/{VALUE}", check=0)
    assert both(state, "config_set") == {"setting": "store.anchor"}
    assert VALUE not in (state / "audit/trail.jsonl").read_text()


def test_of_a_backends_setting_too(main: Main, state: Path) -> None:
    main("config", "set", "backends.vault.address", f"https://{VALUE}", check=0)
    assert both(state, "config_set") == {"setting": "backends.vault.address"}
    assert VALUE not in (state / "audit/trail.jsonl").read_text()


@pytest.mark.parametrize(
    "wrong",
    [("store.versions", VALUE), ("backends.vault.token", VALUE), (VALUE, "x"), ("backends.x", "x")],
)
def test_what_is_refused_outright_is_not_even_announced(
    main: Main, state: Path, wrong: tuple[str, str]
) -> None:
    before = records(state)
    assert main("config", "set", *wrong).status != 0
    assert records(state) == before


def test_a_file_that_cannot_be_edited_is_a_change_that_failed(main: Main, state: Path) -> None:
    (state / "settings.toml").write_text('backends = { vault = { mount = "a" } }\n')
    main("config", "set", "backends.vault.prefix", "b", check=78)
    assert [each["outcome"] for each in told(state, "config_set")] == ["intent", "config"]


def test_trust_in_a_project_is_recorded_and_so_is_its_end(
    main: Main, state: Path, tmp_path: Path
) -> None:
    file = project(tmp_path / "cloned")
    main("config", "trust", str(tmp_path / "cloned"), "--yes", check=0)
    assert both(state, "config_trust") == {"file": file}
    main("config", "trust", str(tmp_path / "cloned"), "--forget", check=0)
    assert both(state, "config_forget") == {"file": file}
    main("config", "trust", str(tmp_path / "cloned"), "--forget", check=0)
    assert len(told(state, "config_forget")) == 2  # there was nothing to forget


def test_what_the_gateway_may_be_given_is_recorded(main: Main, state: Path, tmp_path: Path) -> None:
    installation.installed(tmp_path / "node")
    (state / "openclaw.json").write_text(installation.CONFIG)
    setup = ("interop", "setup", "--gateway", f"{tmp_path}/node/bin/openclaw")
    main(*setup, "--dry-run", check=0)
    assert told(state, "interop_setup") == []
    main(*setup, "--allow", "openai-*", "--allow", "team/*", check=0)
    assert both(state, "interop_setup") == {
        "provider": "openclaw-cli",
        "file": f"{state}/openclaw.json",
        "allow": ["openai-*", "team/*"],
    }


def test_what_starts_by_itself_is_recorded(main: Main, state: Path) -> None:
    folder = os.environ["XDG_CONFIG_HOME"] + "/systemd/user"
    for line, kind, unit in (
        (("gateway", "install"), "gateway_install", "openclaw-gateway.service"),
        (("gateway", "uninstall"), "gateway_uninstall", "openclaw-gateway.service"),
        (
            ("secrets", "schedule", "install", "--systemd"),
            "schedule_install",
            "openclaw-rotate.timer",
        ),
        (("secrets", "schedule", "uninstall"), "schedule_uninstall", "openclaw-rotate.timer"),
    ):
        main(*line, check=0)
        assert both(state, kind) == {"file": f"{folder}/{unit}"}
        main(*line, "--print" if kind == "gateway_install" else "--quiet")
    assert len(told(state, "gateway_uninstall")) == 2


def test_older_spellings_and_plain_text_that_is_moved_are_recorded(
    main: Main, state: Path, tmp_path: Path
) -> None:
    config = state / "openclaw.json"
    config.write_text('{"agents": {"a": {"threadBound": true}}}')
    main("config", "upgrade", "--dry-run", check=0)
    main("config", "upgrade", check=0)
    assert both(state, "config_upgrade") == {"file": str(config)}
    config.write_text(installation.CONFIG)
    installation.installed(tmp_path / "node")
    migrate = ("secrets", "migrate", "--gateway", f"{tmp_path}/node/bin/openclaw")
    main(*migrate, "--dry-run", check=0)
    main(*migrate, "--yes", check=0)
    assert both(state, "secret_migrate") == {"files": [str(config)]}
    main("secrets", "migrate", "--undo", "--yes", check=0)
    assert both(state, "secret_migrate_undo") == {}


def test_rights_that_were_taken_away_are_recorded(main: Main, state: Path) -> None:
    (state / "secrets").chmod(0o755)
    main("doctor", "--checklist", "--fix")
    assert told(state, "permissions_close") == [{"files": [f"{state}/secrets"], "outcome": "ok"}]


def test_locking_is_recorded_and_happens_though_it_cannot_be(main: Main, state: Path) -> None:
    main("store", "unlock", check=0)
    main("store", "lock", check=0)
    assert told(state, "store_lock") == [{"outcome": "ok"}]
    main("store", "lock", check=0)
    assert len(told(state, "store_lock")) == 1  # it was locked already
    main("store", "unlock", check=0)
    (state / "audit/trail.jsonl").rename(state / "aside")
    (state / "audit/trail.jsonl").mkdir()
    assert main("store", "lock", "--json", check=0).json()["locked"] is True


def test_what_cannot_be_recorded_is_not_done(main: Main, state: Path) -> None:
    (state / "audit/trail.jsonl").rename(state / "aside")
    (state / "audit/trail.jsonl").mkdir()
    refused = main("config", "set", "store.versions", "5", check=9)
    assert b"could not be recorded" in refused.err
    assert not (state / "settings.toml").exists()


def test_where_there_is_no_store_there_is_no_record_and_none_is_made(
    main: Main, tmp_path: Path
) -> None:
    done = main("config", "set", "store.versions", "5", check=0)
    assert b"record" not in done.err
    assert sorted(os.listdir(tmp_path / "state")) == ["compiled", "settings.toml"]


def test_a_store_that_does_not_open_leaves_no_record_and_that_is_said(
    main: Main, state: Path
) -> None:
    before = records(state)
    (state / "secrets/key").unlink()
    done = main("config", "set", "store.versions", "5", check=0)
    assert b"warning: this leaves no record: the store is locked" in done.err
    assert (state / "settings.toml").read_text() == "[store]\nversions = 5\n"
    assert records(state) == before


def test_a_setting_with_a_mistake_can_be_mended_and_that_is_said(main: Main, state: Path) -> None:
    (state / "settings.toml").write_text("store.versions = 'many'\n")
    done = main("config", "set", "store.versions", "5", check=0)
    assert b"warning: this leaves no record: " in done.err
    assert main("config", "show", "--json").json()["settings"]["store.versions"]["value"] == 5


@pytest.mark.usefixtures("state")
def test_a_bundle_has_no_settings_and_no_records_of_units(
    main: Main, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = tmp_path / "job"
    main(
        *("secrets", "export", "kept", "--sealed", "--output", f"{job}.bundle"),
        *("--key-file", f"{job}.key"),
        check=0,
    )
    monkeypatch.setenv("OPENCLAW_BUNDLE", f"{job}.bundle")
    monkeypatch.setenv("OPENCLAW_BUNDLE_KEY_FILE", f"{job}.key")
    refused = main("config", "set", "store.versions", "5", check=2)
    assert b"a bundle has no settings" in refused.err
    main("gateway", "install", check=0)
    assert list(tmp_path.glob("job.bundle.job/*/audit")) == []


def test_the_audit_shows_what_was_changed(main: Main, state: Path) -> None:
    main("config", "set", "run.mask", "false", check=0)
    shown = main("secrets", "audit", "--action", "config", check=0).out.decode()
    assert "config set" in shown
    assert "run.mask" in shown
    assert "nothing looks wrong" in shown
    assert records(state)
