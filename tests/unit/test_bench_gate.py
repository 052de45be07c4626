"""No command of the fast road grows dearer unnoticed: instructions are counted, not seconds."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench import counts


@pytest.mark.slow
@pytest.mark.integration
def test_no_fast_command_takes_more_instructions_than_its_ceiling(tmp_path: Path) -> None:
    assert counts.over(counts.ratios(tmp_path), counts.ceilings()) == []


@pytest.mark.slow
@pytest.mark.integration
def test_a_get_that_leaves_the_fast_road_is_noticed(tmp_path: Path) -> None:
    measured = counts.ratios(tmp_path, ["get"], OPENCLAW_NO_HOT="1")
    assert counts.over(measured, {"get": counts.ceilings()["get"]})


def test_one_part_in_a_thousand_above_a_ceiling_is_noticed() -> None:
    assert counts.over({"get": 1.7017}, {"get": 1.7})
    assert not counts.over({"get": 1.7}, {"get": 1.7})


def test_every_line_that_is_counted_has_a_ceiling() -> None:
    assert set(counts.ceilings()) == set(counts.lines())
