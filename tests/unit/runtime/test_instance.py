"""A request is answered, whatever has become of the instance that it is given to."""

from __future__ import annotations

import asyncio
from _socket import socketpair
from typing import cast

from openclaw_cli.runtime.host import Ended, Zygote
from openclaw_cli.runtime.instance import Answer, Instance


class _Gone:
    """A zygote that hears nothing any more."""

    def end_instance(self, number: int, signal_number: int, why: str = "") -> None:
        """Do nothing."""


def test_one_that_ended_before_it_was_asked_answers_at_once() -> None:
    async def main() -> Answer:
        ours, theirs = socketpair()
        ours.setblocking(False)
        instance = Instance(cast("Zygote", _Gone()), 1, ours, raw=False)
        instance.exited(Ended(0, "lost"))
        theirs.close()
        request = {"request_id": "1", "seconds": 30.0, "input": 1}
        async with asyncio.timeout(5):
            return await instance.turn(request, 0.2, lambda _said: None)

    answer = asyncio.run(main())
    assert answer.outcome == "lost"
