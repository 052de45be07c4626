"""`file:///PATH`: records as lines of JSON at the end of a file."""

from __future__ import annotations

import os
from collections.abc import Sequence

from openclaw_cli.audit.sinks.address import of_file
from openclaw_cli.files import failure, write_all


class FileSink:
    """Appends to a file, which is made readable for its owner alone."""

    def __init__(self, address: str, rest: str, root: str) -> None:
        del rest, root
        self._path = of_file(address)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            self._fd = os.open(self._path, flags, 0o600)
        except OSError as refused:
            raise failure("open", self._path, refused) from None

    def send(self, records: Sequence[bytes]) -> None:
        """Append, and wait until the disk has it."""
        try:
            write_all(self._fd, b"".join(records))
            os.fsync(self._fd)
        except OSError as refused:
            raise failure("write", self._path, refused) from None

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)
