"""`openclaw secrets audit`: who did what to which secret, what looks wrong, and the proof of it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from openclaw_cli import assembly, duration, newfile
from openclaw_cli.audit import event as events
from openclaw_cli.audit.questions import Filter, Finding
from openclaw_cli.audit.reading import Reading
from openclaw_cli.audit.survey import Period, survey
from openclaw_cli.cli import stdout
from openclaw_cli.cli.secrets import audit_report as report
from openclaw_cli.cli.secrets.audit_follow import FOLLOWED, follow_on
from openclaw_cli.cli.session import Session
from openclaw_cli.errors import (
    IntegrityError,
    LockedError,
    UsageError,
)

if TYPE_CHECKING:
    from openclaw_cli.audit.head import Head

app = typer.Typer(rich_markup_mode=None, invoke_without_command=True, add_completion=False)

_ROWS = 200
_PAGES = ("markdown", "html")
_BATCH = 1 << 16  # bytes

PeriodText = Annotated[
    str | None,
    typer.Option("--period", metavar="24h", help="7d, today, yesterday, 2026-11-01..2026-11-20"),
]


@app.callback()
def audit(
    context: typer.Context,
    period: PeriodText = None,
    name: Annotated[
        str, typer.Option("--name", metavar="NAME", help="One secret, or a pattern: prod/*")
    ] = "",
    actor: Annotated[
        str,
        typer.Option("--actor", metavar="WHO", help="A user, agent, program, address, cron, ci."),
    ] = "",
    action: Annotated[
        str, typer.Option("--action", metavar="WHAT", help="read, get, run, set, delete, store...")
    ] = "",
    follow: Annotated[
        bool, typer.Option("--follow", help="Go on showing what is added, until Ctrl-C.")
    ] = False,
    limit: Annotated[
        int | None,
        typer.Option("--limit", metavar="N", min=0, help="Show the newest N events; 0 for all."),
    ] = None,
) -> None:
    """Show who did what to which secret, and what looks wrong.

    openclaw secrets audit --period 7d --name openai-api-key

    openclaw secrets audit --action read --actor cron

    openclaw secrets audit --follow --json | logger
    """
    if context.invoked_subcommand is not None:
        return
    session: Session = context.obj
    wanted = Filter(name, actor, _known(action))
    if follow:
        follow_on(session, period, wanted, FOLLOWED if limit is None else limit)
        return
    now = time.time()
    asked = Period(*duration.period(period or "24h", now), now)
    trail = _opened(session)
    with Reading(session.home.audit) as reading:
        found = survey(
            reading,
            asked,
            wanted,
            key=trail.key,
            head=trail.head,
            limit=_ROWS if limit is None else limit,
        )
    found.answer.findings[:0] = trail.findings
    if session.as_json:
        session.output.json(report.plain(found, asked))
    else:
        report.show(session.output, found, asked)
        if trail.key and not found.checked:
            session.output.note("not verified, for its length: openclaw secrets audit verify")


@app.command()
def verify(context: typer.Context) -> None:
    """Prove the chain: every record, every file, and both ends.

    Its status is 0 only when everything was verified, and 4 when anything is wrong.
    """
    from openclaw_cli.cli.secrets.audit_verify import verified_trail

    session: Session = context.obj
    found = verified_trail(session, session.secrets)
    if session.as_json:
        session.output.json(
            {
                "verified": True,
                "records": found.records,
                "first": found.first,
                "last": found.last,
                "segments": found.segments,
                "begins": found.begins,
                "ends": found.ends,
                "leftover_segments": found.leftover,
                "unfinished_bytes": found.unfinished,
            }
        )
        return
    if not found.records:
        session.output.line("nothing was recorded yet, and the store says the same")
        return
    files = f"{found.segments} file{'s' if found.segments != 1 else ''}"
    session.output.line(f"verified: records {found.first} to {found.last}, in {files}")
    session.output.line(f"from {found.begins[:19]}Z to {found.ends[:19]}Z")
    if found.first > 1:
        session.output.line(f"records before {found.first} were pruned, and the chain says so")
    if found.leftover:
        session.output.note(f"{found.leftover} pruned files are still there: audit prune removes")
    if found.unfinished:
        session.output.note("a last record is unfinished: it was never acknowledged")


@app.command()
def export(
    context: typer.Context,
    format_: Annotated[
        str, typer.Option("--format", metavar="jsonl|csv", help="As it stands, or a table.")
    ] = "jsonl",
    period: PeriodText = None,
    output: Annotated[
        str, typer.Option("-o", "--output", metavar="FILE", help="Where to; - for the output.")
    ] = "-",
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> None:
    """Write the records of a period, of all time if none is named.

    As JSON lines they are what the trail holds, byte for byte, and their chain can be verified.

        openclaw secrets audit export --format csv --period 30d -o november.csv
    """
    session: Session = context.obj
    if format_ not in ("jsonl", "csv"):
        raise UsageError(f"there is no format {format_}", hint="known: jsonl, csv")
    now = time.time()
    begin, end = duration.period(period, now) if period else (0.0, float("inf"))
    with Reading(session.home.audit) as reading:
        lines = _whole(reading, begin, end)
        chunks = _csv(lines) if format_ == "csv" else lines
        count = [0]
        counted = _counting(chunks, count)
        if output == "-":
            for chunk in _batched(counted):
                stdout.write_all(chunk)
        else:
            newfile.write(output, _batched(counted), force=force)
    records = count[0] - (format_ == "csv")
    if output != "-":
        if session.as_json:
            session.output.json({"records": records, "file": output, "format": format_})
        session.output.done(f"wrote {records} records to {output}")


@app.command("report")
def report_(
    context: typer.Context,
    period: PeriodText = None,
    format_: Annotated[
        str, typer.Option("--format", metavar="markdown|html", help="As text, or as a page.")
    ] = "markdown",
    output: Annotated[
        str, typer.Option("-o", "--output", metavar="FILE", help="Where to; - for the output.")
    ] = "-",
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> None:
    """Write a page about a period, for people: who read what, when, and what looks wrong.

        openclaw secrets audit report --period 7d --format html -o week.html

    There are names in it and no values.
    """
    from openclaw_cli.cli.secrets import audit_pages as pages

    session: Session = context.obj
    if format_ not in _PAGES:
        raise UsageError(f"there is no format {format_}", hint=f"known: {', '.join(_PAGES)}")
    now = time.time()
    asked = Period(*duration.period(period or "7d", now), now)
    trail = _opened(session)
    with Reading(session.home.audit) as reading:
        found = survey(reading, asked, Filter(), key=trail.key, head=trail.head, limit=1)
        lines = reading.in_spans(reading.spans(asked.start, asked.end))
        drawn = pages.timeline(lines, asked.start, min(asked.end, now))
    found.answer.findings[:0] = trail.findings
    page = pages.Report(asked.start, asked.end, now, found.answer, drawn, found.checked)
    text = (pages.html if format_ == "html" else pages.markdown)(page).encode()
    if output == "-":
        stdout.write_all(text)
        return
    newfile.write(output, [text], force=force)
    if session.as_json:
        session.output.json({"file": output, "format": format_, "records": found.answer.events})
    session.output.done(f"wrote {output}")


@app.command("import")
def import_(
    context: typer.Context,
    path: Annotated[
        str,
        typer.Argument(metavar="FILE|FOLDER", help="What the job left: trail.jsonl, or all of it."),
    ],
) -> None:
    """Take back the records that a job left of reading a bundle.

    Each is verified first; one that was changed refuses them all. What was taken back before is
    left out, so it can be done again.

        openclaw secrets audit import ci.bundle.job
    """
    from openclaw_cli import bundling

    session: Session = context.obj
    snapshot = session.secrets.opened()
    snapshot.close()
    key = snapshot.index.audit_key
    jobs = [bundling.verified(each, key) for each in bundling.left(path)]
    added = sum(bundling.take_back(session.secrets, job) for job in jobs)
    if session.as_json:
        session.output.json({"records": added, "jobs": len(jobs)})
    left = sum(len(job.records) for job in jobs) - added
    before = f", {left} were here already" if left else ""
    session.output.done(f"took back {added} records, each verified{before}")


@app.command()
def prune(
    context: typer.Context,
    before: Annotated[
        str, typer.Option("--before", metavar="90d", help="How old what goes is, or a date.")
    ],
) -> None:
    """Remove the oldest files of the trail, and record that they were.

    The trail is verified first. A file goes when every record in it is older; the newest stays.
    """
    from openclaw_cli.audit.prune import carry_out, plan
    from openclaw_cli.cli.secrets.audit_verify import verified_trail

    session: Session = context.obj
    verified_trail(session, session.secrets)
    with Reading(session.home.audit) as reading:
        found = plan(reading, _edge(before, time.time()))
        if found.segments:
            session.confirm(f"remove {report.pruned(found)}, for good?")
            carry_out(session.secrets.trail, found, session.secrets.actor)
    if session.as_json:
        session.output.json({"removed": [each.name for each in found.segments], "last": found.last})
    if found.segments:
        session.output.done(f"removed {report.pruned(found)}; the chain goes on and says so")
    else:
        session.output.done("no file of the trail is that old")


class _Opened(NamedTuple):
    """What the store gives for reading its trail; nothing of it where the store is locked."""

    key: bytes
    head: Head | None
    findings: list[Finding]


def _opened(session: Session) -> _Opened:
    """Open the store, without asking anybody: the trail can be read without."""
    secrets = assembly.secrets(session.home, session.settings, os.environ)
    raw = secrets.trail.read_head()
    try:
        snapshot = secrets.open()
    except LockedError:
        session.output.warn("not verified: the store is locked", hint="openclaw store unlock")
        return _Opened(b"", None, [])
    except IntegrityError as wrong:
        return _Opened(b"", None, [Finding("integrity", wrong.message, "", "", hint=wrong.hint)])
    if snapshot is None:
        return _Opened(b"", None, [])
    try:
        return _Opened(snapshot.index.audit_key, secrets.trail.known(raw), [])
    finally:
        snapshot.close()


def _known(action: str) -> str:
    word = action.lower()
    if word and "_" not in word and word not in {*events.ACTIONS, *events.READ_WORDS}:
        from difflib import get_close_matches

        close = get_close_matches(word, events.ACTIONS, n=2)
        meant = f"did you mean {' or '.join(close)}?" if close else ", ".join(events.ACTIONS)
        raise UsageError(f"no action is called {action}", hint=meant)
    return word


def _whole(reading: Reading, begin: float, end: float) -> Iterator[bytes]:
    for line in reading.in_spans(reading.spans(begin, end)):
        if line.endswith(b"\n"):
            yield line
    if end != float("inf"):
        yield from reading.stray(begin, end)


def _csv(lines: Iterator[bytes]) -> Iterator[bytes]:
    import csv
    from io import StringIO

    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(report.CSV)
    yield text.getvalue().encode()
    for line in lines:
        event = events.read(line)
        if event is None:
            raise IntegrityError(
                "a line of the trail cannot be read", hint="openclaw secrets audit verify"
            )
        text.seek(0)
        text.truncate()
        writer.writerow(report.csv_row(event))
        yield text.getvalue().encode()


def _counting(chunks: Iterator[bytes], count: list[int]) -> Iterator[bytes]:
    for chunk in chunks:
        count[0] += 1
        yield chunk


def _edge(before: str, now: float) -> float:
    """Return the time that "90d" or a date means."""
    if ".." in before:
        raise UsageError(
            "--before takes one time", hint="openclaw secrets audit prune --before 90d"
        )
    begin, _ = duration.period(before, now)
    return begin


def _batched(chunks: Iterator[bytes]) -> Iterator[bytes]:
    batch: list[bytes] = []
    size = 0
    for chunk in chunks:
        batch.append(chunk)
        size += len(chunk)
        if size >= _BATCH:
            yield b"".join(batch)
            batch, size = [], 0
    yield b"".join(batch)
