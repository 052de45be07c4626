"""Which secrets are old, due, failed to rotate, or will be gone for good."""

from __future__ import annotations

from collections.abc import Iterable

from openclaw_cli import duration
from openclaw_cli.health.finding import ADVICE, BAD, Finding, some
from openclaw_cli.rotation import agenda
from openclaw_cli.states import FAILED, OLD, OVERDUE, state
from openclaw_cli.store.directory import Directory as Catalogue
from openclaw_cli.store.directory import Entry

PURGED_SOON = 7 * duration.DAY

_MS = 1000


def of_age(entries: Iterable[Entry], now: float, old_days: int) -> list[Finding]:
    """Find values that are older than `old_days`."""
    old = [each.name for each in entries if state(each, now, old_days) == OLD]
    if not old:
        return []
    what = "1 value is" if len(old) == 1 else f"{len(old)} values are"
    return [
        Finding(
            "old-values",
            "secrets",
            f"{what} older than {old_days} days: {some(old)}",
            f"openclaw secrets set {min(old)}",
        )
    ]


def of_rotation(directory: Catalogue, now: float) -> list[Finding]:
    """Find rotations that failed, and those whose time is long past, elsewhere too."""
    from openclaw_cli.rotation.overview import OF_THE_STORE, overview

    by_status: dict[str, list[str]] = {}
    for each in overview(directory, now):
        by_status.setdefault(each.status, []).append(each.name)
    found = []
    failed, late = by_status.get(FAILED, []), by_status.get(OVERDUE, [])
    if failed:
        what = "1 rotation" if len(failed) == 1 else f"{len(failed)} rotations"
        why = f"{what} failed: {some(failed)}"
        ours = [each for each in failed if each != OF_THE_STORE]
        hint = f"openclaw secrets status {min(ours)}" if ours else "openclaw store rekey"
        found.append(Finding("rotation-failed", "rotation", why, hint, BAD))
    if late:
        what = "1 secret is" if len(late) == 1 else f"{len(late)} secrets are"
        why = f"{what} overdue: {some(late)}"
        found.append(Finding("rotation-overdue", "rotation", why, "openclaw secrets rotate --due"))
    return found + _of_reloading(directory)


def _of_reloading(directory: Catalogue) -> list[Finding]:
    """Find that the OpenClaw gateway does not take new values up."""
    if agenda.GATEWAY not in agenda.times(directory):
        return []
    from openclaw_cli.rotation.reloading import GATEWAY, owed

    waiting = owed(directory)
    if not waiting.failure:
        return []
    why = f"{GATEWAY} has not taken up {some(waiting.names)}: {waiting.failure.message}"
    return [Finding("gateway-reload", "rotation", why, waiting.failure.hint, BAD)]


def of_deletion(entries: Iterable[Entry], now: float, keep_days: int) -> list[Finding]:
    """Find deleted secrets that can be restored for a few days only."""
    left = {
        each.name: each.deleted / _MS + keep_days * duration.DAY - now
        for each in entries
        if each.deleted / _MS + keep_days * duration.DAY - now < PURGED_SOON
    }
    if not left:
        return []
    what = "1 deleted secret is" if len(left) == 1 else f"{len(left)} deleted secrets are"
    soonest = max(0.0, min(left.values()))
    return [
        Finding(
            "purged-soon",
            "secrets",
            f"{what} gone for good within {duration.compact(soonest)}: {some(left)}",
            f"openclaw secrets restore {min(left)}",
            ADVICE,
        )
    ]
