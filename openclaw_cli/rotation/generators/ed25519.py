"""Ed25519 key pairs (RFC 8032): `ed25519` in PEM, for signing, and `ssh` as OpenSSH has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from openclaw_cli.rotation.generators.generator import Generated, Option

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat, PublicFormat

_BITS = 128.0  # the strength of the curve (NIST SP 800-57, part 1, table 2), not its 256-bit seed


class Ed25519:
    """The private key as PEM of PKCS #8, the public one as PEM."""

    options: ClassVar[Mapping[str, Option]] = {}
    positional: ClassVar[tuple[str, ...]] = ()
    example: ClassVar[str] = "ed25519"
    entropy_bits: ClassVar[float] = _BITS

    def describe(self) -> str:
        return "ed25519 key, 128 bits of strength"

    def generate(self) -> Generated:
        from cryptography.hazmat.primitives.serialization import (
            Encoding,
            PrivateFormat,
            PublicFormat,
        )

        return _pair(PrivateFormat.PKCS8, Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


class Ssh:
    """The private key in OpenSSH's own format, the public one as its one line."""

    options: ClassVar[Mapping[str, Option]] = {}
    positional: ClassVar[tuple[str, ...]] = ()
    example: ClassVar[str] = "ssh"
    entropy_bits: ClassVar[float] = _BITS

    def describe(self) -> str:
        return "ssh key (ed25519), 128 bits of strength"

    def generate(self) -> Generated:
        from cryptography.hazmat.primitives.serialization import (
            Encoding,
            PrivateFormat,
            PublicFormat,
        )

        return _pair(PrivateFormat.OpenSSH, Encoding.OpenSSH, PublicFormat.OpenSSH)


def _pair(private: PrivateFormat, encoding: Encoding, public: PublicFormat) -> Generated:
    """Return a new pair: the private key in PEM, the public one as it is asked for."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    shown = key.public_key().public_bytes(encoding, public)
    kept = key.private_bytes(serialization.Encoding.PEM, private, serialization.NoEncryption())
    return Generated(kept, _BITS, shown.decode("ascii"))
