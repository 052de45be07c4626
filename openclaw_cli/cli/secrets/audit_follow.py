"""`openclaw secrets audit --follow`: what the trail has, and then what is added to it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from openclaw_cli import duration
from openclaw_cli.audit import event as events
from openclaw_cli.audit import telling
from openclaw_cli.audit.reading import Reading
from openclaw_cli.cli.secrets import audit_report as report
from openclaw_cli.errors import UsageError

if TYPE_CHECKING:
    from openclaw_cli.audit.questions import Filter
    from openclaw_cli.cli.session import Session

FOLLOWED = 10
"""Events that are shown of what was there before."""

_WAIT = 0.25  # seconds
_VERIFY = "openclaw secrets audit verify"


def follow_on(session: Session, period: str | None, wanted: Filter, limit: int) -> None:
    """Show what the trail has, then what is added, until somebody ends it.

    A line that cannot be read is said where the records go, too: a copy elsewhere must not look
    whole.
    """
    from openclaw_cli.audit.follow import follow as followed
    from openclaw_cli.audit.follow import start

    with Reading(session.home.audit) as reading:
        spans = reading.tail(limit) if limit else reading.spans(0, float("inf"))
        if period is not None:
            begin, end = duration.period(period, time.time())
            if end < time.time() - 1:
                raise UsageError("a period that is over cannot be followed", hint="--period 1h")
            spans = reading.spans(begin, float("inf"))
        place = start(reading, spans)
    last = 0
    for line in followed(session.home.audit, place, _pause):
        event = events.read(line)
        if event is None:
            _unreadable(session, last)
            continue
        last = event.seq
        if not wanted.takes(event, telling.user_name):
            continue
        if session.as_json:
            session.output.json_line(report.record(line))
        elif not event.is_announced and event.kind not in events.BOOKKEEPING:
            session.output.line(report.line(event))


def _unreadable(session: Session, last: int) -> None:
    where = f"after record {last}" if last else "before the first one that is shown"
    if session.as_json:
        session.output.json_line({"kind": events.UNREADABLE, "after": last, "hint": _VERIFY})
    session.output.warn(f"a line of the trail, {where}, cannot be read", hint=_VERIFY)


def _pause() -> None:
    """Wait a little; end when nobody reads our output any more, even if there is nothing to say."""
    import select

    output = select.poll()
    output.register(1, 0)
    for _, what in output.poll(_WAIT * 1000):
        if what & (select.POLLERR | select.POLLNVAL):
            raise BrokenPipeError
        time.sleep(_WAIT)  # a closed terminal answers at once, too
