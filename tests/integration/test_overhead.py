"""What we cost beside a backend's own library, by processor time: promises, with room for noise.

The figures themselves are in `tests/bench/elsewhere.py`.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.bench import elsewhere
from tests.bench.report import Table
from tests.bench.sections import Bench

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Table:
    (table,) = elsewhere.section(Bench(tmp_path_factory.mktemp("bench"), quick=True))
    return table


@pytest.mark.parametrize(
    ("words", "most"),
    [
        ("`get` of Vault in one process", 1.3),
        ("`get` of AWS Secrets Manager", 1.2),
        ("`get` of a sealed copy", 1.25),
        ("`run` with 100 secrets of Vault", 4.0),
    ],
)
def test_a_promise_is_kept(measured: Table, words: str, most: float) -> None:
    (row,) = [each for each in measured.rows if each[0].startswith(words)]
    cpu = float(row[4].removesuffix("x"))
    assert cpu <= most, row


def test_the_comparison_sees_what_costs_more() -> None:
    def slow() -> str:
        sum(range(200_000))
        return elsewhere.VALUE

    quick: Callable[[], str] = lambda: elsewhere.VALUE  # noqa: E731
    found = elsewhere.in_turn(slow, quick, 20)
    assert found.cpu > 10
