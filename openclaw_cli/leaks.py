"""Where scans found values of the store in plain text: how often by name, kept sealed in the store.

A scan answers for what it looked at; another one of the same places takes its answer's place. A
value that was changed afterwards is not the one that was found. No value, and no path.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openclaw_cli import duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

KEY = "leaks"
"""Where the store's directory keeps it."""

NOTED = "leaks_noted"
"""The kind of the record that says so."""

_LAST = 30 * duration.DAY
_MOST = 32  # places that are remembered


def places(paths: Iterable[str]) -> str:
    """Return what tells the places of one scan from another's."""
    from hashlib import sha256  # with a library behind it, which reading of them does not need

    return sha256("\0".join(sorted(set(paths))).encode("utf-8", "surrogateescape")).hexdigest()[:16]


def known(extra: Mapping[str, Any], where: str) -> dict[str, int]:
    """Return what the last scan of these places found."""
    return dict(extra.get(KEY, {}).get(where, {}).get("found", {}))


def note(extra: dict[str, Any], where: str, found: Mapping[str, int], now: float) -> None:
    """Keep what a scan found, by name; the oldest are forgotten."""
    table = extra.setdefault(KEY, {})
    table.pop(where, None)
    for old in [each for each, last in table.items() if now - last["at"] > _LAST]:
        del table[old]
    if found:
        table[where] = {"at": round(now, 3), "found": dict(found)}
    while len(table) > _MOST:
        del table[next(iter(table))]


def count(extra: Mapping[str, Any], name: str, since: float, now: float) -> int:
    """Return how many copies of a secret's present value were found: it is that `since` then."""
    return sum(
        last["found"].get(name, 0)
        for last in extra.get(KEY, {}).values()
        if last["at"] >= since and now - last["at"] <= _LAST
    )
