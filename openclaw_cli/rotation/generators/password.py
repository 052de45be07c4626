"""Passwords by a policy: a length, classes of characters, and what to leave out."""

from __future__ import annotations

import math
import secrets
import string
from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import ClassVar

from openclaw_cli.errors import UsageError
from openclaw_cli.rotation.generators.generator import (
    MINIMUM_BITS,
    Choice,
    Generated,
    Option,
    Printable,
    Whole,
    require_enough,
)

# RFC 3986's unreserved marks: they pass through URLs, dotenv files and YAML without escaping.
SYMBOLS = "-_.~"
AMBIGUOUS = "0O1Il|"
LONGEST = 1024

_USE = Choice("yes", "no", "optional")


class Password:
    """Uniform over every password that meets the policy.

    A class is "yes" (used, and in every password), "optional" (used) or "no"; `symbols` may also
    be the symbols themselves. Whole passwords are drawn until one meets the policy; putting the
    missing classes in at some place would make some passwords likelier than others.
    """

    options: ClassVar[Mapping[str, Option]] = {
        "length": Whole(1, LONGEST),
        "lower": _USE,
        "upper": _USE,
        "digits": _USE,
        "symbols": Printable(
            "yes", "no", "optional", allowed=string.punctuation, expects="the symbols themselves"
        ),
        "ambiguous": Choice("yes", "no"),
        "exclude": Printable(
            allowed=string.ascii_letters + string.digits + string.punctuation,
            expects="printable characters, as the last option",
        ),
    }
    positional: ClassVar[tuple[str, ...]] = ("length",)
    example: ClassVar[str] = "password:length=40,symbols=no"

    def __init__(
        self,
        *,
        length: int = 24,
        lower: str = "yes",
        upper: str = "yes",
        digits: str = "yes",
        symbols: str = "yes",
        ambiguous: str = "yes",
        exclude: str = "",
    ) -> None:
        self._length = length
        left_out = set(exclude) | set(AMBIGUOUS if ambiguous == "no" else "")
        self._required: list[frozenset[str]] = []
        alphabet: set[str] = set()
        for name, use, characters in (
            ("lower", lower, string.ascii_lowercase),
            ("upper", upper, string.ascii_uppercase),
            ("digits", digits, string.digits),
            ("symbols", symbols, SYMBOLS if symbols in {"yes", "no", "optional"} else symbols),
        ):
            if use == "no":
                continue
            kept = frozenset(characters) - left_out
            if use != "optional":
                if not kept:
                    raise UsageError(
                        f"the policy wants {name} and leaves every one of them out",
                        hint=f"say {name}=no",
                    )
                self._required.append(kept)
            alphabet |= kept
        self._alphabet = "".join(sorted(alphabet))
        self._bits = self._bits_at(length)
        require_enough(self._bits, f"a password of {length} such characters", self._advice())

    @property
    def entropy_bits(self) -> float:
        return self._bits

    def describe(self) -> str:
        return f"password, {self._length} characters, {math.floor(self._bits)} bits"

    def generate(self) -> Generated:
        while True:
            value = "".join(secrets.choice(self._alphabet) for _ in range(self._length))
            if all(some.intersection(value) for some in self._required):
                return Generated(value.encode("ascii"), self._bits)

    def _bits_at(self, length: int) -> float:
        count = sum(self._signed_counts(length))
        return math.log2(count) if count > 0 else 0.0

    def _signed_counts(self, length: int) -> Iterator[int]:
        """Count, by inclusion and exclusion, the passwords that lack no required class.

        Classes are disjoint, so those without two of them are drawn from what remains of the
        alphabet. The terms are whole numbers of any size; their sum is exact.
        """
        for lacking in range(len(self._required) + 1):
            for absent in combinations(self._required, lacking):
                remaining = len(self._alphabet) - sum(map(len, absent))
                yield (-1) ** lacking * remaining**length

    def _advice(self) -> str:
        lengths = range(self._length, LONGEST + 1)
        enough = next((n for n in lengths if self._bits_at(n) >= MINIMUM_BITS), None)
        return f"length={enough} is enough" if enough else "allow more characters"
