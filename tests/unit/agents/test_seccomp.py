"""What an agent's process may not ask of the kernel: other processes' limits, and its keys."""

from __future__ import annotations

import subprocess
import sys

import pytest

PRELUDE = """
import ctypes, os, resource, subprocess, sys
from openclaw_cli.agents import seccomp
from openclaw_cli.runtime import guard
libc = ctypes.CDLL(None, use_errno=True)
other, files = int(sys.argv[2]), resource.RLIMIT_NOFILE
if sys.argv[1] == "held":
    guard.no_new_privileges()
    assert seccomp.keep_to_itself(writes=sys.argv[3] == "writes")

def checked(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
"""
SET = "resource.prlimit(other, files, (64, 64))"
SET_BY_A_PROGRAM = "subprocess.run(['prlimit', f'--pid={other}', '--nofile=64:64'], check=True)"
SET_BY_X32 = "checked(libc.syscall(0x40000000 | 302, other, files, b'\\x40' + bytes(15), None))"
ADD_KEY = "checked(libc.syscall(248, b'user', b'openclaw-test', b'x', 1, -2))"
READ_KEYS = "checked(libc.syscall(250, 11, -4, ctypes.create_string_buffer(64), 64))"
OWN = """
resource.setrlimit(files, (64, 64))
assert resource.prlimit(0, files) == resource.prlimit(os.getpid(), files) == (64, 64)
resource.prlimit(other, files)
"""


RIGHTS = (
    *("os.chmod(path, 0o600)", "os.fchmod(file.fileno(), 0o600)", "os.chown(path, -1, -1)"),
    *("os.fchown(file.fileno(), -1, -1)", "os.lchown(path, -1, -1)"),
    "os.chmod(path, 0o600, dir_fd=os.open('/', 0))",
    "checked(libc.syscall(452, -100, path.encode(), 0o600, 0))",
)
FILE = """
import tempfile
file = tempfile.NamedTemporaryFile()
path = file.name
"""


def done(code: str, *, held: bool, writes: bool = True) -> bool:
    """Run code, held or not, beside another process; tell whether it came to its end."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        how = "held" if held else "free"
        line = [sys.executable, "-c", PRELUDE + code, how, str(other.pid)]
        line.append("writes" if writes else "reads")
        try:
            return subprocess.run(line, capture_output=True, check=False).returncode == 0
        finally:
            other.kill()


@pytest.mark.parametrize("code", [SET, SET_BY_A_PROGRAM])
def test_limits_of_others_are_not_to_be_set(code: str) -> None:
    assert not done(code, held=True)
    assert done(code, held=False), "the control did not work"


@pytest.mark.parametrize("code", [SET_BY_X32, ADD_KEY, READ_KEYS])
def test_neither_another_number_nor_the_keys_lead_anywhere(code: str) -> None:
    """Held alone: a container or a kernel may be without them."""
    assert not done(code, held=True)


def test_limits_of_ones_own_are_and_those_of_others_can_be_asked_for() -> None:
    assert done(OWN, held=True)


@pytest.mark.parametrize("code", RIGHTS)
def test_who_may_not_write_sets_no_rights_of_files(code: str) -> None:
    assert not done(FILE + code, held=True, writes=False)
    if "452" not in code:  # which older kernels do not have
        assert done(FILE + code, held=True, writes=True)
        assert done(FILE + code, held=False)
