"""A change of what lies beside the store, with its records: announced, made, and how it ended.

Settings, trust in a project's file, units and the gateway's configuration decide who may read and
how that is protected. What they are set to is not recorded: it may be sensitive.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from openclaw_cli.audit.announcing import announced
from openclaw_cli.errors import OpenclawError

if TYPE_CHECKING:
    from openclaw_cli.cli.session import Session
    from openclaw_cli.service import Secrets


@contextmanager
def recorded(session: Session, kind: str, **about: str | list[str]) -> Iterator[None]:
    """Announce the change that the block makes, and record how it ended.

    Raises `UnrecordedError` where that cannot be done: then nothing is changed. Where there is no
    store yet there is nothing to record it in, and where it does not open, a setting may be why:
    then the change is made all the same, and said to have left no record.
    """
    keeper = _keeper(session)
    if keeper is None:
        yield
    else:
        with announced(keeper.trail, {"kind": kind, **about, "actor": keeper.actor}):
            yield


def noted(session: Session, kind: str, **about: str | list[str]) -> None:
    """Record what was done already, since it closes something and must not wait for a record."""
    keeper = _keeper(session)
    if keeper is not None:
        keeper.trail.append([{"kind": kind, **about, "outcome": "ok", "actor": keeper.actor}])


def _keeper(session: Session) -> Secrets | None:
    """Return what has the trail open, None where there is none."""
    try:
        secrets = session.secrets
        snapshot = None if secrets.alone else secrets.open()
    except OpenclawError as closed:
        session.output.warn(f"this leaves no record: {closed.message}", hint=closed.hint)
        return None
    if snapshot is None:
        return None
    snapshot.close()
    return secrets
