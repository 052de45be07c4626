"""The settings: what each takes, and what the fast road believes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_cli import config
from openclaw_cli.errors import ConfigError, DeniedError
from openclaw_cli.home import Home, find
from openclaw_cli.options import SETTINGS, Setting
from openclaw_cli.settings import COMPILED, DEFAULTS, Settings, quick

BY_NAME = {each.name: each for each in SETTINGS}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    (tmp_path / "state").mkdir()
    return find(os.environ)


def write(home: Home, text: str, name: str = "settings.toml") -> Path:
    path = Path(home.root, name)
    path.write_text(text)
    return path


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda each: each.name)
def test_every_default_is_one_that_may_be_written(setting: Setting) -> None:
    assert setting.read(setting.default) == setting.default
    assert setting.read(setting.shown(setting.default)) == setting.default
    assert setting.meaning.endswith(".")


@pytest.mark.parametrize(
    ("name", "written", "value"),
    [
        ("unlock.seconds", "8h", 28800),
        ("unlock.seconds", "90", 90),
        ("unlock.seconds", 90, 90),
        ("store.deleted-days", "2w", 14),
        ("store.deleted-days", "7", 7),
        ("audit.segment-bytes", "10MiB", 10 * 1024 * 1024),
        ("audit.segment-bytes", "1 mb", 1_000_000),
        ("audit.segment-bytes", 100_000, 100_000),
        ("run.mask", "off", False),
        ("run.mask", False, False),
        ("store.versions", "12", 12),
        ("backend", "vault", "vault"),
        ("store.anchor", "file:/media/stick/anchor", "file:/media/stick/anchor"),
        ("store.anchor", "", ""),
    ],
)
def test_values_are_taken_in_the_ways_people_write_them(
    name: str, written: object, value: object
) -> None:
    assert BY_NAME[name].read(written) == value


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("unlock.seconds", "8 hours"),
        ("unlock.seconds", 0),
        ("unlock.seconds", True),
        ("unlock.seconds", 1.5),
        ("store.deleted-days", "36h"),
        ("store.versions", 1),
        ("store.versions", "x"),
        ("store.versions", "9" * 5000),
        ("store.versions", None),
        ("audit.segment-bytes", "1"),
        ("audit.segment-bytes", "MiB"),
        ("run.mask", "maybe"),
        ("run.mask", 1),
        ("backend", 3),
        ("store.anchor", "file:relative"),
        ("store.anchor", 3),
        ("backend", "a\x1b[2J"),
    ],
)
def test_what_is_not_understood_is_refused_with_what_may_be_written(
    name: str, written: object
) -> None:
    with pytest.raises(ConfigError) as refused:
        BY_NAME[name].read(written)
    assert refused.value.message == f"{name} takes {BY_NAME[name].takes}"


@given(
    st.sampled_from(SETTINGS),
    st.text() | st.integers() | st.floats() | st.booleans() | st.none() | st.lists(st.integers()),
)
def test_anything_is_a_value_or_a_mistake(setting: Setting, written: object) -> None:
    try:
        value = setting.read(written)
    except ConfigError:
        return
    assert type(value) is type(setting.default)
    assert setting.read(setting.shown(value)) == value


def test_without_a_file_the_fast_road_has_the_defaults(home: Home) -> None:
    settings = quick(home, {})
    assert settings is not None
    assert {name: settings[name] for name in DEFAULTS} == DEFAULTS
    assert settings.origin == {}


def test_the_environment_wins_over_files_and_says_so(home: Home) -> None:
    write(home, 'backend = "vault"\n[store]\nversions = 5\n')
    settings = config.load(home, {"OPENCLAW_BACKEND": "env", "OPENCLAW_RUN_MASK": "no"})
    assert (settings["backend"], settings["store.versions"], settings["run.mask"]) == (
        "env",
        5,
        False,
    )
    assert settings.origin["backend"] == "OPENCLAW_BACKEND"
    assert settings.origin["run.mask"] == "OPENCLAW_RUN_MASK"


def test_a_wrong_variable_is_named(home: Home) -> None:
    with pytest.raises(ConfigError, match=r"OPENCLAW_STORE_VERSIONS: store\.versions takes"):
        quick(home, {"OPENCLAW_STORE_VERSIONS": "many"})


def test_what_was_read_once_is_taken_up_without_reading_it_again(home: Home) -> None:
    write(home, "store.versions = 5\n")
    assert quick(home, {}) is None
    config.load(home, {})
    settings = quick(home, {})
    assert settings is not None
    assert settings["store.versions"] == 5
    assert settings.origin["store.versions"].endswith("/settings.toml:1")
    assert os.stat(f"{home.root}/{COMPILED}").st_mode & 0o777 == 0o600


def test_the_environment_does_not_get_into_what_is_compiled(home: Home) -> None:
    write(home, "store.versions = 5\n")
    config.load(home, {"OPENCLAW_BACKEND": "vault"})
    settings = quick(home, {})
    assert settings is not None
    assert settings["backend"] == "local"


def test_a_change_that_keeps_size_and_time_is_noticed(home: Home) -> None:
    path = write(home, "store.versions = 5\n")
    config.load(home, {})
    before = path.stat()
    path.write_text("store.versions = 6\n")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert quick(home, {}) is None
    assert config.load(home, {})["store.versions"] == 6


@pytest.mark.parametrize("source", ["settings.toml", "openclaw.json"])
def test_a_source_that_comes_or_goes_is_noticed(home: Home, source: str) -> None:
    write(home, "store.versions = 5\n")
    config.load(home, {})
    if source == "settings.toml":
        Path(home.root, source).unlink()
        settings = quick(home, {})
        assert settings is not None
        assert settings["store.versions"] == 10
    else:
        write(home, '{"backend": "vault"}', source)
        assert quick(home, {}) is None
        assert config.load(home, {})["backend"] == "vault"


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"\x00" * 100,
        b"[]",
        b"{}",
        b'{"program":"x","stamps":[],"values":{},"origin":{}}',
        b"[" * 100_000,
    ],
)
def test_a_damaged_compiled_file_is_only_a_slower_start(home: Home, garbage: bytes) -> None:
    write(home, "store.versions = 5\n")
    Path(home.root, COMPILED).write_bytes(garbage)
    assert quick(home, {}) is None
    assert config.load(home, {})["store.versions"] == 5
    assert quick(home, {}) is not None


@pytest.mark.parametrize(
    "values", ['{"store.versions":"5"}', '{"store.versions":[5]}', '{"made-up":1}']
)
def test_a_compiled_value_that_no_source_could_give_is_not_believed(
    home: Home, values: str
) -> None:
    write(home, "store.versions = 5\n")
    config.load(home, {})
    path = Path(home.root, COMPILED)
    text = path.read_text()
    assert '"values":{"store.versions":5}' in text
    path.write_text(text.replace('"values":{"store.versions":5}', f'"values":{values}'))
    assert quick(home, {}) is None


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_compiled_file_that_others_can_open_is_not_believed(home: Home, mode: int) -> None:
    write(home, "store.versions = 5\n")
    config.load(home, {})
    os.chmod(f"{home.root}/{COMPILED}", mode)
    assert quick(home, {}) is None


def test_a_link_or_a_pipe_in_place_of_the_compiled_file_is_not_followed(home: Home) -> None:
    write(home, "store.versions = 5\n")
    config.load(home, {})
    path = Path(home.root, COMPILED)
    path.rename(path.with_name("moved"))
    path.symlink_to("moved")
    assert quick(home, {}) is None
    path.unlink()
    os.mkfifo(path)
    assert quick(home, {}) is None


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o1777])
def test_a_state_directory_that_others_can_write_is_refused(home: Home, mode: int) -> None:
    os.chmod(home.root, mode)
    with pytest.raises(DeniedError) as refused:
        quick(home, {})
    assert refused.value.hint == f"chmod go-w {home.root}"
    with pytest.raises(DeniedError):
        config.load(home, {})


def test_a_state_directory_that_others_can_read_is_fine(home: Home) -> None:
    os.chmod(home.root, 0o755)  # noqa: S103  as the OpenClaw gateway makes it
    write(home, "store.versions = 5\n")
    assert config.load(home, {})["store.versions"] == 5
    assert quick(home, {}) is not None


def test_a_file_that_others_may_write_since_it_was_compiled_is_refused(home: Home) -> None:
    path = write(home, "store.versions = 5\n")
    config.load(home, {})
    path.chmod(0o666)
    assert quick(home, {}) is None
    with pytest.raises(DeniedError, match="others can write"):
        config.load(home, {})


def test_another_release_reads_the_sources_anew(home: Home) -> None:
    write(home, "store.versions = 5\n")
    config.load(home, {})
    path = Path(home.root, COMPILED)
    path.write_text(path.read_text().replace('"program":"', '"program":"old'))
    assert quick(home, {}) is None


def test_the_fast_road_imports_nothing_heavy() -> None:
    code = (
        "import sys, os; before = set(sys.modules)\n"
        "from openclaw_cli.settings import quick; from openclaw_cli.home import find\n"
        "quick(find(os.environ), os.environ)\n"
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    heavy = {"json", "re", "tomllib", "pathlib", "typing", "enum", "dataclasses", "collections"}
    assert heavy.isdisjoint(done.stdout.split())


def test_a_setting_that_nobody_set_is_its_default() -> None:
    assert Settings({}, {})["run.mask"] is True
