"""Room on the disk for a value that a service is about to make and that exists only once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from openclaw_cli.files import private_directory
from openclaw_cli.store.reader import FILE

_MORE = 64 * 1024  # bytes beside a whole new store
_NAME = "rotate.reserve"


@contextmanager
def reserved(folder: str) -> Iterator[None]:
    """Hold as much of the disk as a commit needs, and give it back at the end.

    Raises `StorageError` where there is not so much: before anything was made.
    """
    directory = private_directory(folder)
    try:
        size = os.stat(directory.where(FILE)).st_size + _MORE
        directory.write_aside(_NAME, [bytes(size)])
        try:
            yield
        finally:
            directory.unlink(_NAME)
    finally:
        directory.close()
