"""The key slot of a passphrase: Argon2id (RFC 9106) makes the wrapping key from it.

What it costs is written in the slot and is checked before anything is derived, since at that time
nobody has vouched for the slot: too little would make guessing cheap, too much is a way to hang us.
"""

from __future__ import annotations

import os
import unicodedata
from typing import TYPE_CHECKING, Any

from openclaw_cli.errors import IntegrityError, TemporaryError, UsageError
from openclaw_cli.store.seal import KEY

if TYPE_CHECKING:
    from openclaw_cli.home import Home
    from openclaw_cli.store.header import Slot

KIND = "passphrase"
ASKS = "passphrase"
WRONG = "wrong passphrase"
SHORTEST = 12  # characters

SALT = 16  # bytes
MIB = 1024  # the unit of Argon2's memory is KiB

# RFC 9106's second choice: 0.1 s here, and 50 readers at once want 3 GB.
PASSES = 3
LANES = 4
MEMORY = 64 * MIB

_PASSES = range(1, 10 + 1)
_LANES = range(1, 8 + 1)
_MEMORY = range(19 * MIB, 1024 * MIB + 1)
_FIELDS = {"t", "p", "m", "salt", "since"}


def create(home: Home, store: bytes, slot: bytes, given: bytes) -> tuple[dict[str, Any], bytes]:
    """Return fresh parameters and the key; raises `UsageError` for a passphrase that is too short.

    `t` is the number of passes, `p` of lanes, `m` the memory in KiB.
    """
    del home, store, slot
    if len(_text(given)) < SHORTEST:
        raise UsageError(
            f"the passphrase is too short: {SHORTEST} characters are the least",
            hint="several words that do not belong together are easy to type and hard to guess",
        )
    salt = os.urandom(SALT)
    parameters = {"t": PASSES, "p": LANES, "m": MEMORY, "salt": salt.hex()}
    return parameters, _derived(given, PASSES, LANES, MEMORY, salt)


def wrapping_key(home: Home, store: bytes, slot: Slot, given: bytes) -> bytes:
    """Return the key that this passphrase gives; `IntegrityError` for parameters out of bounds."""
    del home, store
    return _derived(given, *_checked(slot.parameters))


def where(home: Home, store: bytes, slot: Slot) -> str:
    """Say what guessing costs."""
    del home, store
    passes, lanes, memory, _ = _checked(slot.parameters)
    return f"typed; Argon2id, {memory // MIB} MiB, {passes} passes, {lanes} lanes"


def forget(store: bytes, slot: Slot) -> None:
    """Nothing of it is kept anywhere."""


def _checked(found: dict[str, Any]) -> tuple[int, int, int, bytes]:
    try:
        passes, lanes, memory = found["t"], found["p"], found["m"]
        salt = bytes.fromhex(found["salt"])
    except (KeyError, TypeError, ValueError):
        raise _unheard_of() from None
    numbers = {type(passes), type(lanes), type(memory)} == {int}  # a bool is not a number here
    bounded = passes in _PASSES and lanes in _LANES and memory in _MEMORY
    if not (numbers and bounded and len(salt) == SALT and found.keys() <= _FIELDS):
        raise _unheard_of()
    return passes, lanes, memory, salt


def _unheard_of() -> IntegrityError:
    return IntegrityError(
        "the passphrase slot of the store asks for what no version of openclaw writes",
        hint="openclaw store restore BACKUP",
    )


def _derived(given: bytes, passes: int, lanes: int, memory: int, salt: bytes) -> bytes:
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

    kdf = Argon2id(salt=salt, length=KEY, iterations=passes, lanes=lanes, memory_cost=memory)
    try:
        return kdf.derive(_text(given).encode())
    except MemoryError:
        raise TemporaryError(
            f"the passphrase needs {memory // MIB} MiB of memory, which are not free",
            hint="try again when other programs have ended",
        ) from None


def _text(given: bytes) -> str:
    """Return the passphrase in one form: keyboards differ in how they send an accented letter."""
    try:
        return unicodedata.normalize("NFC", given.decode())
    except UnicodeDecodeError:
        raise UsageError("the passphrase is not UTF-8 text") from None
