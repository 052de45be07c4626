"""Every command where nobody is watching: it works, or says which one thing is missing.

The commands are those of `test_leaks.USES`, which must name every command of the tree.
"""

from __future__ import annotations

import os
import pkgutil
import resource
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from types import ModuleType

import pytest

import openclaw_cli
from openclaw_cli import errors
from openclaw_cli.cli import tree
from tests.conftest import NIGHTLY, SCRIPTS
from tests.faults import cases, prepared, tap, world
from tests.faults.test_leaks import USES, Use, leaves

pytestmark = [pytest.mark.slow, pytest.mark.integration]

ENTRY = f"{SCRIPTS}/openclaw"

SECONDS = 20
"""More than enough: each takes some tenths of a second, and a busy machine is not a defect."""

PROCESSOR = 1.0
"""Seconds of processor time that a command may take, its programs included."""

STEP = 1 if NIGHTLY else 4
"""Every command everywhere in the nightly run; otherwise each in one of four surroundings."""

NO_TERMINAL = 2
FINDINGS = errors.FindingsError.status
RUN = 125

Template = Callable[[str], str]


@dataclass(frozen=True)
class Surroundings:
    """What a command finds: words in front of it, and its whole environment.

    `may`: how it may end beside its usual status, with a word about the reason.
    """

    name: str
    before: tuple[str, ...] = ()
    environ: Mapping[str, str] = field(default_factory=dict)
    may: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Seen:
    """How a command ended there."""

    line: str
    status: int
    out: bytes
    err: bytes


def everything_but(*names: str, **more: str) -> dict[str, str]:
    """Return a usual environment without some of it, and with more."""
    kept = {"PATH": os.defpath, "HOME": "/nonexistent", "LANG": "C.UTF-8"}
    return {name: value for name, value in (kept | more).items() if name not in names}


# In a mount namespace of its own: what is mounted there goes with the command.
ALL_READ_ONLY = (
    "for point in $(cut -d' ' -f2 /proc/self/mounts); do"
    ' mount -o remount,bind,ro "$point" 2>/dev/null; done; exec "$@"'
)
ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}

SURROUNDINGS = (
    Surroundings("an empty environment"),
    Surroundings("no home", environ=everything_but("HOME")),
    Surroundings("no language", environ=everything_but("LANG", PYTHONUTF8="0")),
    Surroundings("ASCII alone", environ=everything_but("LANG", **ASCII)),
    Surroundings("no terminal", ("setsid", "--wait"), everything_but()),
    Surroundings("1970", ("faketime", "-f", "@1970-01-01 00:00:00"), everything_but()),
    Surroundings(
        "before 1970",
        ("faketime", "-f", "@1969-01-01 00:00:00"),
        everything_but(),
        frozenset(
            (FINDINGS, errors.TemporaryError.status)
        ),  # no rotation by a clock that went back
    ),
    Surroundings(
        "next week",
        ("faketime", "-f", "+7d"),
        everything_but(),
        frozenset((FINDINGS,)),  # a rotation is due by then
    ),
    Surroundings("a dumb terminal of one column", environ=everything_but(TERM="dumb", COLUMNS="1")),
    Surroundings("no bus", environ=everything_but(DBUS_SESSION_BUS_ADDRESS="unix:path=/nowhere")),
    Surroundings(
        "a read-only file system",
        ("unshare", "--mount", "sh", "-c", ALL_READ_ONLY, "sh"),
        everything_but(),
        frozenset((errors.UnrecordedError.status, errors.StorageError.status, RUN)),
    ),
)


