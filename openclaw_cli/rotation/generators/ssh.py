"""SSH keys: Ed25519, the private key in OpenSSH's own format, the public one as its one line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from openclaw_cli.rotation.generators.generator import Generated, Option


class Ssh:
    options: ClassVar[Mapping[str, Option]] = {}
    positional: ClassVar[tuple[str, ...]] = ()
    example: ClassVar[str] = "ssh"

    @property
    def entropy_bits(self) -> float:
        """The strength of the curve, as for ed25519."""
        return 128.0

    def describe(self) -> str:
        return "ssh key (ed25519), 128 bits of strength"

    def generate(self) -> Generated:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import (
            Encoding,
            NoEncryption,
            PrivateFormat,
            PublicFormat,
        )

        key = Ed25519PrivateKey.generate()
        public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
        private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
        return Generated(private, self.entropy_bits, public.decode("ascii"))
