"""A state directory that an earlier version left is taken up as it is: read, proved, written on."""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Openclaw, Result

Main = Callable[..., Result]
VECTORS = Path(__file__).parent
STATES = sorted(VECTORS.glob("state-*"))


@pytest.fixture(params=STATES, ids=lambda path: path.name)
def state(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Put a kept directory where the program looks for it."""
    return private(request.param, tmp_path / "state")


def private(kept: Path, made: Path) -> Path:
    """Copy a directory, for its owner alone, as a repository does not keep it."""
    shutil.copytree(kept, made)
    for folder, _, names in os.walk(made):
        os.chmod(folder, 0o700)
        for name in names:
            os.chmod(f"{folder}/{name}", 0o600)
    return made


def values(state: Path) -> dict[str, bytes]:
    found = json.loads((state / "manifest.json").read_text())["values"]
    return {name: value.encode() for name, value in found.items()}


def test_there_is_one_for_each_format_and_release() -> None:
    assert [path.name for path in STATES] == ["state-0.1", "state-1"]


def test_every_value_is_what_it_was(main: Main, state: Path) -> None:
    for name, value in values(state).items():
        assert main("secrets", "get", name, check=0).out == value
    assert main("secrets", "get", "session-key?version=1", check=0).out == b"first"
    main("secrets", "get", "deleted", check=3)


def test_every_byte_is_proved(main: Main, state: Path) -> None:
    assert main("store", "check", "--json", check=0).json()["damage"] == []
    proved = main("secrets", "audit", "verify", "--json", check=0).json()
    assert (proved["segments"], proved["first"]) == (2, 1)
    assert state.is_dir()


def test_settings_rotation_grants_and_expectations_are_known(main: Main, state: Path) -> None:
    settings = main("config", "show", "--json", check=0).json()["settings"]
    assert settings["store.versions"]["value"] == 5
    wanted = main("secrets", "expect", "team/db-password", "--json", check=0).json()["expected"]
    assert wanted == {"from": ["local"], "enforce": True}
    (grant,) = main("secrets", "grants", "--json", check=0).json()["grants"]
    assert (grant["agent"], grant["uses_left"]) == ("mailer", 3)
    policy = main("secrets", "status", "session-key", "--json", check=0).json()
    assert "weekly" in json.dumps(policy)
    assert state.is_dir()


def test_it_is_written_on_and_what_was_there_stays(main: Main, state: Path) -> None:
    before = (state / "audit" / "trail.jsonl").read_bytes()
    main("secrets", "set", "session-key", input=b"third", check=0)
    main("secrets", "restore", "deleted", check=0)
    assert (state / "audit" / "trail.jsonl").read_bytes().startswith(before)
    assert main("secrets", "get", "session-key", check=0).out == b"third"
    assert main("secrets", "get", "session-key?version=2", check=0).out != b""
    assert main("secrets", "get", "deleted", check=0).out == b"deleted"
    main("secrets", "audit", "verify", check=0)
    main("store", "rekey", check=0)
    for name, value in values(state).items():
        if name != "session-key":
            assert main("secrets", "get", name, check=0).out == value


@pytest.fixture
def released(tmp_path: Path) -> Path:
    """Return a copy of what 0.1 left, with all that a home can have."""
    return private(VECTORS / "state-0.1", tmp_path / "state")


def test_another_environment_and_older_spellings_are_known(main: Main, released: Path) -> None:
    there = main("--environment", "test", "secrets", "get", "session-key", check=0)
    assert there.out == b"of the test"
    names = main("config", "show", "--json", check=0).json()["names"]
    assert names["shared/apiKey"]["reference"] == "env://SHARED_KEY"
    main("config", "upgrade", "--quiet", check=0)
    assert '"rotation": "weekly"' in (released / "openclaw.json").read_text()
    assert main("config", "show", "--json", check=0).json()["names"] == names
    main("--environment", "test", "secrets", "audit", "verify", check=0)


@pytest.mark.slow
@pytest.mark.integration
def test_a_gateway_takes_up_the_session_and_the_token_of_the_one_before(
    openclaw: Openclaw, released: Path, request: pytest.FixtureRequest
) -> None:
    request.addfinalizer(lambda: openclaw("gateway", "stop"))
    state, tokens = released / "state.toml", (released / "gateway" / "tokens.toml").read_bytes()
    now = f"= {time.time():.6f}"
    state.write_text(re.sub(r"= \d{10}\.\d+", now, state.read_text()))  # not idle for months
    openclaw("gateway", "start", "--port", "0", check=0)
    (talker,) = [
        each
        for each in openclaw("agents", "status", "--verbose", "--json", check=0).json()["agents"]
        if each["name"] == "talker"
    ]
    assert [(each["thread"], each["turns"]) for each in talker["threads"]] == [("kept", 1)]
    again = openclaw("agents", "run", "talker", "--thread=kept", "--input", "-", input=b'"more"')
    assert again.status == 0
    openclaw("gateway", "stop", check=0)
    assert (released / "gateway" / "tokens.toml").read_bytes() == tokens
    assert "turns = 2" in state.read_text()
