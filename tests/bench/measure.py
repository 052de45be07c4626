"""Measuring whole processes against the bare interpreter: paired, alternating, output checked.

A machine that others use too slows both halves of a pair alike, so what is quoted is the ratio of a
pair. Milliseconds are only told beside it.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO

MIB = 1024  # ru_maxrss is in KiB on Linux

# Byte code must be there and written, buffers as usual, and nothing else imported.
_UNWANTED = ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "PYTHONPATH", "PYTHONHOME")

# Small enough that the child it starts does not inherit its size: the kernel's high-water mark of a
# process counts what it was before it became the program.
_STARTER = (
    "import os,sys;"
    "pid=os.posix_spawn(sys.argv[1],sys.argv[1:],os.environ);"
    "os.write(2,b'%d'%os.wait4(pid,0)[2].ru_maxrss)"
)


def environment(**more: str) -> dict[str, str]:
    """Return the environment of what is measured: ours without what would change the figures."""
    kept = {
        name: text
        for name, text in os.environ.items()
        if name not in _UNWANTED and not name.startswith("OPENCLAW_")
    }
    return {**kept, **more}


@dataclass(frozen=True)
class Command:
    """A process to measure: what is typed, what it reads, and what it must answer.

    With `started` it is measured up to the moment its program says that it runs, in nanoseconds
    since 1970 on standard output, as `date +%s%N` does.
    """

    argv: list[str]
    env: Mapping[str, str] = field(default_factory=environment)
    given: bytes = b""
    answer: bytes | None = None
    started: bool = False


@dataclass(frozen=True)
class Run:
    """What one process took, in seconds."""

    wall: float
    cpu: float


@dataclass(frozen=True)
class Ratio:
    """What a command takes in times of another: over all pairs, and of their best runs."""

    lower: float
    median: float
    upper: float
    least: float
    cpu: float
    seconds: float


class WrongAnswerError(Exception):
    """A command that did not do what is measured."""


def python() -> Command:
    """Return the yardstick: the start of this virtual environment's Python."""
    return Command([sys.executable, "-c", "pass"])


def paired(command: Command, pairs: int, base: Command | None = None) -> Ratio:
    """Measure a command and the yardstick in turn, each first every other time."""
    yardstick = base or python()
    once(command)  # what is not in the page cache yet is not what is measured
    once(yardstick)
    found: list[tuple[Run, Run]] = []
    for number in range(pairs):
        if number % 2:
            mine = once(command)
            found.append((mine, once(yardstick)))
        else:
            theirs = once(yardstick)
            found.append((once(command), theirs))
    walls = [mine.wall / theirs.wall for mine, theirs in found]
    lower, median, upper = statistics.quantiles(walls, n=4)
    return Ratio(
        lower,
        median,
        upper,
        min(mine.wall for mine, _ in found) / min(theirs.wall for _, theirs in found),
        statistics.median(mine.cpu / theirs.cpu for mine, theirs in found),
        statistics.median(mine.wall for mine, _ in found),
    )


def once(command: Command) -> Run:
    """Run a command; raises `WrongAnswerError` when it fails or answers something else."""
    with (
        tempfile.TemporaryFile() as given,
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as err,
    ):
        given.write(command.given)
        given.seek(0)
        begun = time.time_ns()
        start = time.perf_counter()
        pid = spawn(command, given, out, err)
        _, status, used = os.wait4(pid, 0)
        wall = time.perf_counter() - start
        out.seek(0)
        answer = out.read()
        if status or (command.answer is not None and answer != command.answer):
            err.seek(0)
            raise WrongAnswerError(f"{' '.join(command.argv[:4])}: {status} {err.read()[-500:]!r}")
        if command.started:
            wall = (int(answer) - begun) / 1e9
        return Run(wall, used.ru_utime + used.ru_stime)


def spawn(command: Command, given: IO[bytes], out: IO[bytes], err: IO[bytes]) -> int:
    """Start a command and return its process id."""
    descriptors = [
        (os.POSIX_SPAWN_DUP2, file.fileno(), number)
        for number, file in enumerate((given, out, err))
    ]
    return os.posix_spawn(command.argv[0], command.argv, command.env, file_actions=descriptors)


def memory(command: Command, runs: int = 5) -> float:
    """Return the most memory a command ever had resident, in MiB."""
    found = []
    for _ in range(runs):
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", _STARTER, *command.argv],
            input=command.given,
            env={**command.env},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            check=True,
        )
        found.append(int(done.stderr.split()[-1]) / MIB)
    return max(found)


def at_once(commands: Sequence[Command], cpus: int) -> float:
    """Start all commands together on so many processors; return when the last was done, in s."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(before)[:cpus])
    try:
        return _at_once(commands)
    finally:
        os.sched_setaffinity(0, before)


def _at_once(commands: Sequence[Command]) -> float:
    with tempfile.TemporaryFile() as err, open(os.devnull, "w+b") as nowhere:
        inputs = []
        for command in commands:
            given = tempfile.TemporaryFile()  # noqa: SIM115  all stay open until the last is done
            given.write(command.given)
            given.seek(0)
            inputs.append(given)
        start = time.perf_counter()
        pids = [
            spawn(each, given, nowhere, err) for each, given in zip(commands, inputs, strict=True)
        ]
        failed = [os.waitpid(pid, 0)[1] for pid in pids]
        wall = time.perf_counter() - start
        for given in inputs:
            given.close()
        if any(failed):
            err.seek(0)
            raise WrongAnswerError(f"of {len(commands)} at once: {err.read()[-500:]!r}")
        return wall
