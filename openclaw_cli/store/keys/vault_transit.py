"""The key slot of Vault's transit engine: a key of ours that only Vault can unwrap.

The wrapped key lies in the slot, bound to the store and the slot as associated data, so that it
opens in no other place. Where Vault is, the slot does not say: whoever can write the store's file
would choose then where our token is sent. Vault's own variables and token file say it.
"""

from __future__ import annotations

import base64
import os
from typing import TYPE_CHECKING, Any

from openclaw_cli.backends.connect.vault import Connection
from openclaw_cli.backends.connect.vault_address import in_path
from openclaw_cli.backends.connect.vault_answers import client, meaning, rejected_class
from openclaw_cli.errors import ConfigError, DeniedError, LockedError
from openclaw_cli.store.seal import KEY

if TYPE_CHECKING:
    from openclaw_cli.backends.connect.vault_http import Adapter
    from openclaw_cli.home import Home
    from openclaw_cli.store.header import Slot

KIND = "vault-transit"
ASKS = ""
WRONG = "vault's transit engine does not open this store"
MOUNT = "transit"
NAME = "openclaw"  # of the key there, when nobody names another

_BAD, _DENIED, _ABSENT = 400, (401, 403), 404


def create(home: Home, store: bytes, slot: bytes, given: bytes) -> tuple[dict[str, Any], bytes]:
    """Let Vault wrap a fresh key; `given` is the name of the key to wrap it with, or MOUNT/NAME.

    Raises `DeniedError`, `TemporaryError` and `ConfigError`; the last for a Vault that is too old
    to bind what it wraps.
    """
    del home
    mount, name = _place(given.decode("ascii", "replace") or f"{MOUNT}/{NAME}")
    key = os.urandom(KEY)
    adapter = _connection().adapter()
    wrapped = _asked(adapter, "encrypt", mount, name, _encoded(key), _bound(store, slot))
    parameters = {"key": f"{mount}/{name}", "wrapped": wrapped}
    if _unbound(adapter, mount, name, wrapped):
        raise ConfigError(
            f"vault's {mount} engine does not bind what it wraps to its place: it is too old, or "
            f"the key {name} is of another type than aes256-gcm96",
        )
    return parameters, key


def wrapping_key(home: Home, store: bytes, slot: Slot, given: bytes) -> bytes:
    """Let Vault unwrap the key; raises `LockedError` when it cannot.

    When it is not to be reached, or does not let us, that is `TemporaryError` or `DeniedError`.
    """
    del home, given
    key, wrapped = slot.parameters.get("key"), slot.parameters.get("wrapped")
    if not isinstance(key, str) or not isinstance(wrapped, str):
        raise LockedError(WRONG)
    mount, name = _place(key)
    adapter = _connection().adapter()
    try:
        text = _asked(adapter, "decrypt", mount, name, wrapped, _bound(store, slot.id))
        found = base64.b64decode(text, validate=True)
    except ValueError:
        found = b""
    if len(found) != KEY:
        raise LockedError(WRONG)
    return found


def where(home: Home, store: bytes, slot: Slot) -> str:
    """Return the name of the key in Vault."""
    del home, store
    return f"vault, {slot.parameters.get('key', 'unknown')}"


def forget(store: bytes, slot: Slot) -> None:
    """Leave Vault's key: it may wrap others, and the slot was all that is ours."""


def _connection() -> Connection:
    return Connection({}, name=KIND)


def _place(key: str) -> tuple[str, str]:
    mount, _, name = in_path(key).rpartition("/")
    return mount or MOUNT, name


def _bound(store: bytes, slot: bytes) -> str:
    return _encoded(b"openclaw/v1/vault-transit" + store + slot)


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _asked(adapter: Adapter, verb: str, mount: str, name: str, text: str, bound: str) -> str:
    """Let Vault `encrypt` or `decrypt`; raises `LockedError` for what it cannot decrypt."""
    transit = client(adapter).secrets.transit
    given = {"name": name, "mount_point": mount, "associated_data": bound}
    try:
        if verb == "encrypt":
            answer = transit.encrypt_data(plaintext=text, **given)
        else:
            answer = transit.decrypt_data(ciphertext=text, **given)
    except rejected_class() as rejected:
        if rejected.status in _DENIED:
            raise DeniedError(
                f"vault does not let us {verb} with the key {mount}/{name}",
                hint=f'vault login, or add to a policy: path "{mount}/{verb}/{name}" '
                '{ capabilities = ["update"] }',
            ) from None
        if rejected.status in (_BAD, _ABSENT) and verb == "decrypt":
            raise LockedError(WRONG, hint=f"vault read {mount}/keys/{name}") from None
        if rejected.status == _ABSENT:
            raise ConfigError(
                f"vault has no transit engine at {mount}/", hint="vault secrets enable transit"
            ) from None
        raise meaning(adapter, rejected, f"{verb} with {mount}/{name}") from None
    data = answer.get("data")
    kind = "ciphertext" if verb == "encrypt" else "plaintext"
    found = data.get(kind) if isinstance(data, dict) else None
    if not isinstance(found, str):
        raise LockedError("what answers does not answer as vault's transit engine does")
    return found


def _unbound(adapter: Adapter, mount: str, name: str, wrapped: str) -> bool:
    """Tell whether Vault unwraps it for another place: then it did not hear what it is bound to."""
    try:
        _asked(adapter, "decrypt", mount, name, wrapped, _encoded(b"elsewhere"))
    except LockedError:
        return False
    return True
