"""A program run with secrets at a terminal finds a terminal: real ones, from the other side."""

from __future__ import annotations

import contextlib
import os
import select
import shlex
import signal
import subprocess
import termios
import time
from typing import TYPE_CHECKING, Self

import pytest

from tests.unit.running.programs import KEY, command, python

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

CTRL_C = b"\x03"
CTRL_Z = b"\x1a"
PATIENCE = 10.0


class Screen:
    """A terminal of 100 by 30 with a program in it, as a person sees it."""

    def __init__(self, argv: Sequence[str], *, piped: frozenset[int] = frozenset()) -> None:
        self.master, self.slave = os.openpty()
        termios.tcsetwinsize(self.slave, (30, 100))
        self.modes = termios.tcgetattr(self.slave)
        self.seen = b""
        self.program = subprocess.Popen(
            argv,
            stdin=subprocess.PIPE if 0 in piped else self.slave,
            stdout=subprocess.PIPE if 1 in piped else self.slave,
            stderr=subprocess.PIPE if 2 in piped else self.slave,
            preexec_fn=self._own_terminal,  # noqa: PLW1509 - system calls only
            bufsize=0,
        )

    def _own_terminal(self) -> None:
        os.setsid()
        tty = os.open(os.ttyname(self.slave), os.O_RDWR)  # the first one opened is the session's
        os.close(tty)

    def type(self, keys: bytes) -> None:
        os.write(self.master, keys)

    def see(self, text: bytes) -> bytes:
        """Wait for the text; return what came before it."""
        deadline = time.monotonic() + PATIENCE
        while text not in self.seen:
            ready, _, _ = select.select((self.master,), (), (), deadline - time.monotonic())
            assert ready, f"not seen: {text!r} in {self.seen[-300:]!r}"
            self.seen += os.read(self.master, 65536)
        before, self.seen = self.seen.split(text, 1)
        return before

    def resize(self, rows: int, columns: int) -> None:
        termios.tcsetwinsize(self.master, (rows, columns))

    def ended(self) -> int:
        """Read the rest and return the status."""
        deadline = time.monotonic() + PATIENCE
        while self.program.poll() is None or self._more():
            assert time.monotonic() < deadline, f"still running: {self.seen[-300:]!r}"
            if self._more():
                self.seen += os.read(self.master, 65536)
        return self.program.returncode

    def _more(self) -> bool:
        return bool(select.select((self.master,), (), (), 0.01)[0])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.program.kill()
        for stream in (self.program.stdin, self.program.stdout, self.program.stderr):
            if stream is not None:
                stream.close()
        os.close(self.slave)
        os.close(self.master)
        self.program.wait(PATIENCE)


@contextlib.contextmanager
def screen(*program: str, piped: frozenset[int] = frozenset()) -> Iterator[Screen]:
    with Screen(command(*program), piped=piped) as shown:
        yield shown


# Input from a pipe is the other of the two ways: only the output is a new terminal.
PIPED = frozenset({0})
WAYS = pytest.mark.parametrize("piped", [frozenset(), PIPED], ids=["keyboard", "piped"])


@WAYS
def test_the_program_sees_a_terminal_of_the_right_size(piped: frozenset[int]) -> None:
    look = python(
        "import os",
        "print([os.isatty(fd) for fd in range(3)], *os.get_terminal_size(1))",
    )
    with screen(*look, piped=piped) as shown:
        shown.see(f"[{0 not in piped}, True, True] 100 30\r\n".encode())
        assert shown.ended() == 0


@WAYS
def test_values_are_masked_on_a_terminal(piped: frozenset[int]) -> None:
    with screen("sh", "-c", "echo out $API_KEY; echo $API_KEY >&2; exit 7", piped=piped) as shown:
        assert shown.ended() == 7
        assert shown.seen == b"out [openclaw:KEY]\r\n[openclaw:KEY]\r\n"


@WAYS
def test_much_output_arrives_whole(piped: frozenset[int]) -> None:
    with screen("sh", "-c", "seq 100000; echo the end", piped=piped) as shown:
        assert shown.ended() == 0
        assert shown.seen == b"".join(b"%d\r\n" % n for n in range(1, 100_001)) + b"the end\r\n"


