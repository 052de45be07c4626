"""Paths by a pattern with `*`, as `glob` finds them: that would leave `re` in a zygote's memory.

Lean, as all that a zygote imports.
"""

from __future__ import annotations

import os


def paths(pattern: str) -> list[str]:
    """Return what is there of an absolute pattern; a name that begins with a dot is none's."""
    found = [""]
    for part in pattern.split("/")[1:]:
        if "*" in part:
            found = [f"{folder}/{name}" for folder in found for name in _names(folder, part)]
        else:
            found = [f"{folder}/{part}" for folder in found]
    return [path for path in found if os.path.lexists(path)]


def _names(folder: str, part: str) -> list[str]:
    try:
        names = os.listdir(folder or "/")
    except OSError:
        return []
    return [name for name in names if not name.startswith(".") and _fits(name, part)]


def _fits(name: str, part: str) -> bool:
    """Tell whether a name has the pieces between the `*` in their order."""
    first, *middle, last = part.split("*")
    place, end = len(first), len(name) - len(last)
    if end < place or not (name.startswith(first) and name.endswith(last)):
        return False
    for piece in middle:
        place = name.find(piece, place, end) + len(piece)
        if place < len(piece):
            return False
    return True
