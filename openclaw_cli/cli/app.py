"""The program as Typer sees it: a command is imported when it is called, an error told here."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from copy import copy
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup, TyperOption
from typer.exceptions import TyperException
from typer.main import get_command, get_command_name
from typer.models import CommandInfo

from openclaw_cli import __version__
from openclaw_cli.cli import common
from openclaw_cli.cli.argv import GENERATORS, normalised
from openclaw_cli.cli.session import Session
from openclaw_cli.cli.tree import IN_PROJECT, OTHER_WORDS, SECRETS, TOP, Table
from openclaw_cli.errors import OpenclawError, UsageError

_HELP = """Keep the API keys of a machine that runs AI agents: encrypted, versioned, recorded.

    openclaw secrets create openai-api-key

    openclaw secrets get openai-api-key

    openclaw secrets run --env OPENAI_API_KEY=openai-api-key -- python agent.py

The value of a new secret is asked for, or piped in; what is got is its exact bytes.
"""


class LazyGroup(TyperGroup):
    """A group whose commands are imported when they are called."""

    table: Table

    def get_help_option(self, ctx: Any) -> TyperOption:
        """Return ours."""
        return common.help_option(ctx)

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002
        """List the table, but for what only our own scripts call."""
        return [name for name in self.table if not name.startswith("__")]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        """Return what help and suggestions need of a command."""
        if cmd_name not in self.table:
            return None
        summary = self.table[cmd_name][1]
        return TyperCommand(cmd_name, help=summary, short_help=summary, callback=None)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Show the help of a group that is called alone."""
        return super().parse_args(ctx, args or ["--help"])

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Import the command that is called."""
        name = args[0]
        if name not in self.table:
            raise self._unknown(ctx, name)
        command = load(name, *self.table[name], words=args[1:])
        if ctx.obj is not None:
            ctx.obj.called = f"{ctx.command_path} {name}"
        if ctx.obj is not None and name in IN_PROJECT.get(self.name or "", ()):
            ctx.obj.in_project = True
        return name, command, common.named_by_position(command, args[1:])

    def _unknown(self, ctx: Any, name: str) -> UsageError:
        from difflib import get_close_matches

        path = ctx.command_path
        close = get_close_matches(name, self.table, n=2)
        if name in OTHER_WORDS and OTHER_WORDS[name] in self.table:
            close = [OTHER_WORDS[name]]
        meant = f"did you mean {' or '.join(close)}?" if close else f"{path} --help"
        if path == "openclaw" and (name in SECRETS or name in OTHER_WORDS):
            meant = f"openclaw secrets {OTHER_WORDS.get(name, name)}"
        elif name in TOP:
            meant = f"openclaw {name}"
        return UsageError(f"{path} has no command {name}", hint=meant)


def load(name: str, where: str | Table, help_text: str, words: Sequence[str] = ("-h",)) -> Any:
    """Return a command with the options that every command has.

    Of a group that is its own module, what the `words` after its name call, or all of it.
    """
    if isinstance(where, dict):
        return group(name, where, help_text)
    module, whole, _ = where.partition(":")
    made: typer.Typer = import_module(module).app
    command: Any = get_command(_part(made, words if whole else [name]))
    if not whole and hasattr(command, "commands"):
        command = command.commands[name]
    command.name = name
    for each in [command, *getattr(command, "commands", {}).values()]:
        each.params.extend(common.options(each))
        each.get_help_option = common.help_option
    return command


def _part(made: typer.Typer, words: Sequence[str]) -> typer.Typer:
    """Return a module's commands that are called, as Typer takes a millisecond to build each."""
    part = copy(made)
    called = [each for each in made.registered_commands if _called(each) in words]
    if called or not words:
        part.registered_commands = called
    return part


def _called(registered: CommandInfo) -> str:
    return registered.name or get_command_name(getattr(registered.callback, "__name__", ""))


def group(name: str, table: Table, help_text: str) -> Any:
    """Return the group of a table."""
    made = LazyGroup(
        name=name,
        help=help_text,
        rich_markup_mode=None,
        params=list(common.options(None)),
    )
    made.table = table
    return made


def root() -> Any:
    """Return the whole program."""
    made = group("openclaw", TOP, _HELP)
    made.params.extend(_EVERYWHERE)
    made.params.append(
        TyperOption(
            param_decls=["--version"],
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=_version,
            help="Print the version.",
        )
    )
    return made


