"""How `secrets audit` looks: the table, the totals, and what looks wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from openclaw_cli import duration
from openclaw_cli.audit import telling
from openclaw_cli.cli.layout import Column, wrapped
from openclaw_cli.cli.render import counted
from openclaw_cli.sanitize import safe

if TYPE_CHECKING:
    from openclaw_cli.audit.event import Event
    from openclaw_cli.audit.prune import Plan
    from openclaw_cli.audit.questions import Answer, Finding, Totals
    from openclaw_cli.audit.survey import Period, Survey
    from openclaw_cli.cli.render import Output

COLUMNS = (
    Column("WHEN", 8),
    Column("WHO", 5, 6),
    Column("ACTION", 6, 6),
    Column("SECRET", 9, 10),
    Column("VERSION", 2, short="VER"),
    Column("OUTCOME", 7, short="END", states=True),
    Column("FROM", 1, 6),
)
_TOTALS = (
    Column("SECRET", 9, 12),
    Column("READ", 7),
    Column("CHANGED", 6, short="CHG"),
    Column("FAILED", 5, short="BAD"),
    Column("READERS", 1),
    Column("LAST", 4),
    Column("BY", 3, 11),
)
_MOST_TOTALS = 10
_MOST_FINDINGS = 20

CSV = (
    *("seq", "at", "clock", "kind", "name", "version", "backend", "outcome", "purpose", "ms"),
    *("phase", "of", "uid", "pid", "via", "tty", "address", "program", "agent", "thread", "field"),
)
_NARROW = 64  # columns
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def show(output: Output, found: Survey, period: Period) -> None:
    """Write the answer for people: events, the oldest first, then totals, then findings."""
    answer = found.answer
    rows = [row(event, period.now, brief=_brief(output)) for event, _ in found.events]
    if rows:
        output.table(COLUMNS, rows)
        left_out = answer.events - len(rows)
        if left_out:
            output.note(f"{left_out} earlier ones are not shown: --limit 0 shows all")
        output.line()
    _show_totals(output, answer, period.now)
    if not answer.events and not answer.findings:
        return  # of a name that is misspelt, too: that nothing looks wrong is not known
    _show_findings(output, answer.findings, period.now)


def row(event: Event, now: float, *, brief: bool = False) -> list[str]:
    """Return one line of the table."""
    return [
        _ago(event.happened, now, brief=brief),
        telling.who(event.actor, telling.user_name),
        event.action,
        event.about,
        event.version,
        event.outcome.replace("_", " "),
        telling.origin(event.actor),
    ]


def line(event: Event) -> str:
    """Return an event as one line, for following the trail as it grows."""
    when, *rest = row(event, 0)
    del when
    return "  ".join([f"{event.happened[:19]}Z", *(cell or "-" for cell in rest)])


def record(line: bytes) -> dict[str, Any]:
    """Return a record with every field it has; it must be one that `event.read` takes."""
    found: dict[str, Any] = msgspec.json.decode(line)
    return found


def plain(found: Survey, period: Period) -> dict[str, Any]:
    """Return the answer for machines."""
    answer = found.answer
    return {
        "period": {
            "start": duration.absolute(period.start),
            "end": duration.absolute(period.end),
        },
        "events": [record(line) for _, line in found.events],
        "matched": answer.events,
        "totals": {
            "by_secret": {name: _plain(each) for name, each in sorted(answer.by_name.items())},
            "by_actor": dict(answer.by_actor.most_common()),
            "by_action": dict(answer.by_action.most_common()),
            "by_outcome": dict(answer.by_outcome.most_common()),
        },
        "findings": [_plain_finding(each) for each in answer.findings],
        "verified": found.checked,
    }


def pruned(found: Plan) -> str:
    """Return what a pruning removes, in words."""
    files = counted(len(found.segments), "file")
    upto = f", records up to {found.last} of {found.ends[:10]}" if found.last else ""
    return f"{files} of the trail ({found.bytes / 1024 / 1024:.1f} MiB{upto})"


def csv_row(event: Event) -> list[str]:
    """Return a record for a spreadsheet; what it would take for a formula is made a text."""
    fields = {**msgspec.structs.asdict(event), **msgspec.structs.asdict(event.actor)}
    if not event.name and event.names:
        fields["name"] = " ".join(event.names)
    cells = ["" if fields[name] in ("", 0, -1) else str(fields[name]) for name in CSV]
    cells[CSV.index("uid")] = "" if event.actor.uid < 0 else str(event.actor.uid)
    return [f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells]


def _show_totals(output: Output, answer: Answer, now: float) -> None:
    if not answer.events:
        output.line("nothing was recorded in that time")
        return
    secrets = sorted(
        answer.by_name.items(),
        key=lambda item: (-item[1].reads - item[1].changes - item[1].failed, item[0]),
    )
    shown = secrets[:_MOST_TOTALS]
    if shown:
        output.table(_TOTALS, [_total_row(*each, now, brief=_brief(output)) for each in shown])
    if len(secrets) > len(shown):
        output.line(f"and {len(secrets) - len(shown)} more secrets", "quiet")
    output.line(_summary(answer), "strong")


def _summary(answer: Answer) -> str:
    secrets, actors = len(answer.by_name), len(answer.by_actor)
    reads = sum(totals.reads for totals in answer.by_name.values())
    changes = sum(totals.changes for totals in answer.by_name.values())
    failed = sum(count for outcome, count in answer.by_outcome.items() if outcome not in _FINE)
    words = [
        counted(answer.events, "event"),
        counted(secrets, "secret"),
        f"{reads} read",
        f"{changes} changed",
        f"{failed} failed",
        f"by {counted(actors, 'actor')}",
    ]
    return ", ".join(words)


_FINE = ("ok", "committed")


def _total_row(name: str, totals: Totals, now: float, *, brief: bool) -> list[str]:
    return [
        name,
        str(totals.reads),
        str(totals.changes),
        str(totals.failed),
        str(len(totals.readers)),
        _ago(totals.last, now, brief=brief),
        totals.last_by,
    ]


def _show_findings(output: Output, findings: list[Finding], now: float) -> None:
    output.line()
    if not findings:
        output.line("nothing looks wrong")
        return
    output.line("what looks wrong:", "attention")
    if len(findings) > _MOST_FINDINGS:
        output.line(f"  {len(findings) - _MOST_FINDINGS} earlier ones: add --json", "quiet")
    for finding in findings[-_MOST_FINDINGS:]:
        told = safe("".join(_told(finding, now)))
        for text in wrapped(told, output.width, first="  ", rest="    "):
            output.line(text)
        if finding.hint:
            output.line(f"    {finding.hint}", "quiet")


def _told(finding: Finding, now: float) -> Iterator[str]:
    yield finding.what
    if finding.who:
        yield f": {finding.who}"
    if finding.count > 1:
        yield f", {finding.count} times"
    if finding.first:
        yield f", {'first ' if finding.count > 1 else ''}{_ago(finding.first, now)}"


def _plain(totals: Totals) -> dict[str, Any]:
    return {
        "reads": totals.reads,
        "changes": totals.changes,
        "failed": totals.failed,
        "readers": sorted(totals.readers),
        "last": totals.last,
        "last_by": totals.last_by,
    }


def _plain_finding(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "what": finding.what,
        "who": finding.who,
        "first": finding.first,
        "count": finding.count,
        "name": finding.name,
        "hint": finding.hint,
    }


def _ago(instant: str, now: float, *, brief: bool = False) -> str:
    ago = min(0.0, telling.seconds(instant) - now)
    return duration.compact(ago) if brief else duration.relative(ago)


def _brief(output: Output) -> bool:
    """Whether "21 seconds ago" would take the place of what was done, and by whom."""
    return 0 < output.width < _NARROW
