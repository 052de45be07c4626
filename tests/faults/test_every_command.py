"""No command is added that changes something and is never interrupted."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from openclaw_cli.cli import tree
from tests.faults import cases, tap, world
from tests.faults.test_leaks import USES, Use, leaves
from tests.faults.test_surroundings import filled

pytestmark = pytest.mark.slow

COMMANDS = tuple(leaves(tree.TOP))


def command_of(words: str) -> str:
    """Return the command that a line calls: `store slots add`, not `store slots`."""
    return max((each for each in COMMANDS if f"{words} ".startswith(f"{each} ")), key=len)


INTERRUPTED = {command_of(" ".join(case.line)) for case in cases.CASES} | set(cases.ELSEWHERE)
LOOKING = [use for use in USES if command_of(use.line) not in INTERRUPTED]


def kept(root: str) -> dict[str, bytes]:
    """Return what a state directory has besides the trail, and besides copies of what it has."""
    passed = (f"{root}/audit/", f"{root}/compiled", f"{root}/secrets/cache.oc")
    files = [f"{folder}/{name}" for folder, _, names in os.walk(root) for name in names]
    return {each: Path(each).read_bytes() for each in files if not each.startswith(passed)}


@pytest.mark.parametrize("use", LOOKING, ids=lambda use: use.line)
def test_a_command_that_is_never_interrupted_changes_nothing(
    use: Use, template: Callable[[str], str], place: str
) -> None:
    made = template(use.before)
    root = world.copied(made, f"{place}/state")
    before = kept(root)
    tap.run(filled(use, root, place, made), root, given=use.given)
    assert kept(root) == before


def test_every_command_is_interrupted_or_looked_at() -> None:
    seen = INTERRUPTED | {command_of(use.line) for use in LOOKING}
    assert sorted(set(COMMANDS) - seen) == []


def test_what_is_interrupted_elsewhere_is_a_command_and_its_tests_are_there() -> None:
    assert set(cases.ELSEWHERE) <= set(COMMANDS)
    assert [path for path in cases.ELSEWHERE.values() if not Path(path).is_file()] == []


def test_control_a_command_that_writes_is_found(template: Callable[[str], str], place: str) -> None:
    with pytest.raises(AssertionError):
        test_a_command_that_is_never_interrupted_changes_nothing(
            Use("config set store.versions 5"), template, place
        )
