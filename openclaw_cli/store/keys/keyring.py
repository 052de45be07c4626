"""The key slot of the desktop's keyring: 32 random bytes, kept by the system for this user.

Each call is made by a child process that is ended when it takes too long: a secret service that
hangs blocks its callers for ever. `keyring_child.py` says which services are trusted.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from openclaw_cli.errors import LockedError
from openclaw_cli.store.seal import KEY, same

if TYPE_CHECKING:
    from openclaw_cli.home import Home
    from openclaw_cli.store.header import Slot

KIND = "keyring"
ASKS = ""
WRONG = "the key in the keyring does not open this store"
SECONDS = 10.0  # to answer; a desktop may be asking for its own password meanwhile

_ANOTHER = "openclaw store slots add passphrase"
_CHILD = (
    "import sys; sys.path[:] = sys.argv[1:];"
    "from openclaw_cli.store.keys.keyring_child import main; main()"
)
_WORDS = {
    "none": "no keyring answers here",
    "locked": "the keyring is locked",
    "absent": "the keyring has no key of this store",
    "refused": "the keyring refused",
}


def create(home: Home, store: bytes, slot: bytes, given: bytes) -> tuple[dict[str, Any], bytes]:
    """Put a fresh key into the keyring, read it back, and return it; raises `LockedError`."""
    del home, given
    key = os.urandom(KEY)
    item = _item(store, slot)
    asked("set", item, key.hex())
    if not same(_key(asked("get", item)), key):
        raise LockedError("the keyring does not keep what it is given", hint=_ANOTHER)
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
    """Have a child ask the keyring; the secret goes through pipes, never through arguments.

    `verb` is get, set, delete or probe; `item` the service and the user. Returns what `get` found.
    Raises `LockedError` when the keyring is locked, absent, silent or has no such item.
    """
    service, user = item
    request = {"verb": verb, "service": service, "user": user, "secret": secret}
    path = [each for each in sys.path if each.startswith("/")]
    try:
        done = subprocess.run(  # noqa: S603  our own code, by our own interpreter
            [sys.executable, "-I", "-S", "-c", _CHILD, *path],
            input=json.dumps(request).encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            timeout=SECONDS,
            check=False,
        )
        answer = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        raise _trouble(f"the keyring did not answer within {SECONDS:g} seconds") from None
    except (OSError, ValueError):
        answer = {"trouble": "none"}
    if answer.get("trouble"):
        raise _trouble(_WORDS.get(answer["trouble"], _WORDS["refused"]))
    return str(answer.get("secret", ""))


def _environment() -> dict[str, str]:
    """Return ours without what chooses the keyring's code or changes its settings."""
    return {
        name: text
        for name, text in os.environ.items()
        if not name.startswith(("PYTHON", "KEYRING_PROPERTY_"))
    }


def _trouble(what: str) -> LockedError:
    return LockedError(what, hint=f"unlock it on the desktop, or use another key: {_ANOTHER}")
