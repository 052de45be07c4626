"""`openclaw secrets rotate`: new values, when they are due or when somebody asks."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer

from openclaw_cli import assembly, duration
from openclaw_cli.cli import process
from openclaw_cli.cli.session import Session
from openclaw_cli.errors import (
    FindingsError,
    OpenclawError,
    PartialError,
    RefusedError,
    TemporaryError,
    UsageError,
)
from openclaw_cli.names import check, parse
from openclaw_cli.rotation import chosen, consumers, schedule, steps, telling
from openclaw_cli.rotation.policy import UNTIL
from openclaw_cli.rotation.runs import Report, Runs
from openclaw_cli.rotation.view import Result, View, Wish
from openclaw_cli.rotation.wishes import Asked
from openclaw_cli.service import LOCAL

app = typer.Typer(rich_markup_mode=None, add_completion=False)

_NEVER = ("never", "none", "off")


@app.command()
def rotate(
    context: typer.Context,
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="The secret.", show_default=False)
    ] = None,
    due: Annotated[bool, typer.Option("--due", help="All that are due; for cron.")] = False,
    every: Annotated[
        str | None,
        typer.Option("--schedule", metavar="S", help=f"Keep it so: {schedule.EXAMPLES}; never."),
    ] = None,
    zone: Annotated[
        str | None, typer.Option("--tz", metavar="ZONE", help="The schedule's zone; UTC, if not.")
    ] = None,
    grace: Annotated[
        str | None,
        typer.Option("--grace", metavar="D", help="How long the old value stays accepted; 24h."),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option("--until", help="What ends that: grace, read (all have the new), either."),
    ] = None,
    rotator: Annotated[
        str | None, typer.Option("--with", metavar="ROTATOR", help="What makes the new value.")
    ] = None,
    setting: Annotated[
        list[str] | None,
        typer.Option("--setting", metavar="K=V", help="A setting of the rotator; repeatable."),
    ] = None,
    tell: Annotated[
        list[str] | None,
        typer.Option("--tell", metavar="WHOM", help=f"Who is told: {telling.FORMS}."),
    ] = None,
    compromised: Annotated[
        bool, typer.Option("--compromised", help="It leaked: revoke the old value at once.")
    ] = False,
    limit: Annotated[
        int | None, typer.Option("--limit", metavar="N", help="With --due: so many at most.", min=1)
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="With --due: even if the clock jumped.")
    ] = False,
    notify: Annotated[
        str | None,
        typer.Option("--notify", metavar="CMD", help="With --due: run this when it went wrong."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")
    ] = False,
) -> int:
    """Give a secret a new value, now, or by a schedule.

    openclaw secrets rotate session-key

    openclaw secrets rotate --name="openai-api-key" --schedule="daily"

    openclaw secrets rotate --due

    openclaw secrets rotate --compromised db-password --dry-run
    """
    session: Session = context.obj
    asked = _asked(every, zone, grace, until, rotator, setting, tell)
    if due:
        if name is not None or compromised or asked != Asked():
            raise UsageError("--due takes no name and no schedule", hint="--limit N, --dry-run")
        return _due(session, limit, everything=everything, notify=notify, dry_run=dry_run)
    if name is None:
        raise UsageError("which secret is to be rotated?", hint="give its name, or --due for all")
    if limit or everything or notify:
        raise UsageError("--limit, --all and --notify go with --due")
    wish = Wish(
        wanted=every is None or compromised, hurry=asked.grace == 0, compromised=compromised
    )
    if compromised and not dry_run:
        session.guard(f"revoke the present value of {name} at once?")
    return _one(session, _local(session, name), asked, wish, dry_run=dry_run)


def _one(session: Session, name: str, asked: Asked, wish: Wish, *, dry_run: bool) -> int:
    runs = assembly.rotation(session.secrets, session.settings, _teller(session))
    if dry_run:
        return _rehearse(session, runs, name, asked, wish)
    view = runs.wishes.keep(name, asked)
    try:
        with session.output.progress(f"rotating {name}"):
            result = runs.one(name, wish, asked=process.began())
    except RefusedError as refused:
        if view.policy.rotator in chosen.BY_PERSON and refused.hint:
            _advise(session, view)
            if not wish.wanted:
                raise FindingsError(refused.message, hint=refused.hint) from None
        raise
    after = runs.engine.view(name)
    if session.as_json:
        session.output.json(_plain(after, result))
    _tell_result(session, after, result)
    if wish.compromised:
        _tell_consumers(session, after, str(view.current))
    if result.uncertain:
        raise result.uncertain
    return 0


def _due(
    session: Session, limit: int | None, *, everything: bool, notify: str | None, dry_run: bool
) -> int:
    runs = assembly.rotation(session.secrets, session.settings, _teller(session))
    if dry_run:
        planned = [(view.name, _words(view, step)) for view, step in runs.plan()]
        if session.as_json:
            plain = [{"name": name, "would": words} for name, words in planned]
            session.output.json({"due": plain})
        else:
            for name, words in planned:
                session.output.line(f"{name}: {words}")
        return 0
    try:
        report = runs.due(limit=limit or 0, everything=everything)
    except TemporaryError as refused:
        _notify(notify, {"failed": [_failure("", refused)]})
        raise
    answer = _answer(report)
    if session.as_json:
        session.output.json(answer)
    else:
        _tell_report(session, report)
    if report.failed or set(dict(report.by_person)) - report.told:
        _notify(notify, answer)
    return _status(report)


def _status(report: Report) -> int:
    if report.failed:
        return PartialError.status
    if report.by_person:
        return FindingsError.status
    uncertain = [each.uncertain for each in report.done if each.uncertain]
    return uncertain[0].status if uncertain else 0


def _tell_report(session: Session, report: Report) -> None:
    """Say a line for each that went wrong; what went well is said on a terminal alone."""
    new = [(name, error) for name, error in report.by_person if name not in report.told]
    for name, error in report.failed + new:
        said = error.message if name in error.message else f"{name}: {error.message}"
        session.output.error(OpenclawError(f"{said}; {error.hint}" if error.hint else said))
    if session.output.messages_on_terminal:
        for each in report.done:
            session.output.done(f"rotated {each.name}" if each.version else f"done: {each.name}")
        if report.skipped:
            session.output.note("another rotation is running, so nothing was done")
        elif not (report.done or report.failed or report.by_person):
            session.output.note("nothing is due")
        if report.left:
            session.output.note(f"{report.left} are due still")


def _tell_result(session: Session, view: View, result: Result) -> None:
    name, found = view.name, view.policy
    if result.version:
        old = found.old
        then = ""
        if old:
            then = f"; version {old.version} is accepted until {duration.absolute(old.at)}"
        session.output.done(f"rotated {name}: version {result.version} is its new value{then}")
    elif result.steps:
        session.output.done(f"{name}: {', '.join(result.steps)} done")
    if found.schedule:
        when = duration.relative(found.next_due - time.time())
        by_person = found.rotator in chosen.BY_PERSON
        how = "a person is reminded" if by_person else "it is rotated"
        session.output.done(f"{name}: {how} {found.times}, next {when}")
    if found.rotator == chosen.PERSON:
        _advise(session, view)


def _advise(session: Session, view: View) -> None:
    advice = chosen.advice(view.entry)
    if advice and view.policy.rotator == chosen.PERSON:
        session.output.note(f"without a person: {advice}")


def _rehearse(session: Session, runs: Runs, name: str, asked: Asked, wish: Wish) -> int:
    """Say what would be done, once the rotator has looked whether it can."""
    view, rotator, first = runs.wishes.rehearsed(name, asked, wish)
    if wish.compromised:
        runs.wishes.rehearsal(name)
    words = _order(view, rotator.kind, wish, first=first)
    users = sorted(consumers.readers(session.home.audit, name).get(str(view.current), {}))
    if wish.compromised:
        rehearsal = {"kind": "rotation_rehearsal", "name": name, "outcome": "ok"}
        session.secrets.trail.append([{**rehearsal, "actor": session.secrets.actor}])
    if session.as_json:
        answer = {"name": name, "with": rotator.name, "steps": words, "consumers": users}
        session.output.json({**answer, "tell": view.policy.tell})
        return 0
    session.output.line(f"{name} would be rotated by {rotator.name}: {', '.join(words)}")
    for each in users:
        session.output.line(f"read by {each}")
    for each in view.policy.tell:
        session.output.line(f"told: {each}")
    return 0


def _order(view: View, kind: str, wish: Wish, *, first: bool) -> list[str]:
    if kind == "person":
        return ["a person makes a new one"]
    names = [steps.CREATE, steps.SET, steps.TEST, "promote"]
    if first:
        names = [f"revoke version {view.current}", *names]
    told = ["tell"] if view.policy.tell else []
    if first:
        return [*names, *told]
    end = "revoke at once" if wish.compromised else "revoke after the grace time"
    return [*names, *told, end]


def _tell_consumers(session: Session, view: View, version: str) -> None:
    users = sorted(consumers.readers(session.home.audit, view.name).get(version, {}))
    if users:
        session.output.note(f"version {version} was read by {', '.join(users)}")


def _notify(command: str | None, answer: dict[str, Any]) -> None:
    if command:
        from openclaw_cli.rotation import programs

        words = programs.words(command, "--notify")
        programs.run(words, {"event": "rotation", **answer}, telling.SECONDS)


def _answer(report: Report) -> dict[str, Any]:
    return {
        "rotated": [
            {"name": each.name, "version": str(each.version) if each.version else None}
            for each in report.done
        ],
        "failed": [_failure(name, error) for name, error in report.failed],
        "by_person": [_failure(name, error) for name, error in report.by_person],
        "left": report.left,
        "skipped": report.skipped or None,
    }


def _failure(name: str, error: OpenclawError) -> dict[str, str]:
    return {"name": name, "kind": error.kind, "message": error.message, "hint": error.hint}


def _plain(view: View, result: Result) -> dict[str, object]:
    found = view.policy
    return {
        "name": view.name,
        "version": str(view.current),
        "rotated": bool(result.version),
        "steps": result.steps,
        "with": found.rotator,
        "schedule": found.schedule or None,
        "next": found.next_due or None,
    }


def _words(view: View, step: str) -> str:
    if view.policy.rotator in chosen.BY_PERSON and step == steps.BEGIN:
        return "a person must renew it"
    return f"{step} by {view.policy.rotator}" if step != steps.BEGIN else "rotate"


def _asked(
    every: str | None,
    zone: str | None,
    grace: str | None,
    until: str | None,
    rotator: str | None,
    setting: list[str] | None,
    tell: list[str] | None,
) -> Asked:
    if zone is not None and every is None:
        raise UsageError("--tz goes with --schedule")
    if until is not None and until not in UNTIL:
        raise UsageError(f"--until takes {', '.join(UNTIL)}")
    times = None
    if every is not None:
        never = every.strip().lower() in _NEVER
        times = schedule.Schedule("") if never else schedule.parse(every, zone or "")
    settings = {}
    for each in setting or []:
        key, separator, text = each.partition("=")
        if not separator or not key:
            raise UsageError("a setting is written KEY=TEXT")
        settings[key] = text
    if rotator is not None:
        chosen.rotator(rotator)
    return Asked(
        times,
        rotator or "",
        settings,
        None if grace is None else duration.parse(grace, name="--grace"),
        until or "",
        [telling.checked(each) for each in tell] if tell else None,
    )


def _local(session: Session, name: str) -> str:
    """Return the name of a secret of the local store, which is the one that is rotated here."""
    reference = parse(name)
    if reference.version is not None or reference.field:
        raise UsageError("a version or a field cannot be rotated, only the whole secret")
    if not reference.backend:
        reference = session.secrets.named(reference.path) or reference
    if reference.backend not in ("", LOCAL):
        raise UsageError(
            f"{name} is in {reference.backend}, and is not rotated by the local store",
            hint=f"openclaw secrets set {name}, with the new value",
        )
    return check(reference.path)


def _teller(session: Session) -> Any:  # noqa: ANN401 - a function, or none
    if not session.output.messages_on_terminal:
        return None
    return lambda name, step: session.output.note(f"{name}: {step}")
