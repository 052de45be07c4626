"""Consumers are told one after another, so many in a run, each until it has heard."""

from __future__ import annotations

from itertools import pairwise

import pytest

from openclaw_cli.duration import DAY, HOUR, MINUTE
from openclaw_cli.errors import TemporaryError
from openclaw_cli.model import RETIRED, SecretValue
from openclaw_cli.rotation import agenda
from openclaw_cli.rotation.announcing import Pace
from openclaw_cli.rotation.view import Wish
from tests.unit.rotation.world import World, names

FIVE = [f"command:/bin/app-{number}" for number in range(5)]


class KilledError(BaseException):
    """The process is gone: nothing catches it."""


def test_a_consumer_that_cannot_be_told_is_told_later(world: World) -> None:
    world.keep("a", tell=["agent:reader", "agent:other"])
    world.now += 2 * DAY
    world.away = {"agent:reader"}
    assert [name for name, _ in world.due().failed] == ["a"]
    world.away = set()
    assert not world.due().failed  # not so soon again
    world.now += 5 * MINUTE
    assert not world.due().failed
    assert world.told == ["agent:other a 2", "agent:reader a 2"]
    assert world.policy("a").failures == 0


def test_who_hears_of_no_name_is_told_once_for_many_secrets(world: World) -> None:
    for name in ("a", "b", "c"):
        rotator = "acme" if name == "c" else "generate"
        world.keep(name, rotator, name.encode(), tell=["agent:reader", "command:/bin/true"])
    world.now += 2 * DAY
    before = world.generation()
    world.due()
    assert len([each for each in world.told if each.startswith("agent:reader ")]) == 1
    assert sorted(each for each in world.told if each.startswith("command:")) == [
        "command:/bin/true a 2",
        "command:/bin/true b 2",
        "command:/bin/true c 2",
    ]
    assert all(not world.policy(name).telling for name in ("a", "b", "c"))
    assert world.generation() == before + 7  # two generated, c's two arrows, four told


def test_there_is_a_pause_between_two_consumers_and_none_before_the_first(world: World) -> None:
    world.pace = Pace(pause=7)
    world.keep("a", tell=FIVE)
    world.runs().one("a", Wish(wanted=True))
    assert world.pauses == [0, 7, 7, 7, 7]


def test_a_run_tells_so_many_and_the_next_one_goes_on(world: World) -> None:
    world.pace = Pace(pause=0, most=2)
    world.keep("a", tell=FIVE)
    world.now += 2 * DAY
    reports = [world.due() for _ in range(4)]
    assert [each.untold for each in reports] == [3, 1, 0, 0]
    assert names(reports[0]) == ["a"]
    assert world.told == [f"{each} a 2" for each in FIVE]


def test_the_pace_holds_for_one_that_is_rotated_by_name(world: World) -> None:
    world.pace = Pace(pause=0, most=2)
    world.keep("a", tell=FIVE)
    world.runs().one("a", Wish(wanted=True))
    assert world.policy("a").telling == FIVE[2:]
    assert agenda.due(world.secrets.catalogue(), world.now) == ["a"]
    world.due()
    world.due()
    assert world.told == [f"{each} a 2" for each in FIVE]


def test_killed_between_two_consumers_the_next_run_tells_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.keep("a", tell=FIVE)
    world.now += 2 * DAY

    def killed(_seconds: float) -> None:
        if len(world.told) == 3:
            raise KilledError

    runs = world.runs()
    monkeypatch.setattr(runs.engine.announcer, "_sleep", killed)
    with pytest.raises(KilledError):
        runs.due()
    world.due()
    assert world.told == [f"{each} a 2" for each in FIVE]


