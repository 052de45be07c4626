"""What a generator is, and the kinds of option one may have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from openclaw_cli.errors import UsageError

MINIMUM_BITS = 64


@dataclass(frozen=True, slots=True)
class Generated:
    """A new value; `public` is the half of a key pair that may be shown."""

    value: bytes = field(repr=False)
    entropy_bits: float
    public: str | None = None


class Option(Protocol):
    """How the text of one option is read."""

    @property
    def expects(self) -> str:
        """What it takes, in words that end "must be ..."."""

    def read(self, text: str) -> object:
        """Raise ValueError for what it does not take."""


class Generator(Protocol):
    """Makes values of one kind and policy. Its options are its constructor's keywords."""

    options: ClassVar[Mapping[str, Option]]
    positional: ClassVar[tuple[str, ...]]
    """The options that may be given without their name, in this order."""
    example: ClassVar[str]

    def __init__(self, **options: Any) -> None:  # noqa: ANN401
        """Raise UsageError for a policy that cannot be met, or gives too little entropy."""

    @property
    def entropy_bits(self) -> float:
        """The logarithm, to the base 2, of how many values there may be."""

    def describe(self) -> str:
        """Say the kind, the size and the entropy: "password, 24 characters, 145 bits"."""

    def generate(self) -> Generated:
        """Make a value, of the kernel's randomness."""


class Whole:
    """A whole number from `least` to `most`."""

    def __init__(self, least: int, most: int) -> None:
        self._range = range(least, most + 1)
        self.expects = f"a whole number from {least} to {most}"

    def read(self, text: str) -> int:
        number = int(text)
        if number not in self._range or text != str(number):
            raise ValueError
        return number


class Choice:
    """One of some words."""

    def __init__(self, *words: str) -> None:
        self._words = words
        self.expects = " or ".join((", ".join(words[:-1]), words[-1]))

    def read(self, text: str) -> str:
        if text not in self._words:
            raise ValueError
        return text


class Printable:
    """One of some words, or a row of the allowed characters."""

    def __init__(self, *words: str, allowed: str, expects: str) -> None:
        self._words = words
        self._allowed = allowed
        self.expects = " or ".join(filter(None, (", ".join(words), expects)))

    def read(self, text: str) -> str:
        if text in self._words:
            return text
        if not text or set(text) - set(self._allowed):
            raise ValueError
        return text


def require_enough(bits: float, what: str, hint: str) -> None:
    """Refuse what could be guessed; `hint` says how to ask for more."""
    if bits < MINIMUM_BITS:
        raise UsageError(
            f"{what} has {int(bits)} bits of entropy, and {MINIMUM_BITS} are the least", hint=hint
        )
