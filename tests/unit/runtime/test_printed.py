"""What is printed is heard: later from one that lives on, at once when it has ended."""

from __future__ import annotations

import asyncio
import fcntl
import os

from openclaw_cli.runtime.printed import SOON, Printed, Prints

MUCH = 1024 * 1024


def test_what_has_ended_is_read_without_being_listened_to() -> None:
    async def main() -> list[bytes]:
        said: list[bytes] = []
        prints, (read, write) = Prints(), os.pipe()
        prints.add(1, Printed(read, said.append))
        os.write(write, b"a line")
        os.close(write)
        prints.finish(1)
        prints.finish(1)  # once
        return said

    assert asyncio.run(main()) == [b"a line", b""]


def test_what_lives_on_is_listened_to_soon() -> None:
    async def main() -> list[bytes]:
        said: list[bytes] = []
        prints, (read, write) = Prints(), os.pipe()
        prints.add(1, Printed(read, said.append))
        os.write(write, b"first")
        await asyncio.sleep(3 * SOON)
        os.write(write, b"second")
        await asyncio.sleep(SOON)
        os.close(write)
        prints.finish(1)
        await asyncio.sleep(SOON)
        return said

    assert asyncio.run(main()) == [b"first", b"second", b""]


def test_who_else_holds_the_other_end_is_listened_to_after_the_end() -> None:
    async def main() -> list[bytes]:
        said: list[bytes] = []
        prints, (read, write) = Prints(), os.pipe()
        prints.add(1, Printed(read, said.append))
        prints.finish(1)
        os.write(write, b"of a child")
        os.close(write)
        await asyncio.sleep(SOON)
        return said

    assert asyncio.run(main()) == [b"of a child", b""]


def test_much_that_is_left_holds_nobody_up() -> None:
    async def main() -> tuple[int, int]:
        said: list[int] = []
        prints, (read, write) = Prints(), os.pipe()
        fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, MUCH)
        prints.add(1, Printed(read, lambda piece: said.append(len(piece))))
        os.write(write, bytes(MUCH))
        prints.finish(1)
        at_once = sum(said)
        os.close(write)
        async with asyncio.timeout(5):
            while said[-1]:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        return at_once, sum(said)

    at_once, in_all = asyncio.run(main())
    assert at_once < MUCH / 4
    assert in_all == MUCH
