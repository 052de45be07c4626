"""The fast road: the same answers as the slow one, and none of its imports."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Openclaw

SLOW = {"OPENCLAW_NO_HOT": "1"}
HEAVY = {
    "boto3",
    "collections",
    "dataclasses",
    "datetime",
    "enum",
    "functools",
    "hashlib",
    "hvac",
    "json",
    "keyring",
    "logging",
    "pathlib",
    "re",
    "rich",
    "subprocess",
    "typer",
    "typing",
}

LINES = [
    ("secrets", "get", "text"),
    ("secrets", "get", "--name", "text"),
    ("secrets", "get", "--name=text"),
    ("secrets", "get", "binary"),
    ("secrets", "get", "text?version=1"),
    ("secrets", "get", "nothing"),
    ("secrets", "get", "gcp://text"),
    ("secrets", "get", "../x"),
    ("secrets", "get"),
    ("secrets", "get", "text", "binary"),
    ("secrets", "get", "--unknown", "text"),
    ("secrets", "get", "--name"),
    ("secrets", "list"),
    ("secrets", "run", "--env", "K=text", "--", "sh", "-c", 'printf %s "$K" | wc -c; exit 7'),
    ("secrets", "run", "--env", "K=text", "--", "sh", "-c", "echo a-$K-b"),
    ("secrets", "run", "--env=K=text", "--no-mask", "--", "sh", "-c", "echo a-$K-b"),
    ("secrets", "run", "--env", "K=nothing", "--", "true"),
    ("secrets", "run", "--env", "K=text", "--", "/no/such/program"),
    ("secrets", "run", "--env", "1K=text", "--", "true"),
    ("secrets", "run", "--env", "K=text", "--"),
    ("secrets", "run", "--", "true"),
    ("secrets", "resolve"),
    ("secrets", "rotate", "--due"),
    ("secrets", "rotate", "--due", "--limit", "0"),
    ("secrets", "get", "text#field"),
]


@pytest.fixture
def kept(openclaw: Openclaw) -> None:
    openclaw("secrets", "set", "text", input=b"a value\n", check=0)
    openclaw("secrets", "set", "text", input=b"another value", check=0)
    openclaw("secrets", "set", "binary", input=b"\0\xff\n\n", check=0)


def without_age(listed: bytes) -> bytes:
    """Take away the seconds of a list: the second one is made later."""
    return re.sub(rb" \d+s ", b"    ", listed)


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("line", LINES, ids=" ".join)
def test_both_roads_answer_the_same(openclaw: Openclaw, line: tuple[str, ...]) -> None:
    fast, slow = openclaw(*line), openclaw(*line, env=SLOW)
    assert (without_age(fast.out), fast.err, fast.status) == (
        without_age(slow.out),
        slow.err,
        slow.status,
    )


PROBE = """
import sys
before = set(sys.modules)
from openclaw_cli.cli import hot
status = hot.main(sys.argv[1:])
modules = sorted(set(sys.modules) - before)
import json
sys.stderr.write(json.dumps([status, modules]))
"""


def imported(*line: str) -> tuple[int, list[str]]:
    """Return the status and the modules of a line in a Python that has imported nothing else."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", PROBE, *line], capture_output=True, check=True
    )
    status, modules = json.loads(done.stderr.decode().splitlines()[-1])
    return status, modules


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize(
    "line",
    [("secrets", "get", "text"), ("secrets", "list"), ("secrets", "rotate", "--due")],
    ids=" ".join,
)
def test_the_fast_road_imports_nothing_heavy(line: tuple[str, ...]) -> None:
    status, modules = imported(*line)
    assert status == 0
    assert not {name.partition(".")[0] for name in modules} & HEAVY


@pytest.mark.usefixtures("kept")
def test_a_copy_of_another_backends_answer_imports_nothing_heavy_either(
    openclaw: Openclaw, tmp_path: Path
) -> None:
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\nprintf far\n")
    program.chmod(0o700)
    settings = f'[backends.exec]\ncommand = "{program}"\nformat = "raw"\n'
    (tmp_path / "state" / "settings.toml").write_text(settings)
    assert openclaw("secrets", "get", "exec://key", check=0).out == b"far"
    status, modules = imported("secrets", "get", "exec://key")
    assert status == 0
    assert not {name.partition(".")[0] for name in modules} & HEAVY


@pytest.mark.usefixtures("kept")
def test_the_import_test_can_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENCLAW_NO_HOT", "1")
    _, modules = imported("secrets", "get", "text")
    assert "typer" in modules


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("road", [{}, SLOW], ids=["fast", "slow"])
@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("openclaw secrets get text >&-", 74),
        ("openclaw secrets get text >/dev/full", 74),
        ("openclaw secrets list >/dev/full", 74),
        ("openclaw --help >/dev/full", 74),
        ("openclaw secrets list | true; exit ${PIPESTATUS[0]}", None),
    ],
)
def test_an_answer_that_did_not_arrive_is_not_success(
    road: dict[str, str], line: str, status: int | None
) -> None:
    done = subprocess.run(
        ["bash", "-c", line], env={**os.environ, **road}, capture_output=True, check=False
    )
    assert done.returncode == status or (status is None and done.returncode in {0, 141})
    assert b"Traceback" not in done.stderr
