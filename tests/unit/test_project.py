"""A project's own settings file: what it may say, and that it is used only while it is trusted."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from openclaw_cli import project_rules
from openclaw_cli.agents.config import OURS
from openclaw_cli.options import SETTINGS
from openclaw_cli.settings import project_file
from tests.conftest import Openclaw, Result
from tests.unit.cli.test_hot import HEAVY, imported, without_age

Main = Callable[..., Result]

FILE = ".openclaw.toml"
CHOICES = """\
backend = "env,local"

[backends.vault]
mount = "team"
prefix = "app"

[secrets.db]
source = "env"
key = "DB"
envVar = "PGPASSWORD"
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a project, and be in a folder of it."""
    folder = tmp_path / "project"
    (folder / "src").mkdir(parents=True)
    monkeypatch.chdir(folder / "src")
    monkeypatch.setenv("DB", "from-the-project")
    return folder


@pytest.fixture
def trusted(project: Path, main: Main) -> Path:
    (project / FILE).write_text(CHOICES)
    main("config", "trust", "--yes", check=0)
    return project


def mistakes(text: str) -> list[tuple[int, str]]:
    return [(each.line, each.key) for each in project_rules.said(f"/p/{FILE}", text).mistakes]


def test_a_project_chooses_names_and_backends() -> None:
    assert mistakes(CHOICES) == []


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('[audit]\nsegment-bytes = "1MiB"\n', "audit"),
        ("[auditLog]\nenabled = false\n", "auditLog"),
        ("[run]\nmask = false\n", "run"),
        ('[store]\nanchor = "file:/tmp/x"\n', "store"),
        ('[cache]\nseconds = "30d"\n', "cache"),
        ('[expected."db"]\nfrom = ["local"]\n', "expected"),
        ('[resolvers.x]\nallow = ["*"]\n', "resolvers"),
        ('[encryption]\nsource = "aws-kms"\n', "encryption"),
        ('[agents.a]\nhandler = ["sh"]\n', "agents"),
        ('[gateway]\nhost = "0.0.0.0"\n', "gateway"),
        ('[models.x]\nendpoint = "http://evil"\n', "models"),
        ('[anthropic]\napiKey = "sk-ant-x"\n', "anthropic"),
        ('[openclaw.secrets]\nx = "plain"\n', "openclaw"),
        ('unheard-of = "x"\n', "unheard-of"),
        ('[backends.exec]\ncommand = "/bin/sh"\n', "backends.exec"),
        ('[backends.file]\nroot = "/"\n', "backends.file"),
        ('[backends.vault]\naddress = "http://evil"\n', "backends.vault"),
        ('[backends.vault]\ntoken-file = "/etc/shadow"\n', "backends.vault"),
        ('[backends.vault]\nproxy = "http://evil"\n', "backends.vault"),
        ("[backends.vault]\nskip-verify = true\n", "backends.vault"),
        ("[backends.vault]\ntimeout = 1e9\n", "backends.vault"),
        ('[backends.aws-secrets-manager]\nendpoint = "http://e"\n', "backends.aws-secrets-manager"),
        ('[backends.aws-secrets-manager]\nprofile = "x"\n', "backends.aws-secrets-manager"),
        ('[backends.keyring]\nservice = "browser"\n', "backends.keyring"),
        ('backend = "exec"\n', "backend"),
        ('backend = "local, file"\n', "backend"),
        ('[secrets.x]\nsource = "file"\npath = "/home/ada/.ssh/id_ed25519"\n', "x"),
        ('[secrets]\nx = "file:///home/ada/.ssh/id_ed25519"\n', "x"),
        ('[externalSecrets.x]\nsource = "exec"\nkey = "a"\n', "x"),
        ('[secrets.api-keys]\nsource = "file"\n', "*api-key"),
        ('[secrets.x]\nsource = "vault"\nrotation = "daily"\n', "x"),
        ('[secrets.x]\nsource = "vault"\nexpected-from = ["local"]\n', "x"),
        ('[secrets.encryption]\nsource = "aws-kms"\n', "encryption"),
        ('[secrets]\nx = "sk-in-plain-text"\n', "x"),
        ('[externalSecrets]\nprovider = "exec"\n', "backend"),
        ('[externalSecrets]\nprovider = "vault"\naddress = "http://evil"\n', "externalSecrets"),
        ('[externalSecrets]\nprovider = "vault"\ncacheTTL = 2592000\n', "cache.seconds"),
    ],
)
def test_nothing_else_is_taken_from_it(text: str, key: str) -> None:
    found = mistakes(text)
    assert found
    assert {line for line, _ in found} <= {1, 2, 3}
    assert any(each.startswith(key) for _, each in found)


def test_a_later_format_is_refused() -> None:
    assert mistakes(f"format = 1\n{CHOICES}") == []
    assert mistakes(f"format = 99\n{CHOICES}") == [(1, "format")]


def test_no_setting_but_backend_and_nothing_of_agents_is_taken() -> None:
    tops = (
        {each.name.partition(".")[0] for each in SETTINGS} | set(OURS) | {"resolvers", "expected"}
    )
    assert tops - project_rules.KEYS == tops - {"backend"}
    for top in sorted(tops - {"backend"}):
        assert mistakes(f"[{top}]\nx = 1\n") == [(1, top)]


def test_a_file_is_used_when_it_is_trusted(trusted: Path, main: Main) -> None:
    assert main("secrets", "get", "db", check=0).out == b"from-the-project"
    shown = main("config", "show", "--origin", check=0).out.decode()
    assert f"{trusted}/{FILE}:1" in shown
    assert f"{trusted}/{FILE}:7" in shown


def test_a_file_that_is_not_trusted_is_said_and_not_used(project: Path, main: Main) -> None:
    (project / FILE).write_text(CHOICES)
    done = main("secrets", "get", "db", check=3)
    assert done.err.decode().splitlines()[:2] == [
        f"openclaw: warning: {project}/{FILE} is not trusted, so it is not used",
        "  hint: openclaw config trust",
    ]


def test_another_word_in_it_asks_for_trust_again(trusted: Path, main: Main) -> None:
    (trusted / FILE).write_text(CHOICES.replace('key = "DB"', 'key = "HOME"'))
    done = main("secrets", "get", "db", check=3)
    assert b"has changed since it was trusted" in done.err


def test_the_same_words_written_again_stay_trusted(trusted: Path, main: Main) -> None:
    (trusted / FILE).unlink()
    (trusted / FILE).write_text(CHOICES)
    assert main("secrets", "get", "db", check=0).out == b"from-the-project"
    assert main("secrets", "get", "db", check=0).err == b""


@pytest.mark.usefixtures("trusted")
def test_trust_can_be_taken_back(main: Main) -> None:
    main("config", "trust", "--forget", check=0)
    main("secrets", "get", "db", check=3)
    assert main("config", "trust", "--forget", check=0).err == b"nothing here was trusted\n"


def test_nothing_is_trusted_without_a_yes(project: Path, main: Main) -> None:
    (project / FILE).write_text(CHOICES)
    done = main("config", "trust", check=2)
    assert b"db is env://DB" in done.out
    assert b"looked for in env,local" in done.out
    assert b"mount is team" in done.out
    main("secrets", "get", "db", check=3)


def test_what_none_may_say_cannot_be_trusted(project: Path, main: Main) -> None:
    (project / FILE).write_text("[run]\nmask = false\n")
    done = main("config", "trust", "--yes", check=78)
    assert done.err.decode().splitlines()[0] == (
        f"openclaw: {project}/{FILE}, line 1: run is not taken from a project's file"
    )
    assert main("config", "check", f"{project}/{FILE}", check=78).out
    assert main("config", "check", "--json", check=78).json()["mistakes"][0]["key"] == "run"


@pytest.mark.usefixtures("trusted")
def test_a_name_of_the_user_s_own_settings_is_led_nowhere_else(main: Main) -> None:
    state = Path(os.environ["OPENCLAW_STATE_DIR"])
    (state / "settings.toml").write_text('[secrets]\ndb = "env://MINE"\n')
    os.environ["MINE"] = "my-own"
    try:
        assert main("secrets", "get", "db", check=0).out == b"my-own"
    finally:
        del os.environ["MINE"]


@pytest.mark.usefixtures("trusted")
def test_the_environment_s_word_stays_above_it(main: Main, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENCLAW_BACKEND", "local")
    shown = main("config", "show", "--json", check=0).json()
    assert shown["settings"]["backend"] == {
        **shown["settings"]["backend"],
        "value": "local",
        "origin": "OPENCLAW_BACKEND",
    }


@pytest.mark.usefixtures("trusted")
def test_trust_in_one_environment_is_none_in_another(main: Main) -> None:
    main("--environment", "staging", "secrets", "get", "db", check=3)
    main("--environment", "staging", "config", "trust", "--yes", check=0)
    assert main("--environment", "staging", "secrets", "get", "db", check=0).out


@pytest.mark.parametrize("mode", [0o602, 0o620, 0o666])
def test_a_file_that_others_can_write_is_not_used(trusted: Path, main: Main, mode: int) -> None:
    (trusted / FILE).chmod(mode)
    done = main("secrets", "get", "db", check=3)
    assert f"others can write {trusted}/{FILE}" in done.err.decode()
    main("config", "trust", "--yes", check=6)


def test_a_file_of_another_user_is_not_used(trusted: Path, main: Main) -> None:
    os.chown(trusted / FILE, 65534, -1)
    done = main("secrets", "get", "db", check=3)
    assert f"{trusted}/{FILE} belongs to another user" in done.err.decode()
    main("config", "trust", "--yes", check=6)


@pytest.mark.parametrize("kind", ["folder", "pipe", "socket", "huge", "not UTF-8", "not TOML"])
def test_what_is_no_file_of_settings_is_said(project: Path, main: Main, kind: str) -> None:
    path = project / FILE
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        os.chdir(project)
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(FILE)
    elif kind == "huge":
        path.write_bytes(b"#" * (2 << 20))
    else:
        path.write_bytes(b"a = \xff" if kind == "not UTF-8" else b"[[[")
    done = main("secrets", "get", "db", check=3)
    assert done.err.startswith(b"openclaw: warning: ")
    assert main("config", "trust", "--yes").status in (6, 74, 78)


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"x": 1}', b'{"x": {}}', b"\xff"])
def test_a_damaged_record_of_trust_is_no_trust(main: Main, damage: bytes) -> None:
    (Path(os.environ["OPENCLAW_STATE_DIR"]) / "trusted").write_bytes(damage)
    main("secrets", "get", "db", check=3)
    main("config", "trust", "--yes", check=0)
    main("secrets", "get", "db", check=0)


@pytest.mark.usefixtures("trusted")
def test_a_record_of_trust_that_others_could_write_is_none(main: Main) -> None:
    record = Path(os.environ["OPENCLAW_STATE_DIR"]) / "trusted"
    record.chmod(0o666)
    main("secrets", "get", "db", check=3)


def test_a_file_that_changes_while_it_is_shown_is_not_trusted(
    project: Path, main: Main, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / FILE).write_text(CHOICES)
    from openclaw_cli.cli import session

    def swap(_self: object, _question: str) -> None:
        (project / FILE).write_text(CHOICES.replace('"DB"', '"HOME"'))

    monkeypatch.setattr(session.Session, "confirm", swap)
    assert b"has changed" in main("config", "trust", check=6).err


def test_a_job_and_an_agent_have_no_project(trusted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert project_file(os.environ) == f"{trusted}/{FILE}"
    for name in ("OPENCLAW_BUNDLE", "OPENCLAW_AGENT", "OPENCLAW_THREAD"):
        with monkeypatch.context() as patched:
            patched.setenv(name, "x")
            assert project_file(os.environ) == ""


def test_a_home_directory_is_no_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Path(os.environ["HOME"])
    (home / FILE).write_text(CHOICES)
    (tmp_path / FILE).write_text(CHOICES)
    (home / "work").mkdir()
    for folder in (home, home / "work", Path("/")):
        monkeypatch.chdir(folder)
        assert project_file(os.environ) == ""


def test_a_folder_that_is_gone_is_no_project(project: Path) -> None:
    (project / "src").rmdir()
    assert project_file(os.environ) == ""


def test_what_runs_by_itself_looks_at_no_project(trusted: Path, main: Main) -> None:
    (trusted / FILE).write_text('backend = "vault"\n')
    for line in (("secrets", "rotate", "--due"), ("status",), ("secrets", "audit")):
        assert b"trusted" not in main(*line).err
    asked = json.dumps({"protocolVersion": 1, "provider": "x", "ids": ["db"]}).encode()
    assert b"trusted" not in main("secrets", "resolve", input=asked).err


def test_where_the_settings_are_names_it(trusted: Path, main: Main) -> None:
    found = main("config", "path", "--json", check=0).json()["files"]
    assert found[0] == {"path": f"{trusted}/{FILE}", "present": True, "trusted": True}
    (trusted / FILE).write_text("")
    assert main("config", "path", "--json", check=0).json()["files"][0]["trusted"] is False


LINES = [
    ("secrets", "get", "db"),
    ("secrets", "get", "mine"),
    ("secrets", "list"),
    ("secrets", "run", "--env", "K=db", "--", "sh", "-c", 'printf %s "$K" | wc -c'),
]


@pytest.mark.parametrize("state", ["trusted", "not trusted", "changed"])
@pytest.mark.parametrize("line", LINES, ids=" ".join)
def test_both_roads_answer_the_same_in_a_project(
    project: Path, openclaw: Openclaw, line: tuple[str, ...], state: str
) -> None:
    openclaw("secrets", "set", "mine", input=b"x", check=0)
    (project / FILE).write_text(CHOICES)
    if state != "not trusted":
        openclaw("config", "trust", "--yes", check=0)
    if state == "changed":
        (project / FILE).write_text(f"{CHOICES}\n# more\n")
    answers = {
        (done.status, without_age(done.out), done.err)
        for done in (openclaw(*line), openclaw(*line, env={"OPENCLAW_NO_HOT": "1"}))
    }
    assert len(answers) == 1


def test_the_fast_road_stays_fast_in_a_trusted_project(project: Path, openclaw: Openclaw) -> None:
    openclaw("secrets", "set", "mine", input=b"x", check=0)
    (project / FILE).write_text('[secrets]\ndb = "env://DB"\nalias = "local://mine"\n')
    openclaw("config", "trust", "--yes", check=0)
    status, modules = imported("secrets", "get", "alias")
    assert status == 0
    assert not {name.partition(".")[0] for name in modules} & {*HEAVY, "tomllib"}
