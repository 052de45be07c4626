"""The references in a file that somebody names: a `.env` file or a template."""

from __future__ import annotations

import os

from openclaw_cli import formats, newfile, template
from openclaw_cli.errors import StorageError, UsageError
from openclaw_cli.files import failure, read_all

LIMIT = 16 * 1024 * 1024  # bytes


def read_file(path: str) -> bytes:
    """Return a file's bytes, standard input's for "-"; raises our errors, naming the path."""
    if path == "-":
        return read_all(0, "standard input", LIMIT)
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY)
    except FileNotFoundError:
        raise newfile.missing(path) from None
    except (OSError, ValueError) as refused:
        if isinstance(refused, ValueError):
            raise UsageError("a path has no NUL", hint="ls") from None
        raise failure("open", path, refused) from None
    try:
        return read_all(fd, path, LIMIT)
    except StorageError:
        if os.path.isdir(path):
            raise UsageError(
                f"{path} is a directory", hint=f"ls {path}, and name a file in it"
            ) from None
        raise
    finally:
        os.close(fd)


def of_file(path: str) -> list[str]:
    """Return the references in a `.env` file (whole values) or a template (`{{ … }}` markers)."""
    data = read_file(path)
    found = template.references(data)
    if formats.guess(path, data) == "dotenv":
        found += template.env_references(formats.get("dotenv").read(data)).values()
    return list(dict.fromkeys(found))
