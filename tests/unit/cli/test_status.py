"""`openclaw status`: at a glance, without a value, and honest about what is wrong."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from openclaw_cli import __version__
from openclaw_cli.cli.app import main as run
from tests.conftest import Result
from tests.unit.cli.terminal import Terminal

Main = Callable[..., Result]
VALUE = b"canary-5c2e"


@pytest.fixture
def kept(main: Main, tmp_path: Path) -> Path:
    for name in ("openai-api-key", "team/db"):
        main("secrets", "create", name, input=VALUE, check=0)
    return tmp_path / "state"


def test_without_a_store_it_says_how_to_start_and_makes_none(main: Main, tmp_path: Path) -> None:
    shown = main("status", check=0).out.decode()
    assert "openclaw secrets create NAME" in shown
    assert main("status", "--check", check=0).err == b""
    assert not (tmp_path / "state").exists()


@pytest.mark.usefixtures("kept")
def test_it_names_the_backends_asks_them_when_it_is_to_and_shows_no_secret_setting(
    main: Main, tmp_path: Path
) -> None:
    (tmp_path / "state" / "settings.toml").write_text(
        'backend = "local,vault"\n[backends.vault]\naddress = "http://127.0.0.1:1"\n'
        'token = "canary-of-a-token"\n'
    )
    assert "backends  vault; openclaw status --verbose asks them" in main("status").out.decode()
    shown = main("status", "--verbose").out.decode()
    assert "vault cannot be reached at http://127.0.0.1:1\n  hint: curl" in shown
    answer = main("status", "--verbose", "--json").json()
    assert [(each["name"], each["state"]) for each in answer["backends"]] == [("vault", "bad")]
    assert answer["settings"]["backends.vault.token"] == "(hidden)"
    for line in (("status", "--verbose"), ("status", "--json"), ("config", "show", "--json")):
        assert b"canary" not in main(*line).out


def test_it_says_what_there_is_and_what_needs_a_hand(main: Main, kept: Path) -> None:
    main("secrets", "delete", "team/db", check=0)
    done = main("status", check=0)
    shown = done.out.decode()
    assert f"{kept}/secrets/store.oc" in shown
    assert "1 in 1 version, and 1 deleted" in shown
    assert "opened by the key file" in shown
    assert "its end verified" in shown
    assert "attention: only one key opens the store" in shown
    assert "  hint: openclaw store slots add recovery\n" in shown
    assert done.err == b""


def test_check_ends_with_10_when_something_needs_a_hand(main: Main, kept: Path) -> None:
    del kept
    main("status", check=0)
    main("status", "--check", check=10)
    quiet = main("status", "--check", "--quiet", check=10)
    assert quiet.out + quiet.err == b""
    main("status", "--check", "--json", check=10)


def test_check_ends_with_0_when_only_advice_is_left(main: Main, tmp_path: Path) -> None:
    main("store", "init", "--recovery-file", str(tmp_path / "recovery"), check=0)
    shown = main("status", "--check", check=0).out.decode()
    assert "advice: the key lies beside the store" in shown
    assert "attention" not in shown


def test_secrets_shows_each_with_its_last_reading(main: Main, kept: Path) -> None:
    del kept
    main("secrets", "get", "team/db", check=0)
    lines = main("status", "--secrets", check=0).out.decode().splitlines()
    (title,) = [line for line in lines if line.startswith("NAME")]
    columns = ["NAME", "PROVIDER", "VERSION", "AGE", "LAST", "READ", "BY", "RISK", "STATE"]
    assert title.split() == columns
    (unread,) = [line for line in lines if line.startswith("openai-api-key")]
    (was_read,) = [line for line in lines if line.startswith("team/db")]
    assert unread.split()[-3:] == ["-", "15", "ok"]
    assert was_read.split()[-1] == "ok"
    assert "-" not in was_read.split()[4:]


def test_json_says_the_same_and_more(main: Main, kept: Path) -> None:
    main("secrets", "get", "team/db", check=0)
    found = main("status", "--json", "--secrets", check=0).json()
    assert found["schema"] == 1
    assert found["version"] == __version__
    assert found["store"]["path"] == f"{kept}/secrets/store.oc"
    assert found["store"]["secrets"] == 2
    assert found["store"]["key_slots"] == ["file"]
    assert found["trail"]["verified"] is True
    assert {each["what"] for each in found["findings"]} == {"one-key", "key-beside-store"}
    assert found["needs_a_hand"] is True
    by_name = {each["name"]: each for each in found["secrets"]}
    assert by_name["openai-api-key"]["last_read"] is None
    assert by_name["team/db"]["last_read"].endswith("Z")
    assert "secrets" not in main("status", "--json", check=0).json()


def test_no_value_is_read_and_nothing_is_recorded(main: Main, kept: Path) -> None:
    before = (kept / "audit" / "trail.jsonl").read_bytes()
    done = main("status", "--verbose", check=0)
    assert (kept / "audit" / "trail.jsonl").read_bytes() == before
    assert VALUE not in done.out + done.err


def test_a_locked_store_is_told_of_without_a_question(main: Main, kept: Path) -> None:
    (kept / "secrets" / "key").unlink()
    done = main("status", check=0)
    assert b"locked; to open it: " in done.out
    assert b"not verified" in done.out
    assert main("status", "--json", check=0).json()["store"]["locked"] is True


@pytest.mark.parametrize(
    ("name", "status"), [("secrets/store.oc", 4), ("audit/trail.jsonl", 4), ("audit/head", 4)]
)
def test_damage_is_shown_and_ends_as_integrity(
    main: Main, kept: Path, name: str, status: int
) -> None:
    data = bytearray((kept / name).read_bytes())
    data[-70] ^= 1
    (kept / name).write_bytes(data)
    done = main("status", check=status)
    assert f"{kept}/secrets/store.oc".encode() in done.out
    assert done.err.startswith(b"openclaw: ")
    assert b"nothing needs a hand" not in done.out


def test_a_file_that_others_can_open_is_shown_with_its_mend(main: Main, kept: Path) -> None:
    (kept / "secrets" / "store.oc").chmod(0o644)
    done = main("status", check=6)
    assert f"hint: chmod 600 {kept}/secrets/store.oc".encode() in done.out


def test_the_version_and_the_agents_are_said(main: Main) -> None:
    assert main("status", "--version", check=0).out.decode() == f"openclaw-cli {__version__}\n"
    assert main("status", "--version", "--json", check=0).json()["version"] == __version__
    assert b"the settings have no agents" in main("status", "--agents", check=0).out


def test_a_name_cannot_act_on_the_terminal(main: Main, kept: Path) -> None:
    (kept / "settings.toml").write_text('backend = "x[bold]"\n')
    assert b"backend=x[bold]" in main("status", "--verbose", check=0).out


@pytest.mark.parametrize("width", [80, 200])
def test_it_fits_the_terminal(
    main: Main, kept: Path, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    main("secrets", "create", "team/payments/production/stripe-restricted-key", input=VALUE)
    (kept / "openclaw.json").write_text("{}")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("LANG", "C.UTF-8")
    with Terminal(width) as terminal:
        saved = [os.dup(descriptor) for descriptor in (1, 2)]
        try:
            for descriptor in (1, 2):
                os.dup2(terminal.descriptor, descriptor)
            assert run(["status", "--secrets"]) == 0
        finally:
            for descriptor, kept_open in zip((1, 2), saved, strict=True):
                os.dup2(kept_open, descriptor)
                os.close(kept_open)
        shown = terminal.screen(until=b"slots remove file").decode()
    plain = _without_colours(shown)
    broken = [line for line in plain.splitlines() if not line.startswith(("store ", "  hint:"))]
    assert max(map(len, broken)) <= width


def _without_colours(text: str) -> str:
    import re

    return re.sub(r"\x1b\[[0-9;]*m", "", text)
