"""`openclaw secrets list`: what there is, without a value."""

from __future__ import annotations

import time
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Annotated

import typer

from openclaw_cli import states
from openclaw_cli.cli import listing
from openclaw_cli.cli.layout import Column
from openclaw_cli.cli.secrets import named, places, said
from openclaw_cli.cli.session import Session
from openclaw_cli.errors import OpenclawError, PartialError, UsageError
from openclaw_cli.names import parse
from openclaw_cli.service import LOCAL

if TYPE_CHECKING:
    from openclaw_cli.store.directory import Directory, Entry

app = typer.Typer(rich_markup_mode=None, add_completion=False)

_COLUMNS = (
    Column("NAME", 9, 12),
    Column("PROVIDER", 4, 6),
    Column("BACKEND", 2),
    Column("VERSION", 6, short="VER"),
    Column("AGE", 7),
    Column("NEXT ROTATION", 5, short="NEXT"),
    Column("STATE", 8, states=True),
    Column("LAST ROTATION", 1),
)
_WORDS = {column.title.lower().replace(" ", "-"): at for at, column in enumerate(_COLUMNS)}


@app.command("list")
def list_(
    context: typer.Context,
    filter_: Annotated[
        str | None,
        typer.Option("--filter", metavar="PATTERN", help="prod/*, or provider=openai, state=ok."),
    ] = None,
    sort: Annotated[
        str, typer.Option("--sort", metavar="COLUMN", help="name, provider, version, age, ...")
    ] = "name",
    columns: Annotated[
        str | None,
        typer.Option("--columns", metavar="A,B", help="Which; last-rotation, too."),
    ] = None,
    deleted: Annotated[
        bool, typer.Option("--deleted", help="Show what was deleted and can be restored.")
    ] = False,
    backend: places.Backend = None,
    missing: Annotated[
        str | None,
        typer.Option(
            "--missing",
            metavar="FILE",
            help="Show what a .env file or a template refers to and is not there.",
        ),
    ] = None,
) -> None:
    """Show all secrets, where they are and how old.

    openclaw secrets list --filter "prod/*" --sort age

    openclaw secrets list --missing .env
    """
    session: Session = context.obj
    directory = session.secrets.catalogue()
    if missing is not None:
        _show_missing(session, directory, missing)
        return
    far, failed = _far(session, directory, backend) if not deleted else ([], 0)
    now = time.time()
    old_days = session.settings["status.old-days"]
    here = listing.entries(directory, deleted=deleted) if backend in (None, LOCAL) else []
    found = _sorted(here, sort, now, old_days)
    shown, rows = [entry for _, entry in found], [row for row, _ in found] + far
    if filter_ is not None:
        kept = _filtered(rows, filter_)
        shown, rows = [shown[at] for at in kept if at < len(shown)], [rows[at] for at in kept]
    if session.as_json:
        others = [
            {"name": row[0], "backend": row[2], "state": row[6]} for row in rows[len(shown) :]
        ]
        session.output.json({"secrets": [said.plain(session, entry) for entry in shown] + others})
        _refuse_failed(failed)
        return
    chosen = _chosen(columns)
    session.output.table(
        [_COLUMNS[at] for at in chosen], [[row[at] for at in chosen] for row in rows]
    )
    if session.output.on_terminal:
        _close(session, directory, len(rows), filtered=filter_ is not None or deleted)
    _refuse_failed(failed)


def _far(
    session: Session, directory: Directory, backend: str | None
) -> tuple[list[list[str]], int]:
    """Return the rows of what is not in the store, and how many backends did not answer."""
    far, failed = _elsewhere(session, backend)
    if backend is not None:
        return far, failed
    led = named.rows(session, directory)
    seen = {(row[0], row[2]) for row in led}
    return led + [row for row in far if (row[0], row[2]) not in seen], failed


