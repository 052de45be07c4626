"""`openclaw store backup`, `restore`, `accept-rollback`: copies of the store, and the way back."""

from __future__ import annotations

import os
import time
from typing import Annotated, Any

import typer

from openclaw_cli import backup_file
from openclaw_cli.cli import stdout
from openclaw_cli.cli.keys import PassphraseFile, Recovery, RecoveryFrom, open_with
from openclaw_cli.cli.render import counted
from openclaw_cli.cli.session import Session
from openclaw_cli.cli.store import upkeep, where_kept
from openclaw_cli.errors import ConflictError, LockedError, UsageError
from openclaw_cli.store.header import decode
from openclaw_cli.store.keys import session as unlocked
from openclaw_cli.store.reader import Snapshot
from openclaw_cli.upkeep import Upkeep

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def backup(
    context: typer.Context,
    file: Annotated[
        str | None, typer.Argument(metavar="[FILE|-]", help="Where to, - for standard output.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file.")] = False,
) -> None:
    """Write a sealed copy of the store.

    It is encrypted as the store is, and opens with the same keys. The key is not in it.
    """
    session: Session = context.obj
    care = upkeep(session)
    target = file or time.strftime("openclaw-store-%Y%m%dT%H%M%SZ.oc", time.gmtime())
    if target == "-":
        if session.output.on_terminal:
            raise UsageError("a backup is not for a terminal", hint="openclaw store backup FILE")
        stdout.write_all(care.copied("standard output"))
        return
    target = os.path.abspath(target)
    if os.path.lexists(target) and not force:
        raise ConflictError(f"{target} exists already", hint="add --force, or name another")
    data = care.copied(target)
    header = decode(data)[0]  # of this very copy: nothing may fail once it is written
    backup_file.write(target, data, force=force)
    if session.as_json:
        session.output.json({"file": target, "bytes": len(data), "generation": header.generation})
    session.output.done(f"wrote {target} ({len(data)} bytes) and read it back")
    session.output.note("  the key is not in it; it opens with:")
    for slot in header.slots:
        session.output.note(f"  {slot.kind}: {where_kept(session, header, slot)}")


@app.command()
def restore(
    context: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="The backup.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Also where another store is; that one is kept aside.")
    ] = False,
    drill: Annotated[
        bool, typer.Option("--drill", help="Only prove that it could be: nothing is put in place.")
    ] = False,
    recovery: Recovery = False,
    recovery_file: RecoveryFrom = None,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Put a backup in place.

    On a machine without a store it becomes the store; otherwise it takes the place of the one that
    is there, and what was changed since the backup is gone.

        openclaw store restore --drill openclaw.backup --recovery-file paper.txt
    """
    session: Session = context.obj
    care = upkeep(session)
    open_with(session, recovery or recovery_file, recovery_file, passphrase_file)
    try:
        snapshot = backup_file.open_whole(os.path.abspath(file), session.secrets.unlock)
    except LockedError as locked:
        locked.hint = f"openclaw store restore {file} --recovery"
        raise
    if drill:
        _drilled(session, care, snapshot)
        return
    try:
        if os.path.lexists(f"{session.home.secrets}/store.oc"):
            session.confirm(
                f"put generation {snapshot.header.generation} from {file} in the store's place?"
            )
        done = care.restore(snapshot, replace=replace)
    finally:
        snapshot.close()
    unlocked.end(snapshot.header.store)
    if session.as_json:
        answer = {"generation": done.generation, "secrets": done.secrets, **done.notes}
        session.output.json(answer)
    many = "1 secret" if done.secrets == 1 else f"{done.secrets} secrets"
    session.output.done(f"restored {many}, as generation {done.generation}")
    _tell_losses(session, done.notes)


@app.command("accept-rollback")
def accept_rollback(context: typer.Context) -> None:
    """Accept a store or trail that you put back yourself.

    After a snapshot of a machine or a copy of its files was restored, what is known of the store
    and what is there disagree. This writes down that you know why, and goes on from what is there.
    """
    session: Session = context.obj
    care = upkeep(session)
    trouble = care.rollback()
    if not trouble:
        if session.as_json:
            session.output.json({"accepted": False})
        session.output.done("nothing was put back: store and trail agree")
        return
    session.output.warn(trouble)
    session.confirm("did you put it back yourself, and go on from what is there now?")
    notes = care.accept_rollback()
    if session.as_json:
        session.output.json({"accepted": True, "reason": trouble, **notes})
    session.output.done("accepted, and written down in the trail")
    _tell_losses(session, notes)


def _drilled(session: Session, care: Upkeep, backup: Snapshot) -> None:
    """Say what a backup holds; `open_whole` has decrypted every version of it."""
    entries = [each for each in backup.directory().entries.values() if not each.deleted]
    header = backup.header
    backup.close()
    behind = care.drilled(header, opened_by=backup.unlocked_by)
    answer = {"generation": header.generation, "secrets": len(entries), "behind": behind}
    if session.as_json:
        session.output.json({**answer, "opened_by": backup.unlocked_by})
    many = "1 secret" if len(entries) == 1 else f"{len(entries)} secrets"
    session.output.done(f"it opens with {backup.unlocked_by}, and every version of {many} decrypts")
    if behind:
        session.output.note(f"  it is {counted(behind, 'change')} behind the store that is here")
    session.output.note("  nothing was put in place")


def _tell_losses(session: Session, notes: dict[str, Any]) -> None:
    if "trail_aside" in notes:
        session.output.warn(f"the trail did not fit and was put into {notes['trail_aside']}")
    if "lost_from" in notes:
        session.output.warn(
            f"the trail lacks the records {notes['lost_from']} to {notes['lost_to']}"
        )
    if "replaced" in notes:
        session.output.note(f"  the store that was there is kept as {notes['replaced']}")
