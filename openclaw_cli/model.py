"""The nouns of the program: a value that keeps quiet, its version, and who asks."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

MAX_VALUE = 64 * 1024  # bytes

CURRENT = "current"
PREVIOUS = "previous"
PENDING = "pending"
RETIRED = "retired"


class SecretValue:
    """The bytes of one version. Only `reveal()` gives them; nothing prints, compares or pickles."""

    __slots__ = ("_bytes",)

    def __init__(self, value: bytes) -> None:
        self._bytes = value

    def reveal(self) -> bytes:
        """Return the bytes: to a backend, a cipher, a program or the terminal, nowhere else."""
        return self._bytes

    def __len__(self) -> int:
        """Return the length in bytes."""
        return len(self._bytes)

    def __repr__(self) -> str:
        """Never show the value."""
        return "SecretValue(hidden)"

    __str__ = __repr__

    def __reduce__(self) -> NoReturn:
        """Refuse to be written anywhere by `pickle` or `copy`."""
        raise TypeError("a secret value is not to be pickled")


class Version:
    """One version of a secret: the backend's word for it, its stage, and when it was made.

    `created` is in seconds since 1970, or 0 where the backend does not say.
    """

    __slots__ = ("created", "id", "stage")

    def __init__(self, id: str, *, stage: str = CURRENT, created: float = 0) -> None:  # noqa: A002
        self.id = id
        self.stage = stage
        self.created = created


class Secret:
    """A value and which version it is; `backend` says where it came from.

    `age` is that of a copy, in seconds, None for what was just read at its source; `stale` that
    the copy stands in for a source that is away.
    """

    __slots__ = ("age", "backend", "stale", "value", "version")

    def __init__(self, value: SecretValue, version: Version, backend: str) -> None:
        self.value = value
        self.version = version
        self.backend = backend
        self.age: float | None = None
        self.stale = False
