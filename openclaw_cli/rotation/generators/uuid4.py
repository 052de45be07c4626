"""Random UUIDs, version 4 of RFC 9562."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from openclaw_cli.rotation.generators.generator import Generated, Option


class Uuid:
    """122 of the 128 bits are random; the rest say the version and variant."""

    options: ClassVar[Mapping[str, Option]] = {}
    positional: ClassVar[tuple[str, ...]] = ()
    example: ClassVar[str] = "uuid"

    @property
    def entropy_bits(self) -> float:
        return 122.0

    def describe(self) -> str:
        return "uuid, version 4, 122 bits"

    def generate(self) -> Generated:
        from uuid import uuid4

        return Generated(str(uuid4()).encode("ascii"), self.entropy_bits)
