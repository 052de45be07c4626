"""The fast road: the commands that scripts and gateways call, ahead of Typer.

`import typer` and what a command of it loads costs five times the start of Python. The lines in
`_VERBS` are answered here when they are written exactly so; anything else, and anything that needs
a question, an explanation or a format, goes the slow road, which calls the same service. A test
runs each by both roads and compares every byte, and another counts what was imported.
"""

from __future__ import annotations

import gc
import os
import sys

from openclaw_cli.cli import process, stdout
from openclaw_cli.errors import LockedError, OpenclawError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

    from openclaw_cli.home import Home
    from openclaw_cli.service import Secrets
    from openclaw_cli.settings import Settings

    Options = dict[str, list[str]]


def main(arguments: list[str]) -> int:
    """Answer a line in this process, which goes on; nothing that the line said outlives it."""
    from openclaw_cli.cli import everywhere

    before = os.environ.get(everywhere.ENVIRONMENT)
    try:
        return _status(arguments)
    finally:
        everywhere.forget()
        os.environ.pop(everywhere.ENVIRONMENT, None)
        if before is not None:
            os.environ[everywhere.ENVIRONMENT] = before


def end(given: list[str]) -> NoReturn:
    """Run and end the process without Python's tidying up, which costs a fifth of its start."""
    process.own = True
    gc.disable()  # a process of some milliseconds leaves nothing worth collecting
    status = _status(given)
    if status and given[:2] == ["secrets", "resolve"]:
        from openclaw_cli.interop.resolver import drain

        drain()
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:  # None when it was closed before we started
                stream.flush()
    except OSError as refused:
        status = 141 if isinstance(refused, BrokenPipeError) else 74
    os._exit(status)


def _status(given: list[str]) -> int:
    process.harden()
    try:
        if any(name in os.environ for name in _KEYS) or any(map(_is_everywhere, given)):
            from openclaw_cli.cli import everywhere

            given = everywhere.taken(given, os.environ)
    except OpenclawError as refused:
        from openclaw_cli.cli.render import Output

        Output(as_json="--json" in given).error(refused)
        return refused.exit_status
    try:
        status = _fast(given, os.environ)
        if status is None:
            from openclaw_cli.cli.app import main as slow

            gc.freeze()  # what is loaded now stays: no collection looks at it again
            gc.enable()
            status = slow(given)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 141
    except Exception as crash:  # noqa: BLE001  the last door: no traceback leaves by it
        from openclaw_cli.cli.app import crashed

        return crashed(crash)
    return status


_KEYS = ("OPENCLAW_STORE_KEY", "OPENCLAW_BUNDLE_KEY")
"""Variables that hold a key, which is taken out of the environment before anything else."""


def _is_everywhere(word: str) -> bool:
    """Tell whether a word is one of the options that `everywhere.py` takes out of a line."""
    return word.startswith(("--environment", "--key-fd"))


def _fast(given: list[str], environ: os._Environ[str]) -> int | None:
    """Answer a line of the fast road, or return None for the slow one."""
    verb = _VERBS.get(" ".join(given[:2]))
    if verb is None or environ.get("OPENCLAW_NO_HOT") or environ.get("_OPENCLAW_COMPLETE"):
        return None
    command, valued, flags = verb
    options = _options(given[2:], valued, flags)
    if options is None:
        return None
    from openclaw_cli.assembly import secrets
    from openclaw_cli.home import find
    from openclaw_cli.settings import quick

    try:
        home = find(environ)
        settings = quick(home, environ)
        if settings is not None and given[1] in _IN_PROJECT:
            settings = _chosen(home, settings, environ)
        if settings is None:
            return None
        made = secrets(home, settings, environ)
        if os.isatty(stdout.STDERR):
            from openclaw_cli.cli.asking import Asking

            made.asking = Asking()
        return command(made, settings, options)
    except LockedError:
        return None
    except OpenclawError as error:
        from openclaw_cli.cli.render import Output

        Output().error(error)
        return error.exit_status


def _chosen(home: Home, settings: Settings, environ: os._Environ[str]) -> Settings | None:
    """Return the settings with what the project's file says; None when it must be read first."""
    from openclaw_cli.settings import project_file

    path = project_file(environ)
    if not path:
        return settings
    from openclaw_cli import project

    return project.quick(home, settings, path)


