"""The OpenClaw gateway takes new values up when it is told to; this sees to it that it is.

That it is to be told is noted in the commit that promotes, so that neither a crash nor a gateway
that is away makes anybody forget it. Every run tries again: at once where there is something new,
else after a pause that grows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from openclaw_cli.errors import OpenclawError
from openclaw_cli.rotation import agenda, steps
from openclaw_cli.rotation.policy import Failure

if TYPE_CHECKING:
    from openclaw_cli.changes import Changes
    from openclaw_cli.service import Secrets
    from openclaw_cli.store.commit import Draft
    from openclaw_cli.store.directory import Directory

GATEWAY = "the OpenClaw gateway"
STEP = "reload"


class Owed(msgspec.Struct, omit_defaults=True, frozen=True):
    """The names whose new values the gateway does not have; `failures` counts those in a row."""

    names: list[str] = []
    failures: int = 0
    failure: Failure | None = None


def owed(directory: Directory) -> Owed:
    """Return what the gateway is still to be told."""
    return msgspec.convert(directory.extra.get(agenda.KEY, {}).get(STEP, {}), Owed)


def owe(draft: Draft, names: Iterable[str]) -> None:
    """Note, within a commit, that the gateway is to take up new values."""
    found = owed(draft.directory)
    _put(draft, replace(found, names=sorted({*found.names, *names})))


class Reloads:
    """Tells the gateway of one home; `reload` does it, and `now` is in seconds since 1970.

    Without `reload` there is no gateway any more, and nobody to be told.
    """

    def __init__(
        self,
        secrets: Secrets,
        changes: Changes,
        now: Callable[[], float],
        reload: Callable[[list[str]], object] | None,
    ) -> None:
        self._secrets = secrets
        self._changes = changes
        self._now = now
        self._reload = reload

    def settle(self, *, new: bool) -> OpenclawError | None:
        """Tell the gateway what it is to be told, and return why that failed.

        Without something `new` it is left alone until the pause after a failure is over.
        """
        found = owed(self._secrets.catalogue())
        retry = found.failure.retry if found.failure and self._reload else 0
        waits = retry > self._now()
        if not found.names or (waits and not new):
            return None
        refused = self._refusal(found.names)

        def change(draft: Draft, _now: int) -> None:
            before = owed(draft.directory)
            after = self._failed(before, refused) if refused else _without(before, found.names)
            _put(draft, after)

        kind = "rotation_failure" if refused else "rotation_step"
        with suppress(OpenclawError):  # it is told once more
            self._changes.amend(kind, {"names": found.names, "step": STEP}, change)
        return refused

    def _refusal(self, names: list[str]) -> OpenclawError | None:
        try:
            if self._reload:
                self._reload(names)
        except OpenclawError as refused:
            return refused
        return None

    def _failed(self, found: Owed, refused: OpenclawError) -> Owed:
        failures = found.failures + 1
        failure = steps.set_back(STEP, refused, self._now(), failures)
        return replace(found, failures=failures, failure=failure)


def _without(found: Owed, names: list[str]) -> Owed:
    return Owed([name for name in found.names if name not in names])


def _put(draft: Draft, after: Owed) -> None:
    draft.directory.extra.setdefault(agenda.KEY, {})[STEP] = msgspec.to_builtins(after)
    retry = after.failure.retry if after.failure else 0
    agenda.note(draft.directory, agenda.GATEWAY, retry if after.names else None)
