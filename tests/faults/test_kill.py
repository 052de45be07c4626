"""SIGKILL at every call that changes something: nothing lost, nothing torn, no repair needed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from openclaw_cli.audit.anchor import Anchor, Known
from openclaw_cli.audit.trail import REVEAL, Trail
from openclaw_cli.cli import recording
from openclaw_cli.errors import OpenclawError
from openclaw_cli.files import Directory, write_all
from openclaw_cli.store.header import Header
from tests.conftest import NIGHTLY
from tests.faults import cases, tap, world

pytestmark = pytest.mark.slow

STEP = 1 if NIGHTLY else 5
"""Every position in the nightly run; every fifth otherwise, from another start for each case."""


def kill_everywhere(
    case: cases.Case,
    template: str,
    place: str,
    *,
    start: int = 0,
    step: int = 1,
    inside: Callable[[], None] | None = None,
) -> int:
    """Kill the command at each position, and look at what is left; return how many there were."""

    def within() -> None:
        for each in (case.inside, inside):
            if each:
                each()

    root = world.copied(template, f"{place}/state")
    before, files = world.state(root), world.files(root)
    line, environ = case.filled(template), case.environ(template)
    whole = tap.run(line, root, given=case.given, inside=within, env=environ)
    assert whole.status == 0, whole
    after = world.state(root)
    calls = [call for call in whole.calls if call.kind in tap.CHANGING]
    points = 0
    step = min(step, max(1, len(calls) // 8))  # of few calls, most
    for at in range(start % step, len(calls), step):
        for what in ("kill", "torn") if tap.can_tear(calls[at]) else ("kill",):
            world.copied(template, root)
            fault = tap.Fault(what, at, tap.CHANGING)
            ended = tap.run(line, root, given=case.given, fault=fault, inside=within, env=environ)
            if not ended.fired and (what == "torn" or calls[at].kind == "close"):
                continue  # nothing to halve; or a folder was closed later, by the collector
            points += 1
            where = f"{case}: {fault}, {calls[at]}"
            _look(where, ended, root, case)
            if case.told and world.files(root) != files:
                assert case.told in [each["kind"] for each in world.records(root)], where
            if case.resumes:
                again = tap.run(line, root, given=case.given, inside=within, env=environ)
                assert again.status == 0, (where, again)
            _settled(where, ended, root, before if not case.resumes else after, after)
    return points


def _look(where: str, ended: tap.Outcome, root: str, case: cases.Case) -> None:
    assert ended.fired, where
    assert ended.status == -9, (where, ended)
    left = world.strays(root)
    assert all(each.endswith(world.LEFT) for each in left), (where, left)
    assert not world.leaked(ended.err, *world.contents(root, but=case.shows)), where


def _settled(
    where: str, ended: tap.Outcome, root: str, before: world.State, after: world.State
) -> None:
    try:
        if world.leaked(ended.out):
            assert any(each["kind"] == REVEAL for each in world.records(root)), where
        now = world.state(root)
        assert now == after or world.unchanged(before, now), where
        assert b"kept" not in ended.err or now == after, where
        world.check_usable(root)
    except (OpenclawError, OSError, ValueError) as broken:
        raise AssertionError(f"{where}: {broken!r}") from broken


@pytest.mark.parametrize("case", cases.CASES, ids=str)
def test_a_kill_at_any_call_leaves_the_old_state_or_the_new_one(
    case: cases.Case, template: Callable[[str], str], place: str
) -> None:
    start = cases.CASES.index(case) % STEP
    assert kill_everywhere(case, template(case.before), place, start=start, step=STEP) > 1


def in_place() -> None:
    """Write files where they are read, without a second one and a rename."""

    def write(self: Directory, name: str, chunks: Iterable[bytes]) -> None:
        whole = [*chunks]  # some of it is read from the file that is there
        fd = os.open(name[:-4], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600, dir_fd=self.fd)
        for chunk in whole:
            write_all(fd, chunk)
        os.close(fd)

    Directory.write_aside = write  # type: ignore[method-assign]
    Directory.rename = lambda *_names: None  # type: ignore[method-assign]


def ahead_of_the_store() -> None:
    """Note the new state in the anchor before the store has it."""
    real = Anchor.before_change

    def early(self: Anchor, key: bytes, header: Header, tag: bytes) -> None:
        real(self, key, header, tag)
        known = Known(header.store, header.generation + 1, tag, header.floor_seq, header.floor_mac)
        self.write(known, key)

    Anchor.before_change = early  # type: ignore[method-assign]


def test_an_anchor_that_is_ahead_of_the_store_is_found(
    template: Callable[[str], str], place: str
) -> None:
    case = next(each for each in cases.CASES if each.before == "anchored")
    with pytest.raises(AssertionError, match="set"):
        kill_everywhere(case, template(case.before), place, inside=ahead_of_the_store)


def afterwards() -> None:
    """Record a change beside the store when it is made, and announce nothing."""

    @contextmanager
    def late(trail: Trail, event: Mapping[str, Any]) -> Iterator[None]:
        yield
        trail.append([{**event, "outcome": "ok"}])

    vars(recording)["announced"] = late


def test_a_setting_that_is_changed_before_it_is_recorded_is_found(
    template: Callable[[str], str], place: str
) -> None:
    case = next(each for each in cases.CASES if each.told == "config_set")
    with pytest.raises(AssertionError, match="config set"):
        kill_everywhere(case, template(case.before), place, inside=afterwards)


def test_without_the_rename_the_campaign_finds_a_torn_store(
    template: Callable[[str], str], place: str
) -> None:
    case = cases.CASES[2]
    with pytest.raises(AssertionError, match="set"):
        kill_everywhere(case, template(case.before), place, inside=in_place)
