"""`openclaw secrets rotate`: new values, when they are due or when somebody asks."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from openclaw_cli import assembly, duration
from openclaw_cli.cli import process
from openclaw_cli.cli.secrets import rotated
from openclaw_cli.cli.session import Session
from openclaw_cli.errors import (
    FindingsError,
    OpenclawError,
    RefusedError,
    UsageError,
)
from openclaw_cli.names import check, parse
from openclaw_cli.rotation import chosen, consumers, schedule, steps, telling, unattended
from openclaw_cli.rotation.policy import UNTIL
from openclaw_cli.rotation.runs import Runs
from openclaw_cli.rotation.view import View, Wish
from openclaw_cli.rotation.wishes import NEVER, Asked
from openclaw_cli.service import LOCAL

app = typer.Typer(rich_markup_mode=None, add_completion=False)

Name = Annotated[
    str | None, typer.Argument(metavar="[NAME]", help="The secret.", show_default=False)
]
Due = Annotated[bool, typer.Option("--due", help="All that are due; for cron.")]
Every = Annotated[
    str | None,
    typer.Option("--schedule", metavar="S", help=f"Keep it so: {schedule.EXAMPLES}; never."),
]
Zone = Annotated[
    str | None, typer.Option("--tz", metavar="ZONE", help="The schedule's zone; UTC, if not.")
]
Grace = Annotated[
    str | None,
    typer.Option("--grace", metavar="D", help="How long the old value stays accepted; 24h."),
]
Until = Annotated[
    str | None,
    typer.Option(
        "--until", metavar="WHAT", help="What ends that: grace, read (all have the new), either."
    ),
]
With = Annotated[
    str | None, typer.Option("--with", metavar="ROTATOR", help="What makes the new value.")
]
Setting = Annotated[
    list[str] | None,
    typer.Option("--setting", metavar="K=V", help="A setting of the rotator; repeatable."),
]
Tell = Annotated[
    list[str] | None,
    typer.Option("--tell", metavar="WHOM", help=f"Who is told: {telling.FORMS}."),
]
Compromised = Annotated[
    bool, typer.Option("--compromised", help="It leaked: revoke the old value at once.")
]
Limit = Annotated[
    int | None, typer.Option("--limit", metavar="N", help="With --due: so many at most.", min=1)
]
Everything = Annotated[bool, typer.Option("--all", help="With --due: even if the clock jumped.")]
Notify = Annotated[
    str | None,
    typer.Option("--notify", metavar="CMD", help="With --due: run this when it went wrong."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]

_NEVER = ("never", "none", "off")


@app.command()
def rotate(
    context: typer.Context,
    name: Name = None,
    due: Due = False,
    every: Every = None,
    zone: Zone = None,
    grace: Grace = None,
    until: Until = None,
    rotator: With = None,
    setting: Setting = None,
    tell: Tell = None,
    compromised: Compromised = False,
    limit: Limit = None,
    everything: Everything = False,
    notify: Notify = None,
    dry_run: DryRun = False,
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
        if notify:
            unattended.check_notify(notify)
        return _due(session, limit, everything=everything, notify=notify, dry_run=dry_run)
    if name is None:
        raise UsageError("which secret is to be rotated?", hint="give its name, or --due for all")
    if limit or everything or notify:
        raise UsageError(
            "--limit, --all and --notify go with --due", hint="openclaw secrets rotate --due"
        )
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
            rotated.advise(session, view)
            if not wish.wanted:
                raise FindingsError(refused.message, hint=refused.hint) from None
        raise
    after = runs.engine.view(name)
    if session.as_json:
        session.output.json(rotated.plain(after, result))
    rotated.tell_result(session, after, result)
    if asked.schedule == NEVER:
        session.output.done(f"{name}: it is rotated when somebody asks, and never by itself")
    if wish.compromised:
        rotated.tell_consumers(session, after, str(view.current))
    if result.uncertain:
        raise result.uncertain
    return 0


def _due(
    session: Session, limit: int | None, *, everything: bool, notify: str | None, dry_run: bool
) -> int:
    runs = assembly.rotation(session.secrets, session.settings, _teller(session))
    if dry_run:
        planned = [(view.name, rotated.words(view, step)) for view, step in runs.plan()]
        planned += runs.plan_beyond()
        if session.as_json:
            plain = [{"name": name, "would": words} for name, words in planned]
            session.output.json({"due": plain})
        else:
            for name, words in planned:
                session.output.line(f"{name}: {words}")
        return 0
    try:
        report = runs.due(limit=limit or 0, everything=everything)
    except OpenclawError as refused:
        rotated.notify(notify, {"failed": [rotated.failure("", refused)]})
        raise
    answer = rotated.answer(report)
    if session.as_json:
        session.output.json(answer)
    else:
        rotated.tell_report(session, report)
    if report.failed or set(dict(report.by_person)) - report.told:
        rotated.notify(notify, answer)
    return rotated.status(report)


def _rehearse(session: Session, runs: Runs, name: str, asked: Asked, wish: Wish) -> int:
    """Say what would be done, once the rotator has looked whether it can."""
    view, rotator, first = runs.wishes.rehearsed(name, asked, wish)
    if wish.compromised:
        runs.wishes.rehearsal(name)
    words = _order(view, rotator.kind, wish, first=first)
    users = sorted(consumers.readers(session.home.audit, name).get(str(view.current), {}))
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
    if wish.compromised:
        return [*names, "revoke at once", *told]
    return [*names, *told, "revoke after the grace time"]


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
        raise UsageError(
            "--tz goes with --schedule",
            hint="openclaw secrets rotate NAME --schedule daily --tz ZONE",
        )
    if until is not None and until not in UNTIL:
        raise UsageError(f"--until takes {', '.join(UNTIL)}", hint=f"--until {UNTIL[0]}")
    times = None
    if every is not None:
        never = every.strip().lower() in _NEVER
        times = NEVER if never else schedule.parse(every, zone or "")
    settings = {}
    for each in setting or []:
        key, separator, text = each.partition("=")
        if not separator or not key:
            raise UsageError("a setting is written KEY=TEXT", hint="--setting user=app")
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
        raise UsageError(
            "a version or a field cannot be rotated, only the whole secret",
            hint="leave out what follows ? or #",
        )
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
