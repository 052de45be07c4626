"""What a shell's completion offers as names of secrets. Lean: it is asked at each press of Tab."""

from __future__ import annotations

import os

from openclaw_cli.errors import OpenclawError
from openclaw_cli.service import API_KEYS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openclaw_cli.service import Secrets

DOTENV = ".env"

_MOST = 1000  # names; a shell shows no more
_LIMIT = 1024 * 1024  # bytes of a .env file
_REFERENCES = ("openclaw://", "local://")
_ENDS = frozenset("\"'`#?&|;<>()[]{}$\\,")


def names(secrets: Secrets, prefix: str, *, wanted: bool) -> list[str]:
    """Return the names that begin with `prefix`, at most a thousand, in order.

    With `wanted` also those that ./.env refers to and the store does not have. Empty where the
    store is locked or in trouble: a person who presses Tab is not told off.
    """
    try:
        entries = secrets.catalogue().entries.values()
    except OpenclawError:
        return []
    found = {each.name for each in entries if not each.deleted}
    found |= {each for each in (*secrets.names, *secrets.plaintext) if each != API_KEYS}
    if wanted:
        found |= _referred()
    return sorted(name for name in found if name.startswith(prefix))[:_MOST]


def _referred() -> set[str]:
    """Return the local names in ./.env, as far as they can be seen without reading it as dotenv."""
    try:
        fd = os.open(DOTENV, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError:
        return set()
    try:
        text = os.read(fd, _LIMIT).decode("ascii", "replace")
    except OSError:
        return set()
    finally:
        os.close(fd)
    found = set()
    for start in _REFERENCES:
        for piece in text.split(start)[1:]:
            name = _up_to_an_end(piece)
            if name:
                found.add(name)
    return found


def _up_to_an_end(piece: str) -> str:
    for at, letter in enumerate(piece):
        if letter.isspace() or letter in _ENDS or not letter.isprintable():
            return piece[:at]
    return piece
