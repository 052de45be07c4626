"""Programs on PATH, never where we are: that may be anybody's repository."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator


def which(name: str, path: str | None = None) -> str | None:
    """Return where a program is, by the folders of PATH that are named from the root on."""
    given = os.environ.get("PATH", os.defpath) if path is None else path
    return shutil.which(name, path=os.pathsep.join(folders(given)) or os.devnull)


def folders(path: str) -> Iterator[str]:
    """Yield the folders of a PATH; `.`, an empty one and the like mean wherever we are."""
    return (each for each in path.split(os.pathsep) if os.path.isabs(each))
