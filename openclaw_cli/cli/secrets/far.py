"""What `secrets status` and `history` say of a secret that lives in another backend.

Its versions are asked for, never its value, so nothing is recorded.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from openclaw_cli import duration
from openclaw_cli.cli.layout import Column
from openclaw_cli.errors import NotFoundError
from openclaw_cli.names import Reference, parse
from openclaw_cli.service import LOCAL

if TYPE_CHECKING:
    from openclaw_cli.backends.protocols import Versioned
    from openclaw_cli.cli.session import Session
    from openclaw_cli.model import Version

_VERSIONS = [
    Column("VERSION", weight=9, shortest=8),
    Column("STAGE", weight=5, states=True),
    Column("MADE", weight=7),
]


def found(session: Session, name: str) -> tuple[Reference, list[Version]] | None:
    """Return where a name leads outside of the store, and its versions there; None for nowhere.

    Raises what the backend does, where a reference names one.
    """
    reference = parse(name)
    if reference.backend:
        return None if reference.backend == LOCAL else (reference, _versions(session, reference))
    if reference.path in session.secrets.catalogue().entries:
        return None
    for backend in session.settings.backends():
        there = Reference(reference.path, backend=backend)
        if backend != LOCAL and _versioned(session, backend):
            try:
                return there, _versions(session, there)
            except NotFoundError:
                continue
    return None


def show(
    session: Session,
    reference: Reference,
    versions: list[Version],
    last_read: dict[str, object] | None,
) -> None:
    """Show its health: where it is, its versions, how old the copy is, and who read it last."""
    copied = session.secrets.copied(reference)
    if session.as_json:
        session.output.json(
            {
                "name": reference.path,
                "reference": str(reference),
                "backend": reference.backend,
                "versions": [_plain(each) for each in versions],
                "copied": copied,
                "last_read": last_read,
            }
        )
        return
    now = time.time()
    current = versions[0] if versions else None
    session.output.facts(
        [
            ("name", reference.path),
            ("reference", str(reference)),
            ("backend", reference.backend),
            ("version", _of(current, now) if current else "not told by this backend"),
            ("versions", str(len(versions)) if versions else "not told by this backend"),
            ("copy", copy(copied)),
            ("last read", f"{last_read['at']} by {last_read['by']}" if last_read else "never"),
        ]
    )


def copy(copied: float | None) -> str:
    """Say how old the copy is that is kept of what lives elsewhere."""
    return "none" if copied is None else f"fetched {duration.relative(copied - time.time())}"


def show_history(session: Session, reference: Reference, versions: list[Version]) -> None:
    """List its versions, newest first."""
    if session.as_json:
        plain = [_plain(each) for each in versions]
        session.output.json(
            {"name": reference.path, "reference": str(reference), "versions": plain}
        )
        return
    now = time.time()
    rows = [[each.id, each.stage, _made(each, now)] for each in versions]
    session.output.table(_VERSIONS, rows)


def _versions(session: Session, reference: Reference) -> list[Version]:
    opened = _versioned(session, reference.backend)
    if opened is None:
        return []
    with session.output.progress(f"asking {reference.backend}"):
        return opened.versions(reference.path)


def _versioned(session: Session, backend: str) -> Versioned | None:
    """Return a backend that tells of its versions; None for one that does not."""
    from openclaw_cli.backends.protocols import Versioned

    opened = session.secrets.elsewhere.backend(backend)
    return opened if isinstance(opened, Versioned) else None


def _of(version: Version, now: float) -> str:
    made = _made(version, now)
    return f"{version.id}, made {made}" if made else version.id


def _made(version: Version, now: float) -> str:
    return duration.relative(version.created - now) if version.created else ""


def _plain(version: Version) -> dict[str, Any]:
    return {"version": version.id, "stage": version.stage, "created": version.created or None}
