"""Homes to measure in: stores with so many secrets, made by the program's own commands."""

from __future__ import annotations

import base64
import json
import os
import random
import subprocess
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from tests.bench.measure import Command, environment

OPENCLAW = os.path.join(sysconfig.get_path("scripts"), "openclaw")


@dataclass(frozen=True)
class Home:
    """A state directory with secrets in it; they are called as `name` says."""

    path: Path
    values: dict[str, bytes]

    @property
    def env(self) -> dict[str, str]:
        """The environment that selects it."""
        return environment(OPENCLAW_STATE_DIR=str(self.path))

    def command(
        self,
        *arguments: str,
        given: bytes = b"",
        answer: bytes | None = None,
        started: bool = False,
    ) -> Command:
        """Return an `openclaw` command in this home."""
        return Command([OPENCLAW, *arguments], self.env, given, answer, started)

    def run(self, *arguments: str, given: bytes = b"") -> bytes:
        """Run a command and return its answer."""
        done = subprocess.run(
            [OPENCLAW, *arguments], input=given, env=self.env, capture_output=True, check=True
        )
        return done.stdout

    def get(self, number: int) -> Command:
        """Return the reading of one secret, which must answer its exact bytes."""
        return self.command("secrets", "get", name(number), answer=self.values[name(number)])


def name(number: int) -> str:
    """Return the name of a secret."""
    return f"team/key-{number:05}"


def values(count: int) -> dict[str, bytes]:
    """Return values as a provider's keys look, the same each time."""
    chance = random.Random(count)
    return {
        name(number): b"sk-proj-" + base64.urlsafe_b64encode(chance.randbytes(36))
        for number in range(count)
    }


def make(path: Path, count: int, *, settings: bool = True) -> Home:
    """Make a home with that many secrets and, with `settings`, a settings file compiled already."""
    path.mkdir(mode=0o700)
    home = Home(path, values(count))
    plain = {each: value.decode() for each, value in home.values.items()}
    home.run("secrets", "import", "--format", "json", "-", given=json.dumps(plain).encode())
    if settings:
        home.run("config", "set", "store.versions", "5")
        home.run("config", "show")
        assert (path / "compiled").exists()
    return home
