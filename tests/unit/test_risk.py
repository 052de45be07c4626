"""The exposure risk is the documented sum, and the step is against its largest part."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_cli import duration, risk
from openclaw_cli.risk import Known

DAY = duration.DAY
GOOD = Known("key", age=0, longest=90 * DAY, readers=1, scanned=DAY, scope="model.request")
BAD = Known("key", age=365 * DAY, longest=90 * DAY, readers=8, copies=True, scope="*")


def test_the_ends_of_the_scale() -> None:
    assert risk.of(GOOD) == risk.Risk(
        {"age": 0, "copies": 0, "readers": 0, "scan": 0, "scope": 0}, ""
    )
    assert risk.of(BAD).score == 100


def test_the_examples_of_the_page() -> None:
    weekly = GOOD._replace(age=2 * DAY, longest=7 * DAY)
    assert risk.of(weekly).score == 11
    assert risk.of(Known("key", age=0, longest=90 * DAY)).score == 15


@pytest.mark.parametrize(
    ("known", "part", "points", "command"),
    [
        (GOOD._replace(age=45 * DAY), "age", 20, "openclaw secrets rotate key"),
        (GOOD._replace(copies=True), "copies", 30, "openclaw secrets scan"),
        (GOOD._replace(readers=3), "readers", 6, "openclaw secrets expect key --reader"),
        (GOOD._replace(readers=50), "readers", 15, "openclaw secrets expect key --reader"),
        (GOOD._replace(scanned=None), "scan", 10, "openclaw secrets scan"),
        (GOOD._replace(scanned=31 * DAY), "scan", 10, "openclaw secrets scan"),
        (GOOD._replace(scope=""), "scope", 5, "openclaw secrets expect key --scope"),
        (GOOD._replace(scope="Admin"), "scope", 5, "openclaw secrets expect key --scope"),
    ],
)
def test_each_part(known: Known, part: str, points: int, command: str) -> None:
    found = risk.of(known)
    assert found.parts[part] == found.score == found.lowers == points
    assert found.command.startswith(command)


@given(
    st.floats(0, 1e10),
    st.floats(0, 1e9),
    st.integers(0, 1000),
    st.booleans(),
    st.one_of(st.none(), st.floats(0, 1e10)),
    st.text(max_size=10),
)
def test_it_is_never_outside_of_its_scale(
    age: float, longest: float, readers: int, copies: bool, scanned: float | None, scope: str
) -> None:
    found = risk.of(Known("x", age, longest, readers, copies=copies, scanned=scanned, scope=scope))
    assert 0 <= found.score <= 100
    assert found.lowers == max(found.parts.values())
    assert bool(found.command) == (found.score > 0)
    older = risk.of(Known("x", age * 2, longest, readers, copies=copies, scanned=scanned))
    assert older.parts["age"] >= found.parts["age"]


def test_in_words_there_is_a_step_only_where_there_is_anything_to_lower() -> None:
    assert risk.told(0, 0, "") == "0 of 100"
    assert risk.told(15, 10, "openclaw secrets scan") == (
        "15 of 100; 10 less by openclaw secrets scan"
    )
