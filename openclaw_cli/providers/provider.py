"""What a provider is: the service that issues a secret, described as data."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

CHOSEN: Final = "chosen"
"""We make the new value and tell the service."""
MINTED: Final = "minted"
"""The service makes the new value when its API is asked to."""
PERSON: Final = "person"
"""The service has no API for it: a person makes the new value, and `set` stores it."""

ANYTHING: Final = rb"(?s:.+)"

_SPECIAL = frozenset(rb"\.[(?*+{|^$")
_MAYBE_NONE = (b"?", b"*", b"{")


class Provider:
    """A service that issues secrets. A subclass fills in the data; see the contract's promises.

    Patterns are regular expressions that must match a whole value. They follow what the service
    documents, with room for longer keys: services lengthen theirs without telling anyone, and a
    wrong warning teaches people to ignore warnings. A choice is in brackets, never outside: what
    stands before the first special character must begin every key.
    """

    name: str
    title: str
    variables: tuple[str, ...] = ()
    """The environment variables that hold its secrets, the usual one first."""
    distinct: tuple[bytes, ...] = ()
    """Patterns that no other service's keys fit."""
    plausible: tuple[bytes, ...] = ()
    """Patterns that its keys fit, as others may too."""
    looks: str = ""
    """What a key looks like, to end the sentence "a key of X is ..."."""
    page: str = ""
    """Where a person gets a key, or reads how to."""
    rotation: str = PERSON
    """CHOSEN, MINTED or PERSON: what the service allows."""
    rotator: str = ""
    """The rotator of ours that does it; nothing where none does."""
    how: str
    """One line: by which API, or why not."""

    @property
    def variable(self) -> str:
        """The usual environment variable, or nothing where there is none."""
        return self.variables[0] if self.variables else ""

    @property
    def rotates_by_api(self) -> bool:
        return self.rotation != PERSON

    def check(self, value: bytes) -> str | None:
        """Say in plain words why this may be the wrong value, or None.

        A warning, never a reason to refuse. It holds no part of the value, nor its length.
        """
        if not (self.distinct or self.plausible) or self._fits(value):
            return None
        for fault, mended in (
            ("has a space or a line break at its start or end", value.strip()),
            ("is wrapped in quotes", value.strip(b"\"'")),
        ):
            if self._fits(mended):
                return f"the value {fault}"
        from openclaw_cli import providers

        issuer = providers.recognise(value)
        if issuer:
            return f"this looks like a key of {issuer.title}, not of {self.title}"
        return f"this does not look like a key of {self.title}: that is {self.looks}"

    def recognises(self, value: bytes) -> bool:
        """Whether it is surely one of this service's, by its form alone."""
        return _any_matches(self.distinct, value)

    def _fits(self, value: bytes) -> bool:
        return self.recognises(value) or _any_matches(self.plausible, value)


def _any_matches(patterns: tuple[bytes, ...], value: bytes) -> bool:
    import re

    # Compiling a pattern takes a quarter of a millisecond; most begin as the value does not.
    likely = [each for each in patterns if value.startswith(_beginning(each))]
    return any(re.fullmatch(pattern, value) for pattern in likely)


def _beginning(pattern: bytes) -> bytes:
    """Return the plain bytes that all a pattern matches begin with."""
    end = next((at for at, each in enumerate(pattern) if each in _SPECIAL), len(pattern))
    return pattern[: end - 1] if pattern[end : end + 1] in _MAYBE_NONE else pattern[:end]
