"""`openclaw secrets expect`: from where, by whom and when a secret is read."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from openclaw_cli import expected, settings_file
from openclaw_cli.audit.announcing import announced
from openclaw_cli.cli.secrets.values import Name
from openclaw_cli.cli.session import Session
from openclaw_cli.errors import UsageError
from openclaw_cli.names import check

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def expect(
    context: typer.Context,
    name: Name,
    from_: Annotated[
        list[str] | None,
        typer.Option("--from", metavar="PLACE", help="A network, local, terminal, cron, ci."),
    ] = None,
    reader: Annotated[
        list[str] | None,
        typer.Option("--reader", metavar="WHO", help="A program, a user, agent:NAME."),
    ] = None,
    hours: Annotated[
        list[str] | None,
        typer.Option("--hours", metavar="HOURS", help='As "mon-fri 09:00-17:30", local time.'),
    ] = None,
    scope: Annotated[
        str | None,
        typer.Option(
            "--scope", metavar="TEXT", help="What the key may do; a rotation keeps to it."
        ),
    ] = None,
    enforce: Annotated[
        bool, typer.Option("--enforce", help="Refuse what is not expected.")
    ] = False,
    clear: Annotated[bool, typer.Option("--clear", help="Expect nothing any more.")] = False,
) -> None:
    """Say from where, by whom and when a secret is read.

    A reading that is not so is told on by `audit`, and with --enforce it is refused. What is said
    takes the place of what was said before; without options it is shown.

        openclaw secrets expect db-password --from 10.0.0.0/8 --reader agent:mailer --enforce
    """
    session: Session = context.obj
    said: dict[str, Any] = {"from": from_, "readers": reader, "hours": hours, "scope": scope}
    wanted = expected.checked({**said, "enforce": enforce})
    if clear and wanted:
        raise UsageError("--clear leaves nothing to expect", hint="one or the other")
    if enforce and not any(key in wanted for key in expected.LISTS):
        raise UsageError("nothing to enforce", hint="add --from, --reader or --hours")
    if not (wanted or clear):
        _show(session, name)
        return
    check(name)
    session.secrets.opened().close()  # the trail needs its key
    event = {"kind": "secret_expect", "name": name, "expected": wanted}
    with announced(session.secrets.trail, {**event, "actor": session.secrets.actor}):
        file = settings_file.expect(session.home, name, wanted)
    if session.as_json:
        session.output.json({"name": name, "expected": wanted, "file": file})
    if clear:
        session.output.done(f"nothing is expected of readings of {name} any more")
    for word, text in expected.described(wanted):
        session.output.done(f"{name}: {word} {text}")


def _show(session: Session, name: str) -> None:
    wanted = session.settings.expected.get(name, {})
    if session.as_json:
        session.output.json({"name": name, "expected": wanted})
    elif not wanted:
        session.output.line(f"nothing is expected of readings of {name}")
    else:
        session.output.facts(expected.described(wanted))