def _options(given: list[str], valued: frozenset[str], flags: frozenset[str]) -> Options | None:
    """Sort the words of a line by option, the bare ones under ""; None for what is not plain."""
    options: Options = {"": []}
    words = iter(given)
    for word in words:
        if word == "--":
            options["--"] = list(words)
        elif not word.startswith("-"):
            options[""].append(word)
        elif word in flags:
            options[word] = []
        else:
            name, separator, text = word.partition("=")
            if name not in valued:
                return None
            if not separator:
                text = next(words, "-")
                if text.startswith("-"):
                    return None
            options.setdefault(name, []).append(text)
    return options


def _get(secrets: Secrets, _settings: Settings, options: Options) -> int | None:
    from openclaw_cli.names import parse

    names = options[""] + options.get("--name", [])
    if len(names) != 1 or "--" in options:
        return None
    reference = parse(names[0])
    secret = secrets.read(reference)
    if secret.stale or secret.backend == "config":
        from openclaw_cli.cli.render import Output
        from openclaw_cli.cli.secrets.stale import tell

        tell(Output(), [(reference, secret)])
    stdout.value(secret.value.reveal())
    return 0


def _run(secrets: Secrets, settings: Settings, options: Options) -> int | None:
    pairs = [each.partition("=") for each in options.get("--env", [])]
    if options[""] or not options.get("--") or not pairs or not all(each[1] for each in pairs):
        return None
    from openclaw_cli.cli.secrets.start import Plan, Unstarted, start

    with Unstarted():
        plan = Plan(options["--"], mask=settings["run.mask"] and "--no-mask" not in options)
        for variable, _, reference in pairs:
            plan.add(variable, reference)
        return start(secrets, plan)


def _resolve(secrets: Secrets, settings: Settings, options: Options) -> int | None:
    if options[""] or "--" in options:
        return None
    from openclaw_cli.interop import resolver as protocol

    request = protocol.read_request(running=process.running())
    allow = options.get("--allow", [])
    stdout.write_all(protocol.answer(secrets, request, limits=settings.resolvers, allow=allow))
    return 0


def _list(secrets: Secrets, settings: Settings, options: Options) -> int | None:
    if options != {"": []} or os.isatty(stdout.STDOUT) or settings.backends() != ["local"]:
        return None
    if settings.names or settings.plaintext:
        return None
    import time

    from openclaw_cli.cli import listing

    glances = [each for each in secrets.catalogue().entries.glances() if not each[-1]]
    rows = listing.rows(sorted(glances), time.time(), settings["status.old-days"])
    stdout.write_all(stdout.columns(listing.TITLES, rows).encode())
    return 0


def _rotate(secrets: Secrets, settings: Settings, options: Options) -> int | None:
    """Do nothing where nothing is due: what cron asks for most of the time."""
    if options != {"": [], "--due": []} or os.isatty(2):
        return None
    import time

    from openclaw_cli.rotation import agenda

    directory, now = secrets.catalogue(), time.time()
    idle = not agenda.due(directory, now) and not agenda.went_back(directory, now)
    return 0 if idle and agenda.wishes(directory) == agenda.wished(settings) else None


def _offer(secrets: Secrets, _settings: Settings, options: Options) -> int | None:
    """Give a shell's completion the names it asks for."""
    from openclaw_cli.cli.offer import names

    prefix = options[""][0] if options[""] else ""
    found = names(secrets, prefix, wanted="--wanted" in options)
    stdout.write_all("".join([f"{name}\n" for name in found]).encode())
    return 0


_IN_PROJECT = ("__names", "get", "list", "run")
"""The verbs that a project's own file may choose names and backends for."""

_NONE: frozenset[str] = frozenset()

_VERBS: dict[
    str,
    tuple[Callable[[Secrets, Settings, Options], int | None], frozenset[str], frozenset[str]],
] = {
    "secrets __names": (_offer, _NONE, frozenset(("--wanted",))),
    "secrets get": (_get, frozenset(("--name",)), _NONE),
    "secrets list": (_list, _NONE, _NONE),
    "secrets resolve": (_resolve, frozenset(("--allow",)), _NONE),
    "secrets rotate": (_rotate, _NONE, frozenset(("--due",))),
    "secrets run": (_run, frozenset(("--env",)), frozenset(("--no-mask",))),
}
"""Each line of the fast road: what answers it, its options with a value, its options without."""
