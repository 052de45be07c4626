"""The format that a file of ours says it has: 1, where it says none.

A later one than we know is refused before anything in the file is believed, and the file is left as
it is: an older program must not write over what a newer one keeps there.
"""

from __future__ import annotations

from openclaw_cli.errors import ConfigError

FIRST = 1


def check(found: object, what: str, known: int = FIRST) -> None:
    """Raise `ConfigError` for a later format than is known, and for what is no format."""
    if type(found) is not int or found < FIRST:
        raise ConfigError(f"{what} does not say its format by a number", hint=f"format = {known}")
    if found > known:
        raise newer(what, found, known)


def newer(what: str, found: object, known: int = FIRST) -> ConfigError:
    """Return the error for a file that only a later version of this program can read."""
    return ConfigError(
        f"{what} has format {found}, this program knows format {known}",
        hint="install a newer openclaw-cli",
    )


def in_magic(data: bytes, magic: bytes, digits: int) -> int:
    """Return the format that the last digits of `magic` say in a file; 0 for another file."""
    name, number = data[: len(magic)][:-digits], data[: len(magic)][-digits:]
    return int(number) if name == magic[:-digits] and number.isdigit() else 0
