"""A program run with secrets behaves as it would without us: real programs, real signals."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING

import pytest

from tests.unit.running.programs import DRIVER, KEY, command, python

if TYPE_CHECKING:
    from collections.abc import Iterator

_KNOWN = (1 << 31) - 1  # signals 1 to 31; the C library keeps the next two for itself


def run(
    *program: str,
    way: str = "masked",
    driver: str = DRIVER,
    given: bytes = b"",
    environment: dict[str, str] | None = None,
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        command(*program, way=way, driver=driver),
        input=given,
        capture_output=True,
        timeout=20,
        check=False,
        env=environment,
    )


@contextlib.contextmanager
def running(
    *program: str, way: str = "masked", session: bool = False
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a program with pipes to all its streams; it does not outlive the test."""
    pipe = subprocess.PIPE
    started = subprocess.Popen(
        command(*program, way=way),
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        bufsize=0,
        start_new_session=session,
    )
    clock = threading.Timer(20, started.kill)
    clock.start()
    try:
        yield started
    finally:
        clock.cancel()
        started.kill()
        with started:
            pass


def stdout(program: subprocess.Popen[bytes]) -> IO[bytes]:
    assert program.stdout is not None
    return program.stdout


def stderr(program: subprocess.Popen[bytes]) -> IO[bytes]:
    assert program.stderr is not None
    return program.stderr


def type_into(program: subprocess.Popen[bytes], text: bytes) -> None:
    assert program.stdin is not None
    program.stdin.write(text)


@pytest.fixture(params=["masked", "plain"])
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize(
    ("script", "status"),
    [
        ("exit 0", 0),
        ("exit 42", 42),
        ("exit 255", 255),
        ("kill -TERM $$", 128 + signal.SIGTERM),
        ("kill -KILL $$", 128 + signal.SIGKILL),
        ("kill -PIPE $$", 128 + signal.SIGPIPE),
    ],
)
def test_the_status_is_the_programs(script: str, status: int) -> None:
    assert run("sh", "-c", script).returncode == status


