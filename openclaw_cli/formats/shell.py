"""Lines of `export NAME='value'` that any POSIX shell can source.

Only plain assignments are read. What a shell would expand or run is refused, not imitated.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from openclaw_cli.formats.rules import add, malformed, sized, variables

_PIECE = (
    rb"'[^'\0]*'"  # as it stands
    rb'|"(?:[^"\\$`\0]|\\[^\0])*+"'
    rb"|\\[^\n\0]"
    rb"|[A-Za-z0-9_@%+=:,./-]"  # the characters without a meaning in any place and shell
)
_ASSIGNMENT = rb"(?:export[ \t]+)?([A-Za-z_]\w*)=((?:" + _PIECE + rb")*+)(?:[ \t]+#[^\n]*)?"
_LINE = re.compile(rb"[ \t]*(?:#[^\n]*|" + _ASSIGNMENT + rb")?[ \t]*(?:\n|\Z)", re.DOTALL)
_PIECES = re.compile(_PIECE, re.DOTALL)
_ESCAPE = re.compile(rb'\\(?:([$`"\\])|\n)')


def read(data: bytes) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    place, number = 0, 1
    while place < len(sized(data, "shell")):
        line = _LINE.match(data, place)
        if line is None:
            raise malformed("shell", "is more than a plain NAME='value'", number)
        if line[1] is not None:
            value = _PIECES.sub(_unquoted, line[2])
            add(found, line[1].decode(), value, "shell", number)
        place, number = line.end(), number + line[0].count(b"\n")
    return found


def _unquoted(piece: re.Match[bytes]) -> bytes:
    if piece[0].startswith(b"'"):
        return piece[0][1:-1]
    if piece[0].startswith(b'"'):
        return _ESCAPE.sub(rb"\1", piece[0][1:-1])
    return piece[0].removeprefix(b"\\")


def write(values: Mapping[str, bytes]) -> bytes:
    lines = []
    for name, value in variables(values):
        quoted = value.replace(b"'", rb"'\''")
        lines.append(b"export %b='%b'\n" % (name.encode(), quoted))
    return b"".join(lines)
