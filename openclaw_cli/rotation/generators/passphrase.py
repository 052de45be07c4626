"""Passphrases of words.

The words are the English list of BIP-39, from the `mnemonic` package: 2,048 of them, 11 bits each,
three to eight letters, no two alike in their first four, none with a hyphen. A passphrase is drawn
word by word and has no checksum: it is not the seed phrase of a wallet.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Mapping
from typing import ClassVar

from openclaw_cli.errors import ConfigError
from openclaw_cli.registry import missing_library
from openclaw_cli.rotation.generators.generator import (
    MINIMUM_BITS,
    Choice,
    Generated,
    Option,
    Whole,
    require_enough,
)

_SEPARATORS = {"dash": "-", "dot": ".", "underscore": "_", "space": " "}


class Passphrase:
    options: ClassVar[Mapping[str, Option]] = {
        "words": Whole(1, 64),
        "separator": Choice(*_SEPARATORS),
    }
    positional: ClassVar[tuple[str, ...]] = ("words", "separator")
    example: ClassVar[str] = "passphrase:6"

    def __init__(self, *, words: int = 8, separator: str = "dash") -> None:
        self._list = word_list()
        self._words = words
        self._separator = _SEPARATORS[separator]
        enough = math.ceil(MINIMUM_BITS / math.log2(len(self._list)))
        require_enough(self.entropy_bits, f"a passphrase of {words} words", f"words={enough}")

    @property
    def entropy_bits(self) -> float:
        return self._words * math.log2(len(self._list))

    def describe(self) -> str:
        return f"passphrase, {self._words} words, {math.floor(self.entropy_bits)} bits"

    def generate(self) -> Generated:
        drawn = (secrets.choice(self._list) for _ in range(self._words))
        return Generated(self._separator.join(drawn).encode("ascii"), self.entropy_bits)


def word_list() -> list[str]:
    """Read the words; the package that brings them is not imported."""
    from importlib.util import find_spec

    package = find_spec("mnemonic")
    if package is None or not package.submodule_search_locations:
        raise missing_library("generator", "passphrase", "mnemonic")
    path = f"{package.submodule_search_locations[0]}/wordlist/english.txt"
    try:
        with open(path, encoding="ascii") as file:
            words = file.read().split()
    except (OSError, ValueError):
        words = []
    # Repeated words would make the entropy we say a lie.
    if not words or len(set(words)) != len(words):
        raise ConfigError(
            "the word list of the mnemonic package is damaged",
            hint="pip install --force-reinstall mnemonic",
        )
    return words