def _elsewhere(session: Session, backend: str | None) -> tuple[list[list[str]], int]:
    """Return the rows of what other backends have, and how many of them did not answer."""
    others = [backend] if backend else session.settings.backends()
    rows = []
    failed = 0
    for name in others:
        if name == LOCAL:
            continue
        try:
            if not backend and not session.secrets.elsewhere.lists(name):
                continue
            with session.output.progress(f"asking {name}"):
                found = session.secrets.elsewhere.names(name)
        except OpenclawError as refused:
            if backend:
                raise
            session.output.warn(f"{name}: {refused.message}", hint=refused.hint)
            failed += 1
            continue
        rows += [[each, "", name, "", "", "", states.OK, ""] for each in found]
    return rows, failed


def _refuse_failed(failed: int) -> None:
    if failed:
        raise PartialError("not every backend answered", hint="openclaw doctor")


def _close(session: Session, directory: Directory, count: int, *, filtered: bool) -> None:
    """Say below a table what a person may do next."""
    if not count and not filtered:
        session.output.note("no secrets yet: openclaw secrets create NAME")
    try:
        absent = _absent(session, directory, ".env")
    except OpenclawError:
        return  # somebody else's .env, or none: only --missing reports it
    if absent:
        names = ", ".join(absent[:3]) + (", ..." if len(absent) > 3 else "")  # noqa: PLR2004
        many = "1 secret that is" if len(absent) == 1 else f"{len(absent)} secrets that are"
        session.output.note(f".env refers to {many} not here: {names}")


def _show_missing(session: Session, directory: Directory, path: str) -> None:
    absent = _absent(session, directory, path)
    if session.as_json:
        session.output.json({"missing": absent, "file": path})
        return
    for name in absent:
        session.output.line(name)
    if not absent:
        session.output.note(f"everything that {path} refers to is here")


def _absent(session: Session, directory: Directory, path: str) -> list[str]:
    """Return the names that a file refers to and neither store nor configuration have."""
    from openclaw_cli.cli.secrets.references import of_file

    wanted = [parse(text) for text in of_file(path)]
    bare = {each.path for each in wanted if not each.backend}
    local = {each.path for each in wanted if each.backend == LOCAL}
    there = {entry.name for entry in listing.entries(directory)}
    led = set(named.all_names(session))
    return sorted((bare - led | local) - there)


def _sorted(
    entries: list[Entry], column: str, now: float, old_days: int
) -> list[tuple[list[str], Entry]]:
    """Return each secret with its row, in the order of a column."""
    if column not in _WORDS:
        raise UsageError(f"no column is called {column}", hint=f"known: {', '.join(_WORDS)}")
    both = zip(_rows(entries, now, old_days), entries, strict=True)
    if column == "age":
        return sorted(both, key=lambda pair: _born(pair[1]))
    at = _WORDS[column]
    return sorted(both, key=lambda pair: (pair[0][at], pair[1].name))


def _rows(shown: list[Entry], now: float, old_days: int) -> list[list[str]]:
    """Return the rows that every list has, with what only `--columns` shows."""
    rows = listing.rows(map(listing.glance, shown), now, old_days)
    return [[*row, listing.latest(entry, now)] for row, entry in zip(rows, shown, strict=True)]


def _born(entry: Entry) -> int:
    current = entry.current()
    return current.created if current else entry.deleted


def _filtered(rows: list[list[str]], pattern: str) -> list[int]:
    column, separator, text = pattern.partition("=")
    if separator and column not in _WORDS:
        raise UsageError(f"no column is called {column}", hint=f"known: {', '.join(_WORDS)}")
    at, wanted = (_WORDS[column], text) if separator else (0, pattern)
    if "*" not in wanted and not separator:
        wanted = f"*{wanted}*"
    return [number for number, row in enumerate(rows) if fnmatchcase(row[at], wanted)]


def _chosen(columns: str | None) -> list[int]:
    if columns is None:
        return list(range(len(listing.TITLES)))
    words = [word.strip() for word in columns.split(",")]
    unknown = [word for word in words if word not in _WORDS]
    if unknown:
        raise UsageError(f"no column is called {unknown[0]}", hint=f"known: {', '.join(_WORDS)}")
    return [_WORDS[word] for word in words]
