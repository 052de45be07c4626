"""`openclaw secrets` run and inject: secrets given to programs and templates."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Annotated

import typer

from openclaw_cli import formats, newfile, providers, template
from openclaw_cli.cli import listing
from openclaw_cli.cli.secrets import named, places, stale
from openclaw_cli.cli.secrets.references import read_file
from openclaw_cli.cli.secrets.start import Plan, Unstarted, checked, start
from openclaw_cli.cli.session import Session
from openclaw_cli.errors import NotFoundError, OpenclawError, UsageError
from openclaw_cli.names import Reference, parse

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(context_settings={"allow_interspersed_args": False})
def run(
    context: typer.Context,
    program: Annotated[
        list[str], typer.Argument(metavar="-- PROGRAM ...", help="What to run, and its arguments.")
    ],
    env: Annotated[
        list[str] | None,
        typer.Option("--env", metavar="VAR=NAME", help="A secret in a variable; NAME alone works."),
    ] = None,
    env_file: Annotated[
        list[str] | None,
        typer.Option("--env-file", metavar="FILE", help="A .env file with references as values."),
    ] = None,
    secret: Annotated[
        list[str] | None,
        typer.Option(
            "--secret", metavar="PATTERN", help="Every secret of that name, in its usual variable."
        ),
    ] = None,
    allow_missing: Annotated[
        bool, typer.Option("--allow-missing", help="Start without the secrets that are not there.")
    ] = False,
    no_mask: Annotated[
        bool, typer.Option("--no-mask", help="Do not mask the values in what the program prints.")
    ] = False,
    fallback: places.Fallback = None,
    no_cache: places.NoCache = False,
    max_age: places.MaxAge = None,
    offline: places.Offline = False,
) -> int:
    """Run a program with secrets, its output masked.

        openclaw secrets run --env OPENAI_API_KEY=openai-api-key -- python agent.py

        openclaw secrets run --env-file .env -- npm start

    A line of .env may be KEY=openclaw://name. The status is the program's.
    """
    session: Session = context.obj
    with Unstarted():
        places.wanted(
            session, fallback=fallback, no_cache=no_cache, max_age=max_age, offline=offline
        )
        plan = Plan(program, mask=session.settings["run.mask"] and not no_mask)
        plan.allow_missing = allow_missing
        _fill(session, plan, env or [], env_file or [], secret or [])
        status = start(session.secrets, plan)
    for name in plan.missing:
        session.output.warn(f"{name} was not there and was left out")
    return status


@app.command()
def inject(
    context: typer.Context,
    file: Annotated[
        str, typer.Argument(metavar="[FILE|-]", help="The template; standard input, if not.")
    ] = "-",
    out: Annotated[
        str | None, typer.Option("--out", "-o", metavar="FILE", help="Where to; 0600.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file.")] = False,
    fallback: places.Fallback = None,
    no_cache: places.NoCache = False,
    max_age: places.MaxAge = None,
    offline: places.Offline = False,
) -> None:
    """Fill the references in a template.

        openclaw secrets inject config.tmpl --out config.yaml

        echo "key: {{ openclaw://openai-api-key }}" | openclaw secrets inject

    Without --out nothing is written to a disk.
    """
    session: Session = context.obj
    places.wanted(session, fallback=fallback, no_cache=no_cache, max_age=max_age, offline=offline)
    text = read_file(file)
    wanted = template.references(text)
    parsed = [parse(each) for each in wanted]
    found = session.secrets.read_many(parsed, purpose="inject")
    stale.tell(session.output, zip(parsed, found, strict=True))
    values = {}
    for reference, answer in zip(wanted, found, strict=True):
        if isinstance(answer, OpenclawError):
            raise answer
        values[reference] = answer.value.reveal()
    filled = template.fill(text, values.__getitem__)
    if out is None:
        session.output.value_stream(filled)
    else:
        newfile.write(out, [filled], force=force)
        if session.as_json:
            session.output.json({"file": out, "references": wanted})
        many = "1 reference" if len(wanted) == 1 else f"{len(wanted)} references"
        session.output.done(f"filled {many} into {out}")


def _fill(
    session: Session, plan: Plan, env: list[str], files: list[str], patterns: list[str]
) -> None:
    for path in files:
        _add_file(plan, path)
    for pattern in patterns:
        _add_pattern(session, plan, pattern)
    for each in env:
        variable, separator, reference = each.partition("=")
        if separator:
            plan.add(variable, reference)
        else:
            plan.add(_variable(session, parse(each)), each)
    if not (plan.secrets or plan.literals):
        raise UsageError("no secret is named", hint="--env VAR=NAME, --env-file FILE or --secret")


def _add_file(plan: Plan, path: str) -> None:
    try:
        pairs = formats.get("dotenv").read(read_file(path))
    except NotFoundError as refused:  # 3 would say that a secret is missing
        raise UsageError(refused.message, hint=refused.hint) from None
    references = template.env_references(pairs)
    for variable, value in pairs.items():
        if variable in references:
            plan.add(variable, references[variable])
        else:
            plan.literals[checked(variable)] = value


def _add_pattern(session: Session, plan: Plan, pattern: str) -> None:
    entries = listing.entries(session.secrets.catalogue())
    variables = named.variables(session, entries)
    matching = sorted(name for name in variables if fnmatchcase(name, pattern))
    if not matching:
        raise NotFoundError(f"no secret matches {pattern}", hint="openclaw secrets list")
    for name in matching:
        variable = variables[name]
        if variable in plan.secrets:
            raise UsageError(
                f"{plan.secrets[variable]} and {name} would both be {variable}",
                hint=f"say which: --env {variable}={name}",
            )
        plan.add(variable, name)


def _variable(session: Session, reference: Reference) -> str:
    if not reference.backend and reference.path in named.all_names(session):
        return named.variable(session, reference.path)
    entry = session.secrets.catalogue().entries.get(reference.path)
    return listing.variable_of(entry) if entry else providers.variable_for(reference.path)
