"""No test sees the developer's home, settings, keyring, terminal or network.

Fixtures for all: `openclaw` runs the installed command as a program of its own, `main` runs it
in this process. Both answer with a `Result`.
"""

from __future__ import annotations

import ipaddress
import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import hypothesis
import pytest

from tests.skips import NoSkips, all_required

if TYPE_CHECKING:
    from tests.integration.moto_server import Moto

pytest_plugins = ["pytester"]

NIGHTLY = os.environ.get("OPENCLAW_NIGHTLY") == "1"
MEMORY = "/dev/shm" if os.path.isdir("/dev/shm") else None
SCRIPTS = sysconfig.get_path("scripts")

# What a test inherits; everything else the developer's shell holds is taken away.
KEPT = ("PATH", "TMPDIR", "LD_LIBRARY_PATH", "PYTEST_XDIST_WORKER", "PYTEST_CURRENT_TEST")

# No deadline: a busy machine is not a defect. No database: a run depends on nothing but the tree.
hypothesis.settings.register_profile("fast", deadline=None, database=None, print_blob=True)
hypothesis.settings.register_profile(
    "nightly", hypothesis.settings.get_profile("fast"), max_examples=20_000
)
hypothesis.settings.load_profile("nightly" if NIGHTLY else "fast")


def pytest_configure(config: pytest.Config) -> None:
    """Make a skip a failure where all tests were promised, and close the network."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):  # nohup and & ignore them
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    if all_required():
        config.pluginmanager.register(NoSkips(), "no-skips")
    sys.addaudithook(_refuse_network)


def _refuse_network(event: str, arguments: tuple[Any, ...]) -> None:
    """Let sockets reach this machine only. An audit hook holds for every library."""
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    elif event == "socket.getaddrinfo":
        host = arguments[0]
    else:
        return
    if not _is_local(host):
        raise PermissionError(f"a test may not reach the network: {host!r}")


def _is_local(host: str | bytes | None) -> bool:
    name = host.decode() if isinstance(host, bytes) else host
    if name in (None, "", "localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give each test a home, a state directory and an environment of its own, and umask 077."""
    for name in [name for name in os.environ if name not in KEPT]:
        monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    in_memory = tempfile.mkdtemp(dir=MEMORY)  # where `store unlock` keeps a key
    dead_proxy = "http://127.0.0.1:9"  # the discard port: a program that we start stays here too
    for name, value in {
        "HOME": str(home),
        "OPENCLAW_STATE_DIR": str(tmp_path / "state"),
        "PATH": f"{SCRIPTS}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "XDG_RUNTIME_DIR": in_memory,
        "LANG": "C.UTF-8",
        "TERM": "dumb",
        "TZ": "UTC",
        "HTTP_PROXY": dead_proxy,
        "HTTPS_PROXY": dead_proxy,
        "NO_PROXY": "127.0.0.1,localhost,::1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(Path.cwd())  # so that it is put back, whoever leaves it
    before = os.umask(0o077)
    yield
    os.umask(before)
    shutil.rmtree(in_memory)


@pytest.fixture(scope="module")
def moto() -> Iterator[Moto]:
    """Run AWS as moto plays it, for the tests of one file."""
    from tests.integration.moto_server import Moto

    server = Moto()
    try:
        yield server
    finally:
        server.stop()


@dataclass(frozen=True)
class Result:
    """What a command left behind."""

    status: int
    out: bytes
    err: bytes

    def json(self) -> Any:  # noqa: ANN401 - whatever the command printed
        """Return standard output, parsed."""
        return json.loads(self.out)


class Openclaw(Protocol):
    """Run the installed `openclaw`; see the fixture of that name."""

    def __call__(
        self,
        *arguments: str | bytes,
        input: bytes = b"",  # noqa: A002 - as in subprocess.run
        env: Mapping[str, str | None] | None = None,
        check: int | None = None,
        program: str = "openclaw",
        timeout: float = 60,
    ) -> Result:
        """Return the result; `env` adds to the environment, or removes where it is None."""


def runner(before: Sequence[str] = ()) -> Openclaw:
    """Return what runs the installed console scripts, behind what makes it another user's run."""

    def run(
        *arguments: str | bytes,
        input: bytes = b"",  # noqa: A002
        env: Mapping[str, str | None] | None = None,
        check: int | None = None,
        program: str = "openclaw",
        timeout: float = 60,
    ) -> Result:
        merged = {**os.environ, **(env or {})}
        done = subprocess.run(
            [*before, os.path.join(SCRIPTS, program), *arguments],
            input=input,
            capture_output=True,
            env={name: value for name, value in merged.items() if value is not None},
            timeout=timeout,
            check=False,
        )
        result = Result(done.returncode, done.stdout, done.stderr)
        assert check is None or result.status == check, result
        return result

    return run


@pytest.fixture
def openclaw() -> Openclaw:
    """Run the installed console script in a process of its own.

    `check=3` asserts that status, with the program's own words in the failure.
    """
    return runner()


@pytest.fixture
def main(
    capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., Result]:
    """Run `openclaw_cli.cli.hot.main([...])` in this process: 100 times quicker than `openclaw`.

    Standard input is a file, never a terminal; what the command wrote to the descriptors counts.
    """
    from openclaw_cli.cli.hot import main as entry

    def run(*arguments: str, input: bytes = b"", check: int | None = None) -> Result:  # noqa: A002
        given = tmp_path / "stdin"
        given.write_bytes(input)
        kept = os.dup(0)
        source = os.open(given, os.O_RDONLY)
        os.dup2(source, 0)
        os.close(source)
        capfdbinary.readouterr()
        try:
            with (
                open(0, encoding="utf-8", closefd=False) as stdin,
                monkeypatch.context() as patched,
            ):
                patched.setattr(sys, "stdin", stdin)
                status = entry(list(arguments))
        finally:
            os.dup2(kept, 0)
            os.close(kept)
        result = Result(status, *capfdbinary.readouterr())
        assert check is None or result.status == check, result
        return result

    return run
