"""Telling consumers, and the programs that a rotation runs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from openclaw_cli.errors import (
    ConfigError,
    DeniedError,
    NotFoundError,
    OpenclawError,
    RefusedError,
    UsageError,
)
from openclaw_cli.rotation import programs, telling
from openclaw_cli.rotation.reserve import reserved


@pytest.fixture
def told(tmp_path: Path) -> Path:
    """Make a program that keeps what it is told, and with which environment."""
    program = tmp_path / "told"
    program.write_text(f'#!/bin/sh\ncat > "{tmp_path}/heard"\nenv > "{tmp_path}/env"\n')
    program.chmod(0o700)
    return program


def test_a_program_hears_the_name_and_the_version_and_no_value(
    told: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not for it")
    telling.tell(f"command:{told} a word", "acme-key", "7")
    heard = json.loads((tmp_path / "heard").read_text())
    assert heard == {"event": "rotated", "name": "acme-key", "version": "7"}
    assert "AWS_" not in (tmp_path / "env").read_text()


def test_a_process_is_sent_a_signal(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as process:
        pid = tmp_path / "app.pid"
        pid.write_text(f"{process.pid}\n")
        telling.tell(f"signal:TERM:{pid}", "a", "1")
        assert process.wait(10) == -signal.SIGTERM
    with pytest.raises(NotFoundError, match="is gone"):
        telling.tell(f"signal:TERM:{pid}", "a", "1")


@pytest.mark.parametrize("text", ["", "x", "0", "1", "-1", "99999999999999999999999"])
def test_what_is_no_process_id_is_sent_nothing(tmp_path: Path, text: str) -> None:
    pid = tmp_path / "app.pid"
    pid.write_text(text)
    with pytest.raises(OpenclawError):
        telling.tell(f"signal:HUP:{pid}", "a", "1")


def test_a_pid_file_that_anybody_may_write_is_not_believed(tmp_path: Path) -> None:
    pid = tmp_path / "app.pid"
    pid.write_text(str(os.getpid()))
    pid.chmod(0o666)
    with pytest.raises(DeniedError):
        telling.tell(f"signal:HUP:{pid}", "a", "1")
    with pytest.raises(NotFoundError):
        telling.tell(f"signal:HUP:{tmp_path}/none", "a", "1")


def test_the_gateway_is_told_to_reload(tmp_path: Path) -> None:
    program = tmp_path / "openclaw"
    program.write_text(f'#!/bin/sh\necho "$@" > "{tmp_path}/words"\n')
    program.chmod(0o700)
    telling.tell(f"gateway:{program}", "a", "1")
    assert (tmp_path / "words").read_text() == "secrets reload\n"


@pytest.mark.parametrize(
    "consumer",
    [
        "",
        "somebody",
        "command:",
        "command:reload",
        "command:/bin/../bin/true",
        "command:/bin/true 'open",
        "signal:HUP",
        "signal:NOPE:/run/a.pid",
        "signal:HUP:a.pid",
        "agent:",
        "agent:../x",
        "gateway:openclaw",
    ],
)
def test_whom_nobody_could_tell_is_refused_when_it_is_said(consumer: str) -> None:
    with pytest.raises(UsageError):
        telling.checked(consumer)


def test_who_can_be_told_is_kept_as_it_is_written() -> None:
    for consumer in ("command:/bin/true a b", "signal:SIGUSR1:/run/a.pid", "agent:mailer"):
        assert telling.checked(consumer) == consumer


def test_a_program_that_is_not_yours_alone_is_not_run(told: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(told)
    with pytest.raises(DeniedError, match="symbolic link"):
        programs.trusted(str(link))
    with pytest.raises(ConfigError, match="no program"):
        programs.trusted(str(tmp_path / "none"))
    told.chmod(0o600)
    with pytest.raises(ConfigError, match="not executable"):
        programs.trusted(str(told))
    told.chmod(0o777)
    with pytest.raises(DeniedError, match="others can write"):
        programs.trusted(str(told))


def test_what_is_no_json_object_is_refused(tmp_path: Path) -> None:
    program = tmp_path / "says"
    for said in ("[1]", "nothing", '{"a":'):
        program.write_text(f"#!/bin/sh\ncat >/dev/null; echo '{said}'\n")
        program.chmod(0o700)
        with pytest.raises(RefusedError, match="not a JSON object"):
            programs.ask([str(program)], {}, 5)


def test_room_on_the_disk_is_held_and_given_back(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    folder.mkdir(mode=0o700)
    (folder / "store.oc").write_bytes(bytes(1000))
    with reserved(str(folder)):
        assert (folder / "rotate.reserve").stat().st_size > 1000
    assert not (folder / "rotate.reserve").exists()
