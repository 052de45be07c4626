"""`openclaw secrets` import and export: many secrets from and to files."""

from __future__ import annotations

import os
from collections.abc import Collection
from fnmatch import fnmatchcase
from typing import Annotated

import typer

from openclaw_cli import formats, newfile, template
from openclaw_cli.cli import listing
from openclaw_cli.cli.secrets import bundles, stale
from openclaw_cli.cli.secrets.named import variables
from openclaw_cli.cli.secrets.references import read_file
from openclaw_cli.cli.secrets.values import tell_founding
from openclaw_cli.cli.session import Session
from openclaw_cli.errors import NotFoundError, OpenclawError, UsageError
from openclaw_cli.files import failure, write_all
from openclaw_cli.model import SecretValue
from openclaw_cli.names import check, parse

app = typer.Typer(rich_markup_mode=None, add_completion=False)

_BY_VARIABLE = ("dotenv", "shell", "github")


@app.command("import")
def import_(
    context: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="What to read.")],
    format_: Annotated[
        str | None,
        typer.Option("--format", metavar="FORMAT", help=f"{', '.join(formats.FORMATS)}."),
    ] = None,
    prefix: Annotated[
        str, typer.Option("--prefix", metavar="P", help="Put this in front of each name.")
    ] = "",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Keep new versions of names that are taken.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")
    ] = False,
) -> None:
    """Take secrets over from a file.

        openclaw secrets import .env

        kubectl get secret app -o yaml | openclaw secrets import --format kubernetes -

    All or nothing: one name that is taken refuses them all, unless --overwrite.
    """
    session: Session = context.obj
    pairs, references = _pairs(file, format_)
    literals = {name: value for name, value in pairs.items() if name not in references}
    named = {check(prefix + name): value for name, value in literals.items()}
    _check_values(named)
    if dry_run:
        _tell_plan(session, named, skipped=len(references))
        return
    if not named:
        session.output.done(f"nothing to take over from {file}")
        return
    if overwrite:
        session.guard(f"write new versions of {len(named)} secrets?")
    values = {name: SecretValue(value) for name, value in named.items()}
    versions = session.changes.set_many(values, origin="import", overwrite=overwrite)
    if session.as_json:
        session.output.json({"imported": {name: str(number) for name, number in versions.items()}})
    tell_founding(session)
    session.output.done(f"took over {len(versions)} from {file}")
    if references:
        session.output.note(f"left {len(references)} alone: they are references already")
    if file != "-":
        session.output.note(f"{file} still has the plain values: remove it when you are ready")


def _pairs(file: str, format_: str | None) -> tuple[dict[str, bytes], Collection[str]]:
    """Return what a file holds by name, and which of its names are references already."""
    data = read_file(file)
    kind = format_ or formats.guess(file, data)
    if kind is None:
        raise UsageError(
            f"the format of {file} cannot be told from its name",
            hint=f"--format {', '.join(formats.FORMATS)}",
        )
    reader = formats.get(kind)
    if not hasattr(reader, "read"):
        raise UsageError(
            f"{kind} is only written, not read", hint="--format dotenv, json, yaml or toml"
        )
    pairs = reader.read(data)
    return pairs, template.env_references(pairs) if kind == "dotenv" else ()