@WAYS
def test_the_program_learns_that_the_window_changed(piped: frozenset[int]) -> None:
    watch = python(
        "import os, signal, time",
        "size = lambda: 'now %d %d\\n' % tuple(os.get_terminal_size(1))",
        "changed = lambda *_: os.write(1, size().encode())",
        "signal.signal(signal.SIGWINCH, changed)",
        "print('ready', flush=True)",
        "while True: time.sleep(0.1)",
    )
    with screen(*watch, piped=piped) as shown:
        shown.see(b"ready")
        time.sleep(0.1)
        shown.resize(40, 120)
        shown.see(b"now 120 40\r\n")


COUNT_INTERRUPTS = (
    "import signal, time",
    "heard = []",
    "signal.signal(signal.SIGINT, lambda *_: heard.append(1))",
    "print('ready', flush=True)",
    "deadline = time.monotonic() + 10",
    "while not heard and time.monotonic() < deadline: time.sleep(0.01)",
    "time.sleep(0.2)",
    "print('interrupted', len(heard), flush=True)",
)


@WAYS
def test_ctrl_c_interrupts_the_program_once(piped: frozenset[int]) -> None:
    with screen(*python(*COUNT_INTERRUPTS), piped=piped) as shown:
        shown.see(b"ready")
        time.sleep(0.1)
        shown.type(CTRL_C)
        shown.see(b"interrupted 1\r\n")
        assert shown.ended() == 0


@WAYS
def test_an_interrupt_sent_to_us_alone_reaches_the_program_once(piped: frozenset[int]) -> None:
    with screen(*python(*COUNT_INTERRUPTS), piped=piped) as shown:
        shown.see(b"ready")
        shown.program.send_signal(signal.SIGINT)
        shown.see(b"interrupted 1\r\n")
        assert shown.ended() == 0


@WAYS
def test_ctrl_c_ends_a_program_that_does_not_mind_it(piped: frozenset[int]) -> None:
    with screen("sh", "-c", "echo ready; sleep 20", piped=piped) as shown:
        shown.see(b"ready")
        time.sleep(0.1)
        shown.type(CTRL_C)
        assert shown.ended() == 128 + signal.SIGINT


def test_typed_lines_reach_the_program_and_are_echoed_once() -> None:
    with screen("sh", "-c", "echo ready; read line; echo got $line") as shown:
        shown.see(b"ready\r\n")
        shown.type(b"some words\n")
        assert shown.ended() == 0
        assert shown.seen == b"some words\r\ngot some words\r\n"


def test_end_of_file_is_typed_as_always() -> None:
    with screen("sh", "-c", "echo ready; cat") as shown:
        shown.see(b"ready\r\n")
        time.sleep(0.2)
        shown.type(b"line\n\x04")
        assert shown.ended() == 0
        assert shown.seen == b"line\r\nline\r\n"


def test_a_single_key_reaches_a_program_that_wants_keys() -> None:
    with screen("bash", "-c", "echo ready; read -rsn1 key; echo key $key") as shown:
        shown.see(b"ready\r\n")
        time.sleep(0.1)
        shown.type(b"q")
        assert shown.ended() == 0
        assert shown.seen == b"key q\r\n"


@WAYS
def test_a_password_is_asked_for_without_echo(piped: frozenset[int]) -> None:
    ask = python("import getpass", "print('got', getpass.getpass('Pass: '))")
    with screen(*ask, piped=piped) as shown:
        shown.see(b"Pass: ")
        time.sleep(0.1)
        shown.type(b"open sesame\n")
        assert shown.ended() == 0
        assert shown.seen.replace(b"\r\n", b"") == b"got open sesame"


def test_a_typed_letter_is_shown_before_the_next_although_a_value_begins_with_it() -> None:
    with screen("sh", "-c", "echo ready; cat") as shown:
        shown.see(b"ready\r\n")
        for key in (b"s", b"k", b"-"):
            shown.type(key)
            shown.see(key)


@pytest.mark.parametrize("end", ["exit 0", "kill -KILL $$", "stty raw -echo; exit 3"])
def test_the_terminal_is_left_as_it_was(end: str) -> None:
    with screen("sh", "-c", f"echo x; {end}") as shown:
        shown.ended()
        assert termios.tcgetattr(shown.slave) == shown.modes


def test_the_terminal_is_untouched_when_nothing_starts() -> None:
    with screen("no-such-program") as shown:
        assert shown.ended() == 127
        assert termios.tcgetattr(shown.slave) == shown.modes


