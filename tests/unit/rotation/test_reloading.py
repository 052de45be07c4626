"""The OpenClaw gateway is told of new values until it has taken them up."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from openclaw_cli import health
from openclaw_cli.duration import DAY, MINUTE
from openclaw_cli.errors import TemporaryError
from openclaw_cli.home import find
from openclaw_cli.interop.gateway import Gateway as Served
from openclaw_cli.interop.gateway import remember
from openclaw_cli.rotation import agenda
from openclaw_cli.rotation.reloading import GATEWAY, owed
from openclaw_cli.rotation.view import Wish
from tests.conftest import Result
from tests.unit.rotation.world import World


class KilledError(BaseException):
    """The process is gone: nothing catches it."""


class Gateway:
    """A gateway that is away, or not."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.refusal: BaseException | None = TemporaryError("the gateway was not reached")

    def __call__(self, names: list[str]) -> None:
        self.asked.append(names)
        if self.refusal:
            raise self.refusal


@pytest.fixture
def gateway(world: World) -> Gateway:
    found = Gateway()
    world.reload = found
    return found


def test_a_gateway_that_was_away_is_told_by_the_next_run(world: World, gateway: Gateway) -> None:
    world.keep("a")
    world.now += 2 * DAY
    assert [name for name, _ in world.due().failed] == [GATEWAY]
    assert owed(world.secrets.catalogue()).names == ["a"]
    gateway.refusal = None
    world.now += 5 * MINUTE
    assert not world.due().failed
    assert gateway.asked == [["a"], ["a"]]
    assert not owed(world.secrets.catalogue()).names
    assert agenda.GATEWAY not in agenda.times(world.secrets.catalogue())


def test_one_rotated_by_name_tells_the_gateway_of_all_that_it_missed(
    world: World, gateway: Gateway
) -> None:
    world.keep("a")
    world.keep("b", value=b"other")
    assert world.runs().one("a", Wish(wanted=True)).uncertain
    gateway.refusal = None
    assert not world.runs().one("b", Wish(wanted=True)).uncertain
    assert gateway.asked == [["a"], ["a", "b"]]
    world.due()
    assert len(gateway.asked) == 2


def test_it_is_asked_less_and_less_often(world: World, gateway: Gateway) -> None:
    world.keep("a")
    world.now += 2 * DAY
    world.due()
    world.changes.delete("a")  # nothing new from here on, whatever the time of the day
    times = [world.now]
    for _ in range(60):
        world.now += 5 * MINUTE
        before = len(gateway.asked)
        world.due()
        times += [world.now] * (len(gateway.asked) - before)
    gaps = [round((late - early) / MINUTE) for early, late in pairwise(times)]
    assert gaps == [5, 10, 20, 40, 80]


def test_killed_before_it_was_told_the_next_run_tells_it(world: World, gateway: Gateway) -> None:
    world.keep("a")
    gateway.refusal = KilledError()
    with pytest.raises(KilledError):
        world.runs().one("a", Wish(wanted=True))
    gateway.refusal = None
    world.due()
    assert gateway.asked == [["a"], ["a"]]
    world.due()
    assert len(gateway.asked) == 2


def test_it_is_among_what_needs_a_hand_until_it_is_done(world: World, gateway: Gateway) -> None:
    world.keep("a")
    world.now += 2 * DAY
    world.due()

    def found() -> list[str]:
        directory = world.secrets.catalogue()
        return [each.why for each in health.of_rotation(directory, world.now)]

    assert found() == ["the OpenClaw gateway has not taken up a: the gateway was not reached"]
    gateway.refusal = None
    world.now += 5 * MINUTE
    world.due()
    assert found() == []


def test_a_gateway_that_is_not_served_any_more_is_forgotten(world: World, gateway: Gateway) -> None:
    world.keep("a")
    assert world.runs().one("a", Wish(wanted=True)).uncertain
    assert gateway.asked
    world.reload = None
    assert not world.due().failed
    assert agenda.GATEWAY not in agenda.times(world.secrets.catalogue())


def test_without_a_gateway_nothing_is_noted(world: World) -> None:
    world.keep("a")
    world.now += 2 * DAY
    before = world.generation()
    world.due()
    assert world.generation() == before + 1
    assert not owed(world.secrets.catalogue()).names


def test_what_a_person_sees_of_a_gateway_that_is_away(
    main: Callable[..., Result], tmp_path: Path
) -> None:
    program, away = tmp_path / "openclaw-gateway", tmp_path / "away"
    program.write_text(f"#!/bin/sh\n[ ! -e {away} ] && echo '{{}}'\n")
    program.chmod(0o700)
    away.touch()
    for name in ("k", "other"):
        main("secrets", "create", name, "--generate", check=0)
    config = str(tmp_path / "openclaw.json")
    remember(find(os.environ), Served((str(program),), (2026, 11, 1), str(tmp_path), config))
    done = main("secrets", "rotate", "k", check=75)
    assert b"rotated k: version 2 is its new value" in done.err
    assert b"the gateway was not reached" in done.err
    assert re.search(rb"OpenClaw gateway .* tried again in \d", main("secrets", "status", "k").out)
    findings = main("status", "--check", "--json", check=10).json()["findings"]
    assert "gateway-reload" in {each["what"] for each in findings}
    assert b"has not taken up k" in main("doctor").out
    away.unlink()
    main("secrets", "rotate", "other", check=0)
    assert b"OpenClaw gateway" not in main("secrets", "status", "k", check=0).out
    assert b"has not taken up" not in main("doctor").out


def test_a_rollback_is_taken_up_by_the_next_run(world: World, gateway: Gateway) -> None:
    gateway.refusal = None
    world.keep("a")
    world.now += 2 * DAY
    world.due()
    assert world.changes.rollback("a", serves=True) == (1, [GATEWAY])
    world.due()
    assert gateway.asked == [["a"], ["a"]]


def test_rollback_says_who_is_told_by_the_next_run(
    main: Callable[..., Result], tmp_path: Path
) -> None:
    main("secrets", "create", "k", "--generate", check=0)
    main("secrets", "rotate", "k", "--tell", "signal:HUP:/run/app.pid", "--schedule", "daily")
    main("secrets", "set", "k", input=b"third", check=0)
    remember(find(os.environ), Served(("/bin/true",), (2026, 9, 6), str(tmp_path), "c.json"))
    done = main("secrets", "rollback", "k", "--json", check=0)
    assert done.json()["untold"] == ["signal:HUP:/run/app.pid", GATEWAY]
    done = main("secrets", "rollback", "k", check=0)
    said = "told by the next rotate --due: signal:HUP:/run/app.pid, the OpenClaw gateway"
    assert said in done.err.decode()
