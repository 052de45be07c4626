"""The ways in which programs write a value: as it is, encoded, escaped, or line by line.

Each is found by searching for it literally, so what is listed here is what is masked. The widths of
base64 lines are those of `base64` and MIME (76) and of `openssl base64` and PEM (64), that of
hexadecimal lines is that of `xxd -p`.
"""

from __future__ import annotations

from binascii import b2a_base64
from itertools import islice

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

SHORTEST = 4
"""Bytes; a shorter value would be found everywhere, and its mask would tell what it is."""

LONG = 4096
"""Bytes; of a longer value only the usual spellings are searched for."""

_USUAL = 1
_SHORTEST_LINE = 8

_ALPHANUMERIC = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_NEVER_ESCAPED = _ALPHANUMERIC + b"-_."
_TO_URLSAFE = bytes.maketrans(b"+/", b"-_")
_BASE64_LINES = (64, 76)
_HEX_LINE = 60

# What is left as it is by RFC 3986 and AWS, Python's quote, JavaScript's encodeURIComponent and
# encodeURI, and the form encoders of Python, Java and browsers (these write a space as a plus).
_URL_SAFE = (
    (b"~", b"%20"),
    (b"/~", b"%20"),
    (b"!'()*~", b"%20"),
    (b";,/?:@&=+$!'()*#~", b"%20"),
    (b"~", b"+"),
    (b"*", b"+"),
    (b"", b"+"),
)
_URL_ESCAPES = (b"%%%02X", b"%%%02x")
_JSON_SHORT = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"} | {
    "\b": "\\b",
    "\f": "\\f",
}
_JSON_ESCAPES = ("\\u%04x", "\\u%04X")
# Go's encoder escapes these three, for pages that hold JSON inside HTML.
_HTML = "<>&"
_SPACE = 0x20
_DELETE = 0x7F
_FIRST_ASTRAL = 0x10000
_NOT_UTF8 = range(0xDC80, 0xDD00)  # where "surrogateescape" puts the bytes that are none


def spellings(value: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield (word for it, spelling) for each; the plain value comes first, its word is empty.

    The same spelling may come more than once. Of a long value only the usual ones come: forty times
    64 KiB for each of many values is too much to search for.
    """
    most = _USUAL if len(value) > LONG else None
    yield "", value
    yield "lines", value.strip()
    yield "lines", value.replace(b"\n", b"\r\n")
    yield from (("line", line) for line in _lines(value))
    yield from (("base64", spelling) for spelling in _base64(value))
    yield "hex", value.hex().encode()
    yield "hex", value.hex().upper().encode()
    yield from (("hex", line) for line in _wrapped(value.hex().encode(), _HEX_LINE))
    if value.translate(None, _NEVER_ESCAPED):
        yield from (("url", spelling) for spelling in islice(_url(value), most))
        yield from (("json", spelling) for spelling in islice(_json(value), most))
        yield from (("shell", spelling) for spelling in islice(_shell(value), most))
        yield from (("repr", spelling) for spelling in islice(_repr(value), most))


def _lines(value: bytes) -> Iterator[bytes]:
    """Yield the long lines of a value that has several; every PEM shares its `-----BEGIN` line."""
    lines = [line.strip() for line in value.split(b"\n")]
    if len(lines) > 1:
        yield from (
            line for line in lines if len(line) >= _SHORTEST_LINE and not line.startswith(b"-----")
        )


def _base64(value: bytes) -> Iterator[bytes]:
    """Yield what is always there, wherever in the encoded text the value begins, in both alphabets.

    Three bytes become four characters, so a value has three spellings; a character at either edge
    that also holds bits of a neighbour is left out. At the very end it is known, and so is padding.
    """
    whole = b2a_base64(value, newline=False)
    found = [whole, whole.rstrip(b"=")]
    for before in range(3):
        encoded = b2a_base64(b"\0" * before + value, newline=False)
        first = -(-8 * before // 6)
        found.append(encoded[first : 8 * (before + len(value)) // 6])
    for spelling in found:
        yield spelling
        yield spelling.translate(_TO_URLSAFE)
    for width in _BASE64_LINES:
        yield from _wrapped(whole, width)


def _wrapped(encoded: bytes, width: int) -> Iterator[bytes]:
    """Yield the lines of an encoded text that is longer than one."""
    if len(encoded) > width:
        lines = [encoded[at : at + width] for at in range(0, len(encoded), width)]
        yield from (line for line in lines if len(line) >= _SHORTEST_LINE)


def _url_table(safe: bytes, space: bytes, escape: bytes) -> list[bytes]:
    kept = frozenset(_NEVER_ESCAPED + safe)
    table = [bytes((byte,)) if byte in kept else escape % byte for byte in range(256)]
    table[_SPACE] = space
    return table


_URL_TABLES = [
    _url_table(safe, space, escape) for safe, space in _URL_SAFE for escape in _URL_ESCAPES
]


def _url(value: bytes) -> Iterator[bytes]:
    for table in _URL_TABLES:
        yield b"".join([table[byte] for byte in value])


def _json(value: bytes) -> Iterator[bytes]:
    """Yield what JSON encoders write; bytes that are not UTF-8 are left as they are."""
    text = value.decode("utf-8", "surrogateescape")
    letters = set(text)
    slash = {"", "/"} if "/" in letters else {""}
    html = {"", _HTML} if not letters.isdisjoint(_HTML) else {""}
    for ascii_only in (False, True)[: 1 + (max(map(ord, letters)) >= _DELETE)]:
        for also in {a + b for a in slash for b in html}:
            for escape in _JSON_ESCAPES:
                table = {ord(a): _json_letter(a, escape, ascii_only, also) for a in letters}
                yield text.translate(table).encode("utf-8", "surrogateescape")


def _json_letter(letter: str, escape: str, ascii_only: bool, also: str) -> str:
    code = ord(letter)
    if letter in _JSON_SHORT:
        return _JSON_SHORT[letter]
    if letter == "/" and "/" in also:
        return "\\/"
    if code < _SPACE or (letter in _HTML and letter in also):
        return escape % code
    if code < _DELETE or not ascii_only or code in _NOT_UTF8:
        return letter
    if code < _FIRST_ASTRAL:
        return escape % code
    code -= _FIRST_ASTRAL
    return escape % (0xD800 + (code >> 10)) + escape % (0xDC00 + (code & 0x3FF))


def _shell(value: bytes) -> Iterator[bytes]:
    """Yield what stands inside single quotes, inside double quotes, and after `printf %q`."""
    yield value.replace(b"'", b"'\\''")
    yield value.replace(b"'", b"'\"'\"'")
    yield _backslashed(value, b'"$`')
    yield _backslashed(value, b'"$`!')
    yield _backslashed(value, b" \t!\"#$&'()*;<>?[]^`{|}~")
    yield _backslashed(value, b" \t!\"#$&'()*,;<>?[]^`{|}")
    yield _backslashed(value, b"'").replace(b"\n", b"\\n").replace(b"\t", b"\\t")


def _backslashed(value: bytes, special: bytes) -> bytes:
    value = value.replace(b"\\", b"\\\\")
    for byte in special:
        value = value.replace(bytes((byte,)), b"\\" + bytes((byte,)))
    return value


def _repr(value: bytes) -> Iterator[bytes]:
    """Yield how Python shows bytes and text, as in a printed environment."""
    yield repr(value)[2:-1].encode()
    yield repr(value.decode("utf-8", "surrogateescape"))[1:-1].encode("utf-8", "surrogateescape")
