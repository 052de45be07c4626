"""The sealed records: one value each, bound to its store, its secret and its version.

A record is salt 16 | nonce 12 | ciphertext | tag 16 (sizes in bytes). Its key is derived from the
salt, so that no key seals two messages, even where a version number comes again after a restore.
The plain text is padded to a multiple of 64 bytes, so that the file's size says less.
"""

from __future__ import annotations

from openclaw_cli.errors import IntegrityError
from openclaw_cli.store.seal import (
    NONCE,
    TAG,
    hmac,
    open_large,
    open_sealed,
    parts,
    salt_for,
    same,
    seal,
    seal_large,
    subkey,
)
from openclaw_cli.store.seal import SALT as LARGE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openclaw_cli.store.header import Header

SALT = 16
RANDOM = SALT + NONCE
_PADDED = 64


_keys: dict[bytes, bytes] = {}


def seal_record(data_key: bytes, bound: bytes, value: bytes, random: bytes) -> bytes:
    """Seal one value; `random` are 28 fresh bytes (salt and nonce)."""
    salt, once = random[:SALT], random[SALT:]
    plain = len(value).to_bytes(4, "big") + value
    plain += bytes(-len(plain) % _PADDED)
    return random + seal(_key(data_key, salt), once, plain, bound)


def open_record(data_key: bytes, bound: bytes, record: bytes, tag: bytes, what: str) -> bytes:
    """Return the value of a record, or raise `IntegrityError`: damaged, moved or replaced."""
    start = RANDOM
    if len(record) < start + TAG or not same(record[-TAG:], tag):
        raise IntegrityError(f"{what} is damaged or was tampered with", hint="openclaw store check")
    key = _key(data_key, record[:SALT])
    plain = open_sealed(key, record[SALT:start], record[start:], bound, what)
    return plain[4 : 4 + int.from_bytes(plain[:4], "big")]


def _key(data_key: bytes, salt: bytes) -> bytes:
    """Return the key of one record: one HMAC, a quarter of what HKDF with the salt would cost."""
    key = _keys.get(data_key)
    if key is None:
        key = _keys[data_key] = subkey(data_key, b"openclaw/v1/value")
    return hmac(key, salt, often=True)


def bound_to_version(header: Header, name: str, version: int) -> bytes:
    """Return what a record is bound to: this store, this secret, this version of it."""
    number = version.to_bytes(4, "big")
    return parts(
        b"openclaw/v1/value", header.store, header.epoch.to_bytes(4, "big"), name.encode(), number
    )


def seal_directory(data_key: bytes, header: Header, plain: bytes) -> tuple[bytes, bytes]:
    """Seal the directory: salt 32, and ciphertext | tag 16."""
    bound = _bound_to_directory(header)
    salt = salt_for(subkey(data_key, b"openclaw/v1/salt"), plain, bound)
    return salt, seal_large(subkey(data_key, b"openclaw/v1/directory", salt), plain, bound)


def open_directory(data_key: bytes, header: Header, sealed: bytes, tag: bytes) -> bytes:
    """Return the directory's plain bytes; raises `IntegrityError` when it was touched."""
    what = "the directory of the store"
    if len(sealed) < LARGE + TAG or not same(sealed[-TAG:], tag):
        raise IntegrityError(f"{what} is damaged or was tampered with")
    key = subkey(data_key, b"openclaw/v1/directory", sealed[:LARGE])
    return open_large(key, memoryview(sealed)[LARGE:], _bound_to_directory(header), what)


def _bound_to_directory(header: Header) -> bytes:
    return parts(b"openclaw/v1/directory", header.store, header.epoch.to_bytes(4, "big"))
