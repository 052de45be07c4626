"""Secrets in the environment of this process: `env://OPENAI_API_KEY`. Read only."""

from __future__ import annotations

import os
from collections.abc import Sequence

from openclaw_cli.backends.protocols import (
    ONLY,
    Health,
    Setting,
    Settings,
    checked_path,
    checked_settings,
    is_path,
    one_by_one,
    part,
    the_only,
)
from openclaw_cli.errors import NotFoundError, OpenclawError, RefusedError
from openclaw_cli.model import MAX_VALUE, Secret, Version


class EnvBackend:
    SETTINGS = (
        Setting("prefix", "", "What the names of the variables begin with, left out in paths."),
    )

    def __init__(self, settings: Settings) -> None:
        self._prefix = str(checked_settings(settings, self.SETTINGS, "env")["prefix"])

    def get(self, path: str, *, version: str | None = None, field: str = "") -> Secret:
        """Return a variable's bytes. One that is set to nothing is as good as not set."""
        name = self._prefix + checked_path(path)
        value = os.environb.get(os.fsencode(name), b"")
        if not value:
            raise NotFoundError(f"environment variable {name} is not set")
        the_only(version, name)
        if len(value) > MAX_VALUE:
            raise RefusedError(f"environment variable {name} is larger than 64 KiB")
        return Secret(part(value, field, name), Version(ONLY), "env")

    def get_many(self, paths: Sequence[str]) -> dict[str, Secret | OpenclawError]:
        return one_by_one(self.get, paths)

    def names(self, prefix: str = "") -> list[str]:
        """Return the variables with the prefix of the settings; without one, none.

        A whole environment is not a list of secrets: it would be spilled into every listing.
        """
        if not self._prefix:
            return []
        found = (name.removeprefix(self._prefix) for name in os.environ if self._ours(name))
        return sorted(name for name in found if name.startswith(prefix) and is_path(name))

    def check(self) -> Health:
        """Say what is listed. There is always an environment."""
        if not self._prefix:
            return Health(reachable=True, detail="no prefix is set, so nothing is listed")
        count = len(self.names())
        return Health(reachable=True, detail=f"{count} variables begin with {self._prefix}")

    def _ours(self, name: str) -> bool:
        return name.startswith(self._prefix) and bool(os.environ.get(name))
