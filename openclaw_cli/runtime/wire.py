"""What the gateway, a zygote and an instance say to one another. Standard library only.

To a zygote: JSON, one message a packet, descriptors beside it. To an instance: JSON behind its
length. What a handler prints goes another way, so that it can never be taken for an answer.

Lean, as all that a zygote imports: each page of memory that an instance touches is copied for it,
and a module that is not there costs nothing. `asyncio` alone would be a third of it.
"""

from __future__ import annotations

import struct

from openclaw_cli.leanjson import dumps, loads, scan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any, TypeAlias

    Message: TypeAlias = dict[str, Any]
else:
    Message = dict

FRAME = 16 * 1024 * 1024
"""Bytes of one message to or from an instance at most."""

PACKET = 192 * 1024
"""Bytes of one message to or from a zygote at most; what a socket takes at once is 208 KiB."""

HEAD = struct.Struct(">I")
_HEAD = HEAD.size


class FrameError(ValueError):
    """What came is too long, or no message."""


def packet(message: Message) -> bytes:
    """Write a message to or from a zygote."""
    return dumps(message).encode()


def unpacked(data: bytes) -> Message:
    """Read a message to or from a zygote."""
    return _message(data)


BIND_NOW = "LD_BIND_NOW"
"""Has a zygote's functions of C found when it starts, and not in each instance that calls one."""

FDS = struct.Struct("2i")
"""Two descriptors as they travel beside a message: a new instance's socket, and its output."""

HELD = struct.Struct("4i")
"""The same with those of its control group: who is in it, and the way to kill them."""

SPAWN = b"spawn "

TOGETHER = 32
"""Instances that are asked for in one message at most: Linux takes 253 descriptors beside one."""


def spawn(numbers: Iterable[int]) -> bytes:
    """Write which instances to fork; the descriptors of each travel beside it."""
    return SPAWN + b" ".join([b"%d" % each for each in numbers])


def spawned(number: int, pid: int) -> bytes:
    """Write that an instance runs."""
    return b"up %d %d" % (number, pid)


def ended(
    number: int, status: int, why: str, peak: int = 0, cpu: int = 0, strays: int = 0
) -> bytes:
    """Write how an instance ended; CPU time in microseconds."""
    return b"exit %d %d %d %d %d %s" % (number, status, peak, cpu, strays, why.encode())


def frame(message: Message) -> bytes:
    """Write a message to or from an instance; raises `FrameError`, for what JSON has not as well.

    Lone surrogates pass: they are how Python holds text that is not UTF-8.
    """
    try:
        data = dumps(message).encode()
    except (TypeError, ValueError, RecursionError):
        raise FrameError("this cannot be written as JSON") from None
    if len(data) > FRAME:
        raise FrameError(f"more than {FRAME} bytes")
    return len(data).to_bytes(_HEAD) + data


WHOLE = 16 * 1024
"""Bytes that an instance reads at once."""


def whole(data: bytearray, size: int) -> Message | None:
    """Read what the gateway said to an instance, if it is one message and all of it."""
    if int.from_bytes(data[:_HEAD]) != size - _HEAD:
        return None
    return scan(data[_HEAD:size].decode(), 0)[0]  # type: ignore[no-any-return]


class Frames:
    """Puts messages together from what arrives in pieces."""

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, piece: bytes | bytearray) -> Iterator[Message]:
        """Take what arrived and give each message that is whole; raises `FrameError`."""
        data = self._data
        data += piece
        while len(data) >= HEAD.size:
            (length,) = HEAD.unpack_from(data)
            if length > FRAME:
                raise FrameError(f"more than {FRAME} bytes")
            end = HEAD.size + length
            if len(data) < end:
                return
            whole = bytes(data[HEAD.size : end])
            del data[:end]
            yield _message(whole)


def _message(data: bytes) -> Message:
    try:
        found = loads(data)
    except (ValueError, RecursionError):
        raise FrameError("not JSON") from None
    if not isinstance(found, dict):
        raise FrameError("not a message")
    return found
