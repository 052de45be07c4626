"""Every command in poor surroundings: it works, or says the one thing that is missing."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from tests.conftest import NIGHTLY, SCRIPTS
from tests.faults import tap, world
from tests.faults.test_leaks import REQUEST, TEMPLATE

pytestmark = [pytest.mark.slow, pytest.mark.integration]

ENTRY = f"{SCRIPTS}/openclaw"

LINES = (
    ("secrets create new", world.NEW),
    ("secrets set kept", world.NEW),
    ("secrets get kept", b""),
    ("secrets list", b""),
    ("secrets status kept", b""),
    ("secrets history kept", b""),
    ("secrets rollback kept", b""),
    ("secrets delete kept", b""),
    ("secrets restore gone", b""),
    ("secrets run --env KEY=kept -- /bin/true", b""),
    ("secrets inject", TEMPLATE),
    ("secrets import - --format dotenv", b"NEW=value"),
    ("secrets export kept", b""),
    ("secrets copy kept copied", b""),
    ("secrets resolve", REQUEST),
    ("secrets audit", b""),
    ("secrets audit verify", b""),
    ("secrets audit export", b""),
    ("store check", b""),
    ("store rekey", b""),
    ("store slots", b""),
    ("store lock", b""),
    ("status", b""),
    ("config show", b""),
    ("config path", b""),
    ("config set store.versions 5", b""),
    ("completion bash", b""),
    ("--version", b""),
    ("--help", b""),
)


@dataclass(frozen=True)
class Surroundings:
    """What a command finds: words in front of it, and its whole environment."""

    name: str
    before: tuple[str, ...] = ()
    environ: Mapping[str, str] = field(default_factory=dict)


def everything_but(*names: str, **more: str) -> dict[str, str]:
    """Return a usual environment without some of it, and with more."""
    kept = {"PATH": os.defpath, "HOME": "/nonexistent", "LANG": "C.UTF-8"}
    return {name: value for name, value in (kept | more).items() if name not in names}


SURROUNDINGS = (
    Surroundings("an empty environment"),
    Surroundings("no home", environ=everything_but("HOME")),
    Surroundings("no language", environ=everything_but("LANG", PYTHONUTF8="0")),
    Surroundings("ASCII alone", environ=everything_but("LANG", LC_ALL="C", PYTHONUTF8="0")),
    Surroundings("no terminal", ("setsid", "--wait"), everything_but()),
    Surroundings("1970", ("faketime", "-f", "@1970-01-02 00:00:00"), everything_but()),
    Surroundings("next week", ("faketime", "-f", "+7d"), everything_but()),
    Surroundings("a dumb terminal of one column", environ=everything_but(TERM="dumb", COLUMNS="1")),
)

STEP = 1 if NIGHTLY else 4
"""Every command everywhere in the nightly run; otherwise each in two of the surroundings."""


@pytest.mark.parametrize("around", SURROUNDINGS, ids=lambda around: around.name)
def test_each_command_works_there(around: Surroundings, place: str) -> None:
    template, root = f"{place}/template", f"{place}/state"
    world.prepare(template, "some")
    wrong = []
    for line, given in LINES[SURROUNDINGS.index(around) % STEP :: STEP]:
        world.copied(template, root)
        done = subprocess.run(
            [*around.before, ENTRY, *line.split()],
            input=given,
            capture_output=True,
            env={**around.environ, "OPENCLAW_STATE_DIR": root},
            cwd=place,
            timeout=60,
            check=False,
        )
        if done.returncode:
            wrong.append(f"{line}: {done.returncode} {done.stderr.decode()}")
    assert wrong == []


def test_without_any_home_the_one_thing_that_is_missing_is_said(place: str) -> None:
    world.need_root()

    def nobody() -> None:
        os.environ.pop("HOME")
        os.environ.pop("OPENCLAW_STATE_DIR")
        os.setresgid(60_000, 60_000, 60_000)
        os.setresuid(60_000, 60_000, 60_000)  # no entry in the password database

    for line in ("secrets get kept", "secrets list", "status"):
        tap.run(line.split(), f"{place}/state")  # imports: nobody may not read our Python
        done = tap.run(line.split(), f"{place}/state", inside=nobody)
        assert done.status == 78, done
        assert b"OPENCLAW_STATE_DIR" in done.err


@pytest.mark.parametrize("line", ["secrets get kept", "secrets set kept", "secrets list", "status"])
def test_in_the_directory_of_somebody_else_it_is_denied(line: str, place: str) -> None:
    world.need_root()
    root = f"{place}/state"
    world.prepare(root, "some")
    os.chmod(place, 0o755)  # noqa: S103

    def somebody_else() -> None:
        os.setresgid(65534, 65534, 65534)
        os.setresuid(65534, 65534, 65534)

    tap.run(line.split(), root, given=world.NEW)  # imports: nobody may not read our Python
    done = tap.run(line.split(), root, given=world.NEW, inside=somebody_else)
    assert done.status == 6, done
    assert not world.leaked(done.out, done.err)


def test_a_working_directory_that_is_gone_does_not_matter(place: str) -> None:
    root, gone = f"{place}/state", f"{place}/gone"
    world.prepare(root, "some")
    os.mkdir(gone)
    line = f"cd {gone} && rmdir {gone} && exec {ENTRY} secrets get kept"
    done = subprocess.run(
        ["/bin/sh", "-c", line],
        env={**os.environ, "OPENCLAW_STATE_DIR": root},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert world.leaked(done.stdout)
