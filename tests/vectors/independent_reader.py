"""Reads a store from `docs/store-format.md` alone: hashlib, hmac and cryptography's public API.

It imports nothing of the program. Where it and the program agree on the files beside it, the
document is right.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import struct
import unicodedata
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESGCMSIV
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass
class Opened:
    """What a store holds."""

    store: bytes
    epoch: int
    generation: int
    data_key: bytes
    audit_key: bytes
    name_key: bytes
    secrets: dict[str, Any]
    current: dict[str, tuple[int, bytes]]


def lp(*parts: bytes) -> bytes:
    """Join with length prefixes."""
    return b"".join(struct.pack(">I", len(part)) + part for part in parts)


def mac(key: bytes, message: bytes) -> bytes:
    """HMAC-SHA-256."""
    return hmac.new(key, message, hashlib.sha256).digest()


def hkdf(key: bytes, info: bytes, salt: bytes = b"") -> bytes:
    """HKDF-SHA-256, 32 bytes."""
    return mac(mac(salt or bytes(32), key), info + b"\x01")


def read(data: bytes, kind: str, key: str) -> Opened:
    """Open a whole store with one key of one kind, as it stands in the manifest."""
    assert data[:8] == b"OCSTORE1"
    (length,) = struct.unpack_from(">I", data, 8)
    fixed = struct.unpack_from(">16sIQ32sQ32s32sIB", data, 12)
    store, epoch, generation, commitment, _, _, salt, index_length, slots = fixed
    data_key = _data_key(data[149 : 12 + length], slots, store, epoch, kind, key)
    bound = store + struct.pack(">I", epoch)
    assert mac(hkdf(data_key, b"openclaw/v1/commit"), bound) == commitment

    end = 12 + length
    body = data[end + index_length :]
    sealed = data[end : end + index_length]
    bound = lp(b"openclaw/v1/index", data[:end])
    key_of_index = hkdf(data_key, b"openclaw/v1/index", salt)
    index = AESGCM(key_of_index).decrypt(bytes(12), sealed, bound)
    audit_key, name_key, size, offset, length, tag, count = struct.unpack_from(
        ">32s32sQQI16sI", index
    )
    assert size == len(data)
    assert len(index) == 104 + 48 * count
    assert end + index_length + offset + length == size
    entries = {
        index[at : at + 16]: struct.unpack_from(">IQI16s", index, at + 16)
        for at in range(104, len(index), 48)
    }
    assert list(entries) == sorted(entries)

    sealed = body[offset : offset + length]
    assert sealed[-16:] == tag
    bound = lp(b"openclaw/v1/directory", store, struct.pack(">I", epoch))
    key_of_directory = hkdf(data_key, b"openclaw/v1/directory", sealed[:32])
    plain = AESGCM(key_of_directory).decrypt(bytes(12), sealed[32:], bound)
    first, *lines = [json.loads(line) for line in plain.split(b"\n")]
    assert first["v"] == 1
    secrets = {}
    current = {}
    for name, deleted, provider, _created, labels, _policy, rows in lines:
        versions = {}
        for number, stage, _at, _since, _origin, offset, length, tag in rows:
            record = body[offset : offset + length]
            assert record[-16:].hex() == tag
            value = _value(data_key, store, epoch, name, number, record)
            versions[str(number)] = {"stage": stage, "value": base64.b64encode(value).decode()}
            found = entries.get(mac(name_key, name.encode())[:16])
            if stage == "current" and not deleted:
                assert found == (number, offset, length, bytes.fromhex(tag))
                current[name] = (number, value)
        secrets[name] = {
            "provider": provider,
            "labels": labels,
            "deleted": deleted,
            "versions": versions,
        }
    assert len(current) == count
    return Opened(store, epoch, generation, data_key, audit_key, name_key, secrets, current)


def _value(
    data_key: bytes, store: bytes, epoch: int, name: str, number: int, record: bytes
) -> bytes:
    salt, nonce, sealed = record[:16], record[16:28], record[28:]
    bound = lp(
        b"openclaw/v1/value",
        store,
        struct.pack(">I", epoch),
        name.encode(),
        struct.pack(">I", number),
    )
    plain = AESGCMSIV(mac(hkdf(data_key, b"openclaw/v1/value"), salt)).decrypt(nonce, sealed, bound)
    (length,) = struct.unpack_from(">I", plain)
    assert len(plain) % 64 == 0
    assert plain[4 + length :] == bytes(len(plain) - 4 - length)
    return plain[4 : 4 + length]


def _data_key(slots: bytes, count: int, store: bytes, epoch: int, kind: str, key: str) -> bytes:
    refused: Exception = ValueError("no slot of that kind")
    for _ in range(count):
        slot_id, kind_length, parameters_length, wrapped_length = struct.unpack_from(
            ">8sBHB", slots
        )
        slots = slots[12:]
        found, slots = slots[:kind_length].decode(), slots[kind_length:]
        parameters, slots = slots[:parameters_length], slots[parameters_length:]
        wrapped, slots = slots[:wrapped_length], slots[wrapped_length:]
        if found != kind:
            continue
        wrapping = _wrapping_key(kind, key, json.loads(parameters))
        bound = lp(
            b"openclaw/v1/slot",
            store,
            struct.pack(">I", epoch),
            slot_id,
            found.encode(),
            parameters,
        )
        try:
            return AESGCMSIV(wrapping).decrypt(wrapped[:12], wrapped[12:], bound)
        except Exception as wrong:  # noqa: BLE001  the next slot may be the one
            refused = wrong
    assert not slots
    raise refused


def _wrapping_key(kind: str, key: str, parameters: dict[str, Any]) -> bytes:
    if kind in ("file", "bundle"):
        return bytes.fromhex(key)
    if kind == "passphrase":
        kdf = Argon2id(
            salt=bytes.fromhex(parameters["salt"]),
            length=32,
            iterations=parameters["t"],
            lanes=parameters["p"],
            memory_cost=parameters["m"],
        )
        return kdf.derive(unicodedata.normalize("NFC", key).encode())
    assert kind == "recovery"
    number = 0
    for letter in key.upper().replace("-", ""):
        number = number * 32 + CROCKFORD.index(letter)
    read = number.to_bytes(35, "big")
    assert hashlib.sha256(b"openclaw/v1/recovery" + read[:32]).digest()[:3] == read[32:]
    return read[:32]
