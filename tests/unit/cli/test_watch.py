"""The live tables, on a terminal: drawn in place, no higher than the screen, ended by Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator

import pytest

from tests.conftest import SCRIPTS, Openclaw
from tests.gateways import Gateway, running, settings
from tests.unit.cli.terminal import Terminal

pytestmark = pytest.mark.slow

HOME = b"\x1b[H"


@pytest.fixture
def gateway(openclaw: Openclaw) -> Iterator[Gateway]:
    many = {f"idle-{number:02}": {"handler": "zoo:echo"} for number in range(40)}
    talk = {"handler": "zoo:Talk", "mode": "session", "max-concurrency": 20}
    settings({**many, "talk": talk, "broken": {"handler": "nowhere:nothing"}})
    with running(openclaw) as started:
        for number in range(12):
            assert started.agent("talk", 1, session=f"trading-{number:03}").status == 200
        yield started


def frames(width: int, *words: str, then: tuple[int, int] | None = None) -> list[bytes]:
    """Return two frames as they were drawn, and end it as a person does.

    `then` is the size that the window has from the first on.
    """
    with Terminal(width) as terminal:
        watching = subprocess.Popen(
            [os.path.join(SCRIPTS, "openclaw"), *words],
            stdin=terminal.descriptor,
            stdout=terminal.descriptor,
            stderr=terminal.descriptor,
            env={**os.environ, "TERM": "xterm", "NO_COLOR": "1"},
        )
        seen = b""
        until = time.monotonic() + 30
        while seen.count(HOME) < 3:
            assert time.monotonic() < until, seen
            seen += terminal.screen()
            if then and HOME in seen:
                terminal.resize(*then)
            time.sleep(0.05)
        watching.send_signal(signal.SIGINT)
        assert watching.wait(10) == 130
        seen += terminal.screen()
    assert b"Traceback" not in seen
    assert seen.endswith(b"\n")
    found = seen.split(HOME)[1:3]
    assert all(each.endswith(b"\x1b[K\x1b[J") for each in found)
    return [each.replace(b"\x1b[K", b"").replace(b"\x1b[J", b"") for each in found]


@pytest.mark.parametrize("width", [80, 200])
def test_the_table_is_drawn_again_in_its_place(gateway: Gateway, width: int) -> None:
    title = "REQUESTS" if width == 200 else "REQ"
    for frame in frames(width, "status", "--agents", "--watch"):
        assert f"process {gateway.pid}" in frame.decode()
        assert title in frame.decode()
        assert frame.count(b"talk ") == 1
        assert max(len(line) for line in frame.decode().splitlines()) <= width
        assert not frame.endswith(b"\n")
        assert len(frame.splitlines()) <= 24


@pytest.mark.parametrize("words", [("status", "--agents", "--watch"), ("agents", "top")])
def test_where_not_all_agents_have_room_those_that_matter_have(
    gateway: Gateway, words: tuple[str, ...]
) -> None:
    for frame in frames(80, *words):
        lines = frame.decode().splitlines()
        assert len(lines) <= 24
        assert any(line.startswith("broken ") and "failed" in line for line in lines)
        assert any("there is no module nowhere" in line for line in lines)
        idle = sum(line.startswith("idle-") for line in lines)
        assert 0 < idle < 40
        assert any(line == f"and {40 - idle} more: openclaw agents status" for line in lines)
    assert gateway.pid


def test_a_window_that_is_resized_is_filled_anew(gateway: Gateway) -> None:
    wide, narrow = frames(120, "status", "--agents", "--watch", then=(50, 15))
    assert "REQUESTS" in wide.decode()
    lines = narrow.decode().splitlines()
    assert len(lines) <= 15
    assert max(map(len, lines)) <= 50
    assert gateway.pid


@pytest.mark.parametrize("width", [80, 200])
def test_the_instances_fit_on_the_screen(gateway: Gateway, width: int) -> None:
    for frame in frames(width, "agents", "top", "--every", "1s"):
        text = frame.decode()
        assert len(text.splitlines()) <= 24
        assert 3 <= text.count("trading-") < 12
        assert f"and {12 - text.count('trading-')} more" in text
    assert gateway.agent("talk", 1, session="trading-000").json["output"][0] == 2


def test_what_is_piped_is_a_line_of_json_each_time(gateway: Gateway) -> None:
    argv = [os.path.join(SCRIPTS, "openclaw"), "agents", "top", "--every", "1s", "--json"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as watching:
        assert watching.stdout is not None
        lines = [watching.stdout.readline() for _ in range(2)]
        watching.send_signal(signal.SIGINT)
    assert all(each.count(b"trading-") >= 12 for each in lines)
    assert watching.returncode == 130
    assert gateway.pid
