"""The ciphers: AES-256-GCM-SIV (RFC 8452), AES-256-GCM, HMAC-SHA-256 (RFC 2104), HKDF (RFC 5869).

Imported by the fast road, so the two C modules are named directly: the public path of
`cryptography` costs 0.75 times the start of Python more, and `hashlib` 0.3. Both have a fallback,
and the same vectors are run through this module whichever is found.
"""

from __future__ import annotations

import os

from openclaw_cli.errors import IntegrityError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESGCMSIV

try:
    from cryptography.hazmat.bindings._rust import openssl as _openssl

    _GCM, _GCMSIV = _openssl.aead.AESGCM, _openssl.aead.AESGCMSIV
except (ImportError, AttributeError):  # another release of cryptography
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM as _GCM
    from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV as _GCMSIV

try:
    from _sha256 import sha256  # type: ignore[import-not-found]
except ImportError:  # Python 3.12 and later
    try:
        from _sha2 import sha256  # type: ignore[import-not-found]
    except ImportError:
        from hashlib import sha256

try:
    from _operator import _compare_digest as same
except ImportError:
    from hmac import compare_digest as same  # type: ignore[no-redef]

__all__ = ["hmac", "nonce", "open_sealed", "parts", "same", "seal", "sha256", "subkey"]

KEY = 32
NONCE = 12
SALT = 32
TAG = 16
MAC = 32

_BLOCK = 64
_INNER = int.from_bytes(b"\x36" * _BLOCK, "big")
_OUTER = int.from_bytes(b"\x5c" * _BLOCK, "big")
_states: dict[bytes, tuple[Any, Any]] = {}


def nonce() -> bytes:
    """Return 12 fresh random bytes."""
    return os.urandom(NONCE)


def parts(*each: bytes) -> bytes:
    """Join byte strings so that no two different lists give the same bytes."""
    return b"".join([len(part).to_bytes(4, "big") + part for part in each])


def hmac(key: bytes, message: bytes, *, often: bool = False) -> bytes:
    """Return the HMAC-SHA-256 of the message, 32 bytes.

    `often` keeps what depends on the key alone, for the next message.
    """
    states = _states.get(key)
    if states is None:
        states = _begun(key)
        if often:
            _states[key] = states
    inner, outer = states[0].copy(), states[1].copy()
    inner.update(message)
    outer.update(inner.digest())
    return bytes(outer.digest())


def _begun(key: bytes) -> tuple[Any, Any]:
    if len(key) > _BLOCK:
        key = bytes(sha256(key).digest())
    number = int.from_bytes(key.ljust(_BLOCK, b"\0"), "big")
    inner = sha256((number ^ _INNER).to_bytes(_BLOCK, "big"))
    return inner, sha256((number ^ _OUTER).to_bytes(_BLOCK, "big"))


def subkey(key: bytes, purpose: bytes, salt: bytes = b"") -> bytes:
    """Return a 32-byte key for one purpose: HKDF-SHA-256, one block of output."""
    return hmac(hmac(salt, key), purpose + b"\x01")


def seal(key: bytes, once: bytes, plain: bytes, bound: bytes) -> bytes:
    """Return the ciphertext and its 16-byte tag; `bound` is authenticated, not hidden."""
    return bytes(_GCMSIV(key).encrypt(once, plain, bound))


def open_sealed(key: bytes, once: bytes, sealed: bytes, bound: bytes, what: str) -> bytes:
    """Return the plain bytes, or raise `IntegrityError` naming `what` was damaged."""
    return _opened(_GCMSIV(key), once, sealed, bound, what)


def salt_for(key: bytes, plain: bytes, bound: bytes) -> bytes:
    """Return 32 bytes that never come twice, for the key of one `seal_large`.

    Fresh randomness and all that is to be sealed go in: even where a random generator says the same
    again, as in the copy of a virtual machine, one key seals one message. The message goes in by
    its GMAC, which costs a thirtieth of a hash; nobody sees the tag itself.
    """
    own = hmac(key, parts(os.urandom(SALT), bound))
    return hmac(key, own + bytes(_GCM(own).encrypt(bytes(NONCE), b"", plain)))


def seal_large(key: bytes, plain: bytes, bound: bytes) -> bytes:
    """Return ciphertext and tag under a key that seals nothing else, made with `salt_for`.

    AES-256-GCM is ten times quicker than AES-256-GCM-SIV, and as good as long as that holds.
    """
    return bytes(_GCM(key).encrypt(bytes(NONCE), plain, bound))


def open_large(key: bytes, sealed: bytes | memoryview, bound: bytes, what: str) -> bytes:
    """Return the plain bytes, or raise `IntegrityError` naming `what` was damaged."""
    return _opened(_GCM(key), bytes(NONCE), sealed, bound, what)


def _opened(
    cipher: AESGCM | AESGCMSIV, once: bytes, sealed: bytes | memoryview, bound: bytes, what: str
) -> bytes:
    try:
        return bytes(cipher.decrypt(once, sealed, bound))
    except Exception:  # noqa: BLE001  InvalidTag lives in a module that costs 1.1x to import
        raise IntegrityError(
            f"{what} is damaged or was tampered with",
            hint="openclaw store check",
        ) from None
