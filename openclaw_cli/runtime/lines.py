"""What a process prints, as lines of bounded length and number."""

from __future__ import annotations

LINE = 4096
"""Characters of one printed line that are kept."""
PRINTED = 256 * 1024
"""Bytes that one instance may print into the log."""


class Lines:
    """What one process prints, put into lines of bounded length and number."""

    def __init__(self) -> None:
        self._left = b""
        self._bytes = 0
        self._cut = False

    def feed(self, piece: bytes) -> list[str]:
        """Take what was printed, nothing at its end; return the lines that are whole."""
        if self._cut:
            return []
        self._bytes += len(piece)
        data = self._left + piece
        *whole, self._left = data.split(b"\n") if piece else (data, b"")
        if len(self._left) > LINE:
            whole, self._left = [*whole, self._left], b""
        lines = [each.decode(errors="replace")[:LINE] for each in whole if each]
        if self._bytes > PRINTED:
            self._cut = True
            lines.append(f"more than {PRINTED} bytes were printed; the rest is dropped")
        return lines
