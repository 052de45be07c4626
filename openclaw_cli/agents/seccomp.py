"""Keep an agent from what Landlock does not know: other processes' limits, and the kernel's keys.

A process may set the limits of any other of its user, and a limit of one second of processor time
ends the gateway. The keyrings of the kernel are the user's, too, with what other programs keep
there. Everything else is left as it is. Standard library only.
"""

from __future__ import annotations

import ctypes
import errno
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_LOAD, _EQUAL, _AND, _RETURN = 0x20, 0x15, 0x54, 0x06
_NUMBER, _ARCHITECTURE, _FIRST, _THIRD = 0, 4, 16, 32  # where the kernel puts them, in bytes
_ALLOW, _FAIL = 0x7FFF0000, 0x00050000
_NOT_X32 = 0xBFFFFFFF  # a second way to the same calls, by a bit in their number
_PR_SET_SECCOMP, _FILTER = 22, 2

_CALLS = {
    0xC000003E: (302, (248, 249, 250)),  # x86-64
    0x40000003: (340, (286, 287, 288)),  # i386, which x86-64 can call, too
    0xC00000B7: (261, (217, 218, 219)),  # AArch64
    0x40000028: (369, (309, 310, 311)),  # ARM
    0xC00000F3: (261, (217, 218, 219)),  # RISC-V
}
"""The numbers of `prlimit64`, and of `add_key`, `request_key` and `keyctl`, by architecture."""


class _Step(ctypes.Structure):
    _fields_ = (
        ("code", ctypes.c_uint16),
        ("then", ctypes.c_uint8),
        ("otherwise", ctypes.c_uint8),
        ("value", ctypes.c_uint32),
    )


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint16), ("steps", ctypes.POINTER(_Step)))


def keep_to_itself() -> bool:
    """Refuse both to this process and to all that it starts; tell whether the kernel does it.

    New privileges must have been given up before.
    """
    if sys.platform != "linux":
        return False
    steps = [_Step(_LOAD, 0, 0, _ARCHITECTURE)]
    for architecture, (limits, keys) in _CALLS.items():
        part = list(_judged(limits, keys))
        steps += [_Step(_EQUAL, 0, len(part), architecture), *part]
    steps.append(_Step(_RETURN, 0, 0, _ALLOW))
    program = _Program(len(steps), (_Step * len(steps))(*steps))
    prctl = ctypes.CDLL(None).prctl
    return bool(prctl(_PR_SET_SECCOMP, ctypes.c_ulong(_FILTER), ctypes.byref(program), 0, 0) == 0)


def _judged(limits: int, keys: tuple[int, ...]) -> Iterator[_Step]:
    """Give what judges a call of one architecture; a jump counts the steps that it leaves out."""
    yield _Step(_LOAD, 0, 0, _NUMBER)
    yield _Step(_AND, 0, 0, _NOT_X32)
    for left, number in zip((10, 9, 8), keys, strict=True):
        yield _Step(_EQUAL, left, 0, number)
    yield _Step(_EQUAL, 0, 8, limits)
    yield _Step(_LOAD, 0, 0, _FIRST)
    yield _Step(_EQUAL, 6, 0, 0)  # of oneself
    yield _Step(_LOAD, 0, 0, _THIRD)
    yield _Step(_EQUAL, 0, 2, 0)
    yield _Step(_LOAD, 0, 0, _THIRD + 4)
    yield _Step(_EQUAL, 2, 0, 0)  # asked for, not set
    yield _Step(_RETURN, 0, 0, _FAIL | errno.EPERM)
    yield _Step(_RETURN, 0, 0, _FAIL | errno.ENOSYS)
    yield _Step(_RETURN, 0, 0, _ALLOW)
