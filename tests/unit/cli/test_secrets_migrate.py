"""`openclaw secrets migrate`: every value into the store, every other byte where it was."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import json5
import pytest

from tests.conftest import Result
from tests.unit.interop import installation
from tests.unit.interop.installation import CONFIG, VALUES, installed

Main = Callable[..., Result]
REFERENCE = '{"source": "exec", "provider": "openclaw-cli", "id": "%s"}'


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = installed(tmp_path / "gateway")
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    made = tmp_path / "state"
    installation.state(made)
    return made


def files(state: Path) -> dict[str, bytes]:
    """Return the gateway's files; of a database its row."""
    found = {}
    for path in sorted(state.rglob("*")):
        name = str(path.relative_to(state))
        if path.is_file() and not name.startswith(("secrets", "audit", "interop", "compiled")):
            sqlite = name.endswith(".sqlite")
            found[name] = installation.row(path).encode() if sqlite else path.read_bytes()
    return found


def values(main: Main) -> dict[str, bytes]:
    listed = main("secrets", "list", "--json", check=0).json()["secrets"]
    names = [each["name"] for each in listed if not each["name"].startswith("openclaw/")]
    return {name: main("secrets", "get", name, check=0).out for name in names}


def test_a_dry_run_says_what_would_be_done_and_does_nothing(main: Main, state: Path) -> None:
    before = files(state)
    done = main("secrets", "migrate", "--dry-run", "--json", check=0).json()
    assert {each["name"] for each in done["moves"]} == set(VALUES)
    assert [each["place"].split()[-1] for each in done["left"]] == ["hooks.token"]
    assert done["copies"] == [str(state / "openclaw.json.bak")]
    assert files(state) == before
    assert not (state / "secrets").exists()
    shown = main("secrets", "migrate", "--dry-run", check=0)
    assert not [value for value in VALUES.values() if value in shown.out + shown.err]


def test_values_are_moved_and_every_other_byte_stays(main: Main, state: Path) -> None:
    before = files(state)
    done = main("secrets", "migrate", "--yes", "--json", check=0).json()
    assert done["done"]
    assert values(main) == VALUES
    text = (state / "openclaw.json").read_text()
    expected = CONFIG
    for literal, name in (
        ('"gw-token-1"', "gateway/auth/token"),
        ('"${CORP_KEY}"', "corp-api-key"),
        ("'k\\'2'", "other-api-key"),
        ('"hdr-3"', "models/providers/other/headers/X-Api-Key"),
    ):
        expected = expected.replace(literal, REFERENCE % name)
    assert text.startswith(expected.removesuffix("}\n"))
    assert json5.loads(text)["secrets"]["providers"]["openclaw-cli"]["source"] == "exec"
    assert (state / ".env").read_bytes() == b"# note\r\nLANG_X=de\r\n"
    after = files(state)
    profiles = before["agents/main/agent/auth-profiles.json"].decode()
    reference = REFERENCE % "profiles/anthropic:default"
    assert after["agents/main/agent/auth-profiles.json"].decode() == profiles.replace(
        '"token": "tok-6"', f'"tokenRef": {reference}'
    )
    assert b'"apiKey": "secretref-managed"' in after["agents/main/agent/models.json"]
    assert b"keyRef" in after["agents/ops/agent/openclaw-agent.sqlite"]
    everything = b"".join(path.read_bytes() for path in state.rglob("*.sqlite"))
    assert b"row-7" not in everything


def test_afterwards_a_scan_finds_what_had_to_stay_and_nothing_else(main: Main, state: Path) -> None:
    main("secrets", "scan", str(state), check=10)
    main("secrets", "migrate", "--yes", "--shred", check=0)
    found = main("secrets", "scan", str(state), "--json", check=10).json()["findings"]
    assert [(each["path"], each["line"]) for each in found] == [(str(state / "openclaw.json"), 8)]


def test_a_second_time_there_is_nothing_to_do(main: Main, state: Path) -> None:
    main("secrets", "migrate", "--yes", check=0)
    before = files(state)
    done = main("secrets", "migrate", "--yes", check=0)
    assert b"nothing stands in plain text that could be moved" in done.err
    assert files(state) == before


