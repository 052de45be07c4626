"""Settings changed in place."""

from __future__ import annotations

import os
import threading
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_cli import config
from openclaw_cli.errors import ConfigError, OpenclawError
from openclaw_cli.home import Home
from openclaw_cli.options import SETTINGS, Setting
from openclaw_cli.settings_file import change, change_backend, limit, of_backend


@pytest.fixture
def home(tmp_path: Path) -> Home:
    (tmp_path / "state").mkdir()
    return Home(str(tmp_path / "state"))


def write(home: Home, text: str) -> Path:
    path = Path(home.root, "settings.toml")
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("before", "name", "written", "after"),
    [
        ("", "backend", "vault", 'backend = "vault"\n'),
        ("", "store.versions", "5", "[store]\nversions = 5\n"),
        (
            "# mine\n[store]\nversions = 4 # why\n",
            "store.versions",
            "5",
            "# mine\n[store]\nversions = 5 # why\n",
        ),
        (
            "[store]\nversions = 4\n\n[run]\nmask = true\n",
            "store.anchor",
            "file:/a",
            '[store]\nversions = 4\nanchor = "file:/a"\n\n[run]\nmask = true\n',
        ),
        ("[run]\nmask = true\n", "backend", "env", 'backend = "env"\n[run]\nmask = true\n'),
        ("store.versions = 4", "store.versions", "6", "store.versions = 6"),
        ("# [store]\n", "run.mask", "no", "# [store]\n\n[run]\nmask = false\n"),
        ("[store]\nversions = 'x'\n", "store.versions", "3", "[store]\nversions = 3\n"),
    ],
)
def test_a_change_touches_one_line(
    home: Home, before: str, name: str, written: str, after: str
) -> None:
    path = write(home, before)
    assert change(home, name, written) == (str(path), True)
    assert path.read_text() == after


def test_a_file_that_cannot_be_edited_in_place_is_written_anew_and_that_is_said(
    home: Home,
) -> None:
    path = write(home, "# mine\nstore = { versions = 4 }\n")
    _, kept = change(home, "store.anchor", "file:/a")
    assert not kept
    assert tomllib.loads(path.read_text()) == {"store": {"versions": 4, "anchor": "file:/a"}}


TEXTS = st.text(st.characters(exclude_categories=["C"]), max_size=20).filter(str.isprintable)


@given(
    st.dictionaries(
        st.sampled_from(
            ["store.versions", "store.deleted-days", "unlock.seconds", "backend", "store.anchor"]
        ),
        st.integers(2, 1000) | TEXTS,
    ),
    st.sampled_from(SETTINGS),
    TEXTS | st.integers(0, 10**12).map(str) | st.booleans().map(str),
    st.sampled_from(["", "# a comment\n", "\n\n# [run]\n", "[run] # mask = 3\n"]),
)
def test_any_change_keeps_everything_else(
    tmp_path_factory: pytest.TempPathFactory,
    given_values: dict[str, object],
    setting: Setting,
    written: str,
    lead: str,
) -> None:
    home = Home(str(tmp_path_factory.mktemp("state")))
    Path(home.root, "settings.toml").write_text(lead)
    for name, value in given_values.items():
        try:
            change(home, name, str(value))
        except ConfigError:
            continue
    before = config.load(home, {}).values
    try:
        value = setting.read(written)
    except ConfigError:
        with pytest.raises(ConfigError):
            change(home, setting.name, written)
        assert config.load(home, {}).values == before
        return
    change(home, setting.name, written)
    assert config.load(home, {}).values == {**before, setting.name: value}


@pytest.mark.parametrize("other", ["made-up = 1\n", "[store]\nversions = 0\n", "=\n"])
def test_a_file_with_other_mistakes_is_not_changed(home: Home, other: str) -> None:
    path = write(home, other)
    with pytest.raises(ConfigError):
        change(home, "backend", "env")
    assert path.read_text() == other


