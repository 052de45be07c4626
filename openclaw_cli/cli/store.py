"""`openclaw store`: making the store, checking it, its copies, its data key and its lock."""

from __future__ import annotations

import os
from typing import Annotated, Any

import typer

from openclaw_cli import health
from openclaw_cli.cli.keys import (
    KeyId,
    PassphraseFile,
    Recovery,
    RecoveryFile,
    RecoveryFrom,
    chosen,
    open_with,
    show_recovery_key,
    typed,
    where_recovery_key_goes,
)
from openclaw_cli.cli.session import Session
from openclaw_cli.duration import exact, parse
from openclaw_cli.errors import (
    ConflictError,
    FindingsError,
    IntegrityError,
    OpenclawError,
    UsageError,
)
from openclaw_cli.store.header import Header, Slot
from openclaw_cli.store.keys import session as unlocked
from openclaw_cli.store.keys import slots
from openclaw_cli.upkeep import Upkeep

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def init(
    context: typer.Context,
    key: Annotated[
        str | None, typer.Option("--key", metavar="KIND", help="file, passphrase, keyring, ...")
    ] = None,
    no_key_file: Annotated[
        bool, typer.Option("--no-key-file", help="A keyring where there is one, else a passphrase.")
    ] = False,
    no_recovery: Annotated[
        bool, typer.Option("--no-recovery", help="Make no recovery key: the key is the only one.")
    ] = False,
    passphrase_file: PassphraseFile = None,
    recovery_file: RecoveryFile = None,
    key_id: KeyId = None,
) -> None:
    """Make the store and choose how it is unlocked.

    The key is a file beside the store unless another is chosen. A recovery key is shown once, for
    the day when the key is lost: keep it on paper.

        openclaw store init

        openclaw store init --key passphrase
    """
    session: Session = context.obj
    kind = _kind(key, no_key_file=no_key_file)
    if os.path.lexists(f"{session.home.secrets}/store.oc"):
        raise ConflictError(
            f"there is a store in {session.home.secrets} already", hint="openclaw store check"
        )
    place = "" if no_recovery else where_recovery_key_goes(session, recovery_file)
    care = upkeep(session)
    given = {kind: chosen(session, kind, passphrase_file, key_id)}
    if not no_recovery:
        given["recovery"] = chosen(session, "recovery", None)
    with show_recovery_key(session, given.get("recovery", b""), place) as answer:
        care.found(given)
        header = care.header()
        answer |= {"store": header.store.hex(), "path": f"{session.home.secrets}/store.oc"}
        answer |= {"slots": list(given)}
    session.output.done(f"made the store {session.home.secrets}/store.oc")
    for slot in header.slots:
        session.output.note(f"  {slot.kind}: {where_kept(session, header, slot)}")
    if no_recovery:
        session.output.warn(
            "there is one key: if it is lost, so is every secret",
            hint="openclaw store slots add recovery",
        )


@app.command()
def check(context: typer.Context) -> None:
    """Verify every byte of the store and of the trail.

    Ends with 4 when something is damaged or was put back, with 10 when something else needs a hand.
    """
    from openclaw_cli.store.check import examine

    session: Session = context.obj
    snapshot = upkeep(session).open()
    try:
        with session.output.progress("checking the store") as progress:
            found = examine(snapshot, lambda done: progress.say(f"{done} versions"))
        records, broken = _trail(session)
        damage = found.damage + broken
        header = snapshot.header
        findings = _findings(session, header)
        advice = health.of_one_key(header, snapshot.path)
        answer = {
            "store": header.store.hex(),
            "generation": header.generation,
            "epoch": header.epoch,
            "bytes": snapshot.index.file_size,
            "secrets": found.secrets,
            "versions": found.versions,
            "records": records,
            "slots": [slot.kind for slot in header.slots],
            "unlocked_by": snapshot.unlocked_by,
            "damage": damage,
            "findings": findings,
            "advice": [each.why for each in advice],
        }
    finally:
        snapshot.close()
    if session.as_json:
        session.output.json(answer)
    else:
        _show(session, header, answer)
        for each in advice:
            session.output.warn(each.why, hint=each.hint)
    if damage:
        more = f", and {len(damage) - 1} more" if len(damage) > 1 else ""
        raise IntegrityError(damage[0] + more, hint="openclaw store restore BACKUP")
    if findings:
        more = f", and {len(findings) - 1} more" if len(findings) > 1 else ""
        raise FindingsError(findings[0] + more, hint="openclaw doctor")


@app.command()
def rekey(
    context: typer.Context,
    drop: Annotated[
        list[str] | None,
        typer.Option("--drop", metavar="ID|KIND", help="Drop a slot whose key is not at hand."),
    ] = None,
    passphrase_file: PassphraseFile = None,
    recovery_file: RecoveryFrom = None,
) -> None:
    """Give the store a new data key; the values stay.

    Each key slot is kept, so each key is needed: what a person must type is asked for. A key that
    is not at hand is dropped with --drop, and can be added anew.
    """
    from openclaw_cli.upkeep import named

    session: Session = context.obj
    care = upkeep(session)
    care.open().close()
    header = care.header()
    dropped = {named(header, which).id for which in drop or []}
    keys = {}
    for slot in header.slots:
        if slot.id not in dropped:
            given = typed(session, slot, passphrase_file, recovery_file)
            keys[slot.id] = slots.wrapping_key(session.home, header, slot, given)
    if not keys:
        raise UsageError("one key slot must stay", hint="openclaw store slots")
    epoch = care.rekey(keys)
    if session.as_json:
        session.output.json({"epoch": epoch, "slots": [each.hex() for each in keys]})
    session.output.done(f"the store has a new data key, the {_ordinal(epoch)}")
    session.output.note("  backups made before still open with the keys they were made with")