@pytest.mark.slow
def test_what_the_program_left_running_lives_on(tmp_path: Path) -> None:
    late = tmp_path / "late"
    with screen("sh", "-c", f"(sleep 1.4; touch {late}) & echo started") as shown:
        assert shown.ended() == 0
        assert not late.exists()
        time.sleep(0.9)
        assert late.exists()


def test_when_the_terminal_goes_the_program_is_told(tmp_path: Path) -> None:
    told = tmp_path / "told"
    wait = python(
        "import os, pathlib, signal, time",
        f"told = pathlib.Path({str(told)!r})",
        "signal.signal(signal.SIGHUP, lambda *_: (told.touch(), os._exit(0)))",
        "print('ready', flush=True)",
        "time.sleep(20)",
    )
    with screen(*wait) as shown:
        shown.see(b"ready")
        os.close(shown.slave)
        os.dup2(os.open(os.devnull, os.O_RDWR), shown.master)
        shown.slave = os.open(os.devnull, os.O_RDWR)
        shown.program.wait(PATIENCE)
        assert told.exists()


@contextlib.contextmanager
def shell_with_program(script: str, *, background: bool = False) -> Iterator[Screen]:
    """Start a shell with job control, and in it a program run as we do."""
    with Screen(["bash", "--norc", "-i"]) as shown:
        shown.type(b"set +o emacs; PS1='prompt> '\n")
        shown.see(b"\nprompt> ")
        line = shlex.join(command("sh", "-c", f"echo ready; {script}")).replace("\n", "'$'\\n''")
        shown.type(line.encode() + (b" &\n" if background else b"\n"))
        shown.see(b"ready\r\n")
        time.sleep(0.1)
        yield shown


def test_ctrl_z_stops_the_program_and_fg_continues_it() -> None:
    with shell_with_program("sleep 0.1; read line; echo got $line") as shown:
        shown.type(CTRL_Z)
        shown.see(b"Stopped")
        shown.type(b"echo the shell $((1 + 1)) answers\n")
        shown.see(b"the shell 2 answers")
        shown.type(b"fg\n")
        shown.see(b"fg\r\n")
        time.sleep(0.2)
        shown.type(b"hello\n")
        shown.see(b"got hello")


@pytest.mark.slow
def test_a_program_in_the_background_lets_the_shell_have_the_keyboard() -> None:
    with shell_with_program(
        "trap '' TTOU; sleep 1; echo still running; read x; echo x $x"
    ) as shown:
        shown.type(CTRL_Z)
        shown.see(b"Stopped")
        shown.type(b"bg\n")
        shown.type(b"echo typed $((2 + 2))\n")
        shown.see(b"typed 4")
        shown.see(b"still running")
        shown.type(b"fg\n")
        shown.see(b"fg\r\n")
        time.sleep(0.8)
        shown.type(b"late\n")
        shown.see(b"x late")


def test_started_in_the_background_it_leaves_the_terminal_alone() -> None:
    with shell_with_program("echo $API_KEY done; sleep 0.3", background=True) as shown:
        shown.type(b"echo typed $((2 + 2))\n")
        shown.see(b"typed 4")


def test_a_shell_inside_has_job_control() -> None:
    with screen("bash", "--norc", "-i") as shown:
        shown.type(b"set +o emacs; PS1='inner> '\n")
        said = shown.see(b"\ninner> ")
        assert b"no job control" not in said
        shown.type(b"sleep 20\n")
        shown.see(b"sleep 20\r\n")
        time.sleep(0.2)
        shown.type(CTRL_Z)
        shown.see(b"Stopped")
        shown.type(b"echo key $API_KEY\n")
        shown.see(b"key [openclaw:KEY]")
        shown.type(b"kill -9 %1; sleep 0.2; exit 9\n")
        assert shown.ended() == 9


def test_in_a_pipeline_the_keyboard_stays_with_whom_it_was() -> None:
    with screen("sh", "-c", "echo err $API_KEY >&2; cat", piped=frozenset({1})) as shown:
        shown.see(b"err [openclaw:KEY]\r\n")
        assert termios.tcgetattr(shown.slave) == shown.modes
        shown.type(KEY + b"\n\x04")
        assert shown.program.stdout is not None
        assert shown.program.stdout.read() == b"[openclaw:KEY]\n"
        assert shown.ended() == 0
