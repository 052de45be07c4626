"""The gateway's own program: found on PATH, told apart from ours, and asked."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from openclaw_cli import assembly
from openclaw_cli.errors import ConfigError, NotFoundError, RefusedError, TemporaryError, UsageError
from openclaw_cli.home import Home, find
from openclaw_cli.interop import config_file, gateway, wiring
from openclaw_cli.service import Secrets
from openclaw_cli.settings import Settings
from tests.conftest import SCRIPTS, Openclaw
from tests.unit.interop.installation import installed


def test_it_is_the_first_on_the_path_that_is_not_ours(tmp_path: Path) -> None:
    folder = installed(tmp_path)
    environ = {"PATH": f"{SCRIPTS}:{folder}:/nowhere", "OPENCLAW_STATE_DIR": "/s"}
    found = gateway.find(environ)
    assert (found.shown, found.state, found.config) == ("2026.9.6", "/s", "/s/openclaw.json")
    assert found.command == (f"{folder}/openclaw",)


def test_its_configuration_is_where_the_environment_or_the_caller_says(tmp_path: Path) -> None:
    environ = {"PATH": str(installed(tmp_path)), "OPENCLAW_STATE_DIR": "/s"}
    environ["OPENCLAW_CONFIG_PATH"] = "/c.json"
    assert gateway.find(environ).config == "/c.json"
    assert gateway.find(environ, state="/other").config == "/other/openclaw.json"


def test_ours_alone_is_none(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="not on PATH"):
        gateway.find({"PATH": f"{SCRIPTS}:{tmp_path}", "HOME": "/h"})
    with pytest.raises(NotFoundError, match="not the OpenClaw gateway's"):
        gateway.find({"HOME": "/h"}, program=f"{SCRIPTS}/openclaw")


def test_a_shim_of_a_package_manager_is_asked_for_its_version(tmp_path: Path) -> None:
    shim = tmp_path / "openclaw"
    shim.write_text("#!/bin/sh\n# runs openclaw by node\necho 'OpenClaw 2026.2.26 (abc)'\n")
    shim.chmod(0o755)
    assert gateway.find({"PATH": str(tmp_path), "HOME": "/h"}).version == (2026, 2, 26)


def test_what_is_remembered_is_found_again(tmp_path: Path) -> None:
    home = Home(str(tmp_path / "state"))
    assert gateway.remembered(home) is None
    found = gateway.find({"PATH": str(installed(tmp_path)), "OPENCLAW_STATE_DIR": "/s"})
    gateway.remember(home, found)
    assert gateway.remembered(home) == found
    (Path(home.root) / "interop" / "gateway.json").write_text("{")
    assert gateway.remembered(home) is None


@pytest.fixture
def secrets() -> Secrets:
    made = assembly.secrets(find(os.environ), Settings({}, {}), os.environ)
    assembly.changes(made, Settings({}, {})).found_plainly()
    return made


def outcomes(secrets: Secrets) -> list[str]:
    with open(f"{secrets.home.audit}/trail.jsonl", encoding="utf-8") as trail:
        records = [json.loads(line) for line in trail]
    return [each["outcome"] for each in records if each["kind"] == gateway.RELOADED]


def test_without_a_gateway_nothing_is_told_and_nothing_recorded(secrets: Secrets) -> None:
    assert not gateway.reload(secrets, ["a"])
    assert outcomes(secrets) == []


def test_a_gateway_that_is_told_is_recorded(secrets: Secrets, tmp_path: Path) -> None:
    answer = 'echo "$@" > "$OPENCLAW_STATE_DIR/asked"; echo "{}"'
    folder = installed(tmp_path, answer=answer)
    environ = {"PATH": str(folder), "OPENCLAW_STATE_DIR": str(tmp_path)}
    gateway.remember(secrets.home, gateway.find(environ))
    assert gateway.reload(secrets, ["a"])
    assert (tmp_path / "asked").read_text() == "secrets reload --json\n"
    assert outcomes(secrets) == ["intent", "ok"]


@pytest.mark.parametrize("answer", ["exit 1", "echo nonsense", "echo '{\"ok\":false}'"])
def test_one_that_is_away_is_recorded_and_said(
    secrets: Secrets, tmp_path: Path, answer: str
) -> None:
    environ = {"PATH": str(installed(tmp_path, answer=answer)), "HOME": "/h"}
    gateway.remember(secrets.home, gateway.find(environ))
    with pytest.raises(TemporaryError, match="not reached"):
        gateway.reload(secrets)
    assert outcomes(secrets) == ["intent", "temporary"]


def test_a_change_that_the_gateway_would_refuse_is_not_made(tmp_path: Path) -> None:
    answer = (
        'grep -q new "$OPENCLAW_CONFIG_PATH" || exit 0\n'
        """echo '{"issues":[{"path":"models.x","message":"sk-secret"}]}'; exit 1"""
    )
    folder = installed(tmp_path, answer=answer)
    environ = {"PATH": str(folder), "OPENCLAW_STATE_DIR": str(tmp_path)}
    path = tmp_path / "openclaw.json"
    path.write_text("{old: 1}")
    file = config_file.read(str(path))
    assert file is not None
    with pytest.raises(RefusedError, match=r"it refuses models\.x$"):
        config_file.put(file, b"{new: 1}", gateway.find(environ))
    assert path.read_text() == "{old: 1}"
    assert not list(tmp_path.glob("openclaw.json.*"))


def test_a_change_of_somebody_else_meanwhile_is_not_lost(tmp_path: Path) -> None:
    path = tmp_path / "openclaw.json"
    path.write_text("{}")
    file = config_file.read(str(path))
    assert file is not None
    path.write_text("{theirs: 1}")
    with pytest.raises(Exception, match="changed meanwhile"):
        config_file.put(file, b"{ours: 1}")
    assert path.read_text() == "{theirs: 1}"


def test_a_files_mode_and_link_stay(tmp_path: Path) -> None:
    true, link = tmp_path / "true.json", tmp_path / "openclaw.json"
    true.write_text("{}")
    true.chmod(0o640)
    link.symlink_to(true)
    file = config_file.read(str(link))
    assert file is not None
    config_file.put(file, b"{a: 1}")
    assert link.is_symlink()
    assert true.read_text() == "{a: 1}"
    assert true.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("name", ["", "A", "1a", "a b", "a" * 65])
def test_a_provider_is_called_what_the_gateway_takes(name: str) -> None:
    with pytest.raises(UsageError):
        wiring.check_name(name)


def test_the_resolver_is_a_file_that_the_gateway_starts(tmp_path: Path) -> None:
    script = tmp_path / "openclaw-resolver"
    script.write_text("")
    script.chmod(0o755)
    assert wiring.unfit(str(script)) is None
    script.chmod(0o775)
    assert wiring.unfit(str(script)) == ("others can write it", f"chmod go-w {script}")
    link = tmp_path / "link"
    link.symlink_to(script)
    assert wiring.unfit(str(link)) == ("it is a link", f"name it there as {script}")


def test_variables_of_backends_are_passed_on_by_name_alone() -> None:
    environ = {"VAULT_TOKEN": "s3cret", "AWS_PROFILE": "p", "HOME": "/h"}
    settings = Settings({"backend": "local,vault"}, {})
    table = wiring.provider("/r", Home("/s", "prod"), settings, environ, allow=["a*"])
    assert "VAULT_TOKEN" in table["passEnv"]
    assert not {"AWS_PROFILE", "HOME", "PATH"}.intersection(table["passEnv"])
    assert table["env"] == {"OPENCLAW_STATE_DIR": "/s", "OPENCLAW_ENVIRONMENT": "prod"}
    assert table["args"] == ["--allow", "a*"]
    assert "s3cret" not in json.dumps(table)


def test_setup_without_a_gateway_says_what_is_missing(openclaw: Openclaw) -> None:
    done = openclaw("interop", "setup", env={"PATH": f"{SCRIPTS}:/usr/bin:/bin"}, check=3)
    assert b"hint: --gateway" in done.err


def test_setup_makes_a_file_where_there_is_none_and_does_nothing_twice(
    openclaw: Openclaw, tmp_path: Path
) -> None:
    path = {"PATH": f"{installed(tmp_path)}:/usr/bin:/bin"}
    state = os.environ["OPENCLAW_STATE_DIR"]
    openclaw("interop", "setup", "--dry-run", env=path, check=0)
    assert not os.path.exists(state)
    first = openclaw("interop", "setup", "--allow", "a/*", "--json", env=path, check=0).json()
    assert (first["changed"], first["allow"]) == (True, ["a/*"])
    again = openclaw("interop", "setup", "--json", env=path, check=0).json()
    assert not again["changed"]
    with open(f"{state}/openclaw.json", encoding="utf-8") as file:
        assert json.load(file)["secrets"]["providers"]["openclaw-cli"] == first["provider"]
    assert os.stat(f"{state}/openclaw.json").st_mode & 0o777 == 0o600
    assert first["provider"]["command"] == os.path.realpath(f"{SCRIPTS}/openclaw-resolver")
    assert sys.prefix in first["provider"]["command"]


def test_a_file_that_is_no_json5_is_left_alone(openclaw: Openclaw, tmp_path: Path) -> None:
    path = {"PATH": f"{installed(tmp_path)}:/usr/bin:/bin"}
    state = Path(os.environ["OPENCLAW_STATE_DIR"])
    state.mkdir(mode=0o700)
    (state / "openclaw.json").write_text("{ a: 1,\n b }")
    done = openclaw("interop", "setup", env=path)
    assert done.status == ConfigError.status
    assert b"line 2" in done.err
    assert (state / "openclaw.json").read_text() == "{ a: 1,\n b }"


def test_a_note_that_others_can_write_names_no_program_to_start(tmp_path: Path) -> None:
    home = Home(str(tmp_path / "state"))
    gateway.remember(home, gateway.Gateway(("/bin/true",), (2026, 9, 6), "/s", "/s/openclaw.json"))
    assert gateway.remembered(home) is not None
    note = Path(home.root, gateway.FOLDER, "gateway.json")
    note.chmod(0o666)
    assert gateway.remembered(home) is None
    note.chmod(0o600)
    note.rename(tmp_path / "elsewhere")
    note.symlink_to(tmp_path / "elsewhere")
    assert gateway.remembered(home) is None