def test_killed_while_one_is_told_that_one_hears_it_twice(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.keep("a", tell=FIVE)
    world.now += 2 * DAY
    runs = world.runs()

    def killed(whom: str, name: str, version: str) -> None:
        world.tell(whom, name, version)
        if len(world.told) == 3:
            raise KilledError

    monkeypatch.setattr(runs.engine.announcer, "_tell", killed)
    with pytest.raises(KilledError):
        runs.due()
    world.due()
    assert world.told == [f"{each} a 2" for each in (*FIVE[:3], *FIVE[2:])]


def test_no_time_left_is_a_reason_to_tell_the_others_later(world: World) -> None:
    world.pace = Pace(pause=10_000)
    world.keep("a", tell=FIVE)
    world.now += 2 * DAY
    assert world.due().untold == 4
    assert world.told == [f"{FIVE[0]} a 2"]


def test_nothing_is_revoked_before_the_consumers_were_told(world: World) -> None:
    world.pace = Pace(pause=0, most=3)
    world.keep("a", "acme", tell=FIVE, grace=0)
    world.now += 2 * DAY
    world.due()
    assert world.acme.count() == 2
    world.due()
    assert world.acme.count() == 1
    assert world.stages("a")[0] == RETIRED


def test_a_consumer_that_never_hears_holds_up_no_revocation_and_no_rotation(world: World) -> None:
    world.keep("a", "acme", tell=["agent:gone"], grace=HOUR)
    world.away = {"agent:gone"}
    world.now += 2 * DAY
    assert [name for name, _ in world.due().failed] == ["a"]
    assert world.acme.count() == 2
    world.now += 2 * HOUR
    world.due()
    assert world.acme.count() == 1
    assert world.policy("a").telling == ["agent:gone"]
    world.now += 2 * DAY
    assert "a" in names(world.due())
    assert world.policy("a").failed == 3


def test_a_consumer_that_never_hears_is_tried_less_and_less_often(world: World) -> None:
    world.keep("a", tell=["agent:gone"])
    world.away = {"agent:gone"}
    world.now += 2 * DAY
    tried = []
    for _ in range(60):
        tried += [world.now for _ in world.due().failed]
        world.now += 5 * MINUTE
    gaps = [round((late - early) / MINUTE) for early, late in pairwise(tried)]
    assert gaps == [5, 10, 20, 40, 80]


def test_a_leaked_value_is_revoked_before_anybody_is_told(world: World) -> None:
    world.keep("a", "acme", tell=["agent:gone"], grace=DAY)
    world.away = {"agent:gone"}
    result = world.runs().one("a", Wish(wanted=True, compromised=True))
    assert isinstance(result.uncertain, TemporaryError)
    assert result.uncertain.message.startswith("agent:gone was not told of the new value")
    assert list(world.acme.keys) == [world.value("a")]


def test_what_a_person_keeps_is_told_by_the_next_run(world: World) -> None:
    world.keep("a", "person", tell=["agent:reader"])
    world.changes.set("a", SecretValue(b"from a person"))
    assert world.due().by_person == []
    assert world.told == ["agent:reader a 2"]
    world.due()
    assert len(world.told) == 1


def test_a_rollback_is_told_to_those_who_are_told_of_rotations(world: World) -> None:
    world.keep("a", tell=["agent:reader", "command:/bin/true"])
    world.now += 2 * DAY
    world.due()
    assert world.told == ["agent:reader a 2", "command:/bin/true a 2"]
    assert world.changes.rollback("a") == (1, ["agent:reader", "command:/bin/true"])
    assert world.policy("a").telling == ["agent:reader", "command:/bin/true"]
    world.due()
    assert world.told[2:] == ["agent:reader a 1", "command:/bin/true a 1"]
    world.due()
    assert len(world.told) == 4  # once


def test_a_rollback_that_nobody_is_told_of_leaves_nothing_to_do(world: World) -> None:
    world.keep("a")
    world.now += 2 * DAY
    world.due()
    before = agenda.times(world.secrets.catalogue())
    assert world.changes.rollback("a") == (1, [])
    assert agenda.times(world.secrets.catalogue()) == before
