"""The ciphers agree with published vectors and with the public libraries.

`cryptography_vectors` (Apache-2.0 or BSD-3-Clause) brings RFC 8452's AES-GCM-SIV, RFC 5869's HKDF
and RFC 4231's HMAC vectors. It does not bring Wycheproof's, so an equivalent set is made here: for
each of the three, seeded inputs of every interesting length, compared with the public API of
`cryptography` and with `hashlib` and `hmac`; and, as Wycheproof does, key, nonce, ciphertext, tag
and bound data changed, and tags cut short, which must be refused. All of it goes through our
wrapper, whichever of its imports was found. AES-GCM is held to the published cases whose nonce is
zeros, the only one that is used, and likewise to the public API.
"""

from __future__ import annotations

import hashlib
import hmac as reference_hmac
import random
import subprocess
import sys
from collections.abc import Iterator

import cryptography_vectors
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESGCMSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given
from hypothesis import strategies as st

from openclaw_cli.errors import IntegrityError
from openclaw_cli.store import seal

SEEDED = random.Random(8452)
LENGTHS = (0, 1, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 255, 1000)


def vectors(path: str) -> list[dict[str, str]]:
    """Return the groups of `name = value` lines of a file; a `#Cipher` line counts."""
    groups: list[dict[str, str]] = []
    cipher = ""
    with cryptography_vectors.open_vector_file(path, "r") as lines:
        for line in lines:
            if line.startswith("#Cipher"):
                cipher = line.partition("=")[2].strip()
            name, separator, value = line.partition("=")
            if not separator or line.startswith("#"):
                continue
            if name.strip() in ("COUNT", "Len"):
                groups.append({"cipher": cipher})
            groups[-1][name.strip().lower()] = value.strip()
    return groups


RFC_8452 = [
    each
    for each in vectors("ciphers/AES/GCM-SIV/openssl.txt")
    if each["cipher"] == "aes-256-gcm-siv"
]


def test_the_published_vectors_are_there() -> None:
    assert len(RFC_8452) >= 20
    assert len(vectors("HMAC/rfc-4231-sha256.txt")) >= 6
    assert len(vectors("KDF/rfc-5869-HKDF-SHA256.txt")) >= 3


@pytest.mark.parametrize("case", RFC_8452, ids=lambda each: each["count"])
def test_gcm_siv_agrees_with_rfc_8452(case: dict[str, str]) -> None:
    key, once, tag = (bytes.fromhex(case[name]) for name in ("key", "iv", "tag"))
    plain, sealed = (bytes.fromhex(case.get(name, "")) for name in ("plaintext", "ciphertext"))
    bound = bytes.fromhex(case.get("aad", ""))
    assert seal.seal(key, once, plain, bound) == sealed + tag
    assert seal.open_sealed(key, once, sealed + tag, bound, "it") == plain


def test_hmac_agrees_with_rfc_4231() -> None:
    for case in vectors("HMAC/rfc-4231-sha256.txt"):
        made = seal.hmac(bytes.fromhex(case["key"]), bytes.fromhex(case["msg"]))
        assert made.hex() == case["md"]


def test_hkdf_agrees_with_the_first_block_of_rfc_5869() -> None:
    for case in vectors("KDF/rfc-5869-HKDF-SHA256.txt"):
        key, info, salt = (bytes.fromhex(case[name]) for name in ("ikm", "info", "salt"))
        assert seal.subkey(key, info, salt).hex() == case["okm"][:64]


def cases() -> Iterator[tuple[bytes, bytes, bytes, bytes]]:
    """Make keys, nonces, plain texts and bound data, of every interesting length."""
    for length in LENGTHS:
        for bound in (0, 1, 16, 17, 64):
            yield tuple(SEEDED.randbytes(size) for size in (32, 12, length, bound))  # type: ignore[misc]
    for byte in (b"\0", b"\xff"):
        yield byte * 32, byte * 12, byte * 64, byte * 32


def test_gcm_siv_agrees_with_the_public_api() -> None:
    for key, once, plain, bound in cases():
        sealed = seal.seal(key, once, plain, bound)
        assert sealed == AESGCMSIV(key).encrypt(once, plain, bound)
        assert seal.open_sealed(key, once, sealed, bound, "it") == plain


# Cases 13 and 14 of McGrew and Viega's paper, as NIST took them up: key and nonce are zeros.
@pytest.mark.parametrize(
    ("plain", "sealed"),
    [
        (b"", "530f8afbc74536b9a963b4f1c4cb738b"),
        (bytes(16), "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"),
    ],
)
def test_gcm_agrees_with_the_published_cases(plain: bytes, sealed: str) -> None:
    assert seal.seal_large(bytes(32), plain, b"").hex() == sealed
    assert seal.open_large(bytes(32), bytes.fromhex(sealed), b"", "it") == plain