def test_what_is_no_program_ends_as_in_a_shell(way: str, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.write_text("not a program")
    for name, status in [
        ("no-such-program", 127),
        (str(tmp_path / "missing"), 127),
        (str(data), 126),
        (str(tmp_path), 126),
        ("", 127),
    ]:
        answer = run(name, way=way)
        assert (answer.returncode, answer.stdout) == (status, b"")
        assert answer.stderr.startswith(b"not_started | ")


def test_a_broken_interpreter_or_format_is_told(way: str, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("#!/no/such/interpreter\n")
    script.chmod(0o755)
    answer = run(str(script), way=way)
    assert answer.returncode == 127
    assert b"interpreter" in answer.stderr


def test_a_script_without_an_interpreter_line_is_run_by_the_shell(way: str, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text('echo "$1 $0"\n')
    script.chmod(0o755)
    assert run(str(script), "given", way=way).stdout == f"given {script}\n".encode()


def test_the_program_is_looked_for_in_the_path_it_will_have(way: str, tmp_path: Path) -> None:
    tool = tmp_path / "only-here"
    tool.write_text("#!/bin/sh\necho found\n")
    tool.chmod(0o755)
    driver = DRIVER.replace(
        'b"API_KEY": KEY', f'b"PATH": {os.fsencode(tmp_path)!r}, b"API_KEY": KEY'
    )
    assert run("only-here", way=way, driver=driver).stdout == b"found\n"


def test_unmasked_no_process_of_ours_stays() -> None:
    program = subprocess.Popen(command("sh", "-c", "echo $$", way="plain"), stdout=subprocess.PIPE)
    output, _ = program.communicate(timeout=20)
    assert int(output) == program.pid


def test_the_whole_environment_reaches_the_program(way: str) -> None:
    environment = {**os.environ, "ODD": os.fsdecode(b"\xff\n=x"), "LD_LIBRARY_PATH": "/nowhere"}
    show = python(
        "import os, sys",
        "for name in (b'ODD', b'LD_LIBRARY_PATH', b'API_KEY'):",
        "    sys.stdout.buffer.write(os.environb[name][::-1] + b'|')",
    )
    answer = run(*show, way=way, environment=environment)
    assert answer.stdout == b"x=\n\xff|erehwon/|" + KEY[::-1] + b"|"


def test_input_and_output_pass_byte_for_byte(way: str) -> None:
    data = os.urandom(300_000)
    assert run("cat", way=way, given=data).stdout == data


def test_values_are_masked_on_both_streams_and_the_streams_stay_apart() -> None:
    answer = run("sh", "-c", 'echo "out $API_KEY"; echo "err $API_KEY" >&2')
    assert (answer.stdout, answer.stderr) == (b"out [openclaw:KEY]\n", b"err [openclaw:KEY]\n")


def test_a_value_written_in_two_parts_is_masked() -> None:
    half = len(KEY) // 2
    script = f"printf {KEY[:half].decode()}; sleep 0.3; printf {KEY[half:].decode()}"
    assert run("sh", "-c", script).stdout == b"[openclaw:KEY]"


def test_streams_that_lead_to_one_place_keep_their_order() -> None:
    lines = "".join(f"echo {n}; echo {n}e >&2;" for n in range(30))
    together = subprocess.run(
        command("sh", "-c", lines), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=True
    )
    assert together.stdout == b"".join(b"%d\n%de\n" % (n, n) for n in range(30))


def test_the_program_gets_no_signal_setting_or_descriptor_of_ours(way: str) -> None:
    script = "grep -E '^Sig(Blk|Ign)' /proc/self/status; ls /proc/self/fd"
    answer = run("sh", "-c", script, way=way)
    states = [line.split()[1] for line in answer.stdout.splitlines()[:2]]
    assert [int(state, 16) & _KNOWN for state in states] == [0, 0]
    assert answer.stdout.split()[4:] == [b"0", b"1", b"2", b"3"]  # 3 is the folder that ls reads


def test_a_descriptor_that_the_caller_gave_reaches_the_program(way: str) -> None:
    source, end = os.pipe()
    os.write(end, b"given")
    os.close(end)
    script = f"cat /dev/fd/{source}"
    answer = subprocess.run(
        command("sh", "-c", script, way=way), pass_fds=[source], capture_output=True, check=True
    )
    os.close(source)
    assert answer.stdout == b"given"


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_standard_stream_that_is_closed_stays_closed(way: str, closed: str) -> None:
    fds = {"<&-": {0}, ">&-": {1}, "2>&-": {2}, "<&- >&- 2>&-": {0, 1, 2}}[closed]
    source, end = os.pipe()
    look = python(
        "import os",
        "found = []",
        "for fd in range(3):",
        "    try: os.fstat(fd)",
        "    except OSError: found.append(fd)",
        f"os.write({end}, repr(set(found)).encode())",
    )
    subprocess.run(
        ["sh", "-c", f'"$@" {closed}', "sh", *command(*look, way=way)],
        pass_fds=[end],
        check=True,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        timeout=20,
    )
    os.close(end)
    assert os.read(source, 99) == repr(fds).encode()
    os.close(source)


def test_what_this_process_changed_for_itself_is_undone_for_the_program(way: str) -> None:
    driver = (
        DRIVER.replace("try:", "before = os.umask(0o077)\ntry:", 1)
        .replace("environment)", "environment, ready=lambda: os.umask(before))")
        .replace('{"KEY": KEY})', '{"KEY": KEY}, ready=lambda: os.umask(before))')
    )
    plain = subprocess.run(["sh", "-c", "umask"], capture_output=True, check=True).stdout
    assert run("sh", "-c", "umask", way=way, driver=driver).stdout == plain


COUNT_SIGNALS = (
    "import os, signal, sys, time",
    "heard = []",
    "for number in range(1, 30):",
    "    if number not in (9, 17, 18, 19):",
    "        signal.signal(number, lambda n, _: heard.append(signal.Signals(n).name))",
    "print('ready', flush=True)",
    "deadline = time.monotonic() + 10",
    "while not heard and time.monotonic() < deadline: time.sleep(0.01)",
    "time.sleep(0.2)",
    "print(*heard, flush=True)",
)


@pytest.mark.parametrize("name", ["TERM", "INT", "HUP", "QUIT", "USR1", "USR2", "WINCH", "TSTP"])
def test_a_signal_for_us_reaches_the_program_once(way: str, name: str) -> None:
    with running(*python(*COUNT_SIGNALS), way=way, session=True) as program:
        assert stdout(program).readline() == b"ready\n"
        program.send_signal(signal.Signals[f"SIG{name}"])
        assert stdout(program).readline() == f"SIG{name}\n".encode()
        assert program.wait() == 0


def test_a_signal_that_ends_the_program_is_the_status() -> None:
    with running("sh", "-c", "echo ready; exec sleep 20") as program:
        assert stdout(program).readline() == b"ready\n"
        program.terminate()
        assert program.wait() == 128 + signal.SIGTERM


def test_an_ignored_signal_stays_ignored() -> None:
    script = "grep SigIgn /proc/self/status; kill -HUP $PPID; sleep 0.2; echo lives"
    answer = subprocess.run(
        ["nohup", *command("sh", "-c", script)], capture_output=True, check=True
    )
    assert int(answer.stdout.split()[1], 16) & _KNOWN == 1 << (signal.SIGHUP - 1)
    assert answer.stdout.endswith(b"lives\n")


def test_a_program_whose_reader_has_gone_is_told_as_always() -> None:
    with running("yes") as program:
        assert stdout(program).read(4) == b"y\ny\n"
        stdout(program).close()
        assert program.wait() == 128 + signal.SIGPIPE


def test_output_that_nobody_could_read_is_no_success() -> None:
    source, end = os.pipe()
    os.close(source)
    assert subprocess.run(command("echo", "x"), stdout=end, check=False).returncode == 141
    os.close(end)


def test_a_full_disk_is_no_success() -> None:
    with Path("/dev/full").open("wb") as full:
        answer = subprocess.run(
            command("echo", "x"), stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert answer.returncode == 74
    assert answer.stderr.startswith(b"io | the program's output could not be written: No space")


@pytest.mark.slow
def test_what_the_program_left_running_does_not_hold_us() -> None:
    started = time.monotonic()
    answer = run("sh", "-c", "sleep 8 & echo started; exit 5")
    assert (answer.returncode, answer.stdout) == (5, b"started\n")
    assert time.monotonic() - started < 6


@pytest.mark.slow
def test_what_is_left_running_may_finish_what_it_writes() -> None:
    script = "(for n in 1 2 3 4; do sleep 0.4; echo $n; done) & echo 0"
    assert run("sh", "-c", script).stdout == b"0\n1\n2\n3\n4\n"


@pytest.mark.slow
def test_a_slow_reader_gets_everything() -> None:
    with running("sh", "-c", "head -c 150000 /dev/zero") as program:
        time.sleep(1.6)
        output, _ = program.communicate()
        assert (len(output), program.returncode) == (150_000, 0)


def test_a_full_stream_does_not_hold_up_the_other_nor_a_signal() -> None:
    busy = python(
        "import os, signal, sys, threading",
        "def end(*_):",
        "    os.write(2, b'ended\\n')",
        "    os._exit(7)",
        "signal.signal(signal.SIGTERM, end)",
        "threading.Thread(target=lambda: os.write(1, b'x' * 10_000_000), daemon=True).start()",
        "threading.Event().wait(0.4)",
        "os.write(2, b'told\\n')",
        "signal.pause()",
    )
    with running(*busy) as program:
        assert stderr(program).readline() == b"told\n"
        program.terminate()
        assert stderr(program).readline() == b"ended\n"
        assert stdout(program).read().strip(b"x") == b""
        assert program.wait() == 7


def test_a_prompt_appears_at_once_and_a_short_beginning_of_a_value_soon() -> None:
    script = "printf 'Name: '; read a; printf sk-; read b; printf sk-proj-; read c"
    with running("sh", "-c", script) as program:
        assert stdout(program).read(6) == b"Name: "
        type_into(program, b"\n")
        assert stdout(program).read(3) == b"sk-"
        type_into(program, b"\n\n")
        assert stdout(program).read() == b"sk-proj-"


def test_much_output_passes_in_little_memory() -> None:
    driver = DRIVER.replace(
        "sys.exit(status)", "sys.stderr.write(open('/proc/self/status').read())"
    )
    answer = run("sh", "-c", "head -c 50000000 /dev/zero", driver=driver)
    assert len(answer.stdout) == 50_000_000
    most = next(line for line in answer.stderr.splitlines() if line.startswith(b"VmHWM"))
    assert int(most.split()[1]) < 24 * 1024


def test_an_environment_too_big_for_the_system_is_told_in_bytes_without_values(way: str) -> None:
    big = DRIVER.replace('b"API_KEY": KEY', 'b"API_KEY": KEY * 10_000')
    one = run("true", way=way, driver=big)
    assert one.returncode == 125
    assert b"the variable API_KEY is 280009 bytes, more than the 131072" in one.stderr
    many = DRIVER.replace('b"API_KEY": KEY', "**{b'V%d' % n: KEY * 4000 for n in range(99)}")
    all_ = run("true", way=way, driver=many)
    assert all_.returncode == 125
    assert b"bytes, more than the system takes | pass fewer" in all_.stderr
    assert KEY[:8] not in one.stderr + all_.stderr


@pytest.mark.parametrize(
    ("variable", "said"),
    [
        ('b"API_KEY": KEY + b"\\0"', b"the value for API_KEY has a NUL byte"),
        ('b"A=B": KEY', b"a variable's name is empty or has"),
        ('b"": KEY', b"a variable's name is empty or has"),
    ],
)
def test_what_no_environment_can_hold_is_refused_before_the_start(
    way: str, variable: str, said: bytes
) -> None:
    answer = run("echo", "x", way=way, driver=DRIVER.replace('b"API_KEY": KEY', variable))
    assert (answer.returncode, answer.stdout) == (125, b"")
    assert said in answer.stderr
    assert KEY not in answer.stderr


def test_no_descriptors_left_is_told_and_nothing_starts() -> None:
    few = "import resource\nresource.setrlimit(resource.RLIMIT_NOFILE, (6, 6))\ntry:"
    answer = run("echo", "x", driver=DRIVER.replace("try:", few, 1))
    assert (answer.returncode, answer.stdout) == (125, b"")
    assert b"no process can be started: Too many open files" in answer.stderr


def test_orphans_are_reaped_as_the_first_process_of_a_container_must() -> None:
    # Where it may, a process becomes the one that orphans are given to, as the first one is.
    adopt = "import ctypes\nctypes.CDLL(None).prctl(36, 1, 0, 0, 0)\ntry:"
    script = "for n in 1 2 3; do (sh -c 'exit 3' & ); done; sleep 0.4; ps -o stat= --ppid $PPID"
    states = run("sh", "-c", script, driver=DRIVER.replace("try:", adopt, 1)).stdout.split()
    assert states
    assert not [state for state in states if state.startswith(b"Z")]


def test_starting_a_program_loads_nothing_heavy() -> None:
    look = f"import sys; sys.path.insert(0, {str(Path.cwd())!r})\n"
    look += "import openclaw_cli.running.child; print(*sys.modules)"
    loaded = subprocess.check_output([sys.executable, "-I", "-S", "-c", look], text=True).split()
    heavy = {"typing", "re", "enum", "signal", "subprocess", "select", "termios", "ahocorasick_rs"}
    assert heavy.isdisjoint(loaded)
