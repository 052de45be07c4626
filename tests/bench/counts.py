"""Instructions of a whole process, counted by callgrind: the same on a busy machine as on a quiet.

They repeat to three digits and more, so they are what the test suite holds to `ceilings.toml`.
"""

from __future__ import annotations

import platform
import re
import subprocess
import tempfile
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.bench import homes
from tests.bench.measure import Command, WrongAnswerError, python

CEILINGS = Path(__file__).with_name("ceilings.toml")
# The order of sets and dictionaries of strings would differ from one process to the next.
_SAME = {"PYTHONHASHSEED": "0", "LANG": "C.UTF-8"}


@dataclass(frozen=True)
class Line:
    """A command that is counted, and the secrets of the home that it is counted in."""

    secrets: int
    words: tuple[str, ...]
    given: bytes = b""


def lines() -> dict[str, Line]:
    """Return what is counted, by the name it has in the file of ceilings."""
    some = [homes.name(number) for number in range(20)]
    request = '{"protocolVersion":1,"ids":["%s"]}' % '","'.join(some)  # noqa: UP031
    run = [f"--env=K{number}={homes.name(number)}" for number in range(100)]
    return {
        "get": Line(10, ("secrets", "get", homes.name(5))),
        "list": Line(1_000, ("secrets", "list")),
        "resolve": Line(1_000, ("secrets", "resolve"), request.encode()),
        "run": Line(1_000, ("secrets", "run", *run, "--no-mask", "--", "/bin/true")),
    }


def ratios(place: Path, names: Iterable[str] | None = None, **more: str) -> dict[str, float]:
    """Return each line's instructions in times of `python -c pass`.

    Homes are made in `place`; `more` is put into the environment of what is counted.
    """
    chosen = {name: lines()[name] for name in names or lines()}
    made = {
        count: homes.make(place / str(count), count)
        for count in {line.secrets for line in chosen.values()}
    }
    bare = instructions(python())
    found = {}
    for name, line in chosen.items():
        home = made[line.secrets]
        command = Command([homes.OPENCLAW, *line.words], {**home.env, **more}, line.given)
        found[name] = instructions(command) / bare
    return found


def instructions(command: Command) -> int:
    """Return how many instructions a process takes, its start and its end included."""
    instructions_again(command)  # byte code and the trail's first record are made by the first
    return instructions_again(command)


def instructions_again(command: Command) -> int:
    """Count one run, up to where the process becomes another program."""
    with tempfile.TemporaryDirectory() as place:
        done = subprocess.run(
            [
                "valgrind",
                "--tool=callgrind",
                "--dump-before=execve",
                f"--callgrind-out-file={place}/counted",
                *command.argv,
            ],
            input=command.given,
            env={**command.env, **_SAME},
            capture_output=True,
            check=False,
        )
        counted = sum(map(_total, Path(place).iterdir()))
    if done.returncode or not counted:
        raise WrongAnswerError(f"{' '.join(command.argv[:4])}: {done.stderr[-500:]!r}")
    return counted


def _total(file: Path) -> int:
    found = re.search(r"^totals: (\d+)", file.read_text(), re.MULTILINE)
    return int(found[1]) if found else 0


def ceilings() -> dict[str, float]:
    """Return the most each line may take on this release of Python.

    What Python's own start costs differs by a tenth from one build to the next, and everything is
    divided by it. A release that nobody has measured is held to the highest of the others.
    """
    with CEILINGS.open("rb") as file:
        found: dict[str, dict[str, float]] = tomllib.load(file)
    most = {name: max(each[name] for each in found.values()) for name in lines()}
    return found.get(platform.python_version(), most)


def as_ceilings(measured: dict[str, float]) -> str:
    """Return what the file of ceilings would say of these figures."""
    slack = 1.04
    each = ", ".join(f"{name} = {ratio * slack:.2f}" for name, ratio in measured.items())
    return f'["{platform.python_version()}"] {each}'


def over(measured: dict[str, float], most: dict[str, float]) -> list[str]:
    """Return a sentence for each line that takes more than it may."""
    return [
        f"{name} takes {measured[name]:.3f} times the instructions of `python -c pass`, "
        f"{ceiling} are the most: see {CEILINGS.name}"
        for name, ceiling in most.items()
        if measured[name] > ceiling
    ]
