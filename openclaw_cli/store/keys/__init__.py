"""Key slots: each kind wraps the store's data key with a key of its own.

A kind is a module with `KIND`, `create(...)`, which returns a slot's parameters and its wrapping
key, and `wrapping_key(...)`, which finds that key again. The table is in `slots.py`; this file is
what the fast road needs: the kinds that can be opened without asking anybody or importing much.
"""

from __future__ import annotations

from openclaw_cli.errors import LockedError
from openclaw_cli.store import header as head
from openclaw_cli.store.keys import file, session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openclaw_cli.home import Home
    from openclaw_cli.store.header import Header


def unlock_quietly(home: Home, header: Header) -> tuple[bytes, str]:
    """Return the data key and where it came from, without asking: an unlocked session, a key file.

    Raises `LockedError` when the store needs a passphrase, a keyring or a recovery key.
    """
    data_key = session.find(header)
    if data_key is not None:
        return data_key, "session"
    for slot in header.slots:
        if slot.kind == file.KIND and file.present(home):
            return head.unwrap(header, slot, file.wrapping_key(home)), file.KIND
    kinds = ", ".join(sorted({slot.kind for slot in header.slots}))
    raise LockedError(
        f"the store is locked; it opens with: {kinds}",
        hint=_how(header, home),
    )


def _how(header: Header, home: Home) -> str:
    kinds = {slot.kind for slot in header.slots}
    if kinds - {file.KIND, "recovery"}:
        return "openclaw store unlock"
    if "recovery" in kinds:
        return "openclaw store unlock --recovery"
    return f"put the key file back: {file.path(home)}"