def main(arguments: Sequence[str]) -> int:
    """Run a command and return its exit status; every error is told here and nowhere else."""
    session = Session()
    ours, _ = common.split_at_dashes(list(arguments))
    session.as_json = "--json" in ours  # also where the line cannot be understood
    if signal.getsignal(signal.SIGTERM) is not signal.SIG_IGN:
        signal.signal(signal.SIGTERM, _terminated)
    try:
        # Not `main()`, which makes exits of its own out of a closed pipe and of Ctrl-C.
        line = normalised(_in_our_words(arguments))
        with root().make_context("openclaw", line, obj=session) as context:
            answer = context.command.invoke(context)
    except OpenclawError as error:
        return _failed(session, error)
    except _Terminated:
        return 143
    except typer.Abort:
        return 130
    except typer.Exit as ended:
        return ended.exit_code
    except TyperException as refused:
        return _failed(session, _usage(refused, session.called))
    except (KeyboardInterrupt, BrokenPipeError):
        raise
    except Exception as crash:  # noqa: BLE001  told as a bug, by type and place
        return crashed(crash, session)
    return answer if isinstance(answer, int) else 0


def _in_our_words(arguments: Sequence[str]) -> list[str]:
    """Take `-h`, `help` and `version` for what they mean everywhere else."""
    ours, theirs = common.split_at_dashes(list(arguments))
    ours = ["--help" if word == "-h" else word for word in ours]
    if ours[:1] == ["help"]:
        ours = [*ours[1:], "--help"]
    if ours in (["version"], ["-V"]):
        ours = ["--version"]
    return ours + theirs


class _Terminated(BaseException):
    """SIGTERM, made an exception so that a hidden prompt gives the terminal its echo back."""


def _terminated(_number: int, _frame: object) -> None:
    raise _Terminated


def _failed(session: Session, error: OpenclawError) -> int:
    session.output.error(error)
    return error.status if session.as_json else error.exit_status


def _usage(refused: TyperException, called: str) -> UsageError:
    """Tell of a line that Typer does not understand; `called` is the command that it calls."""
    hint = f"{called} --help"
    option = getattr(refused, "option_name", "") or ""
    if option == "--version":
        return UsageError("no such option: --version", hint="behind the name: NAME?version=7")
    message = refused.format_message().replace("\n", " ").strip().rstrip(".")
    context = getattr(refused, "ctx", None)
    if option and context and message.lower().startswith("no such option"):
        message, hint = f"no such option: {option}", _meant(option, context.command) or hint
    elif "extra argument" in message:  # Typer repeats them, and one may be a value
        message = "there are more words than this command takes"
        if context and context.params.get("generate"):
            hint = f"--generate takes {', '.join(sorted(GENERATORS))}, or none of them"
    elif hasattr(kind := getattr(getattr(refused, "param", None), "type", None), "min"):
        message = f"{refused.param.opts[0]} takes a whole number{_within(kind)}"  # type: ignore[attr-defined]
    return UsageError(message[:1].lower() + message[1:], hint=hint)


def _meant(option: str, command: Any) -> str:
    from difflib import get_close_matches

    known = [each for parameter in command.params for each in parameter.opts if each[:2] == "--"]
    close = get_close_matches(option, known, n=2, cutoff=0.7)
    return f"did you mean {' or '.join(close)}?" if close else ""


def _within(kind: Any) -> str:
    low = f" from {kind.min}" if kind.min is not None else ""
    return f"{low} to {kind.max}" if kind.max is not None else f"{low} on" if low else ""


def crashed(crash: Exception, session: Session | None = None) -> int:
    """Tell of a bug of ours; OPENCLAW_DEBUG raises it again, after a word of warning."""
    if os.environ.get("OPENCLAW_DEBUG"):
        os.write(2, b"openclaw: what follows is a traceback, which can quote values\n")
        raise crash
    return _failed(session or Session(), _bug(crash))


def _bug(crash: Exception) -> OpenclawError:
    """Say the type and the place of a crash; its text may quote a value."""
    trace = crash.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    code = trace.tb_frame.f_code if trace else None
    place = f"{os.path.basename(code.co_filename)}:{trace.tb_lineno}" if trace and code else "?"
    return OpenclawError(
        f"this is a bug in openclaw: {type(crash).__name__} at {place}",
        hint="please report it; OPENCLAW_DEBUG=1 shows a traceback, which can quote values",
    )


def _version(ctx: Any, _parameter: Any, asked: bool) -> None:
    if asked and not ctx.resilient_parsing:
        ctx.obj.output.line(f"openclaw-cli {__version__}")
        raise typer.Exit


_EVERYWHERE = [
    TyperOption(
        param_decls=["--environment"],
        metavar="NAME",
        expose_value=False,
        help="Whose secrets: each environment has its own. Works in every command.",
    ),
    TyperOption(
        param_decls=["--key-fd"],
        metavar="N",
        expose_value=False,
        help="Read the store's key from this descriptor. Works in every command.",
    ),
]
"""`everywhere.py` takes them out of the line before; here they are for the help."""
