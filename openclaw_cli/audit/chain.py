"""The chain: each record carries an HMAC over itself and the MAC before it.

A line is JSON; its last field is `mac`, 64 hexadecimal digits. What is authenticated is the MAC of
the line before and every byte of the line up to the comma in front of `"mac"`.
"""

from __future__ import annotations

import time

from openclaw_cli.leanjson import dumps, loads
from openclaw_cli.store.seal import hmac, same

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

START = bytes(32)
MAX_LINE = 64 * 1024  # bytes

_LEAD = b',"mac":"'
_TAIL = b'"}\n'
_SURROGATE = "\\ud"  # of a pair, most of the time
SUFFIX = len(_LEAD) + 64 + len(_TAIL)


def line(key: bytes, before: bytes, record: dict[str, Any]) -> tuple[bytes, bytes]:
    """Return a record as its line, newline included, and the line's MAC."""
    text = dumps(record)
    if _SURROGATE in text:
        text = dumps(_readable(record))
    body = text[:-1].encode()
    mac = hmac(key, before + body, often=True)
    return body + suffix(mac), mac


def _readable(value: Any) -> Any:  # noqa: ANN401  anything JSON has
    r"""Return a field with lone surrogates written out, as \ud800: readers of JSON refuse them."""
    if isinstance(value, str):
        return value.encode(errors="backslashreplace").decode()
    if isinstance(value, dict):
        return {_readable(name): _readable(each) for name, each in value.items()}
    return [_readable(each) for each in value] if isinstance(value, list) else value


def suffix(mac: bytes) -> bytes:
    """Return the end of a line: its MAC and its newline, `SUFFIX` bytes."""
    return _LEAD + mac.hex().encode() + _TAIL


def mac_of(text: bytes) -> bytes:
    """Return the MAC a line carries; raises `ValueError` when it has none."""
    if len(text) < SUFFIX or not text.endswith(_TAIL) or text[-SUFFIX:][: len(_LEAD)] != _LEAD:
        raise ValueError("no MAC")
    return bytes.fromhex(text[-len(_TAIL) - 64 : -len(_TAIL)].decode("ascii"))


def verified(key: bytes, before: bytes, text: bytes) -> bytes:
    """Return a line's MAC when it follows `before`; raises `ValueError` when it does not."""
    mac = mac_of(text)
    if not same(hmac(key, before + text[:-SUFFIX], often=True), mac):
        raise ValueError("the MAC does not match")
    return mac


def parse(text: bytes) -> dict[str, Any]:
    """Return a line's fields; raises `ValueError` when it is not one of ours."""
    found = loads(text)
    if not isinstance(found, dict) or not isinstance(found.get("seq"), int):
        raise ValueError("not a record")  # noqa: TRY004  one error for every malformed line
    return found


def written(microseconds: int) -> str:
    """Return an instant as it stands in a record, UTC: sorted as text is sorted in time."""
    seconds, fraction = divmod(microseconds, 1_000_000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{fraction:06d}Z"
