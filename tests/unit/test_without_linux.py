"""Without what Linux alone has, every module is imported and the secrets' commands work."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Result

PROGRAM = str(Path(__file__).parents[1] / "without_linux.py")

pytestmark = pytest.mark.slow


def run(*line: str, given: bytes = b"", check: int = 0) -> Result:
    done = subprocess.run(
        [sys.executable, PROGRAM, *line],
        input=given,
        capture_output=True,
        check=False,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    result = Result(done.returncode, done.stdout, done.stderr)
    assert result.status == check, result
    assert b"this is a bug" not in result.err
    return result


def test_every_module_is_imported() -> None:
    assert run("--import").err == b""


def test_the_commands_of_secrets_work(tmp_path: Path) -> None:
    run("secrets", "create", "key", given=b"value\0\xff")
    assert run("secrets", "get", "key").out == b"value\0\xff"
    run("secrets", "set", "key", given=b"another")
    run("secrets", "create", "made", "--generate")
    run("secrets", "rotate", "made", "--schedule", "daily")
    run("secrets", "rotate", "made")
    assert b"key" in run("secrets", "list").out
    shown = run("secrets", "run", "--env", "KEY=key", "--", "sh", "-c", 'echo "got $KEY"').out
    assert shown == b"got [openclaw:key]\n"
    assert run("secrets", "inject", given=b"a={{ openclaw://key }}").out == b"a=another"
    run("secrets", "audit", "verify")
    run("store", "check")
    run("store", "backup", str(tmp_path / "backup.oc"))
    run("store", "restore", str(tmp_path / "backup.oc"), "--drill")
    run("secrets", "export", "key", "--sealed", "--out", str(tmp_path / "bundle"))
    run("store", "lock")
    assert run("secrets", "delete", "key").status == 0
    assert run("status").status == 0
    assert run("doctor", check=10).err == b""


def test_a_key_is_not_left_where_memory_cannot_be_told_from_a_disk() -> None:
    run("secrets", "create", "key", given=b"value")
    assert b"is on a disk" in run("store", "unlock", check=5).err


def test_an_agent_is_refused_and_not_run_unheld(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    agents = {"echo": {"type": "thread-bound", "handler": "json:dumps"}}
    (state / "openclaw.json").write_text(json.dumps({"agents": agents}))
    refused = run("agents", "run", "echo", "--input", "-", given=b"{}", check=78)
    assert b"agents need Linux" in refused.err
