"""The keys of the store as a person gives and gets them: typed, piped, in a file, shown once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from openclaw_cli import newfile
from openclaw_cli.cli import ask
from openclaw_cli.cli.session import Session
from openclaw_cli.errors import UsageError
from openclaw_cli.store.header import Header, Slot
from openclaw_cli.store.keys import slots

PassphraseFile = Annotated[
    str | None,
    typer.Option(
        "--passphrase-file", metavar="FILE", help="Read the passphrase there (-: standard input)."
    ),
]
RecoveryFile = Annotated[
    str | None,
    typer.Option(
        "--recovery-file", metavar="FILE", help="Write the recovery key there, for its owner alone."
    ),
]
RecoveryFrom = Annotated[
    str | None,
    typer.Option(
        "--recovery-file", metavar="FILE", help="Read the recovery key there (-: standard input)."
    ),
]
Recovery = Annotated[bool, typer.Option("--recovery", help="Open it with the recovery key.")]

_PRINTED = "print"
KeyId = Annotated[
    str | None,
    typer.Option(
        "--key-id", metavar="ID", help="The key of AWS KMS, or of Vault's transit engine."
    ),
]
_NAMED = ("aws-kms", "vault-transit")


def chosen(
    session: Session, kind: str, passphrase_file: str | None, key_id: str | None = None
) -> bytes:
    """Return what a new slot of a kind is made from: a passphrase, a recovery key, a key's name."""
    if key_id is not None and kind not in _NAMED:
        raise UsageError(
            f"--key-id is for {' and '.join(_NAMED)}, not for {kind}", hint="leave --key-id out"
        )
    if kind in _NAMED:
        return (key_id or "").encode()
    if kind == "recovery":
        from openclaw_cli.store.keys.recovery import fresh

        return fresh()
    if kind != "passphrase":
        return b""
    if passphrase_file:
        return _read(passphrase_file)
    return session.ask.passphrase("new passphrase of the store", twice=True)


def where_recovery_key_goes(session: Session, recovery_file: str | None) -> str:
    """Return the file for a recovery key, or a word for the terminal or the JSON answer.

    Raises `UsageError` when nobody would see it.
    """
    if recovery_file:
        return os.path.abspath(recovery_file)
    if session.as_json or session.output.on_terminal:
        return _PRINTED
    raise UsageError(
        "the recovery key is shown once, and here is no terminal to show it on",
        hint="--recovery-file FILE to keep it, or --no-recovery to do without",
    )


@contextmanager
def show_recovery_key(session: Session, key: bytes, place: str) -> Iterator[dict[str, Any]]:
    """Give the recovery key out once: into its file before the block, otherwise after it.

    What the block puts into the answer is the command's JSON. A file is removed when it fails.
    """
    answer: dict[str, Any] = {}
    in_file = bool(key) and place != _PRINTED
    if in_file:
        newfile.write(place, [key + b"\n"])
        answer["recovery_file"] = place
    try:
        yield answer
    except BaseException:
        if in_file:
            os.unlink(place)
        raise
    if key and not in_file:
        answer["recovery_key"] = key.decode()
    if session.as_json:
        session.output.json(answer)
    elif key and not in_file:
        _show_key(session, key.decode())
    elif key:
        session.output.note(f"wrote the recovery key to {place}; move it off this machine")


def typed(
    session: Session, slot: Slot, passphrase_file: str | None, recovery_file: str | None
) -> bytes:
    """Return what a person gives for a slot that is there, b"" where nobody is asked."""
    label = slots.load(slot.kind).ASKS
    if not label:
        return b""
    file = {"passphrase": passphrase_file, "recovery": recovery_file}[slot.kind]
    if file:
        return _read(file)
    try:
        return session.ask.passphrase(f"{label} of slot {slot.id.hex()}")
    except UsageError as refused:
        hint = f"openclaw store rekey --drop {slot.id.hex()}, then add it anew"
        raise UsageError(refused.message, hint=hint) from None


def open_with(
    session: Session, recovery: object, recovery_file: str | None, passphrase_file: str | None
) -> None:
    """Have the store opened with the key that was named, where one was."""
    if recovery and passphrase_file:
        raise UsageError(
            "give one of --recovery and --passphrase-file", hint="leave one of them out"
        )
    if not recovery and not passphrase_file:
        return
    kind = "recovery" if recovery else "passphrase"
    file = recovery_file if recovery else passphrase_file
    if file:
        given = _read(file)
    elif session.ask.at_terminal:
        given = session.ask.passphrase("recovery key")
    else:
        given = ask.read_value()

    def unlock(header: Header) -> tuple[bytes, str]:
        return slots.unlock_with(session.home, header, kind, given), kind

    session.secrets.unlock = slots.remembering(unlock)


def _show_key(session: Session, key: str) -> None:
    groups = key.split("-")
    half = len(groups) // 2
    session.output.line("Recovery key. Write it down: it is shown this once.", "strong")
    session.output.line()
    for part in (groups[:half], groups[half:]):
        session.output.line("    " + "-".join(part))
    session.output.line()


def _read(path: str) -> bytes:
    """Read a line that a person would have typed."""
    if path == "-":
        return ask.read_value()
    return ask.read_value_file(path).rstrip(b"\r\n")
