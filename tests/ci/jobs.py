"""What a CI job is given in these tests, and whether its log shows any of it."""

from __future__ import annotations

import base64
import json
import os
import re
import shlex
import subprocess
import sys
import urllib.parse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.conftest import Openclaw

ROOT = Path(__file__).parents[2]
CI = ROOT / "ci"
LEAKY = Path(__file__).parent / "leaky.py"

PEM = "".join(f"{base64.b64encode(bytes(range(n, n + 48))).decode()}\n" for n in (1, 60, 120, 180))
SECRETS = {
    "deploy-token": "p@ss w\"ord's $HOME `id` %41+/=\\n&<é> end",
    "openai-api-key": "sk-proj-4bQ7_Zt9xW2mLk8vNc5dRy1hJs6gPf3aTe0uXi",
    "signing-key": f"-----BEGIN PRIVATE KEY-----\n{PEM}-----END PRIVATE KEY-----\n",
    "account": json.dumps({"type": "service", "key": "Zx81-Spectrum-48k", "id": 7}, indent=2),
}
VARIABLES = {name: name.upper().replace("-", "_") for name in SECRETS}

WINDOW = 10
"""Bytes: so much of a value in a row is a piece of it, and not chance."""


@dataclass(frozen=True)
class Bundle:
    """A bundle that was made for the job, and its key."""

    path: Path
    key: str


def bundle(openclaw: Openclaw, folder: Path) -> Bundle:
    """Keep the secrets and seal them, as a machine with a store does it."""
    for name, value in SECRETS.items():
        openclaw("secrets", "set", name, "--verbatim", input=value.encode(), check=0)
    made = openclaw(
        "secrets", "export", "--sealed", "--for-ci", *SECRETS, "--output", f"{folder}/ci.bundle",
        check=0,
    )  # fmt: skip
    return Bundle(folder / "ci.bundle", made.out.decode())


def windows(text: bytes) -> Iterator[bytes]:
    """Yield every piece of a text."""
    return (text[at : at + WINDOW] for at in range(len(text) - WINDOW + 1))


def pieces(value: str) -> Iterator[bytes]:
    """Yield what must not be in a log: pieces of each line that tells something, and of encodings.

    A PEM's first line is everybody's, and one of seven letters (`"id": 7`) is not searched for.
    """
    lines = [each.strip() for each in value.splitlines()]
    for line in lines:
        if len(line) >= WINDOW and not line.startswith("-----"):
            yield from windows(line.encode())
            yield from windows(urllib.parse.quote(line, safe="").encode())
            yield from windows(shlex.quote(line).encode())
    data = value.encode()
    yield from windows(base64.b64encode(data).rstrip(b"="))
    yield from windows(data.hex().encode())
    yield from windows(data.hex().upper().encode())


def shown(log: bytes, secrets: Mapping[str, str] = SECRETS) -> list[str]:
    """Return which secrets a log shows, each with the first piece that it shows."""
    found = []
    for name, value in secrets.items():
        seen = next((each for each in pieces(value) if each in log), None)
        if seen is not None:
            at = log.index(seen)
            found.append(f"{name}: {seen!r} in {log[max(0, at - 60) : at + 60]!r}")
    return found


def leaky(names: Mapping[str, str] = VARIABLES) -> list[str]:
    """Return the line of a program that prints these variables in every way."""
    return [sys.executable, str(LEAKY), *names.values()]


@dataclass
class Runner:
    """A runner of GitHub Actions, as far as a step sees it: its files, its commands, its log.

    Of what hides values only what a step says counts; the runner's own encodings of it do not.
    """

    folder: Path
    log: bytes = b""
    masks: list[bytes] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    paths: list[str] = field(default_factory=list)

    def step(self, line: list[str], **given: str) -> int:
        """Run a step; return its status."""
        files = {
            f"GITHUB_{name}": self.folder / f"file-{name}" for name in ("ENV", "OUTPUT", "PATH")
        }
        for path in files.values():
            path.write_bytes(b"")
        environ = {
            "PATH": os.pathsep.join([*self.paths, os.environ["PATH"]]),
            "HOME": str(self.folder / "home"),
            "RUNNER_TEMP": str(self.folder),
            "GITHUB_ACTIONS": "true",
            "CI": "true",
            **{name: str(path) for name, path in files.items()},
        }
        done = subprocess.run(
            line,
            env={**environ, **self.variables, **given},
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=120,
            check=False,
        )
        for printed in done.stdout.splitlines():
            self._take(printed)
        self.variables |= dict(_entries(files["GITHUB_ENV"].read_text()))
        self.outputs |= dict(_entries(files["GITHUB_OUTPUT"].read_text()))
        self.paths = [*files["GITHUB_PATH"].read_text().splitlines(), *self.paths]
        return done.returncode

    def _take(self, printed: bytes) -> None:
        command, sign, data = printed.lstrip().partition(b"::add-mask::")
        if sign and not command:
            for code, means in ((b"%0D", b"\r"), (b"%0A", b"\n"), (b"%25", b"%")):
                data = data.replace(code, means)
            self.masks.append(data)
        else:
            self.log += self._hidden(printed) + b"\n"

    def _hidden(self, printed: bytes) -> bytes:
        covered = bytearray(len(printed))
        for mask in self.masks:
            at = printed.find(mask)
            while at >= 0:
                covered[at : at + len(mask)] = b"\1" * len(mask)
                at = printed.find(mask, at + 1)
        pairs = zip(printed, covered, strict=True)
        shown = b"".join(b"\0" if hidden else bytes((byte,)) for byte, hidden in pairs)
        return re.sub(b"\0+", b"***", shown)


def _entries(text: str) -> Iterator[tuple[str, str]]:
    lines = iter(text.splitlines())
    for line in lines:
        name, sign, rest = re.split("(=|<<)", line, maxsplit=1)
        yield name, rest if sign == "=" else "\n".join(iter(lines.__next__, rest))
