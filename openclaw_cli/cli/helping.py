"""The help of a command: as Typer has it, but for what is to be read and copied.

An example has a line of its own, which is never broken: what is copied from a narrow terminal is
one command. The list of a group's commands says the whole of each.
"""

from __future__ import annotations

import inspect
import re
from typing import Any

_EXAMPLE = re.compile(r"\s{4}|openclaw |key=\$|printf |eval |export ")


def text(ctx: Any) -> str:  # noqa: ANN401 - a context of Typer, which does not export its type
    """Return the help of the command that is called."""
    command, formatter = ctx.command, ctx.make_formatter()
    pieces = [piece.strip("{}") for piece in command.collect_usage_pieces(ctx)]
    formatter.write_usage(ctx.command_path, " ".join(pieces))
    with formatter.indentation():
        for example, words in paragraphs(command.help or ""):
            formatter.write_paragraph()
            if example:
                formatter.write("".join(f"    {line}\n" for line in words.splitlines()))
            else:
                formatter.write_text(words)
    for each in getattr(command, "commands", {}).values():
        each.short_help = paragraphs(each.help or "")[0][1]
    command.format_options(ctx, formatter)
    return str(formatter.getvalue())


def paragraphs(text: str) -> list[tuple[bool, str]]:
    """Part a help into its paragraphs; True for examples, which are shown as they stand.

    Examples that follow each other are one paragraph of several lines.
    """
    found: list[tuple[bool, str]] = []
    for piece in inspect.cleandoc(text).split("\n\n"):
        example = _EXAMPLE.match(piece) is not None
        words = inspect.cleandoc(piece) if example else " ".join(piece.split())
        if example and found and found[-1][0]:
            found[-1] = (True, f"{found[-1][1]}\n{words}")
        elif words:
            found.append((example, words))
    return found
