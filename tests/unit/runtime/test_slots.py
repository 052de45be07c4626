"""Who may run: never more than fit, in turn, and nobody waits for ever."""

from __future__ import annotations

import asyncio

import pytest

from openclaw_cli.runtime.request import Refused
from openclaw_cli.runtime.slots import Room, Slots


async def take(slots: Slots, agent: str, *rooms: Room, line: int = 10, seconds: float = 5) -> None:
    await slots.take(agent, rooms, line=line, seconds=seconds)


def test_who_does_not_fit_waits_and_then_comes_in_turn() -> None:
    async def main() -> list[int]:
        slots, room, order = Slots(), Room(1), []
        await take(slots, "a", room)

        async def one(number: int) -> None:
            await take(slots, "a", room)
            order.append(number)
            slots.leave([room])

        waiting = [asyncio.create_task(one(number)) for number in range(5)]
        await asyncio.sleep(0)
        assert slots.waiting("a") == 5
        slots.leave([room])
        await asyncio.gather(*waiting)
        assert room.taken == 0
        return order

    assert asyncio.run(main()) == [0, 1, 2, 3, 4]


def test_a_full_line_is_refused_at_once_with_when_to_come_again() -> None:
    async def main() -> None:
        slots, room = Slots(), Room(1)
        await take(slots, "a", room)
        with pytest.raises(Refused) as refused:
            await take(slots, "a", room, line=0)
        assert (refused.value.outcome, refused.value.retry) == ("busy", 1)

    asyncio.run(main())


def test_who_waits_too_long_leaves_the_line() -> None:
    async def main() -> None:
        slots, room = Slots(), Room(1)
        await take(slots, "a", room)
        with pytest.raises(Refused):
            await take(slots, "a", room, seconds=0.01)
        assert slots.waiting("a") == 0
        slots.leave([room])
        assert room.taken == 0

    asyncio.run(main())


def test_a_full_pool_does_not_hold_back_an_agent_outside_it() -> None:
    async def main() -> None:
        slots, everywhere, pool = Slots(), Room(10), Room(1)
        one, other, outside = Room(5), Room(5), Room(5)
        await take(slots, "one", one, everywhere, pool)
        waiting = asyncio.create_task(take(slots, "other", other, everywhere, pool))
        await asyncio.sleep(0)
        await take(slots, "outside", outside, everywhere)
        assert not waiting.done()
        slots.leave([one, everywhere, pool])
        await waiting
        assert (everywhere.taken, pool.taken, other.taken) == (2, 1, 1)

    asyncio.run(main())


def test_who_goes_away_while_waiting_takes_no_place() -> None:
    async def main() -> None:
        slots, room = Slots(), Room(1)
        await take(slots, "a", room)
        waiting = asyncio.create_task(take(slots, "a", room))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        slots.leave([room])
        assert room.taken == 0

    asyncio.run(main())


def test_who_goes_away_at_the_moment_it_is_admitted_gives_the_place_back() -> None:
    async def main() -> None:
        slots, room = Slots(), Room(1)
        await take(slots, "a", room)
        waiting = asyncio.create_task(take(slots, "a", room))
        await asyncio.sleep(0)
        slots.leave([room])  # it is admitted, and has not run yet
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert room.taken == 0

    asyncio.run(main())
