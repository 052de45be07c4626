"""`openclaw doctor`: each check finds what it is for, and the mend is said."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from openclaw_cli import health
from openclaw_cli.audit.head import Head
from openclaw_cli.cli import checks, machine
from openclaw_cli.health.check import Check
from openclaw_cli.home import Home, find
from openclaw_cli.interop.gateway import Gateway, remember
from tests.conftest import Result

Main = Callable[..., Result]

OURS = "#!/usr/bin/python3\nfrom openclaw_cli.cli.hot import main\n"


@pytest.fixture
def kept(main: Main, tmp_path: Path) -> Path:
    main("secrets", "create", "a", input=b"canary-81d0", check=0)
    return tmp_path / "state"


def found(main: Main, name: str, *, state: str = "ok") -> dict[str, str]:
    """Return one check of `doctor --json`."""
    answer = main("doctor", "--json").json()["checks"]
    (check,) = [each for each in answer if each["name"] == name]
    assert check["state"] == state, check
    return dict(check)


def test_without_a_store_it_says_how_to_start_and_makes_none(main: Main, tmp_path: Path) -> None:
    done = main("doctor")
    assert b"openclaw secrets create NAME" in done.out
    assert not (tmp_path / "state").exists()


def test_each_line_is_a_state_a_name_and_a_word_on_it(main: Main, kept: Path) -> None:
    done = main("doctor", check=10)
    lines = done.out.decode().splitlines()
    assert all(
        line.startswith(("ok ", "advice ", "attention ", "bad ", "   "))
        for line in lines[:-2]
        if line
    ), lines
    assert lines[-1].endswith("a hand")
    assert "hint: openclaw store slots add recovery" in done.out.decode()
    assert b"canary" not in done.out + done.err
    assert kept.exists()


def test_all_well_is_status_0(main: Main, tmp_path: Path) -> None:
    main("store", "init", "--recovery-file", str(tmp_path / "recovery"), check=0)
    answer = main("doctor", "--json")
    wrong = [each for each in answer.json()["checks"] if each["state"] not in ("ok", "advice")]
    assert (answer.status, wrong) == (0, [])


def test_nothing_is_changed(main: Main, kept: Path) -> None:
    before = {path: path.read_bytes() for path in kept.rglob("*") if path.is_file()}
    main("doctor")
    assert {path: path.read_bytes() for path in kept.rglob("*") if path.is_file()} == before


def test_damage_of_the_store_is_bad(main: Main, kept: Path) -> None:
    path = kept / "secrets" / "store.oc"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    main("doctor", check=10)
    found(main, "store", state="bad")
    found(main, "trail", state="bad")


def test_a_missing_key_file_is_said(main: Main, kept: Path) -> None:
    (kept / "secrets" / "key").unlink()
    assert "OPENCLAW_STORE_KEY_FILE" in found(main, "key file", state="attention")["hint"]
    assert "locked" in found(main, "store")["what"]


def test_open_permissions_are_bad(main: Main, kept: Path) -> None:
    (kept / "secrets").chmod(0o755)
    assert found(main, "permissions", state="bad")["hint"] == f"chmod 700 {kept}/secrets"


def test_mistakes_in_the_settings_are_bad_and_stop_nothing_else(main: Main, kept: Path) -> None:
    (kept / "settings.toml").write_text("made-up = 1\n")
    assert found(main, "settings", state="bad")["hint"] == "openclaw config check"
    found(main, "store")


def test_a_home_that_cannot_be_found_ends_the_checks(
    main: Main, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENCLAW_ENVIRONMENT", "a/b")
    found(main, "state directory", state="bad")


def test_another_openclaw_earlier_on_path_is_found(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    for folder, text in ((ours, OURS), (theirs, "#!/usr/bin/env node\n")):
        folder.mkdir()
        (folder / "openclaw").write_text(text)
        (folder / "openclaw").chmod(0o755)
    first = next(machine.commands({"PATH": f"{theirs}:{ours}"}))
    assert (first.state, first.hint) == ("attention", "openclaw-cli, which is always this one")
    assert str(theirs) in first.what
    assert next(machine.commands({"PATH": f"{ours}:{theirs}"})).state == "ok"
    assert next(machine.commands({"PATH": str(tmp_path)})).what == "no openclaw is on PATH"


def test_a_resolver_that_the_gateway_would_refuse_is_found(tmp_path: Path) -> None:
    script = tmp_path / "openclaw-resolver"
    script.write_text(OURS)
    script.chmod(0o755)
    assert machine.resolver(str(script)).state == "ok"
    link = tmp_path / "link"
    link.symlink_to(script)
    assert machine.resolver(str(link)).hint == f"name it there as {script}"
    script.chmod(0o775)
    assert machine.resolver(str(script)).hint == f"chmod go-w {script}"
    assert machine.resolver(None).state == "attention"


def test_a_gateway_whose_file_names_a_resolver_that_it_cannot_start_is_found(
    tmp_path: Path,
) -> None:
    home = Home(str(tmp_path / "state"))
    Path(home.root).mkdir(mode=0o700)
    assert not list(checks.served(home))
    script, config = tmp_path / "openclaw-resolver", tmp_path / "openclaw.json"
    script.write_text(OURS)
    script.chmod(0o755)
    gateway = Gateway(
        ("/usr/bin/node", "/g/openclaw.mjs"), (2026, 9, 6), str(tmp_path), str(config)
    )
    remember(home, gateway)
    provider = {"source": "exec", "command": str(script)}

    def looked() -> Check:
        (check,) = checks.served(home)
        assert check.name == "gateway"
        return check

    assert looked().hint == "openclaw interop setup"
    config.write_text(json.dumps({"secrets": {"providers": {"ours": provider}}}))
    assert (looked().state, looked().what) == ("ok", "2026.9.6 gets its secrets by ours")
    script.chmod(0o775)
    assert (looked().state, looked().hint) == ("bad", f"chmod go-w {script}")
    script.rename(tmp_path / "moved")
    assert (looked().state, looked().hint) == ("bad", "openclaw interop setup")
    script.symlink_to(tmp_path / "moved")
    assert (looked().state, looked().hint) == ("bad", "openclaw interop setup")
    config.write_text("{")
    assert looked().state == "attention"


def test_a_clock_that_cannot_be_right_is_found() -> None:
    now = time.time()
    seen = health.Look("", "")
    assert machine.clock(seen, now).state == "ok"
    assert machine.clock(seen, 0).state == "bad"
    seen.head = Head()
    seen.head.at = time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime(now + 3600))
    assert machine.clock(seen, now).state == "attention"
    seen.head.at = time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime(now + 60))
    assert machine.clock(seen, now).state == "ok"


def test_a_state_directory_in_memory_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    place = f"/dev/shm/openclaw-test-{os.getpid()}"
    os.mkdir(place, 0o700)
    try:
        monkeypatch.setenv("OPENCLAW_STATE_DIR", place)
        check = machine.state_directory(find(os.environ))
    finally:
        os.rmdir(place)
    assert check.state == "attention"
    assert "gone after a restart" in check.what


def test_an_editor_that_is_not_there_is_found() -> None:
    by_name = {each.name: each for each in machine.person({"PATH": "", "EDITOR": "made-up -x"})}
    assert by_name["editor"].state == "attention"
    assert by_name["editor"].what == "made-up is not found"
    assert by_name["clipboard"].state == "ok"


def test_a_keyring_is_asked_only_where_there_may_be_one() -> None:
    assert machine.keyring({}, health.Look("", "")).what == "none here, and none is needed"


def test_the_ciphers_are_tried() -> None:
    assert machine.cryptography().state == "ok"
    assert "AES-256-GCM-SIV works" in machine.cryptography().what


def test_a_port_that_somebody_else_holds_is_found_where_agents_need_it(tmp_path: Path) -> None:
    home = Home(str(tmp_path / "state"))
    Path(home.root).mkdir(mode=0o700)
    config = Path(home.root) / "openclaw.json"
    agents = {"a": {"type": "singleton", "handler": ["/bin/cat"]}}
    with socket.create_server(("127.0.0.1", 0)) as held:
        number = held.getsockname()[1]
        for configured, state in (({}, "ok"), (agents, "attention")):
            config.write_text(json.dumps({"gateway": {"port": number}, "agents": configured}))
            found = checks.port(home, {})
            assert (found.state, found.name) == (state, "port")
            assert f"port {number} is held by" in found.what
            assert found.hint.startswith("openclaw gateway start --port ")
    assert checks.port(home, {}).what == f"{number} is free for our gateway"


def test_it_says_of_everything_that_status_finds_what_status_says(main: Main, kept: Path) -> None:
    (kept / ".env").write_text("KEY=sk-ant-api03-" + "Ab1-" * 23 + "xAA\n")
    main("secrets", "create", "soon", input=b"canary-81d0", check=0)
    main("secrets", "delete", "soon", check=0)
    main("config", "set", "store.deleted-days", "5", check=0)
    (kept / "audit").chmod(0o750)
    said = main("status", "--json").json()["findings"]
    assert {each["severity"] for each in said} == {"advice", "attention", "bad"}
    checked = main("doctor", "--json", check=10).json()
    for each in said:
        check = {
            "name": each["what"].replace("-", " "),
            "state": each["severity"],
            "what": each["why"],
            "hint": each["hint"],
        }
        assert check in checked["checks"]
    states = [each["state"] for each in checked["checks"]]
    assert checked["wrong"] == states.count("attention") + states.count("bad")


def test_advice_is_said_with_its_hint_and_is_no_failure(main: Main, tmp_path: Path) -> None:
    main("store", "init", "--recovery-file", str(tmp_path / "recovery"), check=0)
    lines = main("doctor", check=0).out.decode().splitlines()
    (at,) = [number for number, line in enumerate(lines) if "the key lies beside" in line]
    assert lines[at].startswith("advice")
    assert "hint: openclaw store slots add passphrase" in lines[at + 1]
    assert lines[-1] == "all is well"
