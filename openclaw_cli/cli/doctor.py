"""`openclaw doctor`: what is wrong on this machine, and the command that mends it."""

from __future__ import annotations

import os
import time

import typer

from openclaw_cli.cli import checks
from openclaw_cli.cli.render import Output
from openclaw_cli.cli.session import Session
from openclaw_cli.cli.status import broken
from openclaw_cli.errors import FindingsError

app = typer.Typer(rich_markup_mode=None, add_completion=False)

_TONES = {checks.OK: "good", checks.ATTENTION: "attention", checks.BAD: "bad"}
_WIDEST = max(map(len, _TONES))
_NAMES = 16  # columns of a check's name


@app.command()
def doctor(context: typer.Context) -> int:
    """Find what is wrong here, and say the mend.

    Nothing is changed and no value is read. The status is 10 when something needs a hand.
    """
    session: Session = context.obj
    with session.output.progress("looking"):
        found = list(checks.all_of_them(os.environ, time.time()))
    wrong = [each for each in found if each.state != checks.OK]
    if session.as_json:
        session.output.json({"checks": [_plain(each) for each in found], "wrong": len(wrong)})
    else:
        for each in found:
            _show(session.output, each)
        _close(session.output, len(wrong))
    return FindingsError.status if wrong else 0


def _show(output: Output, check: checks.Check) -> None:
    first = f"{check.state:{_WIDEST}}  {check.name:{_NAMES}}  "
    lines = broken(output, check.what, rest=" " * len(first), first=first)
    for number, line in enumerate(lines):
        output.line(line, _TONES[check.state] if not number and check.state != checks.OK else "")
    if check.hint and check.state != checks.OK:
        output.line(f"{' ' * len(first)}hint: {check.hint}")


def _close(output: Output, wrong: int) -> None:
    output.line()
    if wrong:
        output.line(f"{wrong} {'needs' if wrong == 1 else 'need'} a hand", "attention")
    else:
        output.line("all is well", "good")


def _plain(check: checks.Check) -> dict[str, str]:
    return {"name": check.name, "state": check.state, "what": check.what, "hint": check.hint}
