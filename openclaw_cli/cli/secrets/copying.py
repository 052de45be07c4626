"""`openclaw secrets copy`: to another name, or to another backend, each read back."""

from __future__ import annotations

from typing import Annotated

import typer

from openclaw_cli.cli import listing
from openclaw_cli.cli.secrets import places
from openclaw_cli.cli.secrets.values import tell_founding
from openclaw_cli.cli.session import Session
from openclaw_cli.errors import (
    ConflictError,
    IntegrityError,
    NotFoundError,
    OpenclawError,
    PartialError,
    StorageError,
    UsageError,
)
from openclaw_cli.model import Secret
from openclaw_cli.names import Reference, parse
from openclaw_cli.service import LOCAL

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def copy(
    context: typer.Context,
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="The secret, or a reference.")
    ] = None,
    new_name: Annotated[
        str | None, typer.Argument(metavar="[NEW-NAME]", help="The name of the copy.")
    ] = None,
    to: Annotated[
        str | None, typer.Option("--to", metavar="BACKEND", help="Where to: vault, local, ...")
    ] = None,
    source: Annotated[
        str | None, typer.Option("--from", metavar="BACKEND", help="Where from; local, if not.")
    ] = None,
    environment: Annotated[
        str | None,
        typer.Option("--environment", metavar="NAME", help="To that environment, default too."),
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="Every secret of --from.")] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Keep a new version where the name is taken.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")
    ] = False,
) -> None:
    """Copy secrets to another name or backend, and read them back.

    What is there already with the same value is left alone, so an interrupted copy is simply
    started again.

        openclaw secrets copy openai-api-key openai-api-key-old

        openclaw secrets copy --all --to vault --dry-run

        openclaw --environment staging secrets copy db-password --environment prod
    """
    session: Session = context.obj
    into = session.elsewhere(environment) if environment else session
    for each in (session, into):
        places.wanted(each, no_cache=True)
    pairs = _pairs(session, into, name, new_name, to=to, source=source, all_=all_)
    if overwrite and not dry_run:
        into.guard(f"write new versions of {len(pairs)} secrets?")
    done: dict[str, str] = {}
    failed: dict[str, OpenclawError] = {}
    for old, new in pairs:
        try:
            done[_shown(new)] = _copy(session, into, old, new, overwrite=overwrite, dry_run=dry_run)
        except OpenclawError as refused:
            if len(pairs) == 1:
                raise
            failed[_shown(old)] = refused
    if into is not session:
        tell_founding(into)
    _tell(session, done, failed)


def _pairs(
    session: Session,
    into: Session,
    name: str | None,
    new_name: str | None,
    *,
    to: str | None,
    source: str | None,
    all_: bool,
) -> list[tuple[Reference, Reference]]:
    if all_:
        if name or not (to or into is not session):
            raise UsageError(
                "--all copies everything to a backend or an environment", hint="--all --to vault"
            )
        return [
            (Reference(each, backend=source or LOCAL), places.target(into, each, to))
            for each in _names(session, source or LOCAL)
        ]
    if not name or not (new_name or to or into is not session):
        raise UsageError("copy what, and where to?", hint="openclaw secrets copy NAME --to vault")
    old = parse(name)
    if source and not old.backend:
        old.backend = source
    same = None if new_name or into is not session else old.backend
    new = places.target(into, new_name or old.path, to or same)
    return [(old, new)]


def _names(session: Session, backend: str) -> list[str]:
    if backend == LOCAL:
        return [entry.name for entry in listing.entries(session.secrets.catalogue())]
    return session.secrets.elsewhere.names(backend)


def _copy(
    session: Session,
    into: Session,
    old: Reference,
    new: Reference,
    *,
    overwrite: bool,
    dry_run: bool,
) -> str:
    secret = session.secrets.read(old, purpose="copy")
    there = _there(into, new)
    if there is not None and there.value.reveal() == secret.value.reveal():
        return "already there"
    if there is not None and not overwrite:
        raise ConflictError(f"{new} is there with another value", hint="add --overwrite")
    if dry_run:
        return "would be copied" if there is None else "would get a new version"
    provider, labels = _described(session, old)
    version = places.keep(
        into,
        new,
        secret.value,
        provider=provider,
        labels=labels if new.backend == LOCAL else None,
        new=True,
        force=True,
        origin="copy",
    )
    back = _read_back(into, new)
    if back.value.reveal() != secret.value.reveal():
        raise IntegrityError(
            f"{new} gives back another value than was written",
            hint=f"openclaw secrets delete {new}, then copy again",
        )
    return f"copied, version {version}"


def _read_back(session: Session, new: Reference) -> Secret:
    try:
        return session.secrets.read(new, purpose="copy")
    except IntegrityError:
        raise
    except OpenclawError:
        # Whatever is the matter now, the copy was made: it must not sound as if it was not.
        raise StorageError(
            f"the change was made, but {new} could not be read back to compare it",
            hint=f"openclaw secrets get {new}",
        ) from None


def _there(session: Session, reference: Reference) -> Secret | None:
    try:
        return session.secrets.read(reference, purpose="copy")
    except NotFoundError:
        return None


def _described(session: Session, reference: Reference) -> tuple[str, dict[str, str]]:
    if reference.backend not in ("", LOCAL):
        return "", {}
    entry = session.secrets.catalogue().entries.get(reference.path)
    return (entry.provider, dict(entry.labels)) if entry else ("", {})


def _shown(reference: Reference) -> str:
    return reference.path if reference.backend in ("", LOCAL) else str(reference)


def _tell(session: Session, done: dict[str, str], failed: dict[str, OpenclawError]) -> None:
    if session.as_json:
        errors = {
            name: {"kind": each.kind, "message": each.message} for name, each in failed.items()
        }
        session.output.json({"copies": done, "errors": errors})
    for name, what in done.items():
        session.output.done(f"{name}: {what}")
    for name, refused in failed.items():
        session.output.warn(f"{name}: {refused.message}", hint=refused.hint)
    if failed:
        raise PartialError(
            f"{len(failed)} of {len(done) + len(failed)} were not copied",
            hint="mend what is said above and start it again: what is there is left alone",
        )
