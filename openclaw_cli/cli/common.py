"""What every command takes: its common options, `--help`, and `--name` in place of a position."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import typer
from typer.core import TyperOption

from openclaw_cli.cli import helping

_COMMON = (
    ("--json", "as_json", "Answer in JSON, errors too."),
    ("--quiet", "quiet", "Say nothing that is not the answer, a warning or an error."),
    ("--no-input", "no_input", "Never ask; fail and say what is missing."),
    ("--yes", "yes", "Answer yes to every question."),
)


def options(command: Any) -> Iterator[TyperOption]:
    """Yield the options that a command has beside its own; None for a group."""
    for option, field, text in _COMMON:
        yield TyperOption(
            param_decls=[option],
            is_flag=True,
            expose_value=False,
            callback=_noted(field),
            help=text,
        )
    if _takes_name(command):
        yield TyperOption(
            param_decls=["--name"],
            metavar="NAME",
            expose_value=False,
            help="The name, where it is not given by its position.",
        )


def _help(ctx: Any, _parameter: Any, asked: bool) -> None:
    if asked and not ctx.resilient_parsing:
        ctx.obj.output.drawn(helping.text(ctx))
        raise typer.Exit


def help_option(_ctx: Any) -> TyperOption:
    """Return our `--help`: Typer's takes a closed standard output for a success."""
    return _HELP_OPTION


_HELP_OPTION = TyperOption(
    param_decls=["--help"],
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_help,
    help="Show this message and exit.",
)


def _noted(field: str) -> Callable[[Any, Any, bool], None]:
    def note(ctx: Any, _parameter: Any, given: bool) -> None:
        if given and ctx.obj is not None:
            setattr(ctx.obj, field, True)

    return note


def _takes_name(command: Any) -> bool:
    return any(
        each.param_type_name == "argument" and each.name == "name"
        for each in getattr(command, "params", ())
    )


def named_by_position(command: Any, arguments: list[str]) -> list[str]:
    """Put `--name X` where the position would have it: both ways work, for every command."""
    if not _takes_name(command):
        return arguments
    rest, after = split_at_dashes(arguments)
    names = []
    others = []
    words = iter(rest)
    for word in words:
        if word == "--name":
            names += [each for each in [next(words, None)] if each is not None] or [""]
        elif word.startswith("--name="):
            names.append(word[len("--name=") :])
        else:
            others.append(word)
    return names + others + after


def split_at_dashes(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Return the words before a `--`, and the rest with it."""
    if "--" not in arguments:
        return arguments, []
    at = arguments.index("--")
    return arguments[:at], arguments[at:]
