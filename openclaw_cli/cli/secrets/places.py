"""In which backend a command works, and how old its answers may be."""

from __future__ import annotations

from typing import Annotated

import typer

from openclaw_cli import duration
from openclaw_cli.cli.session import Session
from openclaw_cli.errors import ConflictError, DeniedError, NotFoundError, UsageError
from openclaw_cli.model import SecretValue
from openclaw_cli.names import Reference, check, parse
from openclaw_cli.service import LOCAL

Backend = Annotated[
    str | None, typer.Option("--backend", metavar="B", help="Where it lives: local, vault, ...")
]
Fallback = Annotated[
    str | None,
    typer.Option("--fallback", metavar="B", help="Look there when it is away or not there."),
]
NoCache = Annotated[bool, typer.Option("--no-cache", help="Ask the backend, use no copy.")]
MaxAge = Annotated[
    str | None, typer.Option("--max-age", metavar="1h", help="The oldest copy that will do.")
]
Offline = Annotated[
    bool, typer.Option("--offline", help="Ask no other machine: a copy, or nothing.")
]


def target(session: Session, name: str, backend: str | None, *, part: bool = False) -> Reference:
    """Return the one place that a command is to change: as named, as told, or as set.

    Without `part` a version or a field of a secret is refused: only the whole can be changed.
    """
    reference = parse(name)
    version, field = reference.version, reference.field
    if not part and (version is not None or field):
        raise UsageError(
            "a version or a field cannot be changed, only the whole secret",
            hint="leave out what follows ? or #",
        )
    if backend and reference.backend not in ("", backend):
        raise UsageError(
            f"{name} names another backend than --backend {backend}", hint="leave --backend out"
        )
    if not (reference.backend or backend):
        astray = session.secrets.astray(reference)
        if astray is not None:
            raise astray
        reference = session.secrets.named(reference.path) or reference
    if not reference.backend:
        reference.backend = backend or session.secrets.order[0]
    if part:
        reference.version, reference.field = version, field or reference.field
    if reference.backend == LOCAL:
        check(reference.path)
    return reference


def wanted(
    session: Session,
    *,
    backend: str | None = None,
    fallback: str | None = None,
    no_cache: bool = False,
    max_age: str | None = None,
    offline: bool = False,
) -> None:
    """Tell the session's secrets where to look and what copies will do.

    Raises `DeniedError` for an agent that would have a name mean another place than was granted.
    """
    if (backend or fallback) and session.secrets.guard:
        option = "--backend" if backend else "--fallback"
        raise DeniedError(
            f"an agent reads where the settings say, not where {option} does",
            hint=f"leave {option} out, or ask for a reference that was granted",
        )
    if backend:
        session.secrets.order = [backend]
        session.secrets.names, session.secrets.plaintext = {}, ()
    if fallback:
        if fallback != LOCAL:
            session.secrets.elsewhere.backend(fallback)  # a misspelt one is refused at once
        session.secrets.fallback = [fallback]
    if not (no_cache or max_age or offline):
        return
    if offline and no_cache:
        raise UsageError(
            "--offline and --no-cache leave nobody to ask", hint="leave one of them out"
        )
    if session.secrets.alone:
        return
    wish = session.secrets.elsewhere.wish
    wish.offline = offline
    if max_age:
        oldest = duration.parse(max_age, name="--max-age")
        wish.at_most(oldest)
        wish.stale = oldest
    if no_cache:
        wish.at_most(0.0)
        wish.stale = 0.0


def keep(
    session: Session,
    reference: Reference,
    value: SecretValue,
    *,
    provider: str = "",
    labels: dict[str, str] | None = None,
    new: bool = False,
    force: bool = False,
    origin: str = "set",
) -> str:
    """Keep a version where the reference says; return its word. With `new`, refuse a taken name."""
    if reference.backend != LOCAL:
        from openclaw_cli import elsewhere

        if labels:
            raise UsageError(
                "labels are kept for secrets of the local store only", hint="leave --label out"
            )
        if new and not force:
            _refuse_taken(session, reference)
        version = elsewhere.put(session.secrets, reference, value)
        _renewed(session, reference)
        return version
    if new:
        number = session.changes.create(
            reference.path, value, provider=provider, labels=labels, force=force, origin=origin
        )
    else:
        number = session.changes.set(reference.path, value, provider=provider, origin=origin)
    return str(number)


def _renewed(session: Session, reference: Reference) -> None:
    """Note a new value of a name that the settings have on a schedule."""
    from openclaw_cli import assembly

    for name, each in session.settings.names.items():
        if "rotation" in each and each.get("reference") == str(reference):
            assembly.standing(session.secrets, session.settings).renewed_by_hand(name)


def _refuse_taken(session: Session, reference: Reference) -> None:
    session.secrets.elsewhere.wish.at_most(0.0)
    try:
        session.secrets.read(reference, purpose="create")
    except NotFoundError:
        return
    raise ConflictError(
        f"{reference} exists already", hint=f"openclaw secrets set {reference}, for a new version"
    )
