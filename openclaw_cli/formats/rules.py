"""What all formats hold to: size, encoding, nesting, and names that a variable can have."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping

from openclaw_cli.errors import UsageError

LARGEST = 8 * 1024 * 1024  # a store holds 32 MiB, and a parser needs many times its input
DEEPEST = 32

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_WORDS = {
    type(None): "null",
    bool: "a boolean",
    int: "a number",
    float: "a number with a fraction",
    list: "a list",
}


def malformed(kind: str, problem: str, line: int = 0) -> UsageError:
    where = f"line {line} of the {kind} input" if line else f"the {kind} input"
    return UsageError(
        f"{where} {problem}",
        hint="mend it there, or say what it is: --format dotenv, json, yaml or toml",
    )


def sized(data: bytes, kind: str) -> bytes:
    if len(data) > LARGEST:
        raise malformed(kind, f"is larger than {LARGEST >> 20} MiB")
    return data


def text(data: bytes, kind: str) -> str:
    """Decode a file, leaving out a byte order mark."""
    try:
        return sized(data, kind).decode("utf-8-sig")
    except UnicodeDecodeError as bad:
        line = bad.object.count(b"\n", 0, bad.start) + 1
        raise malformed(kind, "is not UTF-8", line) from None


def tree(values: Mapping[str, bytes]) -> dict[str, object]:
    """Make text of values; what is no text becomes `{"base64": ...}`, which `flatten` undoes."""
    return {name: _leaf(value) for name, value in values.items()}


def _leaf(value: bytes) -> object:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(value).decode()}


def flatten(document: object, kind: str) -> dict[str, bytes]:
    """Undo `tree`: tables in tables become names with `/`, and only text becomes a value.

    Numbers, dates and booleans are refused, since what was meant (`007`? `on`?) is lost or
    differs from one reader to the next; a parser that still knows an integer's text gives that.
    """
    if not isinstance(document, dict):
        raise malformed(kind, "is not a table of names and values")
    found: dict[str, bytes] = {}
    for name, value in _leaves(document, kind, ""):
        add(found, name, value, kind)
    return found


def _leaves(table: dict[str, object], kind: str, path: str) -> Iterator[tuple[str, bytes]]:
    if path.count("/") >= DEEPEST:
        raise malformed(kind, f"nests deeper than {DEEPEST} tables")
    for key, value in table.items():
        name = path + _encodable(key, "a name", kind)
        if isinstance(value, dict) and value.keys() != {"base64"}:
            yield from _leaves(value, kind, f"{name}/")
        else:
            yield name, _value(name, value, kind)


def _value(name: str, value: object, kind: str) -> bytes:
    if isinstance(value, dict):
        return unbase64(name, value["base64"], kind)
    if isinstance(value, str):
        return _encodable(value, f"the value of {name}", kind).encode()
    word = _WORDS.get(type(value), "not text")
    advice = "give each item its own name" if isinstance(value, list) else "put it in quotes"
    raise UsageError(f"the value of {name} in the {kind} input is {word}", hint=advice)


def _encodable(string: str, what: str, kind: str) -> str:
    # JSON can escape half of a surrogate pair, which is no character.
    if any("\ud800" <= letter <= "\udfff" for letter in string):
        raise malformed(kind, f"has {what} that is not Unicode")
    return string


def unbase64(name: str, value: object, kind: str) -> bytes:
    """Decode strictly, but for the white space that tools wrap lines with."""
    try:
        encoded = "".join(value.split()) if isinstance(value, str) else "?"
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise malformed(kind, f"has a value for {name} that is not base64") from None


def add(found: dict[str, bytes], name: str, value: bytes, kind: str, line: int = 0) -> None:
    """Keep a value; a name given twice is refused, since one of the two would be lost."""
    if name in found:
        raise malformed(kind, f"gives {name} a second time", line)
    found[name] = value


def variables(values: Mapping[str, bytes]) -> Iterator[tuple[str, bytes]]:
    """Go through values that become environment variables, refusing what no variable can be."""
    for name, value in values.items():
        if not _VARIABLE.fullmatch(name):
            raise UsageError(
                f"{name} cannot be the name of a variable",
                hint="use letters, digits and _, not starting with a digit",
            )
        if b"\0" in value:
            raise UsageError(
                f"the value of {name} has a NUL byte, which no variable can hold",
                hint="openclaw secrets export --format json",
            )
        yield name, value


def utf8(name: str, value: bytes, kind: str) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise UsageError(
            f"the value of {name} is not UTF-8, and {kind} holds only that",
            hint="openclaw secrets export --format json",
        ) from None
