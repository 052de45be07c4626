"""Keep an agent from what Landlock does not know: others' limits, the kernel's keys, files' rights.

A process may set the limits of any other of its user, and a limit of one second of processor time
ends the gateway. The keyrings of the kernel are the user's, too, with what other programs keep
there. And who may write no file shall not open one to everybody. All else is left as it is.
Standard library only.
"""

from __future__ import annotations

import ctypes
import errno
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_LOAD, _EQUAL, _AND, _RETURN = 0x20, 0x15, 0x54, 0x06
_NUMBER, _ARCHITECTURE, _FIRST, _THIRD = 0, 4, 16, 32  # where the kernel puts them, in bytes
_ALLOW, _FAIL = 0x7FFF0000, 0x00050000
_NOT_X32 = 0xBFFFFFFF  # a second way to the same calls, by a bit in their number
_PR_SET_SECCOMP, _FILTER = 22, 2

# The numbers of `prlimit64`; of `add_key`, `request_key` and `keyctl`; of all that sets the rights
# or the owner of a file.
_CALLS: dict[int, tuple[int, Sequence[int], Sequence[int]]] = {
    0xC000003E: (302, range(248, 251), (*range(90, 95), 260, 268, 452)),  # x86-64
    # i386, which x86-64 can call, too
    0x40000003: (340, range(286, 289), (15, 16, 94, 95, 182, 198, 207, 212, 298, 306, 452)),
    0xC00000B7: (261, range(217, 220), (*range(52, 56), 452)),  # AArch64
    0x40000028: (369, range(309, 312), (15, 16, 94, 95, 182, 198, 207, 212, 325, 333, 452)),  # ARM
    0xC00000F3: (261, range(217, 220), (*range(52, 56), 452)),  # RISC-V
}


class _Step(ctypes.Structure):
    _fields_ = (
        ("code", ctypes.c_uint16),
        ("then", ctypes.c_uint8),
        ("otherwise", ctypes.c_uint8),
        ("value", ctypes.c_uint32),
    )


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint16), ("steps", ctypes.POINTER(_Step)))


def keep_to_itself(*, writes: bool) -> bool:
    """Refuse all that to this process and to what it starts; tell whether the kernel does it.

    Without `writes` the rights and the owner of no file are to be set. New privileges must have
    been given up before.
    """
    if sys.platform != "linux":
        return False
    steps = [_Step(_LOAD, 0, 0, _ARCHITECTURE)]
    for architecture, (limits, keys, rights) in _CALLS.items():
        part = list(_judged(limits, keys, () if writes else rights))
        steps += [_Step(_EQUAL, 0, len(part), architecture), *part]
    steps.append(_Step(_RETURN, 0, 0, _ALLOW))
    program = _Program(len(steps), (_Step * len(steps))(*steps))
    prctl = ctypes.CDLL(None).prctl
    return bool(prctl(_PR_SET_SECCOMP, ctypes.c_ulong(_FILTER), ctypes.byref(program), 0, 0) == 0)


def _judged(limits: int, keys: Iterable[int], rights: Iterable[int]) -> Iterator[_Step]:
    """Give what judges a call of one architecture; a jump counts the steps that it leaves out."""
    yield _Step(_LOAD, 0, 0, _NUMBER)
    yield _Step(_AND, 0, 0, _NOT_X32)
    for numbers, error in ((keys, errno.ENOSYS), (rights, errno.EPERM)):
        for number in numbers:
            yield _Step(_EQUAL, 0, 1, number)
            yield _Step(_RETURN, 0, 0, _FAIL | error)
    yield _Step(_EQUAL, 0, 7, limits)
    yield _Step(_LOAD, 0, 0, _FIRST)
    yield _Step(_EQUAL, 5, 0, 0)  # of oneself
    yield _Step(_LOAD, 0, 0, _THIRD)
    yield _Step(_EQUAL, 0, 2, 0)
    yield _Step(_LOAD, 0, 0, _THIRD + 4)
    yield _Step(_EQUAL, 1, 0, 0)  # asked for, not set
    yield _Step(_RETURN, 0, 0, _FAIL | errno.EPERM)
    yield _Step(_RETURN, 0, 0, _ALLOW)
