"""The key slot that needs nothing: 32 random bytes in a file that only its owner may read.

Whoever starts the program can give the same key otherwise: `given.py`.
"""

from __future__ import annotations

import os

from openclaw_cli.errors import LockedError, StorageError
from openclaw_cli.files import Directory, UnsyncedError, private_directory
from openclaw_cli.store.keys import given as other

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from openclaw_cli.home import Home
    from openclaw_cli.store.header import Slot

KIND = "file"
ASKS = ""
WRONG = "the key file does not open this store"
NAME = "key"
VARIABLE = "OPENCLAW_STORE_KEY_FILE"

_WHERE = {
    "descriptor": "given by --key-fd",
    "variable": f"given in {other.VARIABLE}",
    "credential": "given as a credential of systemd",
}


def path(home: Home) -> str:
    """Return where the key is looked for."""
    return os.environ.get(VARIABLE) or f"{home.secrets}/{NAME}"


def present(home: Home) -> bool:
    """Tell whether there is a key file, or what takes its place."""
    return bool(other.found()) or os.path.lexists(path(home))


def source() -> str:
    """Return how the key comes: "file", or as `given.found` has it."""
    found = other.found()
    return found[1] if found else KIND


def create(home: Home, store: bytes, slot: bytes, given: bytes) -> tuple[dict[str, Any], bytes]:
    """Make the key file unless there is one; return the slot's parameters and the key."""
    del store, slot, given
    if not present(home):
        folder, name = _folder(home, make=True)
        try:
            folder.replace(name, [os.urandom(32).hex().encode() + b"\n"])
        except UnsyncedError as refused:  # nothing is to be locked with what may be gone
            raise StorageError(
                f"nothing was changed: a power cut may undo the new key file {path(home)}",
                hint=refused.hint,
            ) from None
        finally:
            folder.close()
    return {}, _read(home)


def wrapping_key(home: Home, store: bytes, slot: Slot, given: bytes) -> bytes:
    """Return the 32 bytes; raises `LockedError` without the file, `DeniedError` if others see it.

    One file serves all slots of this kind.
    """
    del store, slot, given
    return _read(home)


def where(home: Home, store: bytes, slot: Slot) -> str:
    """Return the path of the key, or how it is given."""
    del store, slot
    return _WHERE.get(source()) or path(home)


def forget(store: bytes, slot: Slot) -> None:
    """Leave the file: older backups open with it."""


def _read(home: Home) -> bytes:
    found = other.found()
    if found:
        return found[0]
    try:
        folder, name = _folder(home, make=False)
    except FileNotFoundError:
        raise _missing(home) from None
    try:
        text = folder.read(name, other.LIMIT)
    except FileNotFoundError:
        raise _missing(home) from None
    finally:
        folder.close()
    return other.decoded(text, path(home))


def _folder(home: Home, *, make: bool) -> tuple[Directory, str]:
    folder, _, name = path(home).rpartition("/")
    return (private_directory(folder or "/") if make else Directory(folder or "/")), name


def _missing(home: Home) -> LockedError:
    return LockedError(
        f"the store is locked: its key file {path(home)} is not there",
        hint=f"put the key file back, or name it: export {VARIABLE}=/path/to/key",
    )
