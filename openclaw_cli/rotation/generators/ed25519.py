"""Ed25519 signing keys (RFC 8032): the private key as PEM of PKCS #8, the public one as PEM."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from openclaw_cli.rotation.generators.generator import Generated, Option


class Ed25519:
    options: ClassVar[Mapping[str, Option]] = {}
    positional: ClassVar[tuple[str, ...]] = ()
    example: ClassVar[str] = "ed25519"

    @property
    def entropy_bits(self) -> float:
        """The strength of the curve (NIST SP 800-57, part 1, table 2), not its 256-bit seed."""
        return 128.0

    def describe(self) -> str:
        return "ed25519 key, 128 bits of strength"

    def generate(self) -> Generated:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import (
            Encoding,
            NoEncryption,
            PrivateFormat,
            PublicFormat,
        )

        key = Ed25519PrivateKey.generate()
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return Generated(private, self.entropy_bits, public.decode("ascii"))
