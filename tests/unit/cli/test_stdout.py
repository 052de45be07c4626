"""A value goes out whole and exact, or the command does not say that it did."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_cli.cli import stdout
from openclaw_cli.errors import StorageError, UsageError
from tests.unit.cli.terminal import Terminal

GIVE = (
    "import sys\n"
    "from openclaw_cli.cli import stdout\n"
    "from openclaw_cli.errors import StorageError\n"
)
GIVE_AND_SAY = GIVE + (
    "stdout.hold_closed_streams()\n"
    "held = open(sys.argv[1], 'r+b')\n"
    "try: stdout.value(b'hunter2')\n"
    "except StorageError as error: open(sys.argv[2], 'w').write(error.message); sys.exit(74)\n"
)


def through_a_pipe(value: bytes, *, blocking: bool = True) -> bytes:
    reader, writer = os.pipe()
    os.set_blocking(writer, blocking)

    def send() -> None:
        stdout.value(value, writer)
        os.close(writer)

    sender = threading.Thread(target=send)
    sender.start()
    with open(reader, "rb") as arrived:
        received = arrived.read()
    sender.join()
    return received


@given(st.binary())
def test_a_pipe_gets_the_exact_bytes(value: bytes) -> None:
    assert through_a_pipe(value) == value


def test_a_value_larger_than_a_pipe_arrives_whole() -> None:
    value = os.urandom(1_000_000)
    assert through_a_pipe(value) == value


def test_a_pipe_that_does_not_block_is_waited_for() -> None:
    value = os.urandom(300_000)
    assert through_a_pipe(value, blocking=False) == value


def test_a_terminal_gets_one_newline_more() -> None:
    with Terminal() as terminal:
        stdout.value(b"sk-abc", terminal.descriptor)
        assert terminal.screen() == b"sk-abc\n"


@pytest.mark.parametrize("value", [b"\x1b[2J", b"\x00\xff", "\u202e".encode(), b"a\rb"])
def test_a_terminal_gets_nothing_it_would_act_on(value: bytes) -> None:
    with Terminal() as terminal:
        with pytest.raises(UsageError) as refused:
            stdout.value(value, terminal.descriptor)
        assert terminal.screen() == b""
    assert "> FILE" in refused.value.hint


def test_a_full_disk_is_a_failure() -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    with pytest.raises(StorageError, match="no space is left") as refused:
        stdout.value(b"hunter2", full)
    os.close(full)
    assert refused.value.status == 74
    assert "hunter2" not in str(refused.value)


def test_a_reader_that_left_is_told_apart() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with pytest.raises(BrokenPipeError):
        stdout.value(b"hunter2", writer)
    os.close(writer)


def test_a_closed_output_is_a_failure_and_no_open_file_takes_its_place(tmp_path: Path) -> None:
    store, said = tmp_path / "store", tmp_path / "said"
    store.write_bytes(b"sealed")
    ended = subprocess.run(
        ["/bin/sh", "-c", 'exec "$@" >&-', "sh", sys.executable, "-c", GIVE_AND_SAY, store, said],
        check=False,
    )
    assert ended.returncode == 74
    assert said.read_text() == "standard output could not be written: it is closed"
    assert store.read_bytes() == b"sealed"


def test_the_way_out_is_light() -> None:
    script = GIVE + "print(*sys.modules)"
    loaded = subprocess.check_output([sys.executable, "-I", "-c", script], text=True).split()
    bare = subprocess.check_output(
        [sys.executable, "-I", "-c", "import sys; print(*sys.modules)"], text=True
    ).split()
    ours = {name for name in set(loaded) - set(bare) if not name.startswith("openclaw_cli")}
    assert ours <= {"__future__", "errno"}


def test_columns_are_aligned_and_as_many_on_each_line() -> None:
    rows = [["openai", "3", "ok"], ["a/very/long/name", "", "due"]]
    assert stdout.columns(["name", "version", "state"], rows) == (
        "name              version  state\n"
        "openai            3        ok\n"
        "a/very/long/name  -        due\n"
    )


def test_wide_letters_and_accents_keep_columns_straight() -> None:
    rows = [["日本", "x"], ["e\u0301", "y"], ["abcdef", "z"]]
    assert stdout.columns(["name", "s"], rows).splitlines() == [
        "name    s",
        "日本    x",
        "e\u0301       y",
        "abcdef  z",
    ]


def test_no_rows_are_a_line_of_titles() -> None:
    assert stdout.columns(["name", "state"], []) == "name  state\n"


@given(st.lists(st.tuples(st.text(" ab%{}é"), st.text("xyz日"))))
def test_plain_and_wide_cells_are_laid_out_alike(rows: list[tuple[str, str]]) -> None:
    lines = stdout.columns(["first", "second"], rows).splitlines()
    start = max(stdout.width(cell) for cell in ["first", *(row[0] for row in rows)]) + 2
    for line, (first, second) in zip(lines[1:], rows, strict=True):
        assert line == (first or "-") + " " * (start - stdout.width(first or "-")) + (second or "-")
