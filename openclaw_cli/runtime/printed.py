"""What processes print, read in bounded slices as it comes."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

SOON = 0.1
"""Seconds after which an instance is listened to: most have ended by then, and are read once."""

_PIECE, _MOST = 16384, 8  # bytes read at once, and how often at the end: more than a pipe holds


class Printed:
    """One process, or several below it, until nobody is left that could print."""

    def __init__(self, fd: int, said: Callable[[bytes], None]) -> None:
        """Take the descriptor; `said` is given what is printed, and nothing at the end."""
        os.set_blocking(fd, False)
        self._fd = fd
        self._said = said
        self._heard = False

    def listen(self) -> None:
        """Read it whenever there is something."""
        self._heard = True
        asyncio.get_running_loop().add_reader(self._fd, self._read)

    def finish(self) -> None:
        """Read what there is, its process being gone; listen to whoever still has the other end."""
        for _ in range(_MOST):
            if self._heard or not self._read():
                break
        if not self._heard and self._fd >= 0:
            self.listen()

    def _read(self) -> bool:
        try:
            piece = os.read(self._fd, _PIECE)
        except BlockingIOError:
            return False
        except OSError:
            piece = b""
        self._said(piece)
        if not piece:
            if self._heard:
                asyncio.get_running_loop().remove_reader(self._fd)
            os.close(self._fd)
            self._fd = -1
        return bool(piece)


class Prints:
    """What the instances of one zygote print, by their number.

    To have the event loop watch a descriptor, and stop again, costs more than all that is printed
    by an instance that lives for a millisecond: so the young ones are not listened to yet.
    """

    def __init__(self) -> None:
        self._young: dict[int, Printed] = {}
        self._older: dict[int, Printed] = {}
        self._tick: asyncio.TimerHandle | None = None

    def add(self, number: int, printed: Printed) -> None:
        """Take what a new instance prints."""
        self._young[number] = printed
        if self._tick is None:
            self._tick = asyncio.get_running_loop().call_later(SOON, self._grow)

    def finish(self, number: int) -> None:
        """Read the last of an instance that has ended."""
        found = self._young.pop(number, None) or self._older.pop(number, None)
        if found is not None:
            found.finish()

    def _grow(self) -> None:
        for each in self._older.values():
            each.listen()
        self._older, self._young = self._young, {}
        more = asyncio.get_running_loop().call_later(SOON, self._grow) if self._older else None
        self._tick = more
