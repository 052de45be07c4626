"""The command tree: every command by name, imported when it is called.

`--help` of a group lists what the table says and imports nothing. A new command is one function in
one of the files and one line here; a test compares the lines with the functions' docstrings.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup, TyperOption
from typer.exceptions import TyperException
from typer.main import get_command, get_command_name
from typer.models import CommandInfo

from openclaw_cli import __version__
from openclaw_cli.cli.argv import normalised
from openclaw_cli.cli.session import Session
from openclaw_cli.errors import OpenclawError, UsageError

_HELP = """Keep the API keys of a machine that runs AI agents: encrypted, versioned, recorded.

openclaw secrets create openai-api-key        a new secret; the value is asked for, or piped in

openclaw secrets get openai-api-key           its exact bytes

openclaw secrets run --env OPENAI_API_KEY=openai-api-key -- python agent.py
"""

_VALUES = "openclaw_cli.cli.secrets.values"
_LIFETIME = "openclaw_cli.cli.secrets.lifetime"
_COPYING = "openclaw_cli.cli.secrets.copying"
_LOOKING = "openclaw_cli.cli.secrets.looking"
_HISTORY = "openclaw_cli.cli.secrets.history"
_EXPECTING = "openclaw_cli.cli.secrets.expecting"
_GRANTING = "openclaw_cli.cli.secrets.granting"
_MOVING = "openclaw_cli.cli.secrets.moving"
_RUNNING = "openclaw_cli.cli.secrets.running"
_SCHEDULING = "openclaw_cli.cli.scheduling"
_ROTATING = "openclaw_cli.cli.secrets.rotating"
_AUDIT = "openclaw_cli.cli.secrets.audit"
_STORE = "openclaw_cli.cli.store"
_CONFIG = "openclaw_cli.cli.config"
_UPGRADING = "openclaw_cli.cli.upgrading"
_AGENTS = "openclaw_cli.cli.agents"
_GATEWAY = "openclaw_cli.cli.gateway"

# A line: the module that has the command (with a colon where its whole `app` is the command) or the
# table of a group, and the first line of its help.
Table = dict[str, tuple["str | Table", str]]

SCHEDULE: Table = {
    "install": (_SCHEDULING, "Have what is due rotated every hour."),
    "uninstall": (_SCHEDULING, "Take away what `install` put there, and nothing else."),
    "status": (_SCHEDULING, "Say whether rotations run by themselves."),
}

SECRETS: Table = {
    "create": (_VALUES, "Keep a new secret."),
    "set": (_VALUES, "Keep a new version of a secret, or a new secret."),
    "get": (_VALUES, "Give a secret's value: exact bytes when piped."),
    "edit": (_VALUES, "Change a value in your editor, in memory only."),
    "list": (_LOOKING, "Show all secrets, where they are and how old."),
    "status": (_HISTORY, "Show one secret's health."),
    "history": (_HISTORY, "Draw a secret's versions: made, promoted, last read, retired."),
    "rollback": (_LIFETIME, "Make an older version the current one again."),
    "delete": (_LIFETIME, "Delete a secret; it can be restored for 30 days."),
    "restore": (_LIFETIME, "Bring a deleted secret back."),
    "describe": (_LIFETIME, "Change what is known of a secret: its provider, its labels."),
    "expect": (_EXPECTING, "Say from where, by whom and when a secret is read."),
    "refresh": (_LIFETIME, "Fetch a secret again and replace the copy of it."),
    "rotate": (_ROTATING, "Give a secret a new value, now, or by a schedule."),
    "schedule": (SCHEDULE, "Have what is due rotated by itself."),
    "run": (_RUNNING, "Run a program with secrets, its output masked."),
    "inject": (_RUNNING, "Fill the references in a template."),
    "grant": (_GRANTING, "Let an agent read secrets, for a time or a number of uses."),
    "revoke": (_GRANTING, "Take grants away from an agent."),
    "grants": (_GRANTING, "Show which agent may read which secret, and when it last did."),
    "import": (_MOVING, "Take secrets over from a file."),
    "export": (_MOVING, "Write secrets in the format of another tool, or sealed for a job."),
    "copy": (_COPYING, "Copy secrets to another name or backend, and read them back."),
    "scan": ("openclaw_cli.cli.secrets.scanning", "Look for secrets in plain text."),
    "migrate": (
        "openclaw_cli.cli.secrets.migrating",
        "Move plain text of the OpenClaw gateway into the store.",
    ),
    "resolve": ("openclaw_cli.cli.secrets.resolving", "Answer the OpenClaw gateway's request."),
    "audit": (_AUDIT + ":", "Show who did what to which secret, and what looks wrong."),
    "__names": ("openclaw_cli.cli.completion", "Give a shell's completion the names."),
}

STORE: Table = {
    "init": (_STORE, "Make the store and choose how it is unlocked."),
    "check": (_STORE, "Verify every byte of the store and of the trail."),
    "rekey": (_STORE, "Give the store a new data key; the values stay."),
    "backup": (_STORE, "Write a sealed copy of the store."),
    "restore": (_STORE, "Put a backup in place."),
    "slots": ("openclaw_cli.cli.slots:", "Show, add and remove the keys that open the store."),
    "unlock": (_STORE, "Keep the store unlocked for a while."),
    "lock": (_STORE, "Forget an unlocked store's key."),
    "accept-rollback": (_STORE, "Accept a store or trail that you put back yourself."),
}

CONFIG: Table = {
    "show": (_CONFIG, "Show the settings and where each comes from."),
    "check": (_CONFIG, "Check a settings file before it is used."),
    "set": (_CONFIG, "Change a setting."),
    "path": (_CONFIG, "Say where the settings are."),
    "trust": (_CONFIG, "Use a project's own settings file, or use it no longer."),
    "upgrade": (
        _UPGRADING,
        "Take the state directory to the present: formats, and older spellings in openclaw.json.",
    ),
    "convert": (_UPGRADING, "Write a configuration in another language, without its comments."),
}


INTEROP: Table = {
    "setup": ("openclaw_cli.cli.interop", "Make the OpenClaw gateway fetch its keys from here."),
    "reload": ("openclaw_cli.cli.interop", "Have the running OpenClaw gateway take new values."),
}

AGENTS: Table = {
    "list": (_AGENTS, "Show the agents of the settings."),
    "status": (_AGENTS, "Show the agents of the running gateway and what they do."),
    "run": (_AGENTS, "Give an agent one request and print its answer; no gateway is needed."),
    "node": (
        _AGENTS,
        "Take requests from the broker for the gateway here: one machine of several.",
    ),
    "spawn": (_AGENTS, "Bind a thread to an instance, before its first request."),
    "close": (_AGENTS, "End a session, when its present turn has ended."),
    "restart": (_AGENTS, "Start an agent anew, or all of them; nothing that was accepted is lost."),
    "stop": (_AGENTS, "End a thread now, or all of an agent until it is restarted."),
    "logs": (_AGENTS, "Show the agents' log, of one agent, thread or request."),
    "top": (_AGENTS, "Watch the instances: what each does, for how long, with how much memory."),
    "cleanup": (_AGENTS, "End sessions that have been idle for a while."),
}

GATEWAY: Table = {
    "run": (_GATEWAY, "Run the gateway here until it is stopped: for systemd, containers, CI."),
    "start": (_GATEWAY, "Start the gateway in the background; it serves when this returns."),
    "stop": (_GATEWAY, "Stop the gateway when what it accepted is answered."),
    "restart": (
        _GATEWAY,
        "Begin the gateway anew in its place: nobody is refused, what was accepted is answered.",
    ),
    "reload": (
        _GATEWAY,
        "Read the settings again; agents that changed are started anew, nothing is refused.",
    ),
    "status": (_GATEWAY, "Show whether the gateway runs, where, and what its agents do."),
    "install": (
        _GATEWAY,
        "Write a systemd unit for this user, so that the gateway starts with the machine.",
    ),
    "uninstall": (
        _GATEWAY,
        "Stop the gateway that systemd runs for this user, and take its unit away.",
    ),
    "alert-rules": (
        _GATEWAY,
        "Print the alerts as a rules file for Prometheus, or what else it and Grafana need.",
    ),
    "link": (_GATEWAY, "Print a link that opens the status page in a browser, once and soon."),
}


TOP: Table = {
    "secrets": (SECRETS, "Keep, read, change and give away secrets."),
    "store": (STORE, "Look after the encrypted store."),
    "agents": (AGENTS, "Run agents, each request in a process of its own."),
    "gateway": (GATEWAY, "Run the gateway, which answers for the agents."),
    "status": ("openclaw_cli.cli.status", "Show what there is and what needs a hand."),
    "config": (CONFIG, "Show, check and change settings."),
    "interop": (INTEROP, "Serve the OpenClaw gateway (Node)."),
    "doctor": ("openclaw_cli.cli.doctor", "Find what is wrong here, and say the mend."),
    "completion": ("openclaw_cli.cli.completion", "Print the completion script of a shell."),
}


_IN_PROJECT = {
    "secrets": (
        *("create", "set", "get", "edit", "list", "status", "history", "delete", "refresh"),
        *("run", "inject", "import", "export", "copy", "__names"),
    ),
    "config": ("show",),
}
"""The commands that a project's own file may choose names and backends for."""

