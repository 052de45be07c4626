"""Nothing is asked without a terminal, nothing typed hidden is shown, and values arrive exactly."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_cli.cli.ask import LONGEST_VALUE, Ask, read_value, read_value_file
from openclaw_cli.errors import ConflictError, DeniedError, NotFoundError, UsageError
from tests.conftest import SCRIPTS, Openclaw
from tests.unit.cli.terminal import Terminal

YES = "openclaw secrets delete a --yes"


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    with Terminal() as terminal:
        yield terminal


def ask(terminal: Terminal, *, no_input: bool = False) -> Ask:
    return Ask(no_input=no_input, stdin=terminal.descriptor, terminal=terminal.path)


def answering(terminal: Terminal, *typed: bytes, ready: bytes = b": ") -> Callable[[], bytes]:
    """Type each answer once its prompt is there; calling the result gives what was seen."""
    seen: list[bytes] = []

    def person() -> None:
        for answer in typed:
            seen.append(terminal.screen(until=ready))
            terminal.type(answer)

    typist = threading.Thread(target=person)
    typist.start()

    def screen() -> bytes:
        typist.join()
        return b"".join(seen) + terminal.screen()

    return screen


@contextmanager
def piped(value: bytes) -> Iterator[int]:
    reader, writer = os.pipe()

    def send() -> None:
        with suppress(BrokenPipeError), open(writer, "wb", buffering=0) as pipe:
            pipe.write(value)

    sender = threading.Thread(target=send)
    sender.start()
    try:
        yield reader
    finally:
        os.close(reader)
        sender.join()


def read(value: bytes, *, verbatim: bool = False) -> bytes:
    with piped(value) as stdin:
        return read_value(stdin, verbatim=verbatim)


def test_a_typed_value_is_not_shown_and_the_echo_comes_back(terminal: Terminal) -> None:
    screen = answering(terminal, b"hunter2 \xff\n")
    assert ask(terminal).new_value("openai") == b"hunter2 \xff"
    assert screen() == b"value of openai (hidden): \n"
    assert terminal.echoes


def test_a_value_typed_twice_must_be_the_same(terminal: Terminal) -> None:
    screen = answering(terminal, b"one\n", b"one\n")
    assert ask(terminal).new_value("a", twice=True) == b"one"
    assert screen().count(b"(hidden): \n") == 2
    screen = answering(terminal, b"one\n", b"two\n")
    with pytest.raises(ConflictError, match="not the same"):
        ask(terminal).passphrase(twice=True)
    assert b"two" not in screen()


def test_a_pasted_key_of_several_lines_is_refused_and_its_rest_thrown_away(
    terminal: Terminal,
) -> None:
    screen = answering(terminal, b"-----BEGIN KEY-----\nrm -rf /\n-----END KEY-----\n")
    with pytest.raises(UsageError, match="more than one line") as refused:
        ask(terminal).new_value("ssh-key")
    assert "--value-file" in refused.value.hint
    assert b"rm" not in screen()
    os.set_blocking(terminal.descriptor, False)
    with pytest.raises(BlockingIOError):
        os.read(terminal.descriptor, 100)


def test_more_than_a_terminal_line_holds_is_refused_and_not_cut(terminal: Terminal) -> None:
    screen = answering(terminal, b"x" * 5000 + b"\n")
    with pytest.raises(UsageError, match="at most 4094 bytes"):
        ask(terminal).new_value("long")
    screen()


@pytest.mark.parametrize("typed", [b"\n", b"\x04"])
def test_nothing_typed_is_no_value(terminal: Terminal, typed: bytes) -> None:
    screen = answering(terminal, typed)
    with pytest.raises(UsageError, match="nothing was typed"):
        ask(terminal).new_value("a")
    screen()
    assert terminal.echoes


@pytest.mark.parametrize(
    ("typed", "agreed"), [(b"y\n", True), (b" YES \n", True), (b"\n", False), (b"no\n", False)]
)
def test_only_yes_is_yes(terminal: Terminal, typed: bytes, agreed: bool) -> None:
    screen = answering(terminal, typed, ready=b"[y/N] ")
    assert ask(terminal).confirm("Delete a\x1b[2J?", hint=YES) is agreed
    assert screen().startswith(b"Delete a\\x1b[2J? [y/N] ")


@pytest.mark.parametrize(("typed", "agreed"), [(b"prod/db\n", True), (b"y\n", False)])
def test_what_cannot_be_undone_takes_the_name(
    terminal: Terminal, typed: bytes, agreed: bool
) -> None:
    screen = answering(terminal, typed, ready=b"go on: ")
    assert ask(terminal).confirm_by_name("All versions go.", "prod/db", hint=YES) is agreed
    screen()


@pytest.mark.parametrize(
    ("line", "prompt"),
    [("secrets delete key --purge", b"[y/N] "), ("secrets set key", b"(hidden): ")],
)
def test_after_ctrl_c_the_shell_has_a_line_of_its_own(
    terminal: Terminal, openclaw: Openclaw, line: str, prompt: bytes
) -> None:
    openclaw("secrets", "create", "key", input=b"value", check=0)
    with subprocess.Popen(  # a session of its own, of which this is the terminal
        ["setsid", "--ctty", "--wait", os.path.join(SCRIPTS, "openclaw"), *line.split()],
        stdin=terminal.descriptor,
        stdout=terminal.descriptor,
        stderr=terminal.descriptor,
    ) as asking:
        terminal.screen(until=prompt)
        terminal.type(b"\x03")
        assert asking.wait(30) == 130
    assert terminal.screen().endswith(b"\n")
    assert terminal.echoes


def test_no_input_asks_nothing_and_says_how_to_do_without(terminal: Terminal) -> None:
    quiet = ask(terminal, no_input=True)
    with pytest.raises(UsageError, match="--no-input") as refused:
        quiet.confirm("Delete a?", hint=YES)
    assert refused.value.hint == YES
    with pytest.raises(UsageError, match="--no-input") as refused:
        quiet.new_value("a")
    assert "--value-file" in refused.value.hint
    with pytest.raises(UsageError, match="--no-input"):
        quiet.passphrase()
    assert terminal.screen() == b""


def test_without_a_terminal_nothing_is_asked_nor_read() -> None:
    script = (
        "import os\n"
        "from openclaw_cli.cli.ask import Ask\n"
        "from openclaw_cli.errors import UsageError\n"
        "ask = Ask()\n"
        "for question in (ask.passphrase, lambda: ask.confirm('Go?', hint='--yes')):\n"
        "    try: question()\n"
        "    except UsageError as error: print(error.message)\n"
        "print(os.read(0, 9))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script],
        input=b"hunter2\n",
        capture_output=True,
        start_new_session=True,
        check=True,
    )
    assert ended.stdout.decode().splitlines() == [
        "a question needs a terminal and there is none",
        "a confirmation needs a terminal and there is none",
        "b'hunter2\\n'",
    ]
    assert ended.stderr == b""


def test_what_cannot_hide_does_not_ask(tmp_path: Path) -> None:
    no_terminal = tmp_path / "tty"
    no_terminal.write_bytes(b"typed\n")
    with pytest.raises(UsageError, match="cannot be hidden"):
        Ask(terminal=str(no_terminal)).passphrase()
    assert no_terminal.read_bytes() == b"typed\n"


def test_a_piped_value_is_taken_without_a_question(terminal: Terminal) -> None:
    with piped(b"sk-abc\n") as stdin:
        assert Ask(stdin=stdin, terminal=terminal.path).new_value("a") == b"sk-abc"
    assert terminal.screen() == b""


@pytest.mark.parametrize(
    ("given", "value"),
    [
        (b"abc", b"abc"),
        (b"abc\n", b"abc"),
        (b"abc\n\n", b"abc\n"),
        (b"abc\r\n", b"abc"),
        (b"abc\r", b"abc\r"),
        (b"  a b\t\n", b"  a b\t"),
        (b"\x00\xff\n", b"\x00\xff"),
    ],
)
def test_one_final_newline_of_a_stream_is_taken_off(given: bytes, value: bytes) -> None:
    assert read(given) == value
    assert read(given, verbatim=True) == given


@given(st.binary(min_size=1, max_size=300))
def test_verbatim_keeps_every_byte(value: bytes) -> None:
    assert read(value, verbatim=True) == value


@pytest.mark.parametrize("given", [b"", b"\n", b"\r\n"])
def test_an_empty_stream_is_refused(given: bytes) -> None:
    with pytest.raises(UsageError, match="standard input is empty"):
        read(given)


def test_64_kib_is_the_most_and_no_more_is_read() -> None:
    assert len(read(b"x" * LONGEST_VALUE + b"\r\n")) == LONGEST_VALUE
    for too_long in (b"x" * (LONGEST_VALUE + 1), b"x" * (LONGEST_VALUE + 1) + b"\n"):
        with pytest.raises(UsageError, match="more than 64 KiB"):
            read(too_long)
    endless = os.open("/dev/zero", os.O_RDONLY)
    with pytest.raises(UsageError, match="more than 64 KiB"):
        read_value(endless)
    os.close(endless)


def test_a_file_is_taken_exactly(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    for value in (b"one\n", b"\x00\xff\r\n\n", b"x" * LONGEST_VALUE):
        path.write_bytes(value)
        assert read_value_file(str(path)) == value


def test_a_process_substitution_is_a_file() -> None:
    script = (
        "from openclaw_cli.cli.ask import read_value_file as r; import sys; print(r(sys.argv[1]))"
    )
    shown = subprocess.check_output(
        ["bash", "-c", f'{sys.executable} -c "$0" <(sleep 0.2; printf "hunter2\\n")', script]
    )
    assert shown == b"b'hunter2\\n'\n"


def test_a_named_pipe_waits_for_its_writer(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Timer(0.1, path.write_bytes, [b"late\n"])
    writer.start()
    assert read_value_file(str(path)) == b"late\n"
    writer.join()


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (str, NotFoundError, "does not exist"),
        (Path.mkdir, UsageError, "is a directory"),
        (Path.touch, UsageError, "is empty"),
        (lambda path: path.write_bytes(bytes(LONGEST_VALUE + 1)), UsageError, "64 KiB"),
        (lambda path: path.symlink_to("/dev/zero"), UsageError, "not a file"),
        (lambda path: path.symlink_to("/dev/tty"), UsageError, "not a file"),
        (lambda path: path.symlink_to(path), Exception, "ELOOP"),
    ],
)
def test_what_is_no_file_with_a_value_is_refused(
    tmp_path: Path, make: Callable[[Path], object], error: type[Exception], words: str
) -> None:
    path = tmp_path / "value\x1b"
    make(path)
    with pytest.raises(error, match=words) as refused:
        read_value_file(str(path))
    assert "\x1b" not in str(refused.value)


def test_a_path_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError, match="not a path"):
        read_value_file("a\x00b")


def test_a_file_we_may_not_read_is_said_to_be_so(tmp_path: Path) -> None:
    script = (
        "import os, sys\n"
        "from openclaw_cli.cli import ask\n"
        "os.geteuid() or os.setuid(65534)\n"
        "try: ask.read_value_file(sys.argv[1])\n"
        "except ask.DeniedError as error: print(error.status, error.message)"
    )
    path = tmp_path / "value"
    path.write_bytes(b"hunter2")
    path.chmod(0)
    shown = subprocess.check_output([sys.executable, "-c", script, path], text=True)
    assert shown.startswith(f"{DeniedError.status} ")
    assert "may not be read" in shown
