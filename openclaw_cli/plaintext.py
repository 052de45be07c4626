"""Secrets that stand in plain text in a source of the settings: for a first try, and said to be so.

`config://NAME` reads the file when it is asked; no copy of the value is made anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from openclaw_cli.backends.protocols import ONLY, one_by_one, part, the_only
from openclaw_cli.config import plain_value
from openclaw_cli.errors import NotFoundError, OpenclawError, RefusedError
from openclaw_cli.model import MAX_VALUE, Secret, Version
from openclaw_cli.sanitize import safe
from openclaw_cli.service import CONFIG


class Plaintext:
    """Reads what `published/` found: a backend like the others, but for where it comes from."""

    def __init__(self, found: Mapping[str, Mapping[str, Any]]) -> None:
        """`found` is `Settings.plaintext`."""
        self._found = found

    def get(self, path: str, *, version: str | None = None, field: str = "") -> Secret:
        """Return the text in the file as it is now."""
        if path not in self._found:
            raise NotFoundError(f"no configuration has the secret {safe(path)} in plain text")
        place = self._found[path]
        value = plain_value(place["origin"], place["keys"])
        the_only(version, path)
        if len(value) > MAX_VALUE:
            raise RefusedError(f"the value of {path} is larger than 64 KiB")
        return Secret(part(value.reveal(), field, path), Version(ONLY), CONFIG)

    def get_many(self, paths: Sequence[str]) -> dict[str, Secret | OpenclawError]:
        return one_by_one(self.get, paths)

    def names(self, prefix: str = "") -> list[str]:
        """Return the secrets that stand there."""
        return sorted(name for name in self._found if name.startswith(prefix))
