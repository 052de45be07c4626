"""The help of every command is whole, and what is in it can be copied."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from scripts import tree
from tests.conftest import Result

Main = Callable[..., Result]

GROUPS = [each.path for each in tree.whole().walk() if each.commands]
EXAMPLES = [
    (each.path, line)
    for each in tree.whole().walk()
    for example, text in each.paragraphs()
    if example
    for line in text.splitlines()
]


@pytest.mark.parametrize("path", GROUPS, ids=" ".join)
def test_a_group_says_the_whole_of_each_of_its_commands(path: tuple[str, ...], main: Main) -> None:
    shown = main(*path, "--help", check=0).out.decode()
    assert "..." not in shown.partition("Commands:")[2]
    assert "{" not in shown.splitlines()[0]


@pytest.mark.parametrize("columns", ["40", "80"])
def test_an_example_is_never_broken(
    columns: str, main: Main, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    long = [each for each in EXAMPLES if len(each[1]) > int(columns) - 4]
    assert long
    for path, line in long[:: max(1, len(long) // 8)]:
        assert f"    {line}\n" in main(*path, "--help", check=0).out.decode()


def test_no_type_of_pythons_is_in_a_help() -> None:
    values = [option.value for each in tree.whole().walk() for option in each.own]
    assert values
    assert not [each for each in values if each.startswith("<")]
