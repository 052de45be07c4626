"""`openclaw secrets` describe, rollback, delete, restore, refresh: what becomes of a secret."""

from __future__ import annotations

from typing import Annotated

import typer

from openclaw_cli import duration
from openclaw_cli.cli.secrets import given, places
from openclaw_cli.cli.secrets.values import Label, Name, Provider
from openclaw_cli.cli.session import Session
from openclaw_cli.errors import UsageError
from openclaw_cli.interop.gateway import remembered
from openclaw_cli.names import check
from openclaw_cli.service import LOCAL

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def describe(
    context: typer.Context, name: Name, provider: Provider = None, label: Label = None
) -> None:
    """Change what is known of a secret: its provider, its labels.

    An empty label is taken away. The label "variable" names the variable that `run` puts it in.

        openclaw secrets describe db-password --label variable=PGPASSWORD
    """
    session: Session = context.obj
    named = given.labels(label)
    if provider is None and not named:
        raise UsageError("nothing to change", hint="--provider P or --label KEY=TEXT")
    issuer = given.split_provider(session, provider, None)[0] if provider else provider
    session.changes.describe(check(name), provider=issuer, labels=named)
    if session.as_json:
        session.output.json({"name": name})
    session.output.done(f"described {name}")


@app.command()
def rollback(
    context: typer.Context,
    name: Name,
    to: Annotated[
        int | None, typer.Option("--to", metavar="N", help="The version; the one before, if not.")
    ] = None,
) -> None:
    """Make an older version the current one again.

    One that its service does not accept any more is taken after a question, or with --yes. Who is
    told of rotations is told of it by the next run of them.

        openclaw secrets rollback db-password --to 3
    """
    session: Session = context.obj
    session.guard(f"make an older version of {name} the current one?")
    _ask_about_revoked(session, check(name), to)
    serves = remembered(session.home) is not None
    version, untold = session.changes.rollback(name, to, serves=serves)
    if session.as_json:
        session.output.json({"name": name, "version": str(version), "untold": untold})
    session.output.done(f"version {version} of {name} is the current one again")
    if untold:
        session.output.note(f"told by the next rotate --due: {', '.join(untold)}")


def _ask_about_revoked(session: Session, name: str, to: int | None) -> None:
    """Ask before what would be current and is accepted by nobody any more."""
    from openclaw_cli.changes import older
    from openclaw_cli.rotation import consumers

    entry = session.secrets.catalogue().entries.get(name)
    if entry is None or entry.deleted or not entry.policy:
        return
    version = older(entry, to).number
    revoked = consumers.revocation(session.home.audit, entry, version)
    if revoked is None:
        return
    when = f" since {duration.absolute(revoked)}" if revoked else ""
    what = f"version {version} of {name} was revoked: its service does not accept it{when}"
    hint = f"openclaw secrets rotate {name} makes a new value; add --yes, if it is valid again"
    session.output.warn(what)
    session.confirm(f"make version {version} of {name} the current one all the same?", hint=hint)


@app.command()
def delete(
    context: typer.Context,
    name: Name,
    backend: places.Backend = None,
    purge: Annotated[
        bool, typer.Option("--purge", help="For good: it cannot be restored.")
    ] = False,
) -> None:
    """Delete a secret; it can be restored for 30 days."""
    session: Session = context.obj
    reference = places.target(session, name, backend)
    if purge:
        session.confirm(f"delete {name} and all its versions for good?")
    else:
        session.guard(f"delete {name}?")
    if reference.backend == LOCAL:
        there = session.changes.delete(reference.path, purge=purge)
    elif purge:
        raise UsageError(
            f"--purge is for the local store, {reference.backend} has its own rules",
            hint="leave --purge out",
        )
    else:
        from openclaw_cli import elsewhere

        there = elsewhere.delete(session.secrets, reference)
    if session.as_json:
        session.output.json({"name": name, "backend": reference.backend, "deleted": there})
    if not there:
        session.output.done(f"no secret is called {name}, so nothing was deleted")
    elif purge:
        session.output.done(f"{name} is gone for good")
    elif reference.backend == LOCAL:
        session.output.done(f"deleted {name}; openclaw secrets restore {name} brings it back")
    else:
        session.output.done(f"deleted {name} in {reference.backend}")


@app.command()
def restore(context: typer.Context, name: Name) -> None:
    """Bring a deleted secret back."""
    session: Session = context.obj
    version = session.changes.restore(check(name))
    if session.as_json:
        session.output.json({"name": name, "version": str(version)})
    session.output.done(f"{name} is back, at version {version}")


@app.command()
def refresh(context: typer.Context, name: Name, backend: places.Backend = None) -> None:
    """Fetch a secret again and replace the copy of it.

    openclaw secrets refresh --name openai-api-key
    """
    session: Session = context.obj
    reference = places.target(session, name, backend, part=True)
    if reference.backend == LOCAL:
        session.secrets.read(reference, purpose="refresh")
        changed = False
    else:
        before = session.secrets.copy_of(reference)
        places.wanted(session, no_cache=True)
        after = session.secrets.read(reference, purpose="refresh").value.reveal()
        changed = before != after
    if session.as_json:
        session.output.json({"name": name, "backend": reference.backend, "changed": changed})
    if reference.backend == LOCAL:
        session.output.done(f"{name} lives in the local store, there is no copy to refresh")
    else:
        session.output.done(f"{name} {'has changed' if changed else 'is the same'}")
