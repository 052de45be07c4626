"""Random bytes, written in letters."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from typing import ClassVar

from openclaw_cli.rotation.generators.generator import (
    MINIMUM_BITS,
    Choice,
    Generated,
    Option,
    Whole,
    require_enough,
)


class Token:
    """`size` random bytes as hex, base64 (RFC 4648, padded) or urlsafe (the same, unpadded)."""

    options: ClassVar[Mapping[str, Option]] = {
        "format": Choice("hex", "base64", "urlsafe"),
        "bytes": Whole(1, 1024),
    }
    positional: ClassVar[tuple[str, ...]] = ("format", "bytes")
    example: ClassVar[str] = "token:hex:32"

    def __init__(self, *, format: str = "urlsafe", bytes: int = 32) -> None:  # noqa: A002
        self._format = format
        self._size = bytes
        require_enough(self.entropy_bits, f"a token of {bytes} bytes", f"bytes={MINIMUM_BITS // 8}")

    @property
    def entropy_bits(self) -> float:
        return 8.0 * self._size

    def describe(self) -> str:
        return f"token, {self._size} bytes as {self._format}, {8 * self._size} bits"

    def generate(self) -> Generated:
        random = secrets.token_bytes(self._size)
        if self._format == "hex":
            value = random.hex().encode("ascii")
        elif self._format == "base64":
            value = base64.b64encode(random)
        else:
            value = base64.urlsafe_b64encode(random).rstrip(b"=")
        return Generated(value, self.entropy_bits)
