"""What is said of rotations when they are over: to people, as JSON, and to `--notify`."""

from __future__ import annotations

import time
from typing import Any

from openclaw_cli import duration
from openclaw_cli.cli.session import Session
from openclaw_cli.errors import FindingsError, OpenclawError, PartialError
from openclaw_cli.rotation import chosen, consumers, steps, telling
from openclaw_cli.rotation.runs import Report
from openclaw_cli.rotation.view import Result, View


def status(report: Report) -> int:
    if report.failed:
        return PartialError.status
    if report.by_person:
        return FindingsError.status
    uncertain = [each.uncertain for each in report.done if each.uncertain]
    return uncertain[0].status if uncertain else 0


def tell_report(session: Session, report: Report) -> None:
    """Say a line for each that went wrong; what went well is said on a terminal alone."""
    new = [(name, error) for name, error in report.by_person if name not in report.told]
    for name, error in report.failed + new:
        said = error.message if name in error.message else f"{name}: {error.message}"
        session.output.error(OpenclawError(f"{said}; {error.hint}" if error.hint else said))
    if session.output.messages_on_terminal:
        for each in report.done:
            what = f"rotated {each.name}" if each.version else _steps_done(each)
            session.output.done(what)
        if report.skipped:
            session.output.note("another rotation is running, so nothing was done")
        elif not (report.done or report.failed or report.by_person):
            session.output.note("nothing is due")
        if report.left:
            session.output.note(f"{report.left} are due still")
        if report.untold:
            many = "1 consumer is" if report.untold == 1 else f"{report.untold} consumers are"
            session.output.note(f"{many} to be told still, by the next rotate --due")


def tell_result(session: Session, view: View, result: Result) -> None:
    name, found = view.name, view.policy
    if result.version:
        old = found.old
        then = ""
        if old:
            then = f"; version {old.version} is accepted until {duration.absolute(old.at)}"
        session.output.done(f"rotated {name}: version {result.version} is its new value{then}")
    elif result.steps:
        session.output.done(_steps_done(result))
    if found.telling and not found.failure:
        session.output.note(f"told by the next rotate --due: {', '.join(found.telling)}")
    if found.schedule:
        when = duration.relative(found.next_due - time.time())
        by_person = found.rotator in chosen.BY_PERSON
        how = "a person is reminded" if by_person else "it is rotated"
        session.output.done(f"{name}: {how} {found.times}, next {when}")
    if found.rotator == chosen.PERSON:
        advise(session, view)


def _steps_done(result: Result) -> str:
    return f"{result.name}: {', '.join(result.steps)} done"


def advise(session: Session, view: View) -> None:
    advice = chosen.advice(view.entry)
    if advice and view.policy.rotator == chosen.PERSON:
        session.output.note(f"without a person: {advice}")


def tell_consumers(session: Session, view: View, version: str) -> None:
    users = sorted(consumers.readers(session.home.audit, view.name).get(version, {}))
    if users:
        session.output.note(f"version {version} was read by {', '.join(users)}")


def notify(command: str | None, answer: dict[str, Any]) -> None:
    if command:
        from openclaw_cli.rotation import programs

        words = programs.words(command, "--notify")
        programs.run(words, {"event": "rotation", **answer}, telling.SECONDS)


def answer(report: Report) -> dict[str, Any]:
    return {
        "rotated": [
            {"name": each.name, "version": str(each.version) if each.version else None}
            for each in report.done
        ],
        "failed": [failure(name, error) for name, error in report.failed],
        "by_person": [failure(name, error) for name, error in report.by_person],
        "left": report.left,
        "untold": report.untold,
        "skipped": report.skipped or None,
    }


def failure(name: str, error: OpenclawError) -> dict[str, str]:
    return {"name": name, "kind": error.kind, "message": error.message, "hint": error.hint}


def plain(view: View, result: Result) -> dict[str, object]:
    found = view.policy
    return {
        "name": view.name,
        "version": str(view.current),
        "rotated": bool(result.version),
        "steps": result.steps,
        "with": found.rotator,
        "schedule": found.schedule or None,
        "next": found.next_due or None,
        "untold": found.telling,
    }


def words(view: View, step: str) -> str:
    if view.policy.rotator in chosen.BY_PERSON and step == steps.BEGIN:
        return "a person must renew it"
    if step == steps.TELL:
        return f"tell {', '.join(view.policy.telling)}"
    return f"{step} by {view.policy.rotator}" if step != steps.BEGIN else "rotate"
