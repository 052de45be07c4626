"""What holds over Redis and over RabbitMQ alike: threads, cancelling, streams, and no value.

Each with two machines and a real broker.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Openclaw
from tests.integration.brokers import (
    Machine,
    Witness,
    machine,
    rabbit_server,
    redis_server,
    total,
)

pytestmark = [pytest.mark.integration, pytest.mark.slow]

CANARY = b"canary-7c1f0a52e9d84b36"


@pytest.fixture(scope="module", params=["redis", "rabbit"])
def broker(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    servers = {"redis": redis_server, "rabbit": rabbit_server}
    with servers[request.param](tmp_path_factory.mktemp("broker")) as address:
        yield address


def until(true: Callable[[], object], seconds: float = 30) -> None:
    over = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < over
        time.sleep(0.05)


def answers(front: Machine, name: str) -> None:
    """Wait until a machine takes requests."""
    until(lambda: front.ask(name, 0).get("outcome") == "ok", 60)


def test_a_thread_stays_with_its_machine_and_can_be_spawned_and_ended_from_any(
    openclaw: Openclaw, tmp_path: Path, broker: str
) -> None:
    with (
        machine(openclaw, tmp_path, broker, "one") as one,
        machine(openclaw, tmp_path, broker, "two") as two,
    ):
        both = (one, two)
        until(lambda: one.ask("echo", 1) and all(total(each, "requests") for each in both))

        def turns(thread: str) -> list[list[Any]]:
            asked = [(each, thread) for _ in range(3) for each in both]
            with ThreadPoolExecutor(6) as pool:
                found = pool.map(lambda it: it[0].ask("talk", "x", session=it[1])["output"], asked)
                return sorted(found)

        for thread in ("t-1", "t-2", "t-3"):
            said = turns(thread)
            assert [turn for turn, _, _ in said] == [1, 2, 3, 4, 5, 6]
            assert len({pid for _, pid, _ in said}) == 1

        spawn = ("agents", "spawn", "talk", "--thread=s-1", "--json")
        spawned = openclaw(*spawn, env=one.environ, check=0).json()
        assert two.ask("talk", "x", session="s-1")["output"][:2] == [1, spawned["pid"]]
        assert spawned["node"] in ("one", "two")

        for verb, front, other in (("close", one, two), ("stop", two, one)):
            assert front.ask("talk", "x", session="e-1")["output"][0] == 1
            openclaw("agents", verb, "--thread=e-1", env=other.environ, check=0)
        gone = openclaw("agents", "close", "--thread=e-1", env=one.environ, check=3)
        assert b"no session is bound" in gone.err

        where = one if one.events("session_bound", "talk") else two
        bound = next(each["thread"] for each in where.events("session_bound", "talk"))
        where.node.terminate()
        where.node.wait()
        known = total(where, "requests")
        where.start_node()
        until(lambda: one.ask("echo", 1) and total(where, "requests") > known, 60)
        before = one.ask("talk", "x", session=bound)["output"]
        assert before[0] > 1  # the machine lives: its node was away, not its threads
        stays = one if where is two else two
        where.kill()
        until(lambda: stays.ask("talk", "x", session=bound)["outcome"] == "ok", 60)
        assert stays.ask("talk", "x", session=bound)["output"][0] == 2


def test_what_nobody_waits_for_is_ended_where_it_runs_and_not_begun_where_it_waits(
    openclaw: Openclaw, tmp_path: Path, broker: str
) -> None:
    with (
        machine(openclaw, tmp_path, broker, "one") as one,
        machine(openclaw, tmp_path, broker, "two") as two,
    ):
        answers(one, "leave")
        one.node.terminate()  # so that all is answered by two
        one.node.wait()
        until(lambda: one.ask("echo", 1)["outcome"] == "ok")
        known = len(two.events("agent_exec", "leave"))

        began = time.monotonic()
        one.leave("leave", 20)
        until(lambda: len(two.events("agent_exec", "leave")) > known)
        assert time.monotonic() - began < 10
        ended = two.events("agent_exec", "leave")[-1]
        told = one.events("request_cancelled", "leave")
        assert (ended["outcome"], ended["request"]) == ("cancelled", told[0]["request"])
        until(
            lambda: (
                ended["request"].encode()
                in openclaw("secrets", "audit", "--json", env=two.environ, check=0).out
            )
        )

        two.node.terminate()  # nobody takes what comes now
        two.node.wait()
        one.leave("leave", 0.01)
        until(lambda: len(one.events("request_cancelled", "leave")) == 2)
        spawned = len(two.events("thread_spawn", "leave"))
        two.start_node()
        until(lambda: one.ask("echo", 1)["outcome"] == "ok", 60)
        assert len(two.events("thread_spawn", "leave")) == spawned

        one.leave("slow", 1.5)  # one that is to be finished is
        until(lambda: any(each["ms"] > 1400 for each in two.events("agent_exec", "slow")))
        assert [each["outcome"] for each in two.events("agent_exec", "slow")][-1] == "ok"

        known = len(two.events("agent_exec", "leave"))
        spawned = len(two.events("thread_spawn", "leave"))
        with ThreadPoolExecutor(1) as pool:
            lost = pool.submit(one.ask, "leave", 20)
            until(lambda: len(two.events("thread_spawn", "leave")) > spawned)
            openclaw("gateway", "stop", "--wait", "1s", env=one.environ, check=0)
            until(lambda: len(two.events("agent_exec", "leave")) > known, 10)
            assert two.events("agent_exec", "leave")[-1]["outcome"] == "cancelled"
            assert isinstance(lost.exception(), OSError)  # its gateway is gone


def test_a_stream_goes_on_when_its_machine_dies_or_says_that_it_begins_again(
    openclaw: Openclaw, tmp_path: Path, broker: str
) -> None:
    with (
        machine(openclaw, tmp_path, broker, "one") as one,
        machine(openclaw, tmp_path, broker, "two") as two,
    ):
        answers(one, "echo")
        one.node.terminate()
        one.node.wait()
        until(lambda: one.ask("echo", 1)["outcome"] == "ok")
        assert one.ask("hog", 200)["outcome"] == "memory_limit"
        told: dict[bool, list[tuple[str, Any]]] = {False: [], True: []}

        def read(varies: bool) -> None:
            for event in one.stream("recite", {"count": 30, "varies": varies}):
                told[varies].append(event)

        with ThreadPoolExecutor(6) as pool:
            reading = [pool.submit(read, each) for each in told]
            asked = [pool.submit(one.ask, "slow", 2.5) for _ in range(4)]
            until(lambda: all(told.values()))
            time.sleep(1)
            two.kill()
            one.start_node()
            for each in reading:
                each.result()
            assert [each.result()["outcome"] for each in asked] == ["ok"] * 4

        same, varied = told[False], told[True]
        assert {name for name, _ in same[:-1]} == {"chunk"}
        assert "".join(each["text"] for _, each in same[:-1]) == same[-1][1]["output"]
        begins = [number for number, (name, _) in enumerate(varied) if name == "again"]
        assert len(begins) == 1
        assert [name for name, _ in varied[: begins[0]]] == ["chunk"] * begins[0]
        rest = "".join(each["text"] for _, each in varied[begins[0] + 1 : -1])
        assert rest == varied[-1][1]["output"]


def test_a_request_that_has_ended_three_machines_is_given_up_and_a_cancelled_one_not_begun(
    tmp_path: Path, broker: str
) -> None:
    from openclaw_cli.engines.node import Node
    from openclaw_cli.engines.way import way_of
    from openclaw_cli.home import Home
    from openclaw_cli.runtime.request import new_id

    front, back = way_of(broker), way_of(broker)
    node = Node(Home(str(tmp_path)), back, "n")  # there is no gateway: each time it fails
    again, unwanted = new_id(), new_id()
    with front.hearing(again) as heard, front.hearing(unwanted) as nothing:
        given = {"agent": "x", "input": 1, "inbox": front.inbox}
        for number in range(4):
            node.take({**given, "request_id": again}, again=True, redelivered=number > 0)
        front.cancel(unwanted, 60)
        front.cancel(unwanted, 60)
        node.take({**given, "request_id": unwanted}, again=False, redelivered=False)
        told = [said for _ in range(7) if (said := heard(5))]
        assert [each["op"] for each in told] == ["begun", "answer"] * 3 + ["answer"]
        outcomes = [each["answer"]["outcome"] for each in told if each["op"] == "answer"]
        assert outcomes == ["unavailable"] * 3 + ["poison"]
        assert len({each["attempt"] for each in told}) == 4
        climbs = {**given, "agent": "../../control/stop", "request_id": again}
        node.take(climbs, again=False, redelivered=False)
        last = heard(5)
        assert last is not None
        assert last["answer"]["outcome"] == "usage"
        last = nothing(5)
        assert last is not None
        assert last["answer"]["outcome"] == "cancelled"
        assert not back.cancelled(again)
    front.close()
    back.close()


def test_no_value_goes_by_the_broker(openclaw: Openclaw, tmp_path: Path, broker: str) -> None:
    with (
        Witness(broker) as witness,
        machine(openclaw, tmp_path, witness.broker, "one", value=CANARY) as one,
    ):
        answers(one, "leave")
        one.leave("leave", 5)
        until(lambda: len(one.events("request_cancelled", "leave")) == 1)
        assert one.ask("talk", "marked-in", session="t-1")["outcome"] == "ok"
        openclaw("agents", "spawn", "talk", "--thread=t-2", env=one.environ, check=0)
        openclaw("agents", "close", "--thread=t-2", env=one.environ, check=0)
        said = [each for name, each in one.stream("parts", ["marked-", "part"]) if name == "chunk"]
        assert "".join(each["text"] for each in said) == "marked-part"
        read = openclaw("secrets", "audit", "--json", env=one.environ, check=0).out
        assert b"secret_reveal" in read
        assert witness.saw(b"marked-in")
        assert witness.saw(b"marked-part")
        assert not witness.saw(CANARY)
