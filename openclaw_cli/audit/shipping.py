"""Send copies of new records to the sinks that the settings name, each record at least once.

How far each sink is stands in `audit/shipped`, by a digest of its address, since a token can stand
in one; it is noted when the sink has the records, so that
one which is away gets them later. One process at a time does it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field

from openclaw_cli.audit.event import BOOKKEEPING, read
from openclaw_cli.audit.follow import Place, lines_after
from openclaw_cli.audit.sinks.sink import Sink, opened
from openclaw_cli.errors import OpenclawError
from openclaw_cli.files import Directory

SHIPPED = "shipped"
_LOCK = "shipped.lock"
_DIGEST = re.compile("[0-9a-f]{64}")
_LIMIT = 64 * 1024
_BATCH = 500
_MOST = 50_000
"""Records for one sink at once; the next time goes on from there."""


@dataclass(slots=True)
class Shipped:
    """How many records each sink got, and what was wrong with those that got none."""

    counts: dict[str, int] = field(default_factory=dict)
    failed: dict[str, OpenclawError] = field(default_factory=dict)


def ship(
    audit: str,
    root: str,
    addresses: Sequence[str],
    capture: Sequence[str] = (),
    opening: Callable[[str, str], Sink] = opened,
) -> Shipped:
    """Send what is new to each sink; `capture` are the kinds of events, all when empty.

    A sink that fails does not keep the others from their records.
    """
    done = Shipped()
    folder = Directory(audit)
    try:
        with folder.lock(_LOCK):
            places = _places(folder)
            for address in addresses:
                key = _key(address)
                place = places.get(key, (0, 0))
                try:
                    done.counts[address] = 0
                    with ExitStack() as stack:
                        sink = None  # opened when there is something for it: that may be dear
                        for batch, now in _batches(audit, place, set(capture)):
                            if batch and sink is None:
                                sink = stack.enter_context(closing(opening(address, root)))
                            if batch and sink is not None:
                                sink.send(batch)
                            done.counts[address] += len(batch)
                            if now != place:
                                places[key] = now
                                _note(folder, places)
                except OpenclawError as refused:
                    done.failed[address] = refused
    finally:
        folder.close()
    return done


def _batches(audit: str, place: Place, capture: set[str]) -> Iterator[tuple[list[bytes], Place]]:
    batch: list[bytes] = []
    count = 0
    for line, after in lines_after(audit, place):
        event = read(line)
        place = after
        # A line that is no record goes as it is: nothing is hidden by being unreadable.
        kind = event.kind if event else ""
        if kind in BOOKKEEPING or (kind and capture and kind not in capture):
            continue
        batch.append(line)
        count += 1
        if len(batch) == _BATCH:
            yield batch, place
            batch = []
        if count >= _MOST:
            break
    yield batch, place


def _key(address: str) -> str:
    return hashlib.sha256(address.encode(errors="surrogateescape")).hexdigest()


def _places(folder: Directory) -> dict[str, Place]:
    try:
        found = json.loads(folder.read(SHIPPED, _LIMIT))
        return {
            key if _DIGEST.fullmatch(key) else _key(key): (int(at[0]), int(at[1]))
            for key, at in found.items()
        }
    except (OSError, OpenclawError, ValueError, TypeError, AttributeError, IndexError):
        return {}


def _note(folder: Directory, places: dict[str, Place]) -> None:
    folder.replace(SHIPPED, [json.dumps(places).encode()])
