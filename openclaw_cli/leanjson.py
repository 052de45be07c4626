"""JSON for the hot road: the standard library's own C scanner, without the import of `json`.

`import json` costs 0.8 times the start of Python, nearly all of it for `re`. What is written here
is a subset of what `json.dumps(separators=(",", ":"))` writes, and any JSON is read as `json.loads`
reads it, except that a repeated key and trailing text are refused.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

try:
    from _json import encode_basestring_ascii, make_encoder
    from _json import make_scanner as _make_scanner
except ImportError:  # another Python than CPython
    from json import JSONEncoder
    from json.scanner import make_scanner as _make_scanner

    _plain = JSONEncoder(separators=(",", ":"), allow_nan=False)

    def _encode(value: Any, _level: int) -> Iterable[str]:
        return _plain.iterencode(value)
else:

    def _refused(value: object) -> None:
        raise TypeError(f"not JSON: {type(value).__name__}")

    # What `json.JSONEncoder` makes of itself: no memory of what contains what, no indentation, no
    # sorting, no skipping of keys, no NaN.
    _encode = make_encoder(  # type: ignore[assignment]
        None, _refused, encode_basestring_ascii, None, ":", ",", False, False, False
    )


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("repeated key")
    return found


def _no_constant(_text: str) -> None:
    raise ValueError("not a number")


class _Grammar:
    """What the scanner asks of `json.JSONDecoder`."""

    strict = True
    object_hook = None
    object_pairs_hook = staticmethod(_unique)
    parse_float = float
    parse_int = int
    parse_constant = staticmethod(_no_constant)
    memo: dict[str, str] = {}  # noqa: RUF012  the pure Python scanner wants it


class _OwnGrammar(_Grammar):
    object_pairs_hook = None  # type: ignore[assignment]  # no key is there twice


_scan: Callable[[str, int], tuple[Any, int]] = _make_scanner(_Grammar())  # type: ignore[arg-type]
scan: Callable[[str, int], tuple[Any, int]] = _make_scanner(_OwnGrammar())  # type: ignore[arg-type]
"""Read a value at a place of a text that `dumps` wrote, and return it with where it ends."""


def loads(text: str | bytes) -> Any:
    """Return the value that the text holds, white space around it allowed.

    Raises `ValueError` for everything else: bad UTF-8, a repeated key, trailing text, nesting
    deeper than Python's stack.
    """
    if isinstance(text, bytes):
        text = text.decode()
    text = text.strip(" \t\r\n")
    try:
        value, end = _scan(text, 0)
    except (StopIteration, RecursionError, SystemError):
        # SystemError: the scanner wants the exception of json.decoder, which is not imported.
        raise ValueError("not JSON") from None
    if end != len(text):
        raise ValueError("text after the JSON")
    return value


def dumps(value: Any) -> str:
    """Return compact ASCII JSON of strings, numbers, booleans, None, lists and dictionaries."""
    return "".join(_encode(value, 0))