_OTHER_WORDS = {"rm": "delete", "remove": "delete", "show": "get", "add": "create", "ls": "list"}


class LazyGroup(TyperGroup):
    """A group whose commands are imported when they are called."""

    table: Table

    def get_help_option(self, ctx: Any) -> TyperOption:
        """Return ours."""
        return _help_option(ctx)

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002
        """List the table, but for what only our own scripts call."""
        return [name for name in self.table if not name.startswith("__")]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        """Return what help and suggestions need of a command."""
        if cmd_name not in self.table:
            return None
        return TyperCommand(cmd_name, help=self.table[cmd_name][1], callback=None)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Show the help of a group that is called alone."""
        return super().parse_args(ctx, args or ["--help"])

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Import the command that is called."""
        name = args[0]
        if name not in self.table:
            raise self._unknown(ctx, name)
        command = load(name, *self.table[name], words=args[1:])
        if ctx.obj is not None and name in _IN_PROJECT.get(self.name or "", ()):
            ctx.obj.in_project = True
        return name, command, _named_by_position(command, args[1:])

    def _unknown(self, ctx: Any, name: str) -> UsageError:
        from difflib import get_close_matches

        path = ctx.command_path
        close = get_close_matches(name, self.table, n=2)
        if name in _OTHER_WORDS and _OTHER_WORDS[name] in self.table:
            close = [_OTHER_WORDS[name]]
        meant = f"did you mean {' or '.join(close)}?" if close else f"{path} --help"
        if path == "openclaw" and (name in SECRETS or name in _OTHER_WORDS):
            meant = f"openclaw secrets {_OTHER_WORDS.get(name, name)}"
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
        each.params.extend(_common_options(each))
        each.get_help_option = _help_option
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
        params=list(_common_options(None)),
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
    ours, _ = _split_at_dashes(list(arguments))
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
        return _failed(session, _usage(refused))
    except (KeyboardInterrupt, BrokenPipeError):
        raise
    except Exception as crash:  # noqa: BLE001  told as a bug, by type and place
        return crashed(crash, session)
    return answer if isinstance(answer, int) else 0