@pytest.mark.parametrize(
    ("before", "name", "written", "after"),
    [
        ("", "backends.vault.mount", "kv", '[backends.vault]\nmount = "kv"\n'),
        (
            '# mine\n[backends.vault]\nmount = "a" # why\n[run]\nmask = true\n',
            "backends.vault.mount",
            "b",
            '# mine\n[backends.vault]\nmount = "b" # why\n[run]\nmask = true\n',
        ),
        (
            '[backends.vault]\nroleId = "a"\n\n[backends.file]\nroot = "/x"\n',
            "backends.vault.role-id",
            "b",
            '[backends.vault]\nroleId = "b"\n\n[backends.file]\nroot = "/x"\n',
        ),
        (
            '[backends.vault]\nmount = "a"\n[backends.exec]\ntimeout = 1.0\n',
            "backends.vault.prefix",
            "p",
            '[backends.vault]\nmount = "a"\nprefix = "p"\n\n[backends.exec]\ntimeout = 1.0\n',
        ),
        ("", "backends.exec.timeout", "2.5", "[backends.exec]\ntimeout = 2.5\n"),
        ("", "backends.file.allow_readable", "yes", "[backends.file]\nallow-readable = true\n"),
    ],
)
def test_a_backends_setting_is_set_in_its_table(
    home: Home, before: str, name: str, written: str, after: str
) -> None:
    path = write(home, before)
    assert change_backend(home, *of_backend(name, written)) == str(path)
    assert path.read_text() == after


@pytest.mark.parametrize(
    ("name", "written", "said"),
    [
        ("backends.vualt.mount", "x", "no backend is called vualt"),
        ("backends.vault.mont", "x", "the vault backend has no setting mont"),
        ("backends.vault", "x", "the vault backend has no setting "),
        ("backends.exec.timeout", "soon", "takes a number"),
        ("backends.file.allow-readable", "maybe", "takes true or false"),
        ("backends.vault.token", "canary-51ab", "not to stand on a command line"),
    ],
)
def test_what_a_backend_does_not_take_changes_nothing(
    home: Home, name: str, written: str, said: str
) -> None:
    with pytest.raises(OpenclawError) as refused:
        of_backend(name, written)
    assert said in refused.value.message
    assert "canary" not in refused.value.message + refused.value.hint
    assert not os.path.exists(f"{home.root}/settings.toml")


@pytest.mark.parametrize(
    "other", ["made-up = 1\n", 'backends = { vault = { mount = "a" } }\n[run]\nmask = true\n']
)
def test_a_table_that_cannot_be_edited_is_left_alone(home: Home, other: str) -> None:
    path = write(home, other)
    with pytest.raises(ConfigError):
        change_backend(home, *of_backend("backends.vault.prefix", "b"))
    assert path.read_text() == other


def test_an_unknown_setting_is_refused_with_what_was_meant(home: Home) -> None:
    with pytest.raises(ConfigError) as refused:
        change(home, "unlock.second", "1h")
    assert refused.value.hint == "did you mean unlock.seconds or cache.seconds?"
    assert not os.path.exists(f"{home.root}/settings.toml")


def test_a_new_file_is_private_and_an_old_one_keeps_its_mode(home: Home) -> None:
    path = Path(change(home, "store.versions", "5")[0])
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o644)
    change(home, "store.versions", "6")
    assert path.stat().st_mode & 0o777 == 0o644
    assert sorted(os.listdir(home.root)) == ["settings.toml"]


def test_a_link_is_followed_and_stays_one(home: Home, tmp_path: Path) -> None:
    real = tmp_path / "dotfiles.toml"
    real.write_text("store.versions = 4\n")
    Path(home.root, "settings.toml").symlink_to(real)
    change(home, "store.versions", "5")
    assert real.read_text() == "store.versions = 5\n"
    assert Path(home.root, "settings.toml").is_symlink()


def test_changes_at_once_are_all_kept(home: Home) -> None:
    wanted = {"store.versions": "7", "backend": "env", "run.mask": "no", "unlock.seconds": "1h"}
    threads = [
        threading.Thread(target=change, args=(home, name, written))
        for name, written in wanted.items()
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert set(config.load(home, {}).origin) == set(wanted)


def test_a_resolver_is_limited_in_place_and_the_rest_of_the_file_stays(home: Home) -> None:
    path = Path(home.root) / "settings.toml"
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.write_text("# ours\nbackend = 'local' # here\n")
    limit(home, "gateway", ["openai-*", "a/b"])
    limit(home, "other", ["*"])
    limit(home, "gateway", ["x"])
    text = path.read_text()
    assert text.startswith("# ours\nbackend = 'local' # here\n")
    assert tomllib.loads(text)["resolvers"] == {
        "gateway": {"allow": ["x"]},
        "other": {"allow": ["*"]},
    }


def test_a_limit_that_stands_otherwise_is_left_to_its_author(home: Home) -> None:
    path = Path(home.root) / "settings.toml"
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.write_text('resolvers = { x = { allow = ["a"] } }\n')
    with pytest.raises(ConfigError, match="in another way"):
        limit(home, "x", ["b"])
    assert path.read_text() == 'resolvers = { x = { allow = ["a"] } }\n'
