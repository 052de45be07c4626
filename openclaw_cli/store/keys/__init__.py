"""Key slots: each kind wraps the store's data key with a key of its own.

A kind is a module with

- `KIND`, its word; `ASKS`, what a person is asked for ("passphrase"), or "" when nobody is asked;
  `WRONG`, what to say of a key that does not open the store;
- `create(home, store, slot, given)`, which makes a wrapping key and returns the slot's parameters
  and that key; `given` is what the person gave, and empty for the kinds that ask nobody;
- `wrapping_key(home, store, slot, given)`, which finds the key again;
- `where(home, store, slot)`, the place of the key in words;
- `forget(store, slot)`, which takes away what lies elsewhere when a slot is removed.

The table is in `slots.py`; this file is what the fast road needs: the kinds that can be opened
without asking anybody or importing much.
"""

from __future__ import annotations

from openclaw_cli.errors import IntegrityError, LockedError
from openclaw_cli.store import header as head
from openclaw_cli.store.keys import file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openclaw_cli.home import Home
    from openclaw_cli.store.header import Header


def unlock_quietly(home: Home, header: Header) -> tuple[bytes, str]:
    """Return the data key and how it came, without asking anybody.

    By a key file or what was given in its place, or by an unlocked session. Raises `LockedError`
    when the store needs a passphrase, a keyring, a recovery key or another key than was given, and
    `IntegrityError` when there is a key file that opens none of its slots.
    """
    slots = [slot for slot in header.slots if slot.kind == file.KIND]
    refused: IntegrityError | None = None
    if slots and file.present(home):
        try:
            return _with_key_file(home, header, slots), file.source()
        except IntegrityError as wrong:
            refused = wrong
    from openclaw_cli.store.keys import session

    data_key = session.find(header)
    if data_key is not None and head.commits(header, data_key):
        return data_key, "session"
    if refused is not None:
        raise refused
    kinds = ", ".join(sorted({slot.kind for slot in header.slots}))
    raise LockedError(
        f"the store is locked; it opens with: {kinds}",
        hint=_how(header, home),
    )


def _with_key_file(home: Home, header: Header, slots: list[head.Slot]) -> bytes:
    for slot in slots:
        key = file.wrapping_key(home, header.store, slot, b"")
        try:
            return head.unwrap(header, slot, key)
        except IntegrityError:
            continue
    if file.source() != file.KIND:
        raise LockedError(
            f"the store does not open with the key {file.where(home, header.store, slots[0])}",
            hint="openclaw store slots",
        )
    raise IntegrityError(
        f"the key in {file.path(home)} does not open the store: one of them was changed",
        hint="openclaw store slots",
    )


def _how(header: Header, home: Home) -> str:
    kinds = {slot.kind for slot in header.slots}
    if kinds - {file.KIND, "recovery"}:
        return "openclaw store unlock"
    if "recovery" in kinds:
        return "openclaw store unlock --recovery"
    return f"put the key file back: {file.path(home)}"
