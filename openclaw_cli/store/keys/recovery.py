"""The key slot for a bad day: 32 random bytes that are shown once, to be written down.

As text they are 56 characters of Crockford's base 32 in groups of four, the last five being mostly
a check sum, so that a slip of the pen is told from a wrong key. Case, spaces and dashes do not
matter when it is typed, nor O for 0 and I or L for 1.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from openclaw_cli.errors import LockedError
from openclaw_cli.store.seal import KEY, sha256

if TYPE_CHECKING:
    from openclaw_cli.home import Home
    from openclaw_cli.store.header import Slot

KIND = "recovery"
ASKS = "recovery key"
WRONG = "the recovery key is of another store, or was replaced"

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # without I, L, O and U
_READ = {letter: number for number, letter in enumerate(_ALPHABET)} | {"O": 0, "I": 1, "L": 1}
_CHECK = 3  # bytes
_LENGTH = (KEY + _CHECK) * 8 // 5  # characters; 280 bits, none left over
_GROUP = 4


def fresh() -> bytes:
    """Return a new recovery key as it is shown."""
    return _written(os.urandom(KEY)).encode()


def create(home: Home, store: bytes, slot: bytes, given: bytes) -> tuple[dict[str, Any], bytes]:
    """Return no parameters and the key that `given`, made by `fresh`, spells."""
    del home, store, slot
    return {}, _read(given)


def wrapping_key(home: Home, store: bytes, slot: Slot, given: bytes) -> bytes:
    """Return the key that was typed; raises `LockedError` when it has a slip."""
    del home, store, slot
    return _read(given)


def where(home: Home, store: bytes, slot: Slot) -> str:
    """Say where it should be."""
    del home, store, slot
    return "written down, when it was shown"


def forget(store: bytes, slot: Slot) -> None:
    """Nothing of it is kept anywhere."""


def _written(key: bytes) -> str:
    number = int.from_bytes(key + _sum(key), "big")
    letters = [_ALPHABET[number >> 5 * place & 31] for place in reversed(range(_LENGTH))]
    text = "".join(letters)
    return "-".join(text[start : start + _GROUP] for start in range(0, _LENGTH, _GROUP))


def _read(given: bytes) -> bytes:
    text = given.decode("ascii", "replace").upper()
    letters = "".join(text.replace("-", " ").split())
    if len(letters) != _LENGTH:
        raise _slip(f"has {len(letters)} letters and digits, not {_LENGTH}")
    number = 0
    for letter in letters:
        if letter not in _READ:
            raise _slip("has a character that none has")
        number = number << 5 | _READ[letter]
    read = number.to_bytes(KEY + _CHECK, "big")
    key, check = read[:KEY], read[KEY:]
    if _sum(key) != check:
        raise _slip("has a slip in it: its check sum is wrong")
    return key


def _sum(key: bytes) -> bytes:
    return bytes(sha256(b"openclaw/v1/recovery" + key).digest()[:_CHECK])


def _slip(what: str) -> LockedError:
    return LockedError(f"the recovery key {what}", hint="compare it with what was written down")
