"""Runs the `console` blocks of a page as a reader would type them, and compares what comes.

`$ ` begins a command and `> ` goes on with it; the lines under it must appear as they stand. `...`
is any text within a line and any number of lines as a line of its own; `[3]` as the last line is
the exit status, 0 where it is left out. Standard error is read together with standard output.
All blocks of a page are one session of bash in one home, in the order of the page.

So that a page may show what a reader would see, `ada` stands for whoever runs the test, `/home/ada`
for the session's home, `now` and `0s` for any number of seconds, and two spaces or more, as between
columns, for any number of them.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_STATUS = re.compile(r"\[(\d+)\]")
_FREE = re.compile(r"(\.\.\.| {2,}|\bnow\b|\b0s\b|\bada\b)")
_MEANS = {"...": ".*", "now": r"(?:now|\d+ seconds? ago)", "0s": r"\d+s", "ada": r"[\w.-]+"}
_HOME = "/home/ada"
_MARK = "\x1f"  # cannot be typed in a page, and no command of ours prints it
_MEMORY = "/dev/shm"  # an unlocked store's key is only kept on a file system in memory
SECONDS = 120


@dataclass(frozen=True)
class Step:
    """One command of a page, what must come of it, and where it stands."""

    line: int
    command: str
    output: str
    status: int


@dataclass(frozen=True)
class Seen:
    """What came of a step."""

    output: str
    status: int


def steps(page: str) -> list[Step]:
    """Return the commands of a page's console blocks in order."""
    found = []
    for block in _BLOCK.finditer(page):
        found += list(_in_block(block[1], page.count("\n", 0, block.start(1)) + 1))
    return found


def _in_block(block: str, line: int) -> Iterator[Step]:
    commands: list[tuple[int, list[str], list[str]]] = []
    for number, text in enumerate(block.splitlines(), line):
        if text.startswith("$ "):
            commands.append((number, [text[2:]], []))
        elif not commands:
            raise ValueError(f"line {number}: a console block begins with a command")
        elif text.startswith("> ") and not commands[-1][2]:
            commands[-1][1].append(text[2:])
        else:
            commands[-1][2].append(text)
    for number, typed, expected in commands:
        ended = _STATUS.fullmatch(expected[-1]) if expected else None
        shown = expected[:-1] if ended else expected
        yield Step(number, "\n".join(typed), "\n".join(shown), int(ended[1]) if ended else 0)


def play(page: list[Step], home: Path, more: Mapping[str, str] = {}) -> list[Seen]:
    """Type the commands into one bash, in a home of its own, and return what came of each.

    `more` is added to the environment.
    """
    typed = [f"eval {shlex.quote(step.command)}; printf '\\n{_MARK}%d{_MARK}' $?" for step in page]
    work = home / "project"
    work.mkdir(mode=0o700, parents=True, exist_ok=True)
    kept = ("PATH", "LANG", "TZ", "TERM", "TMPDIR", "LD_LIBRARY_PATH", "HTTPS_PROXY", "HTTP_PROXY")
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    with TemporaryDirectory(dir=_MEMORY if os.path.isdir(_MEMORY) else None) as runtime:
        done = subprocess.run(
            ["bash", "--norc", "-c", "exec 2>&1 </dev/null\n" + "\n".join(typed)],
            cwd=work,
            env={**environment, "HOME": str(home), "XDG_RUNTIME_DIR": runtime, **more},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            timeout=SECONDS,
            check=False,
        )
    answers = done.stdout.decode(errors="backslashreplace").split(_MARK)
    return [
        Seen(output.replace(str(home), _HOME).removesuffix("\n").removesuffix("\n"), int(status))
        for output, status in zip(answers[::2], answers[1::2], strict=False)
    ]


def difference(step: Step, seen: Seen) -> str:
    """Say how what came differs from what the page says; nothing when it does not."""
    if seen.status != step.status:
        return f"exit status {seen.status}, the page says {step.status}\n{seen.output}"
    if not _pattern(step.output).fullmatch(seen.output + "\n" if seen.output else ""):
        return f"came:\n{seen.output}\nthe page says:\n{step.output}"
    return ""


def _pattern(expected: str) -> re.Pattern[str]:
    lines = (
        "(?:.*\n)*" if line == "..." else "".join(map(_piece, _FREE.split(line))) + "\n"
        for line in expected.splitlines()
    )
    return re.compile("".join(lines))


def _piece(text: str) -> str:
    if text.startswith("  "):
        return " {2,}"
    return _MEANS.get(text) or re.escape(text)


def problems(page: str, home: Path, more: Mapping[str, str] = {}) -> list[str]:
    """Run a page and return what is not as it says, each with its line."""
    wanted = steps(page)
    found = play(wanted, home, more)
    said = [
        f"line {step.line}: $ {step.command}\n{difference(step, seen)}"
        for step, seen in zip(wanted, found, strict=False)
        if difference(step, seen)
    ]
    if len(found) < len(wanted):
        said.append(f"line {wanted[len(found)].line}: the session ended before this command")
    return said
