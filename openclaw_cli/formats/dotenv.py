r"""dotenv: `NAME=value` lines, as python-dotenv reads them without interpolation.

There is no standard. A value of plain characters stands bare and most others in single quotes,
which python-dotenv, node's dotenv and shells take literally. What needs an escape is in double
quotes with `\\`, `\"` and `\r`, which python-dotenv (from 1.2.3) undoes and others may not.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping

from dotenv.parser import parse_stream

from openclaw_cli.formats.rules import add, malformed, text, utf8, variables

# A backslash is safest bare: quotes give it a meaning, and a different one in each reader.
_BARE = re.compile(r"[A-Za-z0-9_./:@%+=,\\-]+")
_UNSAFE_IN_SINGLE_QUOTES = re.compile(r"['\r]|\\\\|\\\Z")
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\r": "\\r"})
# Stricter than the library, for which any line of base64 is a name.
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")


def read(data: bytes) -> dict[str, bytes]:
    """Read every line or refuse; the library by itself skips the lines it cannot read.

    As in a file opened by the library, each line ending becomes a newline, in values too.
    """
    found: dict[str, bytes] = {}
    for binding in parse_stream(io.StringIO(text(data, "dotenv"), newline=None)):
        source = binding.original.string
        blank = source[: len(source) - len(source.lstrip())].count("\n")
        line = binding.original.line + blank
        if binding.error:
            raise malformed("dotenv", "is not NAME=value", line)
        if binding.key is None:
            continue
        if binding.value is None or not _NAME.fullmatch(binding.key):
            raise malformed("dotenv", "is not NAME=value", line)
        add(found, binding.key, binding.value.encode(), "dotenv", line)
    return found


def write(values: Mapping[str, bytes]) -> bytes:
    lines = [
        f"{name}={_quoted(utf8(name, value, 'dotenv'))}\n" for name, value in variables(values)
    ]
    return "".join(lines).encode()


def _quoted(value: str) -> str:
    if _BARE.fullmatch(value):
        return value
    if _UNSAFE_IN_SINGLE_QUOTES.search(value):
        return f'"{value.translate(_ESCAPES)}"'
    return f"'{value}'"
