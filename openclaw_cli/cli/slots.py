"""`openclaw store slots`: the keys that open the store, each in a slot of its own."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from openclaw_cli.cli.keys import (
    KeyId,
    PassphraseFile,
    RecoveryFile,
    chosen,
    show_recovery_key,
    where_recovery_key_goes,
)
from openclaw_cli.cli.layout import Column
from openclaw_cli.cli.session import Session
from openclaw_cli.cli.store import upkeep
from openclaw_cli.duration import relative
from openclaw_cli.errors import OpenclawError
from openclaw_cli.store.header import Header, Slot
from openclaw_cli.store.keys import slots
from openclaw_cli.upkeep import named

app = typer.Typer(rich_markup_mode=None, add_completion=False)

_COLUMNS = (
    Column("ID", shortest=16),
    Column("KIND"),
    Column("SINCE"),
    Column("WHERE", shortest=20),
)


@app.callback(invoke_without_command=True)
def list_(context: typer.Context) -> None:
    """Show, add and remove the keys that open the store.

    Any one of them opens it. No key is needed to list them.

        openclaw store slots

        openclaw store slots add passphrase

        openclaw store slots remove file
    """
    if context.invoked_subcommand:
        return
    session: Session = context.obj
    header = upkeep(session).header()
    found = [_facts(session, header, slot) for slot in header.slots]
    if session.as_json:
        session.output.json({"slots": found})
    else:
        rows = [(each["id"], each["kind"], _since(each["since"]), each["where"]) for each in found]
        session.output.table(_COLUMNS, [[str(cell) for cell in row] for row in rows])


@app.command()
def add(
    context: typer.Context,
    kind: Annotated[str, typer.Argument(metavar="KIND", help=f"{', '.join(slots.KINDS)}.")],
    passphrase_file: PassphraseFile = None,
    recovery_file: RecoveryFile = None,
    key_id: KeyId = None,
) -> None:
    """Add a key: file, passphrase, keyring, recovery, aws-kms or vault-transit.

    A key of AWS KMS or of Vault never leaves it: who may use it there can open the store.

        openclaw store slots add aws-kms --key-id alias/openclaw
    """
    session: Session = context.obj
    slots.load(kind)
    place = where_recovery_key_goes(session, recovery_file) if kind == "recovery" else ""
    given = chosen(session, kind, passphrase_file, key_id)
    with show_recovery_key(session, given if kind == "recovery" else b"", place) as answer:
        slot = upkeep(session).add_slot(kind, given)
        answer |= {"id": slot.id.hex(), "kind": kind}
    session.output.done(f"the store opens with this {_words(kind)} too: slot {slot.id.hex()}")


@app.command()
def remove(
    context: typer.Context,
    which: Annotated[str, typer.Argument(metavar="ID|KIND", help="The slot.")],
) -> None:
    """Take a key away; never the last one."""
    session: Session = context.obj
    care = upkeep(session)
    header = care.header()
    others = [slot for slot in header.slots if slot is not named(header, which)]
    if len(others) == 1:
        session.confirm(f"then only the {_words(others[0].kind)} opens the store: go on?")
    slot, left = care.remove_slot(which)
    if session.as_json:
        session.output.json({"id": slot.id.hex(), "kind": slot.kind, "left": left})
    session.output.done(f"the {_words(slot.kind)} in slot {slot.id.hex()} opens the store no more")
    if slot.kind == "file":
        session.output.note("  the key file itself was left, since older backups open with it")
    session.output.note("  whoever has an old copy of the store and that key: openclaw store rekey")
    if left == 1:
        session.output.warn(
            "one key slot is left: if that key is lost, so is every secret",
            hint=f"openclaw store slots add {slots.second(others[0].kind)}",
        )


def _facts(session: Session, header: Header, slot: Slot) -> dict[str, object]:
    try:
        where = slots.load(slot.kind).where(session.home, header.store, slot)
    except OpenclawError as refused:
        where = refused.message
    since = slot.parameters.get("since")
    return {
        "id": slot.id.hex(),
        "kind": slot.kind,
        "since": since if type(since) is int else None,
        "where": where,
    }


def _since(seconds: object) -> str:
    return relative(seconds - time.time()) if isinstance(seconds, int) else ""


def _words(kind: str) -> str:
    return {"file": "key file", "recovery": "recovery key"}.get(kind, kind)
