"""The tables of commands, the functions and their help say the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from openclaw_cli.cli import app, tree

# Commands whose help needs no example: they take nothing, or one name and nothing else.
PLAIN = {
    "secrets copy",
    "secrets delete",
    "secrets edit",
    "secrets history",
    "secrets restore",
    "secrets rollback",
    "secrets status",
    "store accept-rollback",
    "store backup",
    "store check",
    "store lock",
    "store rekey",
    "store restore",
    "store unlock",
    "config path",
    "config show",
    "doctor",
    "audit prune",
    "audit verify",
    "slots add",
    "slots remove",
}


def every(table: tree.Table, above: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield each command of the tables: its path, where it is, and its help in the table."""
    for name, (where, text) in table.items():
        path = f"{above} {name}".strip()
        if isinstance(where, dict):
            yield from every(where, path)
        else:
            yield path, where, text


COMMANDS = [
    each for each in every(tree.TOP) if "__" not in each[0]
]  # those are for our own scripts


def load(path: str, where: str, text: str) -> Any:  # noqa: ANN401 - Typer's own types are private
    return app.load(path.rpartition(" ")[2], where, text)


def inner(path: str, command: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401
    yield path, command
    for name, each in getattr(command, "commands", {}).items():
        if not each.hidden:
            yield f"{path.rpartition(' ')[2]} {name}", each


@pytest.mark.parametrize(("path", "where", "text"), COMMANDS, ids=[each[0] for each in COMMANDS])
def test_the_table_says_what_the_function_says(path: str, where: str, text: str) -> None:
    command = load(path, where, text)
    assert command.name == path.rpartition(" ")[2]
    assert (command.help or "").partition("\n")[0].strip() == text


@pytest.mark.parametrize(("path", "where", "text"), COMMANDS, ids=[each[0] for each in COMMANDS])
def test_help_ends_with_an_example_where_one_is_needed(path: str, where: str, text: str) -> None:
    for called, command in inner(path, load(path, where, text)):
        example = "openclaw" in (command.help or "").partition("\n")[2]
        assert example or called in PLAIN, f"{called}: an example, or a line in PLAIN"


def test_the_list_of_plain_commands_names_none_that_is_gone() -> None:
    there = {called for each in COMMANDS for called, _ in inner(each[0], load(*each))}
    assert not PLAIN - there


def test_a_first_line_is_a_sentence() -> None:
    for path, _, text in COMMANDS:
        assert text[0].isupper(), path
        assert text.endswith("."), path
