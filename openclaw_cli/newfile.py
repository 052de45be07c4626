"""A file that a person named, written for its owner alone: whole and synced, or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

from openclaw_cli.errors import ConflictError
from openclaw_cli.files import failure, write_all

_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def write(
    path: str,
    chunks: Iterable[bytes],
    *,
    force: bool = False,
    proof: Callable[[str], None] | None = None,
) -> None:
    """Write a file (0600) that is not there yet; with `force`, replace one in one step.

    `proof` is given the written file's path and raises when it is not as it should be; then, and
    when anything else fails, nothing is left. Raises `ConflictError` when the file exists, and
    `StorageError` or `DeniedError`.
    """
    aside = f"{path}.new" if force else path
    try:
        fd = os.open(aside, _FLAGS, 0o600)
    except FileExistsError:
        raise ConflictError(
            f"{aside} exists already",
            hint="remove it, or name another" if force else "add --force, or name another",
        ) from None
    except OSError as refused:
        raise failure("create", aside, refused) from None
    try:
        try:
            for chunk in chunks:
                write_all(fd, chunk)
            os.fsync(fd)
        finally:
            os.close(fd)
        if proof:
            proof(aside)
        if force:
            os.rename(aside, path)
    except OSError as refused:
        os.unlink(aside)
        raise failure("write", path, refused) from None
    except BaseException:
        os.unlink(aside)
        raise
