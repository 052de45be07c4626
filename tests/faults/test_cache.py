"""The sealed copies: damaged, swapped, or not to be written, they are copies that are not there."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

import pytest

from openclaw_cli.cache import Cache, Copy
from openclaw_cli.names import parse
from tests.conftest import NIGHTLY
from tests.faults import prepared, tap, world

pytestmark = pytest.mark.slow

ONE, OTHER = parse("vault://one"), parse("vault://other")
LINE = ("secrets", "get", "exec://key")
ANSWER = world.CANARY + b"-far"


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    made = Cache(str(tmp_path / "cache"), b"k" * 32, b"s" * 16)
    for reference, value in ((ONE, b"value of one"), (OTHER, b"value of the other")):
        made.put(reference, Copy(value, "1", time.time(), 0))
    return made


def files(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "cache").iterdir())


def believed(cache: Cache) -> list[bytes | None]:
    """Return the values of the copies that are believed."""
    found = [cache.get(each) for each in (ONE, OTHER)]
    return [each.value for each in found if each is not None]


def test_no_flipped_bit_and_no_cut_copy_is_believed(cache: Cache, tmp_path: Path) -> None:
    whole = believed(cache)
    assert len(whole) == 2
    for path in files(tmp_path):
        data = path.read_bytes()
        for at in range(len(data)):
            path.write_bytes(data[:at] + bytes((data[at] ^ 1 << at % 8,)) + data[at + 1 :])
            assert len(believed(cache)) == 1
            path.write_bytes(data[:at])
            assert len(believed(cache)) == 1
        path.write_bytes(data)
    assert believed(cache) == whole


def swap(tmp_path: Path) -> None:
    one, other = files(tmp_path)
    data = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(data)


def test_a_copy_under_another_name_is_none(cache: Cache, tmp_path: Path) -> None:
    swap(tmp_path)
    assert believed(cache) == []


def test_a_copy_that_is_not_bound_to_its_name_would_be_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setattr(Cache, "_bound", lambda *_: b"")
    loose = request.getfixturevalue("cache")
    swap(tmp_path)
    assert believed(loose) == [b"value of the other", b"value of one"]


@pytest.fixture
def root(place: str) -> str:
    """Give a state directory whose exec backend prints a value."""
    made = f"{place}/template"
    prepared.prepare(made, "some")
    program = Path(place, "program")
    program.write_bytes(b"#!/bin/sh\nprintf %%s '%s'\n" % ANSWER)
    program.chmod(0o700)
    settings = f'[backends.exec]\ncommand = "{program}"\nformat = "raw"\n'
    Path(made, "settings.toml").write_text(settings, encoding="ascii")
    return made


def cached(outcome: tap.Outcome) -> list[int]:
    """Return the numbers of the calls that concern the cache, among those that change something."""
    calls = [call for call in outcome.calls if call.kind in tap.CHANGING]
    return [at for at, call in enumerate(calls) if call.path.startswith("secrets/cache")]


def whole(root: str, place: str) -> tuple[str, list[int]]:
    """Return a fresh state directory, and which calls of reading there are the cache's."""
    state = world.copied(root, f"{place}/state")
    done = tap.run(LINE, state)
    assert (done.status, done.out) == (0, ANSWER)
    found = cached(done)
    assert len(found) > 5
    return state, found


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EROFS, errno.EMFILE])
def test_an_error_of_the_cache_is_no_reason_to_fail(root: str, place: str, code: int) -> None:
    state, calls = whole(root, place)
    for at in calls[:: 1 if NIGHTLY else 2]:
        world.copied(root, state)
        done = tap.run(LINE, state, fault=tap.Fault("error", at, tap.CHANGING, code))
        assert done.fired
        assert (done.status, done.out) == (0, ANSWER), (at, done)


def test_a_kill_while_a_copy_is_written_leaves_one_or_none(root: str, place: str) -> None:
    state, calls = whole(root, place)
    for at in calls:
        for what in ("kill", "torn"):
            world.copied(root, state)
            tap.run(LINE, state, fault=tap.Fault(what, at, tap.CHANGING))
            done = tap.run(LINE, state)
            assert (done.status, done.out) == (0, ANSWER)
            assert not world.leaked(*world.contents(state))


def test_a_full_disk_does_not_keep_the_copy_of_what_was_changed(
    cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_arguments: object, **_named: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("os.write", full)
    cache.changed(ONE)
    assert believed(cache) == [b"value of the other"]
