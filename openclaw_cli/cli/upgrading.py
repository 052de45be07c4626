"""`openclaw config` upgrade, convert."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from openclaw_cli import converting, newfile
from openclaw_cli import upgrade as upgrading
from openclaw_cli.cli.recording import recorded
from openclaw_cli.cli.session import Session
from openclaw_cli.document import content, language
from openclaw_cli.errors import NotFoundError, UsageError
from openclaw_cli.interop import config_file
from openclaw_cli.settings import sources
from openclaw_cli.upgrade import Change

if TYPE_CHECKING:
    from openclaw_cli.interop.config_file import File

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def upgrade(
    context: typer.Context,
    file: Annotated[str | None, typer.Argument(metavar="[FILE]", help="This file alone.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be changed, and change nothing.")
    ] = False,
) -> None:
    """Take the state directory to the present: formats, and older spellings in openclaw.json.

    The rest of a file stays as it is, comments too, and so does what it means. The difference is
    shown. What a newer openclaw keeps is refused (78). With a FILE only that one is looked at.

        openclaw config upgrade --dry-run

        openclaw config upgrade openclaw.json
    """
    session: Session = context.obj
    formats = {} if file else upgrading.formats(session.home)
    paths = [_json(file)] if file else _shared(session, ".json")
    planned = [_planned(path) for path in paths]
    for each in planned if not session.as_json else ():
        _show(session, each)  # first: whoever cannot be shown it, has nothing changed
    for each in planned:
        _carry_out(session, each, dry_run=dry_run)
    if session.as_json:
        plain = [
            {"file": each.file.path, **one.plain()} for each in planned for one in each.changes
        ]
        session.output.json({"changes": plain, "formats": formats, "written": not dry_run})
    for path in [] if file else _shared(session, ".yaml", ".yml"):
        session.output.warn(f"{path} stays: only JSON is edited", hint=_converting(path))
    if formats:
        listed = ", ".join(os.path.relpath(path, session.home.base) for path in formats)
        session.output.done(f"these have the newest format: {listed}")
    elif not paths:
        session.output.done("there is nothing to upgrade here")


@app.command()
def convert(
    context: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="YAML, JSON or TOML.")],
    to: Annotated[str, typer.Option("--to", metavar="FORMAT", help="json, toml or yaml.")] = "json",
    out: Annotated[
        str | None, typer.Option("--output", "-o", metavar="FILE", help="Where to; 0600.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file.")] = False,
) -> None:
    """Write a configuration in another language, without its comments.

    openclaw config convert openclaw.yaml --to json -o openclaw.json
    """
    session: Session = context.obj
    opened = content(file)
    if opened is None:
        raise NotFoundError(f"there is no file {file}", hint="openclaw config path")
    text = converting.converted(file, opened[0], to)
    if out is None:
        session.output.drawn(text)
        return
    newfile.write(out, [text.encode()], force=force)
    if session.as_json:
        session.output.json({"file": out})
    session.output.done(f"wrote {out}; openclaw config check {out}")


def _json(path: str) -> str:
    """Return the path of a file in which there may be older spellings: only JSON has them."""
    if not path.endswith((".json", ".json5")):
        raise UsageError(f"{path} is not JSON by its name", hint=_converting(path))
    return os.path.abspath(path)


def _converting(path: str) -> str:
    return f"openclaw config convert {path} --to json -o openclaw.json"


def _shared(session: Session, *kinds: str) -> list[str]:
    """Return the configurations that are there, of these kinds by their names."""
    paths = sources(session.home, os.environ)
    there = [path for path in paths if path.endswith(kinds) and os.path.lexists(path)]
    return [os.path.realpath(path) for path in there]


class _Plan(NamedTuple):
    file: File
    after: str
    changes: list[Change]


def _planned(path: str) -> _Plan:
    found = config_file.read(path)
    if found is None:
        raise NotFoundError(f"there is no file {path}", hint="openclaw config path")
    if language(path, found.text) == "YAML":
        raise UsageError(f"{path} is YAML, and only JSON is edited", hint=_converting(path))
    return _Plan(found, *upgrading.upgraded(path, found.text))


def _show(session: Session, plan: _Plan) -> None:
    for line in _difference(plan.file.path, plan.changes):
        session.output.line(line, {"-": "bad", "+": "strong"}.get(line[:1], ""))


def _carry_out(session: Session, plan: _Plan, *, dry_run: bool) -> None:
    path = plan.file.path
    if plan.changes and dry_run:
        session.output.done(f"{path} was not changed: --dry-run")
    elif plan.changes:
        with recorded(session, "config_upgrade", file=path):
            upgrading.put(plan.file, plan.after)
        session.output.done(f"changed {len(plan.changes)} in {path}; it means what it meant")
    else:
        if not dry_run:
            upgrading.discard(path)
        session.output.done(f"{path} has no older spelling")


def _difference(path: str, changes: list[Change]) -> list[str]:
    """Return what differs, and not the lines it stands in: one may hold somebody's token."""
    lines = [f"--- {path}", f"+++ {path}"] if changes else []
    for each in changes:
        lines += [f"@@ line {each.line} @@", f"-{each.old}"]
        lines += [f"+{each.new}"] if each.new else []
    return lines
