"""`openclaw config`: what there is, what is wrong, and one change at a time."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from openclaw_cli.options import SETTINGS
from tests.conftest import Result

Main = Callable[..., Result]


@pytest.fixture
def state(tmp_path: Path) -> Path:
    made = tmp_path / "state"
    made.mkdir()
    return made


def test_show_says_every_setting_its_value_and_its_origin(main: Main, state: Path) -> None:
    (state / "settings.toml").write_text("\n[unlock]\nseconds = '4h'\n")
    shown = main("config", "show", check=0).out.decode()
    for each in SETTINGS:
        assert each.name in shown
        assert each.meaning in shown
    assert "4h" in shown
    assert "settings.toml" in shown
    assert f"{state}/settings.toml:3" in main("config", "show", "--origin", check=0).out.decode()


def test_show_in_json_has_values_origins_and_defaults(
    main: Main, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (state / "settings.toml").write_text("unlock.seconds = '4h'\n")
    monkeypatch.setenv("OPENCLAW_STORE_VERSIONS", "3")
    found = main("config", "show", "--json", check=0).json()["settings"]
    assert found["unlock.seconds"]["value"] == 14400
    assert found["unlock.seconds"]["origin"] == f"{state}/settings.toml:1"
    assert found["store.versions"]["origin"] == "OPENCLAW_STORE_VERSIONS"
    assert found["run.mask"] == {
        "value": True,
        "origin": "default",
        "default": True,
        "takes": "true or false",
        "variable": "OPENCLAW_RUN_MASK",
        "meaning": "Whether `secrets run` masks values in a program's output.",
    }


def test_a_backends_settings_are_set_and_shown_and_what_is_secret_is_not(
    main: Main, state: Path
) -> None:
    assert main("config", "set", "backends.vault.mount", "kv", check=0).err.decode() == (
        f"backends.vault.mount is kv in {state}/settings.toml\n"
    )
    with (state / "settings.toml").open("a") as file:
        file.write('token = "canary-7b1d"\n')
    shown = main("config", "show", check=0).out.decode()
    assert "backends.vault.mount" in shown
    assert "(hidden)" in shown
    assert "canary" not in shown + main("config", "show", "--json", check=0).out.decode()
    assert main("config", "show", "--json").json()["backends"]["backends.vault.mount"] == "kv"


def test_set_is_seen_by_the_next_command(main: Main, state: Path) -> None:
    done = main("config", "set", "storeVersions".replace("V", ".v"), "5", check=0)
    assert done.out == b""
    assert done.err.decode() == f"store.versions is 5 in {state}/settings.toml\n"
    found = main("config", "show", "--json", check=0).json()["settings"]["store.versions"]
    assert found["value"] == 5


@pytest.mark.usefixtures("state")
def test_set_says_when_a_variable_wins(main: Main, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENCLAW_BACKEND", "vault")
    done = main("config", "set", "backend", "env", check=0)
    assert b"OPENCLAW_BACKEND wins over it: vault" in done.err
    assert b"unset OPENCLAW_BACKEND" in done.err


@pytest.mark.usefixtures("state")
@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("made.up", "1"), b"no setting is called made.up"),
        (("store.versions", "lots"), b"store.versions takes a whole number"),
    ],
)
def test_set_refuses_what_is_not_a_setting_or_not_a_value(
    main: Main, words: tuple[str, str], what: bytes
) -> None:
    done = main("config", "set", *words, check=78)
    assert what in done.err
    assert done.err.count(b"\n") == 2


def test_a_mistake_stops_every_command_and_check_tells_all(main: Main, state: Path) -> None:
    (state / "settings.toml").write_text("backnd = 'x'\n[store]\nversions = 0\n")
    refused = main("secrets", "get", "x", check=78)
    assert b"settings.toml, line 1: no setting is called backnd (1 more in it)" in refused.err
    assert b"did you mean backend?" in refused.err
    checked = main("config", "check", check=78)
    assert b"backnd" in checked.out
    assert b"store.versions takes a whole number" in checked.out
    assert main("config", "path", check=0).out.startswith(str(state).encode())


def test_set_mends_the_mistake_it_is_about(main: Main, state: Path) -> None:
    (state / "settings.toml").write_text("[store]\nversions = 0\n")
    main("config", "set", "store.versions", "4", check=0)
    assert main("config", "check", check=0).out == b""


def test_check_of_nothing_is_fine(main: Main) -> None:
    done = main("config", "check", check=0)
    assert done.err == b"there is no settings file: every setting has its default\n"


def test_path_names_the_files_the_strongest_first(
    main: Main, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENCLAW_CONFIG_PATH", "/elsewhere/openclaw.json")
    assert main("config", "path", check=0).out.decode().splitlines() == [
        f"{state}/settings.toml",
        "/elsewhere/openclaw.json",
    ]
    files = json.loads(main("config", "path", "--json", check=0).out)["files"]
    assert files[0] == {"path": f"{state}/settings.toml", "present": False}


def test_a_settings_file_that_others_can_write_stops_both_roads(main: Main, state: Path) -> None:
    (state / "settings.toml").write_text("")
    (state / "settings.toml").chmod(0o666)
    for line in (("secrets", "get", "x"), ("status",)):
        done = main(*line, check=6)
        assert f"chmod go-w {state}/settings.toml".encode() in done.err
