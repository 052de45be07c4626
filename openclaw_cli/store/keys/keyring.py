"""The key slot of the desktop's keyring: 32 random bytes, kept by the system for this user.

How it is asked, and which keyrings are trusted, stands in `backends/connect/`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from openclaw_cli.backends.connect import keyring
from openclaw_cli.backends.connect.keyring import KeyringTroubleError
from openclaw_cli.errors import LockedError
from openclaw_cli.store.seal import KEY

if TYPE_CHECKING:
    from openclaw_cli.home import Home
    from openclaw_cli.store.header import Slot

KIND = "keyring"
ASKS = ""
WRONG = "the key in the keyring does not open this store"
SECONDS = 10.0  # to answer; a desktop may be asking for its own password meanwhile

_ANOTHER = "openclaw store slots add passphrase"
_WORDS = {
    "none": "no keyring answers here",
    "locked": "the keyring is locked",
    "absent": "the keyring has no key of this store",
    "lost": "the keyring does not keep what it is given",
    "refused": "the keyring refused",
}


def create(home: Home, store: bytes, slot: bytes, given: bytes) -> tuple[dict[str, Any], bytes]:
    """Put a fresh key into the keyring, which looks whether it is kept; raises `LockedError`."""
    del home, given
    key = os.urandom(KEY)
    asked("set", _item(store, slot), key.hex())
    return {}, key


def wrapping_key(home: Home, store: bytes, slot: Slot, given: bytes) -> bytes:
    """Return the key in the keyring.

    Raises `LockedError` when the keyring is locked, absent, silent or has no such key.
    """
    del home, given
    return _key(asked("get", _item(store, slot.id)))


def where(home: Home, store: bytes, slot: Slot) -> str:
    """Return the item's name."""
    del home
    return "/".join(_item(store, slot.id))


def forget(store: bytes, slot: Slot) -> None:
    """Take the key out of the keyring; one that is gone is as good."""
    try:
        asked("delete", _item(store, slot.id))
    except LockedError:
        return


def available() -> bool:
    """Tell whether a keyring that we trust answers here."""
    try:
        asked("probe", ("", ""))
    except LockedError:
        return False
    return True


def _item(store: bytes, slot: bytes) -> tuple[str, str]:
    return f"openclaw/{store.hex()}", slot.hex()


def _key(text: str) -> bytes:
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != KEY:
        raise LockedError("what the keyring holds for this store is not a key", hint=_ANOTHER)
    return key


def asked(verb: str, item: tuple[str, str], secret: str = "") -> str:
    """Ask the keyring to `get`, `set`, `delete` or `probe` an item: the service and the user.

    Returns what `get` found. Raises `LockedError` when the keyring is locked, absent, silent or has
    no such item.
    """
    service, user = item
    try:
        if verb == "get":
            return keyring.get(service, user, SECONDS)
        if verb == "set":
            keyring.put(service, user, secret, SECONDS)
        elif verb == "delete":
            keyring.delete(service, user, SECONDS)
        else:
            keyring.probe(SECONDS)
    except KeyringTroubleError as trouble:
        raise _refusal(trouble.word) from None
    return ""


def held(item: tuple[str, str]) -> str:
    """Return what the keyring has in an item, "" where it answers that it has none.

    Raises `LockedError` when it is locked, absent or silent: then nobody knows.
    """
    try:
        return keyring.get(*item, SECONDS)
    except KeyringTroubleError as trouble:
        if trouble.word == "absent":
            return ""
        raise _refusal(trouble.word) from None


def _refusal(word: str) -> LockedError:
    if word == "slow":
        what = f"the keyring did not answer within {SECONDS:g} seconds"
    else:
        what = _WORDS.get(word, _WORDS["refused"])
    return LockedError(what, hint=f"unlock it on the desktop, or use another key: {_ANOTHER}")
