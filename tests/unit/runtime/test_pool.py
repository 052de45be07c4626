"""One agent at work: what its pool does when a zygote goes at the wrong moment."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from openclaw_cli.agents.spec import AgentSpec, Configuration, ThreadManagement
from openclaw_cli.runtime.host import Zygote
from openclaw_cli.runtime.pool import Pool
from openclaw_cli.runtime.request import Reply, Request
from openclaw_cli.runtime.supervisor import Supervisor
from openclaw_cli.runtime.wire import TOGETHER
from tests.faults.agents_table import Watch, asked, granted
from tests.gateways import HANDLERS


def answered(state: Path, kills: int, monkeypatch: pytest.MonkeyPatch) -> Reply:
    """Ask an agent whose first zygotes are killed after their start, before who waits hears."""
    started = Pool._new_zygote  # noqa: SLF001
    left = [None] * kills

    async def killed(pool: Pool) -> Zygote:
        zygote = await started(pool)
        if left:
            left.pop()
            os.kill(zygote.pid, signal.SIGKILL)
            await zygote.gone
        return zygote

    monkeypatch.setattr(Pool, "_new_zygote", killed)

    async def main() -> Reply:
        supervisor = Supervisor(
            Configuration({"echo": AgentSpec("echo", handler="zoo:echo", preload=False)}),
            folder=str(HANDLERS),
            confine=lambda _spec, _models: {},
            environ={"HOME": str(state)},
            watcher=Watch(),
            granted=granted,
            asked=asked,
        )
        try:
            return await supervisor.ask(Request("echo", 5))
        finally:
            await supervisor.close()

    return asyncio.run(main())


def test_a_zygote_that_dies_before_it_is_used_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reply = answered(tmp_path, 2, monkeypatch)
    assert (reply.outcome, reply.output) == ("ok", 5)


def test_an_agent_whose_zygotes_all_die_rests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reply = answered(tmp_path, 100, monkeypatch)
    assert reply.outcome == "unavailable"
    assert "crashed too often and rests" in reply.error


def test_more_at_once_than_one_message_asks_for_each_have_their_own_answer(tmp_path: Path) -> None:
    many = 3 * TOGETHER

    async def main() -> list[Reply]:
        supervisor = Supervisor(
            Configuration(
                {"echo": AgentSpec("echo", handler="zoo:echo", max_concurrency=many)},
                threads=ThreadManagement(max_threads=many),
            ),
            folder=str(HANDLERS),
            confine=lambda _spec, _models: {},
            environ={"HOME": str(tmp_path)},
            watcher=Watch(),
            granted=granted,
            asked=asked,
        )
        try:
            return await asyncio.gather(
                *[supervisor.ask(Request("echo", number)) for number in range(many)]
            )
        finally:
            await supervisor.close()

    replies = asyncio.run(main())
    assert [each.output for each in replies] == list(range(many))
    assert len({each.pid for each in replies}) == many
