"""What every kind of bad handler comes to: as root, and as a user without any right."""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from openclaw_cli.agents.spec import CONCURRENCY
from openclaw_cli.runtime.plan import THREADS
from tests import others
from tests.faults.agents_table import SECRET
from tests.gateways import HANDLERS

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow


@pytest.fixture(
    scope="module",
    params=["as we are", "as nobody", "own uid, by root", "own uid, by nobody"],
)
def rows(request: pytest.FixtureRequest) -> Iterator[dict[str, Any]]:
    """Run the table, as root or as nobody, at the level that needs no more or at the highest."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    state = folder / "state"
    state.mkdir()
    level = ["uid"] if request.param.startswith("own uid") else []
    before: list[str] = []
    try:
        if request.param != "as we are":
            before = others.reachable(folder)
        if request.param.endswith("nobody"):
            os.chown(state, others.NOBODY, others.NOBODY)
            before += others.ids_set_aside(folder) if level else []
            before += others.AS_NOBODY
        found = _table([*before, sys.executable], state, *level)
        yield {**found, "level": level[0] if level else "landlock"}
    finally:
        shutil.rmtree(folder)


def _table(python: list[str], state: Path, *level: str) -> dict[str, Any]:
    done = subprocess.run(
        [*python, ROOT / "tests" / "faults" / "agents_table.py", HANDLERS, state, *level],
        capture_output=True,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(state)},
        timeout=120,
        check=False,
        cwd="/",
    )
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def outcome(rows: dict[str, Any], label: str) -> str:
    return str(rows[label]["outcome"])


def test_good_handlers_answer(rows: dict[str, Any]) -> None:
    assert rows["echo"]["output"] == {"a": [1, None, "ü"]}
    assert rows["async"]["output"] == 1
    assert rows["calls"]["output"] == 5
    assert len(rows["large"]["output"]) == 1_000_000


def test_nothing_is_left_for_the_next_request(rows: dict[str, Any]) -> None:
    first, second = rows["mark 1"]["output"], rows["mark 2"]["output"]
    assert first[:2] == second[:2] == [None, None]
    assert first[2] != second[2]


def test_memory_is_limited_in_a_process_and_in_a_family(rows: dict[str, Any]) -> None:
    assert rows["20 MiB"]["output"] == 20 * 1024 * 1024
    assert outcome(rows, "200 MiB") == "memory_limit"
    assert outcome(rows, "family") == "memory_limit"
    assert rows["family"]["seconds"] < 5


def test_the_kernel_limits_the_threads_of_a_user(rows: dict[str, Any]) -> None:
    softly, at_most = rows["limits"]["output"]
    if rows["level"] == "uid":
        assert softly == THREADS * CONCURRENCY  # of an agent's user, whose instances they all are
        return
    assert THREADS < softly < THREADS + 20_000
    assert softly < at_most or at_most == resource.RLIM_INFINITY


def test_time_is_limited_softly_and_then_hard(rows: dict[str, Any]) -> None:
    assert outcome(rows, "sleeps") == outcome(rows, "stubborn") == "timeout"
    assert "tidied up" in rows["left"]["printed"]["sleep"]
    assert 0.9 < rows["sleeps"]["seconds"] < 5
    assert 1.1 < rows["stubborn"]["seconds"] < 5


def test_each_end_is_told_apart(rows: dict[str, Any]) -> None:
    assert (outcome(rows, "segfault"), rows["segfault"]["error"]) == (
        "crashed",
        "it was ended by SIGSEGV",
    )
    assert outcome(rows, "status 3") == "died"
    assert outcome(rows, "raises") == "handler_error"
    assert rows["raises"]["error"].endswith("the reason")
    assert outcome(rows, "unwritable") == outcome(rows, "too large") == "handler_error"
    assert outcome(rows, "loop") == "handler_error"
    assert "CallFailed" in rows["loop"]["error"]


def test_what_is_printed_does_not_touch_the_answer(rows: dict[str, Any]) -> None:
    assert rows["chatter"]["output"] == "said"
    for text in ("by print", "by stderr", "by write", "by a child"):
        assert text in rows["left"]["printed"]["chatter"]


def test_what_runs_away_is_found(rows: dict[str, Any]) -> None:
    assert outcome(rows, "stray") == "ok"
    assert not rows["left"]["stray alive"]
    assert rows["left"]["strays"] >= 1
    assert outcome(rows, "bomb") in ("process_limit", "timeout", "handler_error", "ok")
    assert rows["left"]["processes"] == 0


def test_places_and_lines_are_free_again(rows: dict[str, Any]) -> None:
    assert (rows["left"]["taken"], rows["left"]["waiting"]) == (0, 0)
    assert rows["left"]["descriptors"] < 12


def test_an_instance_has_its_own_descriptors_alone(rows: dict[str, Any]) -> None:
    assert rows["open files"]["output"] == ["0", "1", "2", "3", "4"]  # 4 is the look itself


def test_the_environment_is_clean(rows: dict[str, Any]) -> None:
    assert "PLANTED" not in rows["environment"]["output"]
    assert "PYTHONPATH" not in rows["environment"]["output"]
    assert "LD_BIND_NOW" not in rows["environment"]["output"]
    assert rows["environment"]["output"]["OPENCLAW_AGENT"] == "environment"


def test_a_secret_reaches_who_was_granted_it_and_no_environment(rows: dict[str, Any]) -> None:
    assert rows["secret"]["output"] == [len(SECRET), ["first"], []]
    assert outcome(rows, "not granted") == "handler_error"
    assert "not second" in rows["not granted"]["error"]
    assert SECRET.decode() not in json.dumps(rows["environment"])


def test_what_is_printed_of_a_secret_is_masked_in_lines_and_in_errors(rows: dict[str, Any]) -> None:
    said = rows["tells"]["error"]
    assert re.fullmatch(r"ValueError at zoo\.py:\d+: it was \[first\]", said)
    assert "[first]" in rows["left"]["printed"]["tells"]
    assert SECRET.decode() not in json.dumps(rows["left"])
    assert SECRET.decode() not in json.dumps(rows["tells"])


def test_a_thread_keeps_its_instance_and_gets_a_new_one_after_a_crash(rows: dict[str, Any]) -> None:
    first, other, again = (rows[f"turn {turn}"]["output"] for turn in range(3))
    assert first[1] == again[1] != other[1]
    assert (first[0], again[0]) == (1, 2)
    assert outcome(rows, "turn crash") == "crashed"
    after = rows["turn after"]["output"]
    assert after[1] != first[1]
    assert after[2] == 2  # it finds what was said before
    assert rows["turn after"]["resumed"]


def test_a_program_is_an_agent(rows: dict[str, Any]) -> None:
    assert rows["cat"]["output"]["input"] == "hello"
    assert outcome(rows, "false") == "handler_error"
    assert outcome(rows, "no program") == "handler_error"
    said = rows["shell"]["output"]
    assert SECRET.decode() in said.partition("\n")[0]  # on its descriptor
    assert SECRET.decode() not in said.partition("\n")[2]  # and not in its environment


def test_no_instance_can_look_into_another_one_or_end_it(rows: dict[str, Any]) -> None:
    tried = rows["looks"]["output"]
    assert len(tried) == 22
    assert {
        name: each for name, each in tried.items() if each in ("open", "sent", "attached")
    } == {}
    assert rows["held on"]["outcome"] == "ok"
    assert rows["left"]["levels"] == [rows["level"]]


def test_each_agent_has_a_user_of_its_own_where_that_is_asked_for(rows: dict[str, Any]) -> None:
    users = rows["left"]["users"]
    if rows["level"] == "uid":
        assert rows["who"]["output"][0] == rows["who"]["output"][1] == users["who"]
        assert rows["who"]["output"][2] == []
        assert len(set(users.values())) == len(users)
        assert 0 not in users.values()
    else:
        assert set(users.values()) == {0}
