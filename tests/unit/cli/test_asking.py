"""Whoever waits at a terminal for a slow backend is told whom for; nobody else is told anything."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from openclaw_cli.cli.asking import Asking
from openclaw_cli.cli.render import Output
from tests.conftest import SCRIPTS
from tests.unit.cli.terminal import Terminal

SLOW = 1.8  # seconds; the line comes after one


@pytest.fixture(autouse=True)
def slow(tmp_path: Path) -> None:
    """Let the exec backend take its time."""
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\n/bin/sleep {SLOW}\nprintf far\n")
    program.chmod(0o700)
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    (state / "settings.toml").write_text(
        f'[backends.exec]\ncommand = "{program}"\nformat = "raw"\n'
    )


def screen(
    *line: str, env: dict[str, str] | None = None, given: bytes = b""
) -> tuple[bytes, bytes]:
    """Return what a terminal on standard error showed, and standard output."""
    with Terminal() as terminal:
        done = subprocess.run(
            [f"{SCRIPTS}/openclaw", *line],
            input=given,
            stdout=subprocess.PIPE,
            stderr=terminal.descriptor,
            env={**os.environ, "TERM": "xterm", **(env or {})},
            check=True,
        )
        return terminal.screen(), done.stdout


@pytest.mark.parametrize("road", ["fast", "slow"])
@pytest.mark.parametrize(
    "line",
    [
        ("secrets", "get", "exec://key"),
        ("secrets", "run", "--env", "K=exec://key", "--", "sh", "-c", "printf far"),
    ],
    ids=["get", "run"],
)
def test_a_slow_backend_is_named_and_the_line_is_wiped(line: tuple[str, ...], road: str) -> None:
    shown, out = screen(*line, env={"OPENCLAW_NO_HOT": "1"} if road == "slow" else None)
    assert b"asking exec, 1 s" in shown
    assert shown.endswith(b"\r\x1b[K")
    assert out.replace(b"*" * 8, b"far") in (b"far", b"[masked]", b"***")


def test_a_template_s_backend_is_named(tmp_path: Path) -> None:
    (tmp_path / "t").write_text("{{ exec://key }}")
    shown, out = screen("secrets", "inject", str(tmp_path / "t"))
    assert b"asking exec, 1 s" in shown
    assert out == b"far"


@pytest.mark.parametrize("quiet", ["a pipe", "TERM=dumb", "--quiet", "--json"])
def test_nobody_else_is_told(quiet: str) -> None:
    line = ["secrets", "get", "exec://key", *([quiet] if quiet.startswith("--") else [])]
    if quiet == "a pipe":
        done = subprocess.run([f"{SCRIPTS}/openclaw", *line], capture_output=True, check=True)
        assert done.stderr == b""
    else:
        assert screen(*line, env={"TERM": "dumb"} if quiet == "TERM=dumb" else None)[0] == b""


def test_a_copy_is_no_reason_to_say_anything() -> None:
    screen("secrets", "get", "exec://key")
    assert screen("secrets", "get", "exec://key") == (b"", b"far")


def test_several_at_once_have_one_line() -> None:
    with Terminal() as terminal:
        output = Output(stderr=terminal.descriptor, environ={"TERM": "xterm"})
        asking = Asking(output)
        asking.began("vault")
        asking.began("aws-secrets-manager")
        assert b"asking vault, aws-secrets-manager" in terminal.screen(until=b"secrets-manager")
        asking.ended("vault")
        terminal.screen(until=b"asking aws-secrets-manager")
        asking.ended("aws-secrets-manager")
        assert terminal.screen().endswith(b"\r\x1b[K")
