"""RSA keys: the private key as PEM of PKCS #8, the public one as PEM."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from openclaw_cli.rotation.generators.generator import Generated, Option, Whole

# NIST SP 800-57, part 1, table 2. A size between two has at least the strength of the smaller.
_STRENGTHS = {2048: 112.0, 3072: 128.0, 7680: 192.0}


class Rsa:
    """`bits` is the size of the modulus; making 8,192 of them may take half a minute."""

    options: ClassVar[Mapping[str, Option]] = {"bits": Whole(2048, 8192)}
    positional: ClassVar[tuple[str, ...]] = ("bits",)
    example: ClassVar[str] = "rsa:4096"

    def __init__(self, *, bits: int = 3072) -> None:
        self._bits = bits

    @property
    def entropy_bits(self) -> float:
        return max(strength for size, strength in _STRENGTHS.items() if size <= self._bits)

    def describe(self) -> str:
        return f"rsa key of {self._bits} bits, {self.entropy_bits:.0f} bits of strength"

    def generate(self) -> Generated:
        from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
        from cryptography.hazmat.primitives.serialization import (
            Encoding,
            NoEncryption,
            PrivateFormat,
            PublicFormat,
        )

        key = generate_private_key(public_exponent=65537, key_size=self._bits)
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return Generated(private, self.entropy_bits, public.decode("ascii"))
