"""`openclaw secrets schedule`: have what is due rotated by itself, by cron or by systemd."""

from __future__ import annotations

import os
import zlib
from typing import TYPE_CHECKING, Annotated

import typer

from openclaw_cli import systemd
from openclaw_cli.cli.recording import recorded
from openclaw_cli.errors import UsageError
from openclaw_cli.rotation import unattended
from openclaw_cli.which import which

if TYPE_CHECKING:
    from openclaw_cli.cli.session import Session

app = typer.Typer(rich_markup_mode=None, add_completion=False)

Cron = Annotated[bool, typer.Option("--cron", help="A line of the crontab.")]
Systemd = Annotated[bool, typer.Option("--systemd", help="A timer of systemd's user.")]
_INSTALL = "schedule_install"
_CRONTAB = "the crontab"

DryRun = Annotated[bool, typer.Option("--dry-run", help="Show it, and change nothing.")]


@app.command()
def install(
    context: typer.Context,
    cron: Cron = False,
    systemd: Systemd = False,
    notify: Annotated[
        str | None,
        typer.Option("--notify", metavar="CMD", help="Run this when a rotation went wrong."),
    ] = None,
    dry_run: DryRun = False,
) -> None:
    """Have what is due rotated every hour.

        openclaw secrets schedule install --cron --dry-run

        openclaw secrets schedule install --systemd

    Rotations that come every hour are harmless: what is not due is left alone.
    """
    session: Session = context.obj
    if cron == systemd:
        raise UsageError("by what is it to be run?", hint="--cron or --systemd")
    words = unattended.command(unattended.check_notify(notify) if notify else "")
    variables = unattended.environment(session.home, os.environ)
    if systemd:
        _install_timer(session, unattended.units(variables, words), dry_run=dry_run)
        return
    lock = os.path.join(session.home.base, "schedule.lock")
    minute = zlib.crc32(session.home.base.encode()) % 60  # not every machine at the full hour
    ours = unattended.cron_lines(variables, words, lock, minute)
    if session.as_json:
        session.output.json({"lines": ours, "installed": not dry_run})
    elif dry_run:
        for line in ours:
            session.output.line(line)
    if not dry_run:
        before = unattended.read_crontab()
        after = unattended.with_ours(before, ours, session.home.environment)
        if after != before:
            with recorded(session, _INSTALL, file=_CRONTAB):
                unattended.write_crontab(after)
        session.output.done("cron rotates what is due, every hour: crontab -l")


@app.command()
def uninstall(context: typer.Context, dry_run: DryRun = False) -> None:
    """Take away what `install` put there, and nothing else.

    openclaw secrets schedule uninstall --dry-run
    """
    session: Session = context.obj
    crontab = unattended.read_crontab() if _has_crontab() else ""
    here = session.home.environment
    line = unattended.ours_in(crontab, here)
    folder, units = systemd.folder(os.environ), unattended.unit_names(here)
    there = [_CRONTAB] * bool(line) + systemd.there(folder, units)
    if there and not dry_run:
        with recorded(session, "schedule_uninstall", file=there[0]):
            if line:
                unattended.write_crontab(unattended.with_ours(crontab, [], here))
            systemd.remove(folder, units)
    if session.as_json:
        session.output.json({"removed": there, "dry_run": dry_run})
    elif dry_run:
        for each in there:
            session.output.line(f"would be taken away: {each}")
    session.output.done("nothing was installed" if not there else f"taken away: {', '.join(there)}")


@app.command()
def status(context: typer.Context) -> int:
    """Say whether rotations run by themselves.

    openclaw secrets schedule status --json
    """
    session: Session = context.obj
    here = session.home.environment
    line = unattended.ours_in(unattended.read_crontab(), here) if _has_crontab() else ""
    timer = systemd.there(systemd.folder(os.environ), unattended.unit_names(here)[:1])
    if session.as_json:
        session.output.json({"cron": line or None, "systemd": timer[0] if timer else None})
    else:
        session.output.line(f"cron: {line or 'not installed'}")
        session.output.line(f"systemd: {timer[0] if timer else 'not installed'}")
    return 0


def _install_timer(session: Session, files: dict[str, str], *, dry_run: bool) -> None:
    folder = systemd.folder(os.environ)
    timer, _ = unattended.unit_names(session.home.environment)
    started = False
    if not dry_run:
        with recorded(session, _INSTALL, file=f"{folder}/{timer}"):
            systemd.write(folder, files)
            started = systemd.enable(timer)
    if session.as_json:
        session.output.json({"files": files, "folder": folder, "started": started})
        return
    if dry_run:
        for file, text in files.items():
            session.output.line(f"# {folder}/{file}")
            for line in text.splitlines():
                session.output.line(line)
        return
    if started:
        session.output.done("systemd rotates what is due, every hour")
    else:
        session.output.warn(
            f"the timer is in {folder}, and systemd could not be asked to start it",
            hint=f"systemctl --user enable --now {folder}/{timer}",
        )


def _has_crontab() -> bool:
    return which("crontab") is not None
