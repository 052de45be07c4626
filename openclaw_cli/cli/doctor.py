"""`openclaw doctor`: what is wrong on this machine, and the command that mends it."""

from __future__ import annotations

import os
import time
from typing import Annotated

import typer

from openclaw_cli.cli import checks
from openclaw_cli.cli.layout import wrapped
from openclaw_cli.cli.render import Output
from openclaw_cli.cli.session import Session
from openclaw_cli.errors import FindingsError, UsageError
from openclaw_cli.health.check import ADVICE, ATTENTION, BAD, OK, Check
from openclaw_cli.sanitize import safe

app = typer.Typer(rich_markup_mode=None, add_completion=False)

_TONES = {
    OK: "",
    ADVICE: "quiet",
    ATTENTION: "attention",
    BAD: "bad",
    "mended": "",
    "fail": "bad",
}
_WIDEST = max(map(len, _TONES))
_NAMES = len("aws-secrets-manager")  # columns of a check's name: the longest there is


@app.command()
def doctor(
    context: typer.Context,
    checklist: Annotated[
        bool, typer.Option("--checklist", help="Look at the practices instead: kept, or not.")
    ] = False,
    fix: Annotated[
        bool, typer.Option("--fix", help="With --checklist: mend what is safe to mend.")
    ] = False,
) -> int:
    """Find what is wrong here, and say the mend.

    Nothing is changed without --fix, and no value is read. The status is 10 when something needs a
    hand; advice is a choice that may be right as it is.

        openclaw doctor --checklist --json
    """
    session: Session = context.obj
    if checklist:
        return _checklist(session, fix=fix)
    if fix:
        raise UsageError("--fix goes with --checklist", hint="openclaw doctor --checklist --fix")
    with session.output.progress("looking"):
        found = list(checks.all_of_them(os.environ, time.time()))
    wrong = [each for each in found if each.wrong]
    if session.as_json:
        session.output.json({"checks": [_plain(each) for each in found], "wrong": len(wrong)})
    else:
        for each in found:
            _show(session.output, each)
        _close(session.output, len(wrong))
    return FindingsError.status if wrong else 0


def _checklist(session: Session, *, fix: bool) -> int:
    from openclaw_cli.cli.checklist import every

    found, mended = [], []
    with session.output.progress("looking"):
        for each in every(session):
            found.append(each)
            if fix and each.fix and not each.kept:
                each.fix()
                mended.append(each.name)
    failed = [each for each in found if not each.kept and each.name not in mended]
    if session.as_json:
        practices = [
            {
                **each.plain(mended=each.name in mended),
                "fixed": each.name in mended,
                "fixable": each.fix is not None,
            }
            for each in found
        ]
        session.output.json({"practices": practices, "failed": len(failed)})
    else:
        for each in found:
            state = OK if each.kept else "mended" if each.name in mended else "fail"
            _show(session.output, Check(each.name, state, each.why, each.command))
        _close(session.output, len(failed))
    return FindingsError.status if failed else 0


def _show(output: Output, check: Check) -> None:
    first = f"{check.state:{_WIDEST}}  {check.name:{_NAMES}}  "
    rest = " " * len(first)
    if output.on_terminal and output.width < 2 * len(first):  # the words go below the name
        output.line(first, _TONES[check.state])
        first = rest = "  "
    for line in wrapped(safe(check.what), output.width, first=first, rest=rest):
        output.line(line, _TONES[check.state] if line.startswith(check.state) else "")
    if check.hint and check.state != OK:
        output.line(f"{rest}hint: {check.hint}")


def _close(output: Output, wrong: int) -> None:
    output.line()
    if wrong:
        output.line(f"{wrong} {'needs' if wrong == 1 else 'need'} a hand", "attention")
    else:
        output.line("all is well")


def _plain(check: Check) -> dict[str, str]:
    return {"name": check.name, "state": check.state, "what": check.what, "hint": check.hint}
