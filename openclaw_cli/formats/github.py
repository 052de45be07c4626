"""GitHub Actions: what a step appends to the file `$GITHUB_ENV` for the steps after it.

The masks are apart because they go to another place: the runner takes `::add-mask::` on standard
output only, and in the file it would fail and quote the line, or set a variable called so. Masks
come first, since a runner that debugs logs each variable that it sets.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping

from openclaw_cli.errors import UsageError
from openclaw_cli.formats.rules import add, malformed, text, utf8, variables
from openclaw_cli.running.spellings import SHORTEST, spellings

_HEAD = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(=|<<)(.*)")


def masks(values: Mapping[str, bytes]) -> bytes:
    """Write the commands for standard output that keep values out of the log, line by line.

    The runner hides what it is told and a few encodings of it; each of our own is told, too. A line
    that is next to nothing is left out beside longer ones: `{` would hide every brace.
    """
    found = dict.fromkeys(line for value in values.values() for line in _hidden(value))
    return b"".join(b"::add-mask::%b\n" % line.replace(b"%", b"%25") for line in found)


def _hidden(value: bytes) -> Iterator[bytes]:
    if not value.strip():
        return
    lines = [line for line in re.split(rb"[\r\n]+", value) if line.strip()]
    yield from [line for line in lines if len(line) >= SHORTEST] or lines
    for _, spelling in spellings(value):
        for line in re.split(rb"[\r\n]+", spelling):
            if len(line.strip()) >= SHORTEST:
                yield line


def write(values: Mapping[str, bytes]) -> bytes:
    return "".join(
        _entry(name, utf8(name, value, "GITHUB_ENV")) for name, value in variables(values)
    ).encode()


def _entry(name: str, value: str) -> str:
    if value.endswith("\r"):
        raise UsageError(
            f"the value of {name} ends in CR, which a Windows runner would drop",
            hint="openclaw secrets export --format json",
        )
    delimiter = _delimiter()
    while delimiter in value:
        delimiter = _delimiter()
    return f"{name}<<{delimiter}\n{value}\n{delimiter}\n"


def _delimiter() -> str:
    return f"end_{secrets.token_hex(16)}"


def read(data: bytes) -> dict[str, bytes]:
    """Read as the runner does on Linux, where only LF ends a line."""
    found: dict[str, bytes] = {}
    lines = enumerate(text(data, "GITHUB_ENV").split("\n"), 1)
    for number, line in lines:
        head = _HEAD.fullmatch(line)
        if head:
            name, sign, rest = head.groups()
            value = rest if sign == "=" else _until(rest, lines, number)
            add(found, name, value.encode(), "GITHUB_ENV", number)
        elif line:
            raise malformed("GITHUB_ENV", "is neither NAME=value nor NAME<<END", number)
    return found


def _until(delimiter: str, lines: enumerate[str], start: int) -> str:
    kept: list[str] = []
    for _, line in lines:
        if line == delimiter:
            return "\n".join(kept)
        kept.append(line)
    raise malformed("GITHUB_ENV", "opens a value that nothing closes", start)