def processor() -> float:
    """Return the processor time of all the programs that were started here and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def usual(use: Use) -> int:
    """Return the status of a use where there is no terminal."""
    return NO_TERMINAL if use.terminal else use.status


def filled(use: Use, root: str, place: str, made: str) -> list[str]:
    """Return the words of a use, its files named."""
    with open(f"{place}/file", "wb") as file:
        file.write(cases.NEW)
    files = {"FILE": f"{place}/file", "OUT": f"{root}.out", "BACKUP": f"{made}.backup"}
    with suppress(FileNotFoundError):
        os.unlink(files["OUT"])
    return [files.get(word, word) for word in use.line.split()]


def unplain(seen: Seen) -> Iterator[str]:
    """Say what is not as it is told to a person: one error, in our words, without a value."""
    if b"Traceback" in seen.err or b"this is a bug" in seen.err:
        yield "a bug"
    if world.leaked(seen.err):
        yield "a value"
    told = [each for each in seen.err.splitlines() if each.startswith((b"openclaw: ", b'{"error"'))]
    failures = [each for each in told if not each.startswith(b"openclaw: warning: ")]
    if seen.status != FINDINGS and len(failures) != (seen.status != 0):
        yield "not one error"


def wrong(seen: Seen, allowed: set[int] | frozenset[int]) -> list[str]:
    """Return what is wrong with the end of a command, for a person to read."""
    found = list(unplain(seen)) + ["another status"] * (seen.status not in allowed)
    return [f"{seen.line}: {seen.status}, {'; '.join(found)}: {seen.err.decode()}"] if found else []


@pytest.mark.parametrize("around", SURROUNDINGS, ids=lambda around: around.name)
def test_each_command_works_there_or_says_why_not(
    around: Surroundings, place: str, template: Template
) -> None:
    if "unshare" in around.before:
        world.need_root()
    root = f"{place}/state"
    found = []
    for use in USES[SURROUNDINGS.index(around) % STEP :: STEP]:
        world.copied(template(use.before), root)
        before = processor()
        done = subprocess.run(
            [*around.before, ENTRY, *filled(use, root, place, template(use.before))],
            input=use.given,
            capture_output=True,
            env={**around.environ, "OPENCLAW_STATE_DIR": root},
            cwd=place,
            timeout=SECONDS,
            check=False,
        )
        seen = Seen(use.line, done.returncode, done.stdout, done.stderr)
        found += wrong(seen, around.may | {usual(use)})
        found += [f"{use.line}: too long"] if processor() - before > PROCESSOR else []
    assert not found, found[0]


def test_a_complaint_that_is_not_plain_would_be_found() -> None:
    for err in (b"", b"Traceback\nopenclaw: no", b"openclaw: no\nopenclaw: no\n", world.CANARY):
        assert wrong(Seen("secrets get kept", 3, b"", err), {3})
    assert wrong(Seen("secrets get kept", 3, b"", b"openclaw: no\n"), {0})
    assert not wrong(Seen("secrets get kept", 3, b"", b"openclaw: no\n  hint: yes\n"), {3})


@cache
def everything() -> tuple[ModuleType, ...]:
    """Import the whole program: somebody else may not be allowed to read our Python."""
    assert b"x".decode("utf-8-sig")  # a codec is a module, too
    parts = pkgutil.walk_packages(openclaw_cli.__path__, "openclaw_cli.")
    return tuple(import_module(each.name) for each in parts)


def somebody_else(number: int, *without: str, **environ: str) -> Callable[[], None]:
    """Return what makes a child a process of another user; it is called there."""

    def become() -> None:
        for name in without:
            os.environ.pop(name, None)
        os.environ.update(environ)
        os.chdir("/")
        os.setgroups([])
        os.setresgid(number, number, number)
        os.setresuid(number, number, number)

    return become


def seen_by(become: Callable[[], None], line: list[str], root: str, given: bytes = b"") -> Seen:
    """Return how a command ends for another user."""
    world.need_root()
    assert everything()
    done = tap.run(line, root, given=given, inside=become)
    return Seen(" ".join(line), done.status, done.out, done.err)


NOBODY = somebody_else(60_000, "HOME", "OPENCLAW_STATE_DIR")
"""A user whom the password database does not know, as in many containers."""


@pytest.mark.parametrize("path", sorted(leaves(tree.TOP)))
def test_without_any_home_the_one_thing_that_is_missing_is_said(path: str, place: str) -> None:
    seen = seen_by(NOBODY, path.split(), f"{place}/state")
    config = errors.ConfigError.status
    others = {0, NO_TERMINAL, FINDINGS, errors.NotFoundError.status, RUN}
    assert wrong(seen, others | {config}) == []
    if seen.status == config:
        assert b"OPENCLAW_STATE_DIR" in seen.err


def test_without_any_home_no_use_of_a_command_does_more(place: str, template: Template) -> None:
    root, found, told = f"{place}/state", [], 0
    for use in USES:
        line = filled(use, root, place, template(use.before))
        seen = seen_by(NOBODY, line, root, use.given)
        found += wrong(seen, {usual(use), errors.ConfigError.status, errors.DeniedError.status})
        told += b"OPENCLAW_STATE_DIR" in seen.err
    assert not found, found[0]
    assert told > len(USES) / 2


def test_in_the_directory_of_somebody_else_each_command_is_denied(
    place: str, template: Template
) -> None:
    root, found, denied = f"{place}/state", [], 0
    os.chmod(place, 0o755)  # noqa: S103
    for use in USES:
        world.copied(template(use.before), root)
        line = filled(use, root, place, template(use.before))
        seen = seen_by(somebody_else(65534), line, root, use.given)
        found += wrong(seen, {usual(use), errors.DeniedError.status, RUN})
        denied += seen.status == errors.DeniedError.status and root.encode() in seen.err
        assert not world.leaked(seen.out)
    assert not found, found[0]
    assert denied > len(USES) / 2


def test_with_a_home_that_cannot_be_written_nothing_is_made_and_it_is_said(
    place: str, template: Template
) -> None:
    home, found, denied = f"{place}/home", [], 0
    os.mkdir(home)
    for path in (place, home):
        os.chmod(path, 0o555)  # noqa: S103
    become = somebody_else(65534, "OPENCLAW_STATE_DIR", HOME=home)
    absent, denial = errors.NotFoundError.status, errors.DeniedError.status
    for use in USES:
        line = filled(use, f"{home}/.openclaw", place, template(use.before))
        seen = seen_by(become, line, home, use.given)
        found += wrong(seen, {usual(use), absent, denial, FINDINGS, RUN})
        denied += seen.status == denial and b"cannot create" in seen.err
    assert not found, found[0]
    assert denied > 3
    assert os.listdir(home) == []


def test_a_working_directory_that_is_gone_does_not_matter(place: str) -> None:
    root, gone = f"{place}/state", f"{place}/gone"
    prepared.prepare(root, "some")
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