@app.command()
def unlock(
    context: typer.Context,
    duration: Annotated[
        str | None, typer.Option("--for", metavar="8h", help="For how long.")
    ] = None,
    recovery: Recovery = False,
    recovery_file: RecoveryFrom = None,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Keep the store unlocked for a while.

    The data key lies in memory, in a file that you alone can read, until then or until
    `openclaw store lock`.
    """
    session: Session = context.obj
    seconds = session.settings["unlock.seconds"]
    if duration is not None:
        seconds = parse(duration, name="duration")
    if seconds < 1:
        raise UsageError("a second is the least", hint="openclaw store lock")
    care = upkeep(session)
    open_with(session, recovery or recovery_file, recovery_file, passphrase_file)
    snapshot = care.open()
    try:
        care.unlocked(snapshot.unlocked_by)
        where = unlocked.start(snapshot.header, snapshot.data_key, seconds)
    finally:
        snapshot.close()
    if session.as_json:
        session.output.json({"seconds": seconds, "file": where})
    session.output.done(f"the store is unlocked for {exact(int(seconds))}: openclaw store lock")


@app.command()
def lock(context: typer.Context) -> None:
    """Forget an unlocked store's key."""
    session: Session = context.obj
    care = Upkeep(session.quiet_secrets, session.changes)
    header = care.header()
    there = care.lock()
    if session.as_json:
        session.output.json({"locked": there})
    session.output.done("locked" if there else "the store was not kept unlocked")
    if any(slot.kind == "file" for slot in header.slots):
        session.output.note("  it still opens with its key file: openclaw store slots")


def upkeep(session: Session) -> Upkeep:
    """Return what looks after the store."""
    return Upkeep(session.secrets, session.changes)


def _kind(key: str | None, *, no_key_file: bool) -> str:
    if key is None and no_key_file:
        from openclaw_cli.store.keys import keyring

        return "keyring" if keyring.available() else "passphrase"
    kind = key or "file"
    if kind == "recovery" or kind not in slots.KINDS:
        known = ", ".join(each for each in slots.KINDS if each != "recovery")
        raise UsageError(f"a store cannot begin with {kind}", hint=known)
    if kind == "file" and no_key_file:
        raise UsageError(
            "--key file and --no-key-file exclude each other", hint="leave one of them out"
        )
    return kind


def _trail(session: Session) -> tuple[int, list[str]]:
    """Return how many records of the trail were verified, and what is wrong with it."""
    from openclaw_cli.cli.secrets.audit_verify import verified_trail

    try:
        return verified_trail(session, session.secrets).records, []
    except IntegrityError as refused:
        return 0, [refused.message]


def _findings(session: Session, header: Header) -> list[str]:
    """Return what is not damage and needs a hand all the same."""
    found = []
    for slot in header.slots:
        try:
            if not slots.load(slot.kind).ASKS:
                slots.wrapping_key(session.home, header, slot, b"")
        except OpenclawError as refused:
            found.append(f"{slot.kind} slot {slot.id.hex()}: {refused.message}")
    if os.path.lexists(f"{session.home.secrets}/store.oc.new"):
        found.append(
            f"{session.home.secrets}/store.oc.new was left by a writer that was interrupted; "
            "the next change removes it"
        )
    return found


def _show(session: Session, header: Header, answer: dict[str, Any]) -> None:
    bad = len(answer["damage"])
    session.output.facts(
        [
            ("store", f"{session.home.secrets}/store.oc"),
            ("state", f"generation {header.generation}, data key {header.epoch}"),
            ("size", f"{answer['bytes']} bytes"),
            ("secrets", f"{answer['secrets']}; versions: {answer['versions']}, each decrypted"),
            ("trail", f"{answer['records']} records, each verified"),
            ("key", f"opened by: {answer['unlocked_by']}"),
            *[(f"slot {slot.kind}", where_kept(session, header, slot)) for slot in header.slots],
            ("damage", f"{bad} found" if bad else "none", "bad" if bad else ""),
        ]
    )
    for each in answer["damage"]:
        session.output.line(f"damaged: {each}", "bad")
    for each in answer["findings"]:
        session.output.line(f"found: {each}", "attention")


def where_kept(session: Session, header: Header, slot: Slot) -> str:
    """Return where the key of a slot lies, in words."""
    try:
        return str(slots.load(slot.kind).where(session.home, header.store, slot))
    except OpenclawError as refused:
        return refused.message


def _ordinal(number: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if number % 100 in (11, 12, 13) else ending}"
