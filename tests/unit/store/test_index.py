"""Entries of the index are changed in their place, as if all were sorted anew."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from openclaw_cli.store import index
from openclaw_cli.store.index import HASH, Place

KEY = bytes(32)
NAMES = st.sets(st.integers(0, 60), max_size=40)


def line(name: int, version: int) -> bytes:
    return index.entry(KEY, f"n{name}", version, Place(name, 90, bytes(16)))


def joined(entries: dict[bytes, bytes]) -> bytes:
    return b"".join(entries[each] for each in sorted(entries))


@given(NAMES, NAMES, NAMES)
def test_a_change_is_as_good_as_sorting_anew(
    there: set[int], put: set[int], taken: set[int]
) -> None:
    entries = {line(name, 1)[:HASH]: line(name, 1) for name in there}
    changes = {line(name, 1)[:HASH]: b"" for name in taken}
    changes |= {line(name, 2)[:HASH]: line(name, 2) for name in put}
    made = index.changed(joined(entries), changes)
    assert made == joined({each: text for each, text in {**entries, **changes}.items() if text})
    assert index.count(made) == len((there - taken) | put)
