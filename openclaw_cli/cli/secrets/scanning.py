"""`openclaw secrets scan`: plain text where none should be. No part of a value is shown."""

from __future__ import annotations

import os
import time
from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from openclaw_cli import leaks, newfile
from openclaw_cli.cli.session import Session
from openclaw_cli.errors import (
    FindingsError,
    LockedError,
    OpenclawError,
    PartialError,
    UsageError,
)
from openclaw_cli.interop.scan import git, tree
from openclaw_cli.interop.scan.finding import Finding
from openclaw_cli.interop.scan.report import Baseline, sarif
from openclaw_cli.interop.scan.run import Scan
from openclaw_cli.interop.scan.stream import Search
from openclaw_cli.names import Reference
from openclaw_cli.service import LOCAL

if TYPE_CHECKING:
    from openclaw_cli.running.masking import Needles
    from openclaw_cli.service import Secrets

app = typer.Typer(rich_markup_mode=None, add_completion=False)

SHORTEST = 8
"""Bytes; a shorter value would be found where nobody put it."""

_SHOWN_UNREAD = 3


@app.command()
def scan(
    context: typer.Context,
    paths: Annotated[
        list[str] | None, typer.Argument(metavar="[PATH ...]", help="Files, folders, repositories.")
    ] = None,
    staged: Annotated[
        bool, typer.Option("--staged", help="Look at what is about to be committed.")
    ] = False,
    no_history: Annotated[
        bool, typer.Option("--no-history", help="Leave the history of repositories out.")
    ] = False,
    baseline: Annotated[
        str | None, typer.Option("--baseline", metavar="FILE", help="Pass over what it accepts.")
    ] = None,
    update: Annotated[
        bool, typer.Option("--update-baseline", help="Accept what is found from now on.")
    ] = False,
    as_sarif: Annotated[
        bool, typer.Option("--sarif", help="Answer in SARIF 2.1.0, for code scanning.")
    ] = False,
) -> int:
    """Look for secrets in plain text.

        openclaw secrets scan

        openclaw secrets scan . --baseline .openclaw-baseline.json

        openclaw secrets scan --staged

    Without a path: the state directory, shell histories, transcripts of agents, .env files here.
    Looked for are the values of the store, as they are and encoded (they are read for it, which is
    recorded), keys of known services, and what is as random as one. The status is 10 when there is
    any.
    """
    session: Session = context.obj
    _check(paths, staged=staged, baseline=baseline, update=update)
    accepted = _baseline(baseline, update=update)
    scanning = _scan(session, accepted.key, quiet=staged)
    with session.output.progress("scanning") as progress:
        scanning.say = progress.say
        if staged:
            every = list(scanning.staged(git.top(".")))
        else:
            looked_at = paths or _usual(session)
            every = list(scanning.paths(looked_at, history=not no_history))
            _note(session, scanning, looked_at if paths else [], every)
    if update and baseline is not None:
        count = accepted.write(baseline, every)
        session.output.done(f"{baseline} accepts {_many(count)}")
        every = [each for each in every if each.rule == "own-value"]
    found = accepted.unknown(every)
    _tell(session, scanning, found, as_sarif=as_sarif)
    if found:
        return FindingsError.status
    return PartialError.status if scanning.unread else 0


def _check(paths: list[str] | None, *, staged: bool, baseline: str | None, update: bool) -> None:
    if staged and paths:
        raise UsageError("--staged takes no path", hint="openclaw secrets scan --staged")
    if update and baseline is None:
        raise UsageError("--update-baseline needs a file", hint="--baseline FILE")
    for path in paths or ():
        if not os.path.lexists(path):
            raise newfile.missing(path)


def _baseline(path: str | None, *, update: bool) -> Baseline:
    if path is None or (update and not os.path.lexists(path)):
        return Baseline.made()
    return Baseline.read(path)


def _usual(session: Session) -> list[str]:
    from openclaw_cli.home import user_home

    return tree.usual(user_home(os.environ), session.home.root, os.environ)


def _scan(session: Session, key: bytes, *, quiet: bool) -> Scan:
    try:
        needles = _needles(session, session.quiet_secrets if quiet else session.secrets)
    except LockedError as locked:
        session.output.warn("the store is locked: its values are not looked for", hint=locked.hint)
        needles = None
    home = session.home
    return Scan(Search(needles, key), key, frozenset((home.secrets, home.audit)))


def _needles(session: Session, secrets: Secrets) -> Needles | None:
    """Read the values of the store, recorded as a reading of each."""
    from openclaw_cli.running.masking import Needles

    names = [entry.name for entry in secrets.catalogue().entries.values() if not entry.deleted]
    if not names:
        return None
    references = [Reference(name, backend=LOCAL) for name in names]
    values = {}
    for name, found in zip(names, secrets.read_many(references, purpose="scan"), strict=True):
        if isinstance(found, OpenclawError):
            raise found
        if len(found.value) >= SHORTEST:
            values[name] = found.value.reveal()
    if len(values) < len(names):
        short = (
            "1 value is"
            if len(names) - len(values) == 1
            else f"{len(names) - len(values)} values are"
        )
        session.output.note(f"{short} too short to be looked for")
    return Needles(values) if values else None


def _note(session: Session, scanning: Scan, paths: list[str], every: list[Finding]) -> None:
    """Keep how often each value of ours was found, for how exposed it is."""
    if not scanning.search.knows_values:
        return
    found = dict(Counter(each.name for each in every if each.name))
    where = leaks.places(map(os.path.abspath, paths))
    before = leaks.known(session.secrets.catalogue().extra, where)
    if not (found or before):
        return
    names = sorted({*found, *before})
    try:
        session.changes.change_store(
            leaks.NOTED,
            {"names": names},
            lambda draft: leaks.note(draft.directory.extra, where, found, time.time()),
        )
    except OpenclawError as refused:
        session.output.warn(f"what was found is not noted: {refused.message}", hint=refused.hint)


def _tell(session: Session, scanning: Scan, found: list[Finding], *, as_sarif: bool) -> None:
    if as_sarif:
        import json

        session.output.drawn(json.dumps(sarif(found)) + "\n")
    elif session.as_json:
        session.output.json(
            {
                "findings": [_plain(each) for each in found],
                "files": scanning.files,
                "bytes": scanning.size,
                "unread": [{"path": path, "why": why} for path, why in scanning.unread],
            }
        )
    else:
        for each in found:
            where = f"{each.path}:{each.line}" if each.line else each.path
            blob = f" (in the history, {each.blob[:12]})" if each.blob else ""
            session.output.line(f"{where}: {each.what}{blob}")
        files = "1 file" if scanning.files == 1 else f"{scanning.files} files"
        session.output.done(f"{_many(len(found))} in {files}")
    for path, why in scanning.unread[:_SHOWN_UNREAD]:
        session.output.warn(f"{path} was not looked at: {why}")
    more = len(scanning.unread) - _SHOWN_UNREAD
    if more > 0:
        session.output.warn(f"{more} more were not looked at")


def _plain(finding: Finding) -> dict[str, object]:
    plain: dict[str, object] = {
        "path": finding.path,
        "line": finding.line,
        "rule": finding.rule,
        "what": finding.what,
        "fingerprint": finding.fingerprint,
    }
    return plain | ({"blob": finding.blob} if finding.blob else {})


def _many(count: int) -> str:
    return "1 finding" if count == 1 else f"{count or 'no'} findings"
