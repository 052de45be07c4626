"""The command tree as data: what the pages and the completion scripts are made of."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

from openclaw_cli import providers
from openclaw_cli.cli import app, helping
from openclaw_cli.cli.argv import GENERATORS
from openclaw_cli.cli.completion import SHELLS
from openclaw_cli.formats import FORMATS
from openclaw_cli.options import SETTINGS
from openclaw_cli.store.keys.slots import KINDS

NONE, SECRET, WANTED, PAIR, FILE, PROGRAM = "none", "secret", "wanted", "pair", "file", "program"
OPTIONAL = "optional "
"""What an option's value or an argument is, for completion; anything else is a list of words.

`WANTED` is a name that may be new, `PAIR` is VAR=NAME; `OPTIONAL` in front of a list says that the
value stands after an equals sign or not at all.
"""

COMMON = frozenset({"--json", "--quiet", "--no-input", "--yes", "--help"})
_LEFT_OUT = {"--install-completion", "--show-completion", "--help"}

_BY_METAVAR = {
    "NAME": SECRET,
    "PATTERN": SECRET,
    "VAR=NAME": PAIR,
    "FILE": FILE,
    "FILE|-": FILE,
    "DIRECTORY": FILE,
    "PROGRAM": PROGRAM,
    "SHELL": " ".join(SHELLS),
    "KEY": " ".join(each.name for each in SETTINGS),
}
_BY_NAME = {
    "--provider": " ".join(providers.PROVIDERS.ours),
    "--generate": OPTIONAL + " ".join(sorted(GENERATORS)),
    "--format": " ".join(FORMATS),
    "--key": " ".join(KINDS),
    "--drop": " ".join(KINDS),
    "kind": " ".join(KINDS),
    "which": " ".join(KINDS),
}
_BY_COMMAND = {
    ("secrets create", "name"): WANTED,
    ("secrets set", "name"): WANTED,
    ("secrets restore", "name"): NONE,  # a deleted one: its name is not given away
    ("secrets list", "--filter"): NONE,
}


@dataclass(frozen=True, slots=True)
class Option:
    """`value` is what stands for its value, empty for a flag."""

    names: tuple[str, ...]
    value: str
    text: str
    kind: str
    repeated: bool


@dataclass(frozen=True, slots=True)
class Argument:
    """What is given by its position."""

    shown: str
    text: str
    kind: str
    many: bool


@dataclass(frozen=True, slots=True)
class Command:
    """A command or a group; `path` has its words without the program's name."""

    path: tuple[str, ...]
    summary: str
    text: str
    arguments: tuple[Argument, ...]
    options: tuple[Option, ...]
    commands: tuple[Command, ...]

    @property
    def name(self) -> str:
        """Its words."""
        return " ".join(self.path)

    @property
    def full(self) -> str:
        """Its words as they are typed."""
        return " ".join(("openclaw", *self.path))

    @property
    def usage(self) -> str:
        """One line that says what it takes."""
        words = [self.full, "[OPTIONS]", *(each.shown for each in self.arguments)]
        return " ".join([*words, "COMMAND ..."] if self.commands else words)

    @property
    def own(self) -> tuple[Option, ...]:
        """The options that not every command has."""
        return tuple(each for each in self.options if each.names[0] not in COMMON)

    def walk(self) -> list[Command]:
        """Return it and all below it."""
        return [self, *(below for each in self.commands for below in each.walk())]

    def paragraphs(self) -> list[tuple[bool, str]]:
        """Return its help after the first line; True for what is typed or shown as it stands."""
        return helping.paragraphs(self.text)[1:]


_HELP = Option(("--help",), "", "Show this message and exit.", "", repeated=False)


def whole() -> Command:
    """Return the whole tree; raises what importing any command raises."""
    return _command(app.root(), (), "")


def _command(found: Any, path: tuple[str, ...], summary: str) -> Command:  # noqa: ANN401
    text = inspect.cleandoc(found.help or summary)
    name = " ".join(path)
    parameters = [each for each in found.params if not getattr(each, "hidden", False)]
    arguments = [each for each in parameters if each.param_type_name == "argument"]
    options = [each for each in parameters if each.param_type_name != "argument"]
    return Command(
        path,
        summary or text.splitlines()[0],
        text,
        tuple(_argument(name, each) for each in arguments),
        (*(_option(name, each) for each in options if each.opts[0] not in _LEFT_OUT), _HELP),
        tuple(_below(found, path)),
    )


def _below(found: Any, path: tuple[str, ...]) -> list[Command]:  # noqa: ANN401
    if hasattr(found, "table"):
        return [
            _command(app.load(name, *line), (*path, name), line[1])
            for name, line in found.table.items()
            if not name.startswith("__")
        ]
    return [
        _command(each, (*path, name), inspect.cleandoc(each.help or "").partition("\n")[0])
        for name, each in getattr(found, "commands", {}).items()
        if not each.hidden
    ]


def _argument(command: str, found: Any) -> Argument:  # noqa: ANN401
    shown = found.metavar or found.name.upper()
    bare = shown.strip("[]").removeprefix("-- ").removesuffix(" ...").removesuffix("...")
    many = found.nargs != 1
    return Argument(shown, found.help or "", _kind(command, found.name, bare), many)


def _option(command: str, found: Any) -> Option:  # noqa: ANN401
    value = "" if found.is_flag else found.metavar or found.type.name.upper()
    if value == "BOOLEAN":
        value = ""
    kind = _kind(command, found.opts[0], value.strip("[]")) if value else ""
    choices = getattr(found.type, "choices", None)
    if choices:
        kind = " ".join(choices)
    return Option(tuple(found.opts), value, found.help or "", kind, found.multiple)


def _kind(command: str, name: str, metavar: str) -> str:
    by_command = _BY_COMMAND.get((command, name))
    return by_command or _BY_NAME.get(name) or _BY_METAVAR.get(metavar) or NONE
