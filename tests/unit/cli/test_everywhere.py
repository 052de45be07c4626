"""Options that hold for every command: whose secrets, and the key by a descriptor."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from openclaw_cli.cli.everywhere import taken
from openclaw_cli.errors import OpenclawError, UsageError
from openclaw_cli.store.keys import given
from tests.conftest import SCRIPTS, Openclaw

OPENCLAW = f"{SCRIPTS}/openclaw"
FAST: dict[str, str | None] = {}
SLOW: dict[str, str | None] = {"OPENCLAW_NO_HOT": "1"}
ROADS = pytest.mark.parametrize("road", [FAST, SLOW], ids=["fast", "slow"])


@pytest.fixture
def key(openclaw: Openclaw, tmp_path: Path) -> str:
    """Keep a secret, take the key file away and return what stood in it."""
    openclaw("secrets", "set", "kept", input=b"value", check=0)
    path = tmp_path / "state" / "secrets" / "key"
    text = path.read_text()
    path.unlink()
    assert openclaw("secrets", "get", "kept").status == 5
    return text


def by_descriptor(words: str, key: str, **environ: str) -> subprocess.CompletedProcess[bytes]:
    """Run a line of a shell that has the key in $KEYFILE."""
    path = Path(os.environ["HOME"]) / "the-key"
    path.write_text(key)
    env = {**os.environ, "KEYFILE": str(path), **environ}
    return subprocess.run(["sh", "-c", words], env=env, capture_output=True, check=False)


@pytest.mark.parametrize(
    ("line", "rest"),
    [
        (["secrets", "get", "x"], ["secrets", "get", "x"]),
        (["--environment", "prod", "secrets", "get", "x"], ["secrets", "get", "x"]),
        (["secrets", "get", "x", "--environment=prod"], ["secrets", "get", "x"]),
        (["secrets", "run", "--", "--environment=x"], ["secrets", "run", "--", "--environment=x"]),
        (["secrets", "copy", "x", "--environment", "y"],) * 2,
    ],
)
def test_they_are_taken_out_of_the_line(line: list[str], rest: list[str]) -> None:
    environ: dict[str, str] = {}
    assert taken(line, environ) == rest
    assert environ == ({"OPENCLAW_ENVIRONMENT": "prod"} if "prod" in str(line) else {})


@pytest.mark.parametrize(
    "line",
    [
        ["status", "--environment"],
        ["status", "--environment="],
        ["--key-fd", "three", "status"],
        ["--key-fd", "--json", "status"],
        ["--key-fd", "0", "status"],
        ["--key-fd", "999999999999", "status"],
    ],
)
def test_what_is_not_understood_is_said(line: list[str]) -> None:
    with pytest.raises(UsageError):
        taken(line, {})


@ROADS
def test_the_key_comes_by_a_descriptor(key: str, road: dict[str, str]) -> None:
    for words in ("--key-fd 3 secrets get kept", "secrets get kept --key-fd=3"):
        done = by_descriptor(f"{OPENCLAW} {words} 3< $KEYFILE", key, **road)
        assert (done.stdout, done.stderr, done.returncode) == (b"value", b"", 0)


@ROADS
def test_a_program_that_is_run_does_not_inherit_the_key(key: str, road: dict[str, str]) -> None:
    words = f"{OPENCLAW} --key-fd 3 secrets run --env K=kept -- sh -c 'cat <&3; env' 3< $KEYFILE"
    done = by_descriptor(words, key, **road)
    assert key.strip().encode() not in done.stdout + done.stderr
    assert b"PATH=" in done.stdout
    words = f"OPENCLAW_STORE_KEY=$(cat $KEYFILE) {OPENCLAW} secrets run --env K=kept -- env"
    done = by_descriptor(words, key, **road)
    assert key.strip().encode() not in done.stdout + done.stderr
    assert done.returncode == 0


@ROADS
def test_the_key_in_a_variable_works_and_warns(
    openclaw: Openclaw, key: str, road: dict[str, str]
) -> None:
    done = openclaw("secrets", "get", "kept", env={**road, "OPENCLAW_STORE_KEY": key}, check=0)
    assert done.out == b"value"
    assert b"warning: the store's key stands in OPENCLAW_STORE_KEY" in done.err
    assert b"hint: " in done.err


@ROADS
def test_a_credential_of_systemd_opens_the_store(
    openclaw: Openclaw, key: str, tmp_path: Path, road: dict[str, str]
) -> None:
    (tmp_path / "openclaw-store-key").write_text(key)
    given_by_systemd = {**road, "CREDENTIALS_DIRECTORY": str(tmp_path)}
    done = openclaw("secrets", "get", "kept", env=given_by_systemd, check=0)
    assert (done.out, done.err) == (b"value", b"")
    (tmp_path / "openclaw-store-key").chmod(0o644)
    done = openclaw("secrets", "get", "kept", env=given_by_systemd, check=6)
    assert b"others can read or write" in done.err


def test_status_says_how_the_store_was_opened(openclaw: Openclaw, key: str, tmp_path: Path) -> None:
    (tmp_path / "openclaw-store-key").write_text(key)
    done = by_descriptor(f"{OPENCLAW} --key-fd 3 status 3< $KEYFILE", key)
    assert b"opened by a key given by --key-fd" in done.stdout
    for name, text, word in (
        ("OPENCLAW_STORE_KEY", key, "variable"),
        ("CREDENTIALS_DIRECTORY", str(tmp_path), "credential"),
        ("OPENCLAW_STORE_KEY_FILE", str(tmp_path / "openclaw-store-key"), "file"),
    ):
        answer = openclaw("status", "--json", env={name: text}).json()
        assert answer["store"]["opened_by"] == word


@pytest.mark.parametrize(
    ("text", "status"), [("ab" * 32, 5), ("ab" * 31, 4), ("not a key", 4), ("\udcff" * 64, 4)]
)
def test_a_key_that_is_none_or_of_another_store_says_so(
    openclaw: Openclaw, key: str, text: str, status: int
) -> None:
    assert key
    done = openclaw("secrets", "get", "kept", env={"OPENCLAW_STORE_KEY": text}, check=status)
    assert b"Traceback" not in done.err
    assert text.encode(errors="surrogateescape") not in done.err


def test_a_descriptor_that_is_not_open_is_a_slip_of_the_line(key: str) -> None:
    done = by_descriptor(f"{OPENCLAW} --key-fd 7 secrets get kept", key)
    assert done.returncode == 2
    assert b"descriptor 7 is not open" in done.stderr


def test_a_store_is_made_with_the_key_that_is_given(openclaw: Openclaw, tmp_path: Path) -> None:
    environ = {"OPENCLAW_STORE_KEY": "0f" * 32}
    openclaw("secrets", "set", "new", input=b"value", env=environ, check=0)
    assert not (tmp_path / "state" / "secrets" / "key").exists()
    assert openclaw("secrets", "get", "new", env=environ, check=0).out == b"value"
    assert openclaw("secrets", "get", "new").status == 5


def test_what_one_run_was_given_the_next_one_in_this_process_does_not_have() -> None:
    given.take({given.VARIABLE: "0f" * 32}, None)
    assert given.found() == (b"\x0f" * 32, "variable")
    given.take({}, None)
    assert given.found() is None
    with pytest.raises(OpenclawError):
        given.take({given.VARIABLE: "zz"}, None)
