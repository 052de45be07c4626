"""The key slot of AWS KMS: 32 random bytes that only a key of KMS, which never leaves it, decrypts.

They are bound to this store and this slot by KMS's encryption context, which CloudTrail shows: it
holds no names. Who may decrypt, and who did, is Amazon's to say and to record.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

from openclaw_cli.backends.connect import aws
from openclaw_cli.backends.connect.aws_codes import Rejected
from openclaw_cli.errors import (
    DeniedError,
    IntegrityError,
    LockedError,
    OpenclawError,
    TemporaryError,
    UsageError,
)
from openclaw_cli.store.seal import KEY, same

if TYPE_CHECKING:
    from openclaw_cli.home import Home
    from openclaw_cli.store.header import Slot

KIND = "aws-kms"
ASKS = ""
WRONG = "what AWS KMS decrypts does not open this store"
SECONDS = 10.0  # that KMS may take

_ARN = re.compile(r"arn:[a-z-]+:kms:([a-z0-9-]+):[0-9]{12}:key/[A-Za-z0-9-]{1,64}")
_GIVEN = re.compile(r"(?:arn:[a-z-]+:kms:([a-z0-9-]+):[0-9]{12}:)?(?:key/|alias/)?[\w/-]{1,256}")
_FIELDS = {"key", "encrypted", "since"}
_LARGEST = 1024  # bytes of what KMS makes of ours
_NOT_OURS = frozenset(("IncorrectKeyException", "InvalidCiphertextException"))


def create(home: Home, store: bytes, slot: bytes, given: bytes) -> tuple[dict[str, Any], bytes]:
    """Have KMS encrypt a fresh key, and decrypt it again, so that nobody is locked out later.

    `given` is the KMS key: its ARN, its id or an alias, of which only the ARN is kept. Raises
    `UsageError`, and what `aws.Connection` raises.
    """
    del home
    name = given.decode("ascii", "replace")
    found = _GIVEN.fullmatch(name)
    if not found:
        raise UsageError(
            "not a key of AWS KMS" if name else "the aws-kms key slot needs a key of KMS",
            hint="openclaw store slots add aws-kms --key-id arn:aws:kms:REGION:ACCOUNT:key/ID",
        )
    key = os.urandom(KEY)
    arguments = {"KeyId": name, "Plaintext": key, "EncryptionContext": _context(store, slot)}
    answer = _sent(_connection(found[1] or ""), "Encrypt", arguments, name)
    encrypted, arn = answer.get("CiphertextBlob"), answer.get("KeyId")
    if not isinstance(encrypted, bytes) or not isinstance(arn, str) or not _ARN.fullmatch(arn):
        raise LockedError("AWS KMS did not encrypt the key", hint="aws kms describe-key")
    if not same(_decrypted(arn, encrypted, store, slot), key):
        raise LockedError("AWS KMS does not decrypt to what it encrypted")
    return {"key": arn, "encrypted": encrypted.hex()}, key


def wrapping_key(home: Home, store: bytes, slot: Slot, given: bytes) -> bytes:
    """Return the key that KMS decrypts.

    Raises `LockedError` when it does not, `DeniedError` or `TemporaryError` when it does not let
    us or is away, and `IntegrityError` for parameters that no version of this program wrote.
    """
    del home, given
    arn, encrypted = _checked(slot.parameters)
    try:
        return _decrypted(arn, encrypted, store, slot.id)
    except (DeniedError, LockedError, TemporaryError):
        raise
    except OpenclawError as refused:  # the KMS key is disabled, deleted, or KMS is not KMS
        raise LockedError(
            f"AWS KMS does not give the key: {refused.message}", hint=refused.hint
        ) from None


def where(home: Home, store: bytes, slot: Slot) -> str:
    """Return the ARN of the KMS key."""
    del home, store
    return _checked(slot.parameters)[0]


def forget(store: bytes, slot: Slot) -> None:
    """Nothing of it is kept anywhere; the KMS key is not ours to delete."""


def _decrypted(arn: str, encrypted: bytes, store: bytes, slot: bytes) -> bytes:
    found = _ARN.fullmatch(arn)
    arguments = {
        "KeyId": arn,
        "CiphertextBlob": encrypted,
        "EncryptionContext": _context(store, slot),
    }
    answer = _sent(_connection(found[1] if found else ""), "Decrypt", arguments, arn)
    key = answer.get("Plaintext")
    if not isinstance(key, bytes) or len(key) != KEY:
        raise LockedError(WRONG)
    return key


def _connection(region: str) -> aws.Connection:
    return aws.Connection({"region": region, "timeout": SECONDS}, kind=KIND, title="AWS KMS")


def _sent(
    connection: aws.Connection, action: str, arguments: dict[str, Any], key: str
) -> dict[str, Any]:
    try:
        return connection.send("kms", action, arguments, connection.deadline())
    except Rejected as rejected:
        if rejected.code in _NOT_OURS:
            raise LockedError(WRONG) from None
        raise connection.error(rejected, key, key) from None


def _context(store: bytes, slot: bytes) -> dict[str, str]:
    return {"store": store.hex(), "slot": slot.hex()}


def _checked(found: dict[str, Any]) -> tuple[str, bytes]:
    try:
        arn, encrypted = found["key"], bytes.fromhex(found["encrypted"])
    except (KeyError, TypeError, ValueError):
        arn, encrypted = "", b""
    known = isinstance(arn, str) and _ARN.fullmatch(arn) and found.keys() <= _FIELDS
    if not known or not 0 < len(encrypted) <= _LARGEST:
        raise IntegrityError("the aws-kms key slot is not one that a version of openclaw writes")
    return arn, encrypted
