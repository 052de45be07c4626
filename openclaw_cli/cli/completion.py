"""`openclaw completion`: the script that teaches a shell our commands and the secrets' names.

The scripts are made from the command tree by `scripts/generate.py`; a shell reads one at its start,
so nothing is worked out here.
"""

from __future__ import annotations

import os
from importlib.resources import files
from typing import Annotated

import typer

from openclaw_cli import assembly
from openclaw_cli.cli import offer
from openclaw_cli.cli.session import Session
from openclaw_cli.errors import UsageError

app = typer.Typer(rich_markup_mode=None, add_completion=False)

SHELLS = ("bash", "zsh", "fish")


@app.command()
def completion(
    context: typer.Context,
    shell: Annotated[
        str, typer.Argument(metavar="SHELL", help="bash, zsh or fish.", show_default=False)
    ],
) -> None:
    """Print the completion script of a shell.

    It completes commands, options and the names of secrets, never values.

        eval "$(openclaw completion bash)"        in ~/.bashrc

        eval "$(openclaw completion zsh)"         in ~/.zshrc, after compinit

        openclaw completion fish > ~/.config/fish/completions/openclaw.fish
    """
    session: Session = context.obj
    if shell not in SHELLS:
        raise UsageError(
            "that shell has no completion script", hint="openclaw completion bash (or zsh, fish)"
        )
    script = files("openclaw_cli.cli").joinpath("completions", f"openclaw.{shell}").read_bytes()
    if session.as_json:
        session.output.json({"shell": shell, "script": script.decode()})
    else:
        session.output.value(script)


@app.command("__names", hidden=True)
def names(
    context: typer.Context,
    prefix: Annotated[str, typer.Argument(show_default=False)] = "",
    wanted: Annotated[bool, typer.Option("--wanted")] = False,
) -> None:
    """Give a shell's completion the names."""
    session: Session = context.obj
    secrets = assembly.secrets(session.home, session.settings, os.environ)
    for name in offer.names(secrets, prefix, wanted=wanted):
        session.output.line(name)
