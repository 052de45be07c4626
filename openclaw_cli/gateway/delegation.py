"""The control groups of one gateway: those it was given, and those a killed one has left."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from typing import Any

from openclaw_cli.home import Home
from openclaw_cli.runtime import cgroup


@dataclass(frozen=True, slots=True)
class Delegation:
    """What a gateway was given of control groups, or why it has none."""

    mark: str
    given: cgroup.Delegated | None = None
    why: str = ""

    @property
    def folder(self) -> str:
        """Where its groups are; empty without any."""
        return self.given.folder if self.given else ""

    @property
    def guarded(self) -> list[str]:
        """Where groups are mounted, for no agent may write there what it may have."""
        return cgroup.mounts() if self.given else []

    def reaped(self, before: object) -> int:
        """End and remove what a killed gateway has left, here and where it was; return how many.

        `before` is what its state says of where that was; only groups of our mark are touched.
        """
        known = {self.folder, before if isinstance(before, str) else ""} - {""}
        return sum(cgroup.reap(each, self.mark) for each in known if _is_group(each))

    def plain(self) -> dict[str, Any]:
        """Return it for `status`."""
        controllers = self.given.controllers() if self.given else []
        return {"folder": self.folder or None, "controllers": controllers, "why": self.why or None}


def taken(home: Home) -> Delegation:
    """Take what is delegated to this process, and go into a group of our own."""
    mark = hashlib.sha256(os.fsencode(home.base)).hexdigest()[:12]
    try:
        return Delegation(mark, cgroup.enter(mark))
    except cgroup.Undelegated as missing:
        return Delegation(mark, why=str(missing))


def _is_group(folder: str) -> bool:
    """Tell whether a path leads to where groups are, and nowhere else."""
    return any(os.path.realpath(folder).startswith(f"{each}/") for each in cgroup.mounts())
