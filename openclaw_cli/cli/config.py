"""`openclaw config` show, check, set, path, trust."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from openclaw_cli import bundle, config, newfile, project, settings_file, source, trusting
from openclaw_cli.cli import settings_view
from openclaw_cli.cli.recording import recorded
from openclaw_cli.cli.session import Session
from openclaw_cli.errors import ConfigError, FindingsError, NotFoundError, UsageError
from openclaw_cli.settings import BACKENDS, PROJECT, project_file, sources

if TYPE_CHECKING:
    from openclaw_cli.cli.practices import Practice
    from openclaw_cli.options import Setting

app = typer.Typer(rich_markup_mode=None, add_completion=False)

_SET = "config_set"


@app.command()
def show(
    context: typer.Context,
    origin: Annotated[
        bool, typer.Option("--origin", help="Say the file and the line a value comes from.")
    ] = False,
) -> None:
    """Show the settings and where each comes from.

    Options of a command win over the environment, that over a trusted project's file, that over
    settings.toml, that over openclaw.json.

        openclaw config show --origin
    """
    session: Session = context.obj
    if session.as_json:
        session.output.json(settings_view.plain(session.settings, session.configuration))
        return
    rows = settings_view.rows(session.settings, session.configuration, whole=origin)
    session.output.table(settings_view.COLUMNS, rows)


@app.command()
def check(
    context: typer.Context,
    file: Annotated[
        str | None,
        typer.Argument(metavar="[FILE]", help="The file; all that are read, if not given."),
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Say how each key about secrets was understood.")
    ] = False,
    practices: Annotated[
        bool, typer.Option("--practices", help="Look whether it keeps the practices, too.")
    ] = False,
) -> int:
    """Check a settings file before it is used.

    Each mistake is shown with its line and its mend; the status is then 78. With --practices it is
    10 where a practice of the checklist is not kept.

        openclaw config check openclaw.json --explain

        openclaw config check openclaw.json --practices
    """
    session: Session = context.obj
    paths = [_there(file)] if file is not None else _present(session)
    found = [config.examined(path) for path in paths]
    mistakes = [mistake for each in found for mistake in each.mistakes]
    kept = list(_practices(found)) if practices else []
    if session.as_json:
        more = {"practices": [{"file": path, **each.plain()} for path, each in kept]}
        session.output.json(
            {
                "files": paths,
                "mistakes": [_plain(each) for each in mistakes],
                "doubts": [_plain(doubt) for each in found for doubt in each.doubts],
                "understood": _understood(found),
                **(more if practices else {}),
            }
        )
    else:
        for each in found:
            for line, text in each.understood if explain else ():
                session.output.line(f"{each.path}:{line}: {text}")
            _report(session, each)
        for path, practice in kept:
            _tell(session, path, practice)
    if not paths:
        session.output.done("there is no settings file: every setting has its default")
    if mistakes:
        return ConfigError.status
    return 0 if all(each.kept for _, each in kept) else FindingsError.status


@app.command("set")
def set_(
    context: typer.Context,
    key: Annotated[str, typer.Argument(metavar="KEY", help="The setting.", show_default=False)],
    value: Annotated[
        str, typer.Argument(metavar="VALUE", help="What it is set to.", show_default=False)
    ],
) -> None:
    """Change a setting.

    It is written to settings.toml; what else that file says, comments too, stays as it is. The
    trail has which setting it was, and not the value.

        openclaw config set unlock.seconds 4h

        openclaw config set backends.vault.address https://vault.example.com
    """
    session: Session = context.obj
    if os.environ.get(bundle.VARIABLE):
        raise UsageError("a bundle has no settings", hint=f"unset {bundle.VARIABLE}")
    if key.startswith(BACKENDS):
        name, typed = settings_file.of_backend(key, value)
        with recorded(session, _SET, setting=name):
            path = settings_file.change_backend(session.home, name, typed)
        if session.as_json:
            session.output.json({"setting": name, "value": value, "file": path})
        session.output.done(f"{name} is {value or 'empty'} in {path}")
        return
    known = source.setting(key)
    known.read(value)  # what it does not take is refused before anything is announced
    with recorded(session, _SET, setting=known.name):
        path, kept = settings_file.change(session.home, key, value)
    if not kept:
        session.output.warn(f"{path} was written anew, without its comments")
    with session.made():
        _tell_setting(session, known, value, path)


def _tell_setting(session: Session, known: Setting, value: str, path: str) -> None:
    """Say what a setting is now, and what wins over it."""
    shown = known.shown(known.read(value))
    settings = config.load(session.home, os.environ)  # not those that it was recorded under
    now = settings[known.name]
    if session.as_json:
        session.output.json({"setting": known.name, "value": known.read(value), "file": path})
    session.output.done(f"{known.name} is {shown or 'empty'} in {path}")
    if now != known.read(value):
        session.output.warn(
            f"{settings.origin[known.name]} wins over it: {known.shown(now)}",
            hint=f"unset {known.variable}",
        )


@app.command()
def path(context: typer.Context) -> None:
    """Say where the settings are.

    The first one wins; a file that is not there is said to be missing.
    """
    session: Session = context.obj
    of_project = project_file(os.environ)
    found: list[dict[str, object]] = [
        {"path": each, "present": os.path.lexists(each)}
        for each in sources(session.home, os.environ)
    ]
    if of_project:
        trusted = trusting.is_trusted(session.home, of_project)
        found.insert(0, {"path": of_project, "present": True, "trusted": trusted})
    if session.as_json:
        session.output.json({"files": found})
        return
    for each in found:
        word = "" if each["present"] else "  (none)"
        word = word if each.get("trusted", True) else "  (not trusted, so not used)"
        session.output.line(f"{each['path']}{word if session.output.on_terminal else ''}")


@app.command()
def trust(
    context: typer.Context,
    folder: Annotated[
        str, typer.Argument(metavar="[FOLDER]", help="The project; where we are, if not given.")
    ] = "",
    forget: Annotated[
        bool, typer.Option("--forget", help="Use the project's file no longer.")
    ] = False,
) -> None:
    """Use a project's own settings file, or use it no longer.

    A project may have .openclaw.toml, which says what its names mean and where they are looked
    for. It is used in that folder and below, once you have seen what it says, and until it says
    something else.

        openclaw config trust
    """
    session: Session = context.obj
    file = f"{os.path.realpath(folder)}/{PROJECT}" if folder else project_file(os.environ)
    if forget:
        was = bool(file) and _forgotten(session, file)
        if session.as_json:
            session.output.json({"file": file, "trusted": False})
        session.output.done(f"{file} is used no longer" if was else "nothing here was trusted")
        return
    if not file:
        raise NotFoundError(
            f"there is no {PROJECT} here or above", hint="openclaw config trust FOLDER"
        )
    found = config.examined(file).believed()
    for line, text in found.understood if not session.as_json else ():
        session.output.line(f"{file}:{line}: {text}")
    session.confirm(f"use what {file} says?")
    with recorded(session, "config_trust", file=file):
        trusting.trust(session.home, file, found)
    if session.as_json:
        session.output.json({"file": file, "trusted": True, "understood": _understood([found])})
    session.output.done(f"{file} is used from now on, until it says something else")


def _forgotten(session: Session, file: str) -> bool:
    if file not in project.records(session.home):
        return False
    with recorded(session, "config_forget", file=file):
        return trusting.forget(session.home, file)


def _practices(found: list[source.Source]) -> Iterator[tuple[str, Practice]]:
    """Yield what each file without mistakes keeps of the practices, and what it does not."""
    from openclaw_cli.cli import practices

    for each in found:
        for practice in practices.of_file(each) if not each.mistakes else ():
            yield each.path, practice


def _tell(session: Session, path: str, practice: Practice) -> None:
    word, tone = ("ok", "") if practice.kept else ("fail", "bad")
    session.output.line(f"{path}: {word}: {practice.name}: {practice.why}", tone)
    if practice.command and not practice.kept:
        session.output.line(f"  hint: {practice.command}")


def _there(path: str) -> str:
    """Return the path of a file that was named, or say that there is none."""
    if not os.path.lexists(path):
        raise newfile.missing(path)
    if os.path.isdir(path):
        raise UsageError(f"{path} is a directory", hint=f"openclaw config check {path}/FILE")
    return path


def _present(session: Session) -> list[str]:
    found = [project_file(os.environ), *sources(session.home, os.environ)]
    return [each for each in found if os.path.lexists(each)]


def _understood(found: list[source.Source]) -> list[dict[str, object]]:
    return [
        {"file": each.path, "line": line, "meaning": text}
        for each in found
        for line, text in each.understood
    ]


def _report(session: Session, found: source.Source) -> None:
    told = [(each, "", "bad") for each in found.mistakes]
    told += [(each, "warning: ", "attention") for each in found.doubts]
    for each, kind, tone in told:
        session.output.line(f"{found.path}:{each.line}: {kind}{each.what}", tone)
        session.output.line(f"  hint: {each.fix}")
    if not found.mistakes:
        session.output.done(f"{found.path} has no mistakes")


def _plain(mistake: source.Mistake) -> dict[str, object]:
    return {
        "file": mistake.path,
        "line": mistake.line,
        "key": mistake.key,
        "mistake": mistake.what,
        "fix": mistake.fix,
    }
