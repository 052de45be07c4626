"""How all rotations are at a moment, as plain data: for `status`, `doctor` and whoever asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from openclaw_cli import states
from openclaw_cli.rotation import agenda

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openclaw_cli.rotation.policy import Policy
    from openclaw_cli.store.directory import Directory

OF_THE_STORE = "the store's data key"

STATUSES = (states.OK, states.DUE, states.OVERDUE, states.PENDING, states.FAILED)


class Rotating(NamedTuple):
    """One secret that is rotated. Times are in seconds since 1970, 0 for never.

    `status` is one of `STATUSES`; `overdue` for how many seconds it has been due; `failures` how
    many there ever were.
    """

    name: str
    rotator: str
    status: str
    last: float
    next: float
    overdue: float
    failures: int


def overview(directory: Directory, now: float) -> list[Rotating]:
    """Return every secret with a schedule or a rotation under way, by name."""
    return sorted(_all(directory, now), key=lambda each: each.name)


def far(directory: Directory) -> dict[str, Policy]:
    """Return the state of what is not a secret of the store, by name."""
    kept: dict[str, Any] = directory.extra.get(agenda.KEY, {}).get("far", {})
    return {name: _read(plain) for name, plain in kept.items()}


def _all(directory: Directory, now: float) -> Iterator[Rotating]:
    for entry in directory.entries.values():
        if entry.policy and not entry.deleted:
            found = _read(entry.policy)
            if found.schedule or found.run or found.old or found.failures:
                yield _one(entry.name, found, now)
    for name, found in far(directory).items():
        called = OF_THE_STORE if name == agenda.DATA_KEY else name
        yield _one(called, found, now)


def _read(plain: dict[str, Any]) -> Policy:
    from openclaw_cli.rotation import policy  # half a `python -c pass`: not where none is kept

    return policy.read(plain)


def _one(name: str, found: Policy, now: float) -> Rotating:
    from openclaw_cli.rotation import policy

    late = max(0.0, now - found.next_due) if found.next_due else 0.0
    status = states.of_rotation(policy.write(found), now) or states.OK
    return Rotating(name, found.rotator, status, found.last_ok, found.next_due, late, found.failed)
