"""A real terminal (a pty) for tests: what a program writes to it, and what a person types."""

from __future__ import annotations

import os
import struct
import termios
from fcntl import ioctl
from select import select
from typing import Self

PATIENCE = 10  # seconds


class Terminal:
    """A pty of a given width; `descriptor` and `path` are the side that programs have."""

    def __init__(self, width: int = 80) -> None:
        self._person, self.descriptor = os.openpty()
        self.resize(width)
        self.path = os.ttyname(self.descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._person)
        os.close(self.descriptor)

    def resize(self, width: int, height: int = 24) -> None:
        """Give the window another size, as a person drags it."""
        ioctl(self.descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    @property
    def echoes(self) -> bool:
        return bool(termios.tcgetattr(self.descriptor)[3] & termios.ECHO)

    def type(self, typed: bytes) -> None:
        os.write(self._person, typed)

    def screen(self, until: bytes = b"") -> bytes:
        """Return what was written, with plain newlines; wait for `until` to appear if given."""
        shown = b""
        while select([self._person], [], [], PATIENCE if until and until not in shown else 0)[0]:
            shown += os.read(self._person, 65536)
        assert until in shown, shown
        return shown.replace(b"\r\n", b"\n")
