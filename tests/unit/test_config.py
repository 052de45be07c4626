"""The sources of settings: what is read, what is refused, and how a setting is changed."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_cli import config, settings_file
from openclaw_cli.errors import ConfigError, DeniedError, NotFoundError, UsageError
from openclaw_cli.home import Home, find
from openclaw_cli.settings import COMPILED


@pytest.fixture
def home(tmp_path: Path) -> Home:
    (tmp_path / "state").mkdir()
    return find(os.environ)


def write(home: Home, text: str, name: str = "settings.toml") -> Path:
    path = Path(home.root, name)
    path.write_text(text)
    return path


def test_our_file_wins_over_the_shared_one(home: Home) -> None:
    write(home, "store.versions = 5\n")
    write(home, '{"store": {"versions": 7, "deletedDays": 9}}', "openclaw.json")
    settings = config.load(home, {})
    assert (settings["store.versions"], settings["store.deleted-days"]) == (5, 9)
    assert settings.origin["store.deleted-days"].endswith("/openclaw.json:1")


@pytest.mark.parametrize(
    "text",
    [
        "store.deleted-days = 9",
        "[store]\ndeleted-days = 9",
        "[store]\ndeletedDays = 9",
        "[store]\ndeleted_days = '9d'",
        '"store.deleted-days" = 9',
        "store = { deletedDays = 9 }",
    ],
)
def test_spellings_of_a_key_in_toml_mean_the_same(home: Home, text: str) -> None:
    write(home, text)
    assert config.load(home, {})["store.deleted-days"] == 9


@pytest.mark.parametrize(
    "text",
    [
        '{"store": {"deletedDays": 9}}',
        '{"openclaw": {"store": {"deleted_days": 9}}}',
        '// ours\n{"store": {"deleted-days": "9d",}, /* theirs */ "gateway": {"port": 1},}',
        "{store: {deletedDays: 9}}",
    ],
)
def test_the_shared_file_is_json_with_comments(home: Home, text: str) -> None:
    write(home, text, "openclaw.json")
    assert config.load(home, {})["store.deleted-days"] == 9


def test_the_gateways_own_keys_are_passed_over_and_its_file_is_never_written(home: Home) -> None:
    text = (
        '{"secrets": {"providers": {"x": {"source": "exec"}}}, "agents": {"list": []},'
        ' "gateway": {"auth": {"token": "t"}}, "channels": {}, "models": {"providers": {}}}'
    )
    path = write(home, text, "openclaw.json")
    before = path.stat()
    assert config.load(home, {}).origin == {}
    assert config.check(str(path)) == []
    settings_file.change(home, "store.versions", "5")
    assert path.read_text() == text
    assert path.stat().st_mtime_ns == before.st_mtime_ns


def test_the_shared_file_may_be_elsewhere(home: Home, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.json"
    elsewhere.write_text('{"backend": "vault"}')
    settings = config.load(home, {"OPENCLAW_CONFIG_PATH": str(elsewhere)})
    assert settings["backend"] == "vault"
    assert config.load(home, {})["backend"] == "local"


@pytest.mark.parametrize(
    ("text", "line", "key", "fix"),
    [
        ("\n\nstore.version = 5", 3, "store.version", "did you mean store.versions?"),
        ("# versions\n[store]\n# x\nverions = 5", 4, "store.verions", "store.versions"),
        ("versions = 5", 1, "versions", "did you mean store.versions?"),
        ("[stor]\nversions = 5", 2, "stor.versions", "store.versions"),
        ("zzz = 5", 1, "zzz", "openclaw config show"),
        ("[store]\nversions = 'many'", 2, "store.versions", "for example 10"),
        ("store = 5", 1, "store", "store."),
        ("a = 1\nb =\n", 2, "", "mend this line"),
        ("run.mask = true\n[run]\n", 2, "", "mend"),
        ("x = [\n1,\n", 2, "", "mend"),
    ],
)
def test_a_mistake_in_our_file_has_its_line_and_its_mend(
    home: Home, text: str, line: int, key: str, fix: str
) -> None:
    path = write(home, text)
    mistake = config.check(str(path))[0]
    assert (mistake.line, mistake.key) == (line, key)
    assert fix in mistake.fix
    with pytest.raises(ConfigError) as refused:
        config.load(home, {})
    assert refused.value.status == 78
    assert f"{path}, line {line}: " in refused.value.message


@pytest.mark.parametrize(
    ("text", "line", "key"),
    [
        ('{\n"openclaw": {"store": {"version": 1}}}', 2, "store.version"),
        ('{"openclaw": {\n"backnd": "x"}}', 2, "backnd"),
        ('{"gateway": {"versions": 3},\n"store":\n{"versions": "x"}}', 3, "store.versions"),
        ('{"a": 1,\n "b" }', 2, ""),
        ("[1]", 1, ""),
    ],
)
def test_a_mistake_in_the_shared_file_has_its_line(
    home: Home, text: str, line: int, key: str
) -> None:
    mistake = config.check(str(write(home, text, "openclaw.json")))[0]
    assert (mistake.line, mistake.key) == (line, key)


@pytest.mark.parametrize(
    ("key", "meant"),
    [("secret", "secrets"), ("agent", "agents"), ("auditLogs", "audit-log"), ("backnd", "backend")],
)
def test_a_key_that_is_almost_ours_is_pointed_at_and_hurts_nothing(
    home: Home, key: str, meant: str
) -> None:
    path = write(home, '{\n"channels": {},\n"%s": {"x": 1}}' % key, "openclaw.json")  # noqa: UP031
    found = config.examined(str(path))
    assert [(each.line, each.fix) for each in found.doubts] == [(3, f"did you mean {meant}?")]
    assert found.mistakes == []
    config.load(home, {})


def test_no_key_of_the_gateway_is_doubted(home: Home) -> None:
    keys = [
        "meta",
        "env",
        "wizard",
        "diagnostics",
        "logging",
        "update",
        "browser",
        "ui",
        "auth",
        "models",
        "nodeHost",
        "agents",
        "tools",
        "bindings",
        "broadcast",
        "audio",
        "media",
        "messages",
        "commands",
        "approvals",
        "session",
        "cron",
        "hooks",
        "web",
        "talk",
        "channels",
        "discovery",
        "canvasHost",
        "gateway",
        "memory",
        "skills",
        "plugins",
        "secrets",
        "acp",
        "mcp",
        "cli",
        "proxy",
    ]
    path = write(home, json.dumps({key: {} for key in keys}), "openclaw.json")
    assert config.examined(str(path)).doubts == []


def test_all_mistakes_are_found_and_the_error_says_how_many(home: Home) -> None:
    path = write(home, "a = 1\nb = 2\n[store]\nversions = 0\n")
    assert len(config.check(str(path))) == 3
    with pytest.raises(ConfigError, match=r"line 1: no setting is called a \(2 more in it\)"):
        config.load(home, {})


def test_a_key_written_in_two_ways_is_a_mistake(home: Home) -> None:
    path = write(home, "[store]\ndeletedDays = 1\ndeleted-days = 2\n")
    (mistake,) = config.check(str(path))
    assert mistake.what == "store.deleted-days is set twice"
    assert "line 2" in mistake.fix


def test_a_librarys_words_and_what_stands_in_the_file_stay_out_of_messages(home: Home) -> None:
    for name, text in (("settings.toml", "a = sk-canary"), ("openclaw.json", '{"a": sk-canary}')):
        mistake = config.check(str(write(home, text, name)))[0]
        assert "canary" not in f"{mistake.what} {mistake.fix} {mistake.key}"


def test_bytes_that_are_not_text_are_a_mistake(home: Home) -> None:
    path = write(home, "")
    path.write_bytes(b"# x\nbackend = '\xff'\n")
    assert config.check(str(path))[0].line == 2


@pytest.mark.parametrize("name", ["settings.toml", "openclaw.json"])
@pytest.mark.parametrize("mode", [0o620, 0o602])
def test_settings_that_others_could_have_written_are_refused(
    home: Home, name: str, mode: int
) -> None:
    text = '{"backend": "x"}' if name.endswith("json") else "backend = 'x'"
    path = write(home, text, name)
    path.chmod(mode)
    with pytest.raises(DeniedError) as refused:
        config.load(home, {})
    assert refused.value.status == 6
    assert refused.value.hint == f"chmod go-w {path}"


def test_a_gateways_file_that_others_can_write_is_no_matter_while_nothing_in_it_is_ours(
    home: Home,
) -> None:
    write(home, '{"gateway": {}}', "openclaw.json").chmod(0o664)
    assert config.load(home, {}).origin == {}


def test_what_is_not_a_file_is_refused_and_never_waited_for(home: Home) -> None:
    os.mkfifo(f"{home.root}/settings.toml")
    with pytest.raises(DeniedError, match="not a plain file"):
        config.load(home, {})


def test_a_home_that_cannot_be_written_works_without_the_compiled_file(home: Home) -> None:
    write(home, "store.versions = 5\n")
    os.mkdir(f"{home.root}/{COMPILED}.new")  # in the way, as a read-only file system would be
    assert config.load(home, {})["store.versions"] == 5
    assert not os.path.exists(f"{home.root}/{COMPILED}")


def test_where_the_compiled_file_cannot_get_its_name_nothing_is_left(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_names: str) -> None:
        raise OSError(errno.ENOSPC, "full")

    write(home, "store.versions = 5\n")
    monkeypatch.setattr(os, "replace", refused)
    assert config.load(home, {})["store.versions"] == 5
    assert os.listdir(home.root) == ["settings.toml"]


def test_what_a_crash_left_half_written_is_taken_away_after_a_while(home: Home) -> None:
    write(home, "store.versions = 5\n")
    left = write(home, "half", f"{COMPILED}.new")
    config.load(home, {})
    assert left.exists()  # another process may be at it
    os.utime(left, (0, 0))
    config.load(home, {})
    assert not left.exists()
    assert os.path.exists(f"{home.root}/{COMPILED}")


def test_nothing_is_made_where_there_is_no_state_directory(tmp_path: Path) -> None:
    elsewhere = tmp_path / "x.json"
    elsewhere.write_text('{"backend": "vault"}')
    home = find(os.environ)
    assert config.load(home, {"OPENCLAW_CONFIG_PATH": str(elsewhere)})["backend"] == "vault"
    assert not os.path.exists(home.root)


def test_a_file_to_check_must_be_there_and_be_of_a_kind_we_read(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        config.check(str(tmp_path / "settings.toml"))
    (tmp_path / "x.ini").write_text("a: 1\n")
    with pytest.raises(UsageError, match="neither TOML, JSON nor YAML"):
        config.check(str(tmp_path / "x.ini"))
    (tmp_path / "openclaw.json.backup").write_text("{}")
    assert config.check(str(tmp_path / "openclaw.json.backup")) == []


@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
@pytest.mark.parametrize("name", ["settings.toml", "openclaw.json"])
def test_any_bytes_are_settings_or_mistakes(
    tmp_path_factory: pytest.TempPathFactory, name: str, data: bytes
) -> None:
    path = tmp_path_factory.mktemp("state") / name
    path.write_bytes(data)
    for mistake in config.check(str(path)):
        assert mistake.what
        assert mistake.line >= 0
