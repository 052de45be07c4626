"""The part of the store file that can be read without a key: who it is, and who may open it.

The layout is in `docs/store-format.md`. All of it is authenticated when the index is opened.
"""

from __future__ import annotations

from _struct import Struct  # the C part of struct: importing the rest costs as much again

from openclaw_cli.errors import ConfigError, IntegrityError
from openclaw_cli.leanjson import dumps, loads
from openclaw_cli.store.seal import hmac, open_sealed, parts, same, subkey

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MAGIC = b"OCSTORE1"
MAX_FILE = 64 * 1024 * 1024  # bytes; a larger one is refused before it is read
MAX_HEADER = 64 * 1024
MAX_SLOTS = 16

_PREFIX = Struct(">8sI")
_FIXED = Struct(">16sIQ32sQ32s32sIB")
_SLOT = Struct(">8sBHB")


class Slot:
    """The data key, wrapped by one key-encryption key. `parameters` hold nothing secret."""

    __slots__ = ("id", "kind", "parameters", "wrapped")

    def __init__(self, id: bytes, kind: str, parameters: dict[str, Any], wrapped: bytes) -> None:  # noqa: A002
        self.id = id
        self.kind = kind
        self.parameters = parameters
        self.wrapped = wrapped


class Header:
    """Which store this is, which state of it, and its key slots.

    `floor` is the sequence number and MAC of the record in the trail that announced this state:
    the trail must hold it. `epoch` counts data keys, `generation` counts commits.
    """

    __slots__ = (
        "commitment",
        "epoch",
        "floor_mac",
        "floor_seq",
        "generation",
        "index_length",
        "index_salt",
        "slots",
        "store",
    )

    store: bytes
    epoch: int
    generation: int
    commitment: bytes
    floor_seq: int
    floor_mac: bytes
    index_salt: bytes
    index_length: int
    slots: list[Slot]

    def copy(self) -> Header:
        """Return another that can be changed; the slots are the same ones."""
        copied = Header()
        for field in Header.__slots__:
            setattr(copied, field, getattr(self, field))
        copied.slots = list(self.slots)
        return copied

    def encode(self) -> bytes:
        """Return the bytes from the magic to the end of the last slot."""
        fixed = _FIXED.pack(
            self.store,
            self.epoch,
            self.generation,
            self.commitment,
            self.floor_seq,
            self.floor_mac,
            self.index_salt,
            self.index_length,
            len(self.slots),
        )
        body = fixed + b"".join(map(_encode_slot, self.slots))
        return _PREFIX.pack(MAGIC, len(body)) + body


def decode(data: bytes, what: str = "the store") -> tuple[Header, int]:
    """Read a header from the start of the file; return it and where the index begins.

    Raises `IntegrityError` for anything malformed and `ConfigError` for a newer format. Nothing
    here is authenticated yet: bounds are checked before anything is believed.
    """
    if len(data) < _PREFIX.size:
        raise _damaged()
    magic, length = _PREFIX.unpack_from(data)
    if magic != MAGIC:
        raise _unknown(magic, what)
    end = _PREFIX.size + length
    if length > MAX_HEADER or length < _FIXED.size or end > len(data):
        raise _damaged()
    header = Header()
    (
        header.store,
        header.epoch,
        header.generation,
        header.commitment,
        header.floor_seq,
        header.floor_mac,
        header.index_salt,
        header.index_length,
        count,
    ) = _FIXED.unpack_from(data, _PREFIX.size)
    try:
        header.slots = _decode_slots(data[_PREFIX.size + _FIXED.size : end], count)
    except (ValueError, AttributeError):
        raise _damaged() from None
    return header, end


def bound_to_slot(header: Header, slot: Slot) -> bytes:
    """Return what a wrapped key is bound to, so that no slot works in another place."""
    return parts(
        b"openclaw/v1/slot",
        header.store,
        header.epoch.to_bytes(4, "big"),
        slot.id,
        slot.kind.encode(),
        dumps(slot.parameters).encode(),
    )


def commitment(data_key: bytes, store: bytes, epoch: int) -> bytes:
    """Return the value that only this data key gives: GCM-SIV alone does not commit to its key."""
    return hmac(subkey(data_key, b"openclaw/v1/commit"), store + epoch.to_bytes(4, "big"))


def unwrap(header: Header, slot: Slot, wrapping_key: bytes) -> bytes:
    """Return the data key; raises `IntegrityError` when this key does not open this slot."""
    once, sealed = slot.wrapped[:12], slot.wrapped[12:]
    bound = bound_to_slot(header, slot)
    data_key = open_sealed(wrapping_key, once, sealed, bound, f"the {slot.kind} key slot")
    return committed(header, data_key)


def committed(header: Header, data_key: bytes) -> bytes:
    """Return the data key when it is the one this header commits to, else `IntegrityError`."""
    if not commits(header, data_key):
        raise IntegrityError("the key does not belong to this store", hint="openclaw store check")
    return data_key


def commits(header: Header, data_key: bytes) -> bool:
    """Tell whether a header commits to this data key."""
    return same(commitment(data_key, header.store, header.epoch), header.commitment)


def _encode_slot(slot: Slot) -> bytes:
    kind = slot.kind.encode()
    parameters = dumps(slot.parameters).encode()
    lengths = _SLOT.pack(slot.id, len(kind), len(parameters), len(slot.wrapped))
    return lengths + kind + parameters + slot.wrapped


def _decode_slots(data: bytes, count: int) -> list[Slot]:
    if not 1 <= count <= MAX_SLOTS:
        raise ValueError("slots")
    slots = []
    for _ in range(count):
        if len(data) < _SLOT.size:
            raise ValueError("slot")
        slot_id, kind, parameters, wrapped = _SLOT.unpack_from(data)
        data = data[_SLOT.size :]
        if len(data) < kind + parameters + wrapped:
            raise ValueError("slot")
        found = loads(data[kind : kind + parameters])
        if not isinstance(found, dict):
            raise ValueError("parameters")  # noqa: TRY004  one error for every malformed byte
        last = kind + parameters + wrapped
        name = data[:kind].decode("ascii")
        slots.append(Slot(slot_id, name, found, data[kind + parameters : last]))
        data = data[last:]
    if data:
        raise ValueError("trailing bytes")
    return slots


def _damaged() -> IntegrityError:
    return IntegrityError("the header of the store is damaged", hint="openclaw store check")


def _unknown(magic: bytes, what: str) -> IntegrityError | ConfigError:
    from openclaw_cli.fileformat import in_magic, newer

    number = in_magic(magic, MAGIC, 1)
    return newer(what, number) if number else _damaged()