def _in_our_words(arguments: Sequence[str]) -> list[str]:
    """Take `-h`, `help` and `version` for what they mean everywhere else."""
    ours, theirs = _split_at_dashes(list(arguments))
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


def _usage(refused: TyperException) -> UsageError:
    context = getattr(refused, "ctx", None)
    path = context.command_path if context else "openclaw"
    if getattr(refused, "option_name", "") == "--version":
        return UsageError("no such option: --version", hint="behind the name: NAME?version=7")
    message = refused.format_message().replace("\n", " ").strip().rstrip(".")
    if "extra argument" in message:  # Typer repeats them, and one may be a value
        message = "there are more words than this command takes"
    return UsageError(message[:1].lower() + message[1:], hint=f"{path} --help")


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

_COMMON = (
    ("--json", "as_json", "Answer in JSON, errors too."),
    ("--quiet", "quiet", "Say nothing that is not the answer, a warning or an error."),
    ("--no-input", "no_input", "Never ask; fail and say what is missing."),
    ("--yes", "yes", "Answer yes to every question."),
)


def _common_options(command: Any) -> Iterator[TyperOption]:
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
        ctx.obj.output.drawn(ctx.get_help() + "\n")
        raise typer.Exit


def _help_option(_ctx: Any) -> TyperOption:
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


def _named_by_position(command: Any, arguments: list[str]) -> list[str]:
    """Put `--name X` where the position would have it: both ways work, for every command."""
    if not _takes_name(command):
        return arguments
    rest, after = _split_at_dashes(arguments)
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


def _split_at_dashes(arguments: list[str]) -> tuple[list[str], list[str]]:
    if "--" not in arguments:
        return arguments, []
    at = arguments.index("--")
    return arguments[:at], arguments[at:]
