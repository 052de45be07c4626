"""The trail's head: a small authenticated file that says how far the trail is known to reach.

It is written after the trail was synced and is never ahead of it, so a head beyond the trail's end
means that the trail was cut. It also holds the newest generation of the store, so that an old
store put back is noticed.
"""

from __future__ import annotations

from _struct import Struct  # the C part of struct: importing the rest costs as much again

from openclaw_cli.errors import IntegrityError
from openclaw_cli.store.seal import hmac, same

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openclaw_cli.store.header import Header

FILE = "head"
MAGIC = b"OCHEAD01"
"""Its two digits are the format of the head and of the records that it speaks of."""

_FORMAT = Struct(">8s16sQ32sQI27sQ16sQ")
SIZE = _FORMAT.size + 32
LIMIT = 4096  # bytes: a later format may be longer, and is told from damage by its first bytes


class Head:
    """How far the trail reaches, and the newest state of the store.

    `offset` is where the record `seq` ends in the present segment, in bytes; `at` the newest time
    in the trail, as it is written there; `intent` the sequence number of an announced change whose
    outcome is not recorded yet, or 0.
    """

    __slots__ = ("at", "generation", "intent", "mac", "offset", "segment", "seq", "tag")

    def __init__(self) -> None:
        self.seq = 0
        self.mac = bytes(32)
        self.offset = 0
        self.segment = 1
        self.at = ""
        self.generation = 0
        self.tag = bytes(16)
        self.intent = 0

    def encode(self, key: bytes, store: bytes) -> bytes:
        """Return the file's bytes."""
        body = _FORMAT.pack(
            MAGIC,
            store,
            self.seq,
            self.mac,
            self.offset,
            self.segment,
            self.at.encode(),
            self.generation,
            self.tag,
            self.intent,
        )
        return body + hmac(key, body, often=True)


def decode(data: bytes, key: bytes, store: bytes) -> Head:
    """Read a head; raises `ValueError` when it is torn, forged or of another store.

    Raises `ConfigError` where a later version of this program keeps the trail.
    """
    if data[: len(MAGIC)] != MAGIC:
        _check_format(data)
    body = data[: _FORMAT.size]
    if len(data) != SIZE or not same(hmac(key, body, often=True), data[_FORMAT.size :]):
        raise ValueError("not authentic")
    head = Head()
    (
        magic,
        owner,
        head.seq,
        head.mac,
        head.offset,
        head.segment,
        at,
        head.generation,
        head.tag,
        head.intent,
    ) = _FORMAT.unpack(body)
    head.at = at.rstrip(b"\0").decode("ascii")
    if magic != MAGIC or owner != store:
        raise ValueError("of another store")
    return head


def _check_format(data: bytes) -> None:
    from openclaw_cli.fileformat import FIRST, in_magic, newer

    number = in_magic(data, MAGIC, 2)
    if number > FIRST:
        raise newer("the trail", number)


def check_generation(head: Head, header: Header, tag: bytes) -> None:
    """Refuse a store that is older than the newest one known, or another of the same age.

    The head must have been read before the store was opened.
    """
    if header.generation < head.generation:
        raise IntegrityError(
            f"the store was put back: it is generation {header.generation}, "
            f"generation {head.generation} is known",
            hint="openclaw store accept-rollback, when you restored it yourself",
        )
    if header.generation == head.generation and not same(tag, head.tag):
        raise IntegrityError(
            f"the store is another one than generation {head.generation} that is known",
            hint="openclaw store accept-rollback, when you restored it yourself",
        )