def test_undo_puts_every_byte_back_and_the_copies_too(main: Main, state: Path) -> None:
    before = files(state)
    main("secrets", "migrate", "--yes", "--shred", check=0)
    assert not (state / "openclaw.json.bak").exists()
    main("secrets", "migrate", "--undo", "--yes", check=0)
    assert files(state) == before
    assert values(main) == VALUES
    main("secrets", "migrate", "--undo", "--yes", check=3)


def test_undo_leaves_what_was_written_meanwhile(main: Main, state: Path) -> None:
    main("secrets", "migrate", "--yes", check=0)
    path = state / "openclaw.json"
    path.write_text(path.read_text().replace("port: 1", "port: 2"))
    (state / ".env").write_bytes(b"NEW=1\n")
    main("secrets", "migrate", "--undo", "--yes", check=0)
    back = json5.loads(path.read_text())
    assert back["gateway"] == {"port": 2, "auth": {"mode": "token", "token": "gw-token-1"}}
    assert back["models"]["providers"]["other"]["apiKey"] == "k'2"
    dotenv = (state / ".env").read_bytes()
    assert dotenv.startswith(b"NEW=1\n")
    assert b"CORP_KEY=corp-5\r\n" in dotenv


def test_the_backup_is_sealed_and_damage_to_it_is_noticed(main: Main, state: Path) -> None:
    main("secrets", "migrate", "--yes", check=0)
    [backup] = (state / "interop" / "migrations").iterdir()
    data = backup.read_bytes()
    assert not [value for value in VALUES.values() if value in data]
    backup.write_bytes(data[:-1] + bytes((data[-1] ^ 1,)))
    main("secrets", "migrate", "--undo", "--yes", check=4)


@pytest.mark.usefixtures("state")
def test_a_name_that_is_taken_is_kept_for_its_own_value(main: Main) -> None:
    main("secrets", "set", "corp-api-key", input=b"somebody else's", check=0)
    main("secrets", "set", "other-api-key", input=b"k'2", check=0)
    main("secrets", "migrate", "--yes", check=0)
    kept = values(main)
    assert kept["corp-api-key"] == b"somebody else's"
    assert kept["corp-api-key-2"] == b"corp-5"
    history = main("secrets", "history", "other-api-key", "--json", check=0).json()
    assert len(history["versions"]) == 1


def test_what_the_resolver_may_not_hand_out_is_not_moved(main: Main, state: Path) -> None:
    (state / "settings.toml").write_text('[resolvers.openclaw-cli]\nallow = ["gateway/*"]\n')
    before = files(state)
    done = main("secrets", "migrate", "--yes", check=78)
    assert b"may not hand out corp-api-key" in done.err
    assert files(state) == before