@app.command()
def export(
    context: typer.Context,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME ...]", help="Names or patterns.")
    ] = None,
    format_: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help=f"{', '.join(formats.FORMATS)}.")
    ] = "dotenv",
    all_: Annotated[bool, typer.Option("--all", help="Every secret.")] = False,
    out: Annotated[
        str | None, typer.Option("--out", "--output", "-o", metavar="FILE", help="Where to; 0600.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file.")] = False,
    sealed: Annotated[
        bool, typer.Option("--sealed", "--for-ci", help="A bundle: sealed, with a key of its own.")
    ] = False,
    expires: Annotated[
        str | None, typer.Option("--expires", metavar="24h", help="Until when a bundle is read.")
    ] = None,
    key_file: Annotated[
        str | None,
        typer.Option("--key-file", metavar="FILE", help="Where its key goes, or is."),
    ] = None,
) -> None:
    """Write secrets in the format of another tool, or sealed for a job.

        openclaw secrets export --format kubernetes "prod/*" | kubectl apply -f -

        openclaw secrets export --sealed --for-ci deploy-token --output ci.bundle --expires 24h

    What a format cannot hold exactly is refused. A file is only written with --out. The key of a
    bundle is the answer, unless --key-file takes it.
    """
    session: Session = context.obj
    if sealed:
        chosen = _selected(session, names or [], all_=all_)
        bundles.export(session, list(chosen), out, expires=expires, key_file=key_file, force=force)
        return
    if expires is not None or key_file is not None:
        raise UsageError("--expires and --key-file are for a bundle", hint="add --sealed")
    writer = formats.get(format_)
    if not hasattr(writer, "write"):
        raise UsageError(
            f"{format_} is only read, not written", hint="--format dotenv, json, yaml or toml"
        )
    chosen = _selected(session, names or [], all_=all_)
    values = _values(session, chosen, format_)
    data = writer.write(values)
    if format_ == "github":
        _to_github(session, values, data, out)
    elif out is None:
        session.output.value_stream(data)
    else:
        newfile.write(out, [data], force=force)
        if session.as_json:
            session.output.json({"file": out, "secrets": list(chosen)})
        session.output.done(f"wrote {len(values)} to {out}, in the clear")


def _values(session: Session, chosen: dict[str, str], format_: str) -> dict[str, bytes]:
    """Read the chosen secrets; return their values by what each is called in the format."""
    references = [parse(name) for name in chosen]
    found = session.secrets.read_many(references, purpose="export")
    stale.tell(session.output, zip(references, found, strict=True))
    values: dict[str, bytes] = {}
    for (name, variable), answer in zip(chosen.items(), found, strict=True):
        if isinstance(answer, OpenclawError):
            raise answer
        key = variable if format_ in _BY_VARIABLE else name
        if key in values:
            raise UsageError(
                f"two secrets would both be {key} in {format_}",
                hint="export them apart, or label one: openclaw secrets create --label variable=",
            )
        values[key] = answer.value.reveal()
    return values


def _to_github(session: Session, values: dict[str, bytes], data: bytes, out: str | None) -> None:
    """Mask first, on the step's output, then append to the file GitHub reads variables from."""
    from openclaw_cli.formats.github import masks

    path = out or os.environ.get("GITHUB_ENV")
    if not path:
        raise UsageError(
            "GITHUB_ENV is not set: this is not a step of GitHub Actions",
            hint="--out FILE writes the variables to a file of yours",
        )
    session.output.value_stream(masks(values))
    try:
        fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            write_all(fd, data)
        finally:
            os.close(fd)
    except OSError as refused:
        raise failure("write", path, refused) from None
    session.output.done(f"masked {len(values)} and set them for the steps that follow")


def _selected(session: Session, names: list[str], *, all_: bool) -> dict[str, str]:
    """Return the secrets that are meant, each with its variable."""
    known = variables(session, listing.entries(session.secrets.catalogue()))
    if not names and not all_:
        raise UsageError("no secret is named", hint="name them, or add --all")
    chosen = known if all_ else {}
    for pattern in names:
        matching = [name for name in known if fnmatchcase(name, pattern)]
        if not matching:
            raise NotFoundError(f"no secret matches {pattern}", hint="openclaw secrets list")
        chosen |= {name: known[name] for name in matching}
    return chosen


def _check_values(named: dict[str, bytes]) -> None:
    empty = [name for name, value in named.items() if not value]
    if empty:
        raise UsageError(
            f"{empty[0]} is empty, and an empty value is not kept", hint="take it out of the file"
        )


def _tell_plan(session: Session, named: dict[str, bytes], *, skipped: int) -> None:
    there = {entry.name for entry in listing.entries(session.secrets.catalogue())}
    if session.as_json:
        taken = sorted(name for name in named if name in there)
        session.output.json({"new": sorted(set(named) - there), "taken": taken})
        return
    for name in sorted(named):
        session.output.line(f"{'version' if name in there else 'new'}  {name}")
    if skipped:
        session.output.note(f"{skipped} are references already and would be left alone")
