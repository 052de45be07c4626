"""One sealed slot that two keys open, and why the header commits to the data key.

AES-GCM-SIV does not commit to its key: below, a ciphertext is computed that is authentic under two
chosen keys (RFC 8452 has the formulas; two free blocks solve the two equations that the tag makes
of them). Whoever passes such a slot on has made a store that opens differently for two people.
"""

from __future__ import annotations

import os
import struct

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from openclaw_cli.errors import IntegrityError
from openclaw_cli.store.header import Header, Slot, bound_to_slot, commitment, unwrap
from openclaw_cli.store.seal import open_sealed
from openclaw_cli.testing.slots import new_header

_MODULUS = 1 << 128 | 1 << 127 | 1 << 126 | 1 << 121 | 1


def times(a: int, b: int) -> int:
    """Multiply in POLYVAL's field."""
    product = 0
    while b:
        if b & 1:
            product ^= a
        a <<= 1
        if a >> 128:
            a ^= _MODULUS
        b >>= 1
    return product


def inverse(a: int) -> int:
    """Return what `a` times gives one."""
    result, power = 1, 2**128 - 2
    while power:
        if power & 1:
            result = times(result, a)
        a = times(a, a)
        power >>= 1
    return result


_SHIFT = inverse(_MODULUS ^ 1 << 128)  # 1 / x^128


def dot(a: int, b: int) -> int:
    """Multiply as POLYVAL does."""
    return times(times(a, b), _SHIFT)


def number(block: bytes) -> int:
    return int.from_bytes(block, "little")


class Half:
    """What one of the two keys makes of a nonce, bound data and a tag."""

    def __init__(self, key: bytes, once: bytes, bound: bytes, tag: bytes) -> None:
        master = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305  one block
        parts = [master.update(struct.pack("<I", each) + once)[:8] for each in range(6)]
        hashing = number(parts[0] + parts[1])
        cipher = Cipher(algorithms.AES(b"".join(parts[2:])), modes.ECB())  # noqa: S305  one block
        before = cipher.decryptor().update(tag)
        self.possible = not before[15] & 0x80
        target = number(before) ^ number(once + bytes(4))
        counter = bytearray(tag)
        counter[15] |= 0x80
        (first,) = struct.unpack("<I", counter[:4])
        blocks = [struct.pack("<I", (first + each) % 2**32) + counter[4:] for each in range(2)]
        stream = [number(cipher.encryptor().update(each)) for each in blocks]

        square = dot(hashing, hashing)
        self.factors = dot(square, hashing), square
        bound_blocks = bound + bytes(-len(bound) % 16)
        rest = 0
        for at in range(0, len(bound_blocks), 16):
            rest = dot(rest ^ number(bound_blocks[at : at + 16]), hashing)
        for each in stream:
            rest = dot(rest ^ each, hashing)
        lengths = struct.pack("<QQ", len(bound) * 8, 32 * 8)
        self.sum = target ^ dot(rest ^ number(lengths), hashing)


def opened_by_both(keys: list[bytes], once: bytes, bound: bytes) -> bytes:
    """Return 32 sealed bytes and a tag that are authentic under both keys."""
    while True:
        tag = os.urandom(16)
        one, other = (Half(key, once, bound, tag) for key in keys)
        if one.possible and other.possible:
            break
    (a, b), (c, d) = one.factors, other.factors
    # first • a + second • b = one.sum, first • c + second • d = other.sum
    divisor = inverse(times(a, d) ^ times(b, c))
    first = times(times(one.sum, d) ^ times(other.sum, b), divisor)
    second = times(times(other.sum, a) ^ times(one.sum, c), divisor)
    unshifted = _MODULUS ^ 1 << 128  # x^128: undoes the shift that each dot product made
    blocks = [times(each, unshifted).to_bytes(16, "little") for each in (first, second)]
    return b"".join(blocks) + tag


def test_a_slot_that_two_keys_open_opens_the_store_for_one() -> None:
    header, slot, keys, data_keys = two_faced()
    assert data_keys[0] != data_keys[1]
    assert unwrap(header, slot, keys[0]) == data_keys[0]
    with pytest.raises(IntegrityError, match="the key does not belong to this store"):
        unwrap(header, slot, keys[1])


def two_faced() -> tuple[Header, Slot, list[bytes], list[bytes]]:
    """Return a header whose slot both keys open, and what each finds in it."""
    header = new_header()
    slot = Slot(os.urandom(8), "file", {"since": 1}, b"")
    keys, once = [os.urandom(32), os.urandom(32)], os.urandom(12)
    bound = bound_to_slot(header, slot)
    sealed = opened_by_both(keys, once, bound)
    slot.wrapped = once + sealed
    # The control: without the commitment both are taken, for the cipher itself refuses neither.
    found = [open_sealed(key, once, sealed, bound, "the slot") for key in keys]
    header.commitment = commitment(found[0], header.store, header.epoch)
    header.slots = [slot]
    return header, slot, keys, found