def test_without_the_gateways_program_its_files_are_left_and_why_is_said(
    main: Main, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    before = files(state)
    done = main("secrets", "migrate", "--dry-run", "--json", check=0)
    assert b"not on PATH" in done.err
    whys = {each["why"] for each in done.json()["left"]}
    assert "the gateway's own program was not found" in whys
    assert files(state) == before
    done = main("secrets", "migrate", "--yes", "--shred", check=3)
    assert b"migrate --gateway /path/to/its/openclaw" in done.err
    assert (files(state), (state / "secrets").exists()) == (before, False)
    (state / "settings.toml").write_text('[secrets.mine]\napi-key = "sk-x"\n')
    main("secrets", "migrate", "--yes", check=0)
    assert values(main) == {"mine/api-key": b"sk-x"}
    assert {**files(state), "settings.toml": b""} == {**before, "settings.toml": b""}


def test_a_change_that_the_gateway_would_refuse_loses_nothing(
    main: Main, state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = 'grep -q openclaw-cli "$OPENCLAW_CONFIG_PATH" && exit 1; exit 0'
    folder = installed(tmp_path / "other", answer=answer)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    before = files(state)
    main("secrets", "migrate", "--yes", check=7)
    assert files(state) == before
    assert values(main) == VALUES


def test_nothing_is_done_without_a_yes(main: Main, state: Path) -> None:
    before = files(state)
    main("secrets", "migrate", check=2)
    assert files(state) == before


def test_a_profile_that_repeats_the_configuration_is_dropped(main: Main, state: Path) -> None:
    installation.auth_store(state / "agents" / "two" / "agent" / "openclaw-agent.sqlite", "k'2")
    config = state / "openclaw.json"
    config.write_text(config.read_text().replace("other:", "x:"))
    before = files(state)
    main("secrets", "migrate", "--yes", check=0)
    path = state / "agents" / "two" / "agent" / "openclaw-agent.sqlite"
    assert json.loads(installation.row(path))["profiles"] == {}
    main("secrets", "migrate", "--undo", "--yes", check=0)
    assert files(state) == before


@pytest.mark.parametrize(
    ("name", "text", "after"),
    [
        (
            "openclaw.json",
            '{\n  // first try\n  "secrets": {"openai": {"api-key": "sk-xxx", "model": "m"}},\n}\n',
            '{\n  // first try\n  "secrets": {"openai": { "model": "m"}},\n}\n',
        ),
        (
            "settings.toml",
            '# ours\n[secrets.openai]\n"api-key" = "sk-xxx" # here\nmodel = "m"\n',
            '# ours\n[secrets.openai]\nmodel = "m"\n',
        ),
        (
            "openclaw.yaml",
            "# ours\nsecrets:\n  openai:\n    api-key: sk-xxx\n    model: m\n",
            "# ours\nsecrets:\n  openai:\n    model: m\n",
        ),
    ],
)
def test_a_value_in_our_own_settings_is_moved_too(
    main: Main, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str, after: str
) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    (state / name).write_text(text)
    main("secrets", "migrate", "--yes", check=0)
    assert (state / name).read_text() == after
    done = main("secrets", "get", "openai/api-key", check=0)
    assert (done.out, done.err) == (b"sk-xxx", b"")
    main("secrets", "migrate", "--undo", "--yes", check=0)
    assert (state / name).read_text() == text


def test_a_plan_for_the_gateways_own_means_has_references_alone(
    main: Main, state: Path, tmp_path: Path
) -> None:
    before, path = files(state), tmp_path / "plan.json"
    done = main("secrets", "migrate", "--plan", str(path), "--yes", "--json", check=0).json()
    assert (done["plan"], files(state), values(main)) == (str(path), before, VALUES)
    assert done["command"].endswith(f"secrets apply --from {path} --allow-exec")
    assert not [value for value in VALUES.values() if value in path.read_bytes()]
    assert path.stat().st_mode & 0o777 == 0o600
    plan = json.loads(path.read_bytes())
    targets = {each["path"]: each for each in plan["targets"]}
    assert {name: each["type"] for name, each in targets.items()} == {
        "gateway.auth.token": "gateway.auth.token",
        "models.providers.corp.apiKey": "models.providers.apiKey",
        "models.providers.other.apiKey": "models.providers.apiKey",
        "models.providers.other.headers.X-Api-Key": "models.providers.headers",
        "profiles.x:y.key": "auth-profiles.api_key.key",
    }
    assert targets["profiles.x:y.key"]["agentId"] == "ops"
    for each in targets.values():
        assert main("secrets", "get", each["ref"]["id"], check=0).out in VALUES.values()
    # What it does not reach is said: `.env`, older files of profiles, generated ones.
    assert {Path(each["place"].rpartition(" ")[0]).name for each in done["left"]} == {
        ".env",
        "auth-profiles.json",
        "models.json",
        "openclaw.json",  # hooks.token, which no reference may take the place of
    }


def test_a_plan_replaces_nothing_and_shreds_nothing(
    main: Main, state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "plan.json"
    path.write_text("mine")
    main("secrets", "migrate", "--plan", str(path), "--yes", check=11)
    assert path.read_text() == "mine"
    for option in ("--shred", "--undo"):
        main("secrets", "migrate", "--plan", str(tmp_path / "new"), option, "--yes", check=2)
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    (state / "settings.toml").write_text('[secrets.mine]\napi-key = "sk-x"\n')
    main("secrets", "migrate", "--plan", str(tmp_path / "new"), "--yes", check=3)
    assert not (state / "secrets").exists()


def test_files_of_older_gateways_are_told_apart(main: Main, state: Path) -> None:
    (state / "moltbot.json").write_text(CONFIG)
    older = state / "agents" / "main" / "agent" / "auth.json"
    older.write_text('{"a:b": {"type": "api_key", "provider": "a", "key": "old-8"}}')
    done = main("secrets", "migrate", "--yes", "--shred", "--json", check=0).json()
    assert str(state / "moltbot.json") in done["copies"]
    assert not (state / "moltbot.json").exists()
    assert str(older) in {each["place"] for each in done["left"]}
    assert older.exists()