def test_gcm_agrees_with_the_public_api_and_refuses_what_was_changed() -> None:
    for key, _, plain, bound in cases():
        sealed = seal.seal_large(key, plain, bound)
        assert sealed == AESGCM(key).encrypt(bytes(12), plain, bound)
        assert seal.open_large(key, sealed, bound, "it") == plain
        for changed in _changes([key, b"", sealed, bound]):
            with pytest.raises(IntegrityError, match="it is damaged"):
                seal.open_large(changed[0], changed[2], changed[3], "it")


def test_a_salt_never_comes_twice_even_from_a_generator_that_repeats(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = [seal.salt_for(b"k" * 32, b"plain", b"bound") for _ in range(1000)]
    assert len({*one}) == 1000
    assert {*map(len, one)} == {32}
    monkeypatch.setattr("os.urandom", bytes)
    inputs = [(b"plain", b"bound"), (b"plainb", b"ound"), (b"plain", b"bounb"), (b"", b"")]
    salts = [seal.salt_for(key, *each) for key in (b"k" * 32, b"l" * 32) for each in inputs]
    assert len({*salts}) == len(salts)


def test_whatever_is_changed_is_refused() -> None:
    for key, once, plain, bound in list(cases())[::7]:
        sealed = seal.seal(key, once, plain, bound)
        for changed in _changes([key, once, sealed, bound]):
            with pytest.raises(IntegrityError, match="it is damaged"):
                seal.open_sealed(changed[0], changed[1], changed[2], changed[3], "it")


def _changes(parts: list[bytes]) -> Iterator[list[bytes]]:
    for which, part in enumerate(parts):
        for at in {0, len(part) // 2, len(part) - 1} if part else ():
            changed = bytearray(part)
            changed[at] ^= 1 << at % 8
            yield [*parts[:which], bytes(changed), *parts[which + 1 :]]
    sealed = parts[2]
    for shorter in (sealed[:-1], sealed[1:], sealed[:-16], sealed[:15], b"", sealed + b"\0"):
        yield [*parts[:2], shorter, parts[3]]


def test_hmac_and_hkdf_agree_with_the_libraries() -> None:
    for length in LENGTHS:
        for other in LENGTHS:
            key, message = SEEDED.randbytes(length), SEEDED.randbytes(other)
            expected = reference_hmac.new(key, message, hashlib.sha256).digest()
            assert seal.hmac(key, message) == expected
            kdf = HKDF(algorithm=SHA256(), length=32, salt=message or None, info=key)
            assert seal.subkey(b"k" * 32, key, message) == kdf.derive(b"k" * 32)


@given(one=st.lists(st.binary(max_size=8)), other=st.lists(st.binary(max_size=8)))
def test_no_two_lists_are_joined_to_the_same_bytes(one: list[bytes], other: list[bytes]) -> None:
    assert (seal.parts(*one) == seal.parts(*other)) == (one == other)


def test_what_was_opened_in_vain_is_named_and_not_quoted() -> None:
    with pytest.raises(IntegrityError) as refused:
        seal.open_sealed(bytes(32), bytes(12), b"x" * 40, b"", "the index")
    assert refused.value.message == "the index is damaged or was tampered with"
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__


def test_other_releases_of_the_libraries_give_the_same() -> None:
    """Without the direct imports, which other releases may not have, the public ones are taken."""
    program = """
import sys
sys.modules["_sha256"] = sys.modules["_sha2"] = None
import cryptography.hazmat.bindings._rust as rust
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
class Without: pass
rust.openssl = Without()
from openclaw_cli.store import seal
assert seal._GCMSIV is AESGCMSIV
sealed = seal.seal(b"k" * 32, b"n" * 12, b"plain", b"bound")
sealed += seal.seal_large(b"k" * 32, b"plain", b"bound")
print(sealed.hex(), seal.hmac(b"key", b"message").hex(), seal.subkey(b"k", b"info").hex())
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    sealed = seal.seal(b"k" * 32, b"n" * 12, b"plain", b"bound")
    sealed += seal.seal_large(b"k" * 32, b"plain", b"bound")
    made = (sealed, seal.hmac(b"key", b"message"), seal.subkey(b"k", b"info"))
    assert done.stdout.split() == [each.hex() for each in made]
