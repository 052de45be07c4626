"""A commit writes a whole new file from what changed and what did not."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openclaw_cli.changes import Changes
from openclaw_cli.home import Home
from openclaw_cli.model import SecretValue
from openclaw_cli.service import Secrets
from openclaw_cli.store.check import examine
from openclaw_cli.store.keys import unlock_quietly
from openclaw_cli.store.reader import Snapshot

NAMES = st.sampled_from(["a", "b", "c/d", "e.f"])
VALUES = st.binary(min_size=1, max_size=130)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("set"), NAMES, VALUES),
        st.tuples(st.just("many"), NAMES, VALUES),
        st.tuples(st.sampled_from(["delete", "purge", "restore", "rollback"]), NAMES, st.none()),
    ),
    max_size=14,
)


class Small:
    """A store that keeps three versions, in a folder of its own."""

    def __init__(self, folder: str) -> None:
        self.home = Home(folder)
        self.secrets = Secrets(
            self.home, {"uid": os.getuid()}, lambda header: unlock_quietly(self.home, header)
        )
        self.changes = Changes(self.secrets, keep=3)

    def snapshot(self) -> Snapshot:
        """Open the present state."""
        found = self.secrets.open()
        assert found is not None
        return found

    def records(self) -> dict[tuple[str, int], bytes]:
        """Return every sealed record as it lies there."""
        snapshot = self.snapshot()
        entries = snapshot.directory().entries.values()
        found = {
            (each.name, row.number): snapshot.read(row.place)
            for each in entries
            for row in each.rows
        }
        snapshot.close()
        return found


@pytest.fixture
def small(tmp_path: Path) -> Small:
    return Small(str(tmp_path / "state"))


@pytest.fixture(scope="module")
def memory() -> Iterator[str]:
    """Give a folder that is quick to sync."""
    with TemporaryDirectory(dir="/dev/shm") as folder:
        yield folder


@settings(max_examples=40)
@given(steps=STEPS)
def test_whatever_is_done_the_store_holds_what_a_dictionary_would(
    memory: str, steps: list[tuple[str, str, bytes | None]]
) -> None:
    with TemporaryDirectory(dir=memory) as folder:
        small = Small(folder)
        model: dict[str, list[bytes]] = {}  # each one's values, newest first
        gone: dict[str, list[bytes]] = {}
        small.changes.set("always", SecretValue(b"there"))
        for what, name, value in steps:
            _step(small, model, gone, what, name, value)
            snapshot = small.snapshot()
            assert examine(snapshot).damage == []
            for each in ("a", "b", "c/d", "e.f"):
                found = snapshot.current(each)
                assert (found and found[1]) == (model[each][0] if each in model else None)
            assert snapshot.current("always") == (1, b"there")
            snapshot.close()


def _step(
    small: Small,
    model: dict[str, list[bytes]],
    gone: dict[str, list[bytes]],
    what: str,
    name: str,
    value: bytes | None,
) -> None:
    if value is not None:
        small.changes.set_many(
            {name: SecretValue(value)}
            | ({"b": SecretValue(value + b"!")} if what == "many" else {})
        )
        for each in {name, "b"} if what == "many" else {name}:
            new = value + b"!" if what == "many" and each == "b" else value
            model[each] = [new, *model.get(each, [])]
            gone.pop(each, None)
    elif what == "delete" and name in model:
        small.changes.delete(name)
        gone[name] = model.pop(name)
    elif what == "purge":
        small.changes.delete(name, purge=True)
        model.pop(name, None)
        gone.pop(name, None)
    elif what == "restore" and name in gone:
        small.changes.restore(name)
        model[name] = gone.pop(name)
    elif what == "rollback" and len(model.get(name, [])) > 1 and name not in gone:
        _rollback(small, model, name)


def _rollback(small: Small, model: dict[str, list[bytes]], name: str) -> None:
    snapshot = small.snapshot()
    entry = snapshot.directory().entries[name]
    previous = next((row for row in entry.rows if row.stage == "previous"), None)
    if previous is not None:
        value = snapshot.value(name, previous.number, previous.place)
        small.changes.rollback(name)
        model[name] = [value, *model[name]]
    snapshot.close()


def test_what_is_not_touched_is_copied_byte_for_byte(small: Small) -> None:
    small.changes.set_many({f"n{number}": SecretValue(b"x" * number) for number in range(1, 99)})
    before = small.records()
    small.changes.set("n50", SecretValue(b"another"))
    small.changes.delete("n7", purge=True)
    after = small.records()
    assert {key: after[key] for key in after if key in before} == {
        key: sealed for key, sealed in before.items() if key[0] != "n7"
    }
    assert set(after) - set(before) == {("n50", 2)}


def test_a_dropped_version_of_the_same_length_makes_room_for_the_new_one(small: Small) -> None:
    small.changes.set_many({f"n{number}": SecretValue(b"x") for number in range(20)})
    sizes = []
    for number in range(8):
        small.changes.set("n3", SecretValue(b"value %d" % number))
        sizes.append(os.stat(f"{small.home.secrets}/store.oc").st_size)
    assert len(set(sizes[3:])) == 1
    assert [key[1] for key in small.records() if key[0] == "n3"] == [7, 8, 9]


def test_a_dropped_version_of_another_length_leaves_no_gap(small: Small) -> None:
    for number in range(1, 9):
        small.changes.set("a", SecretValue(b"x" * 60 * number))
        small.changes.set("b", SecretValue(b"y"))
        snapshot = small.snapshot()
        assert examine(snapshot).damage == []
        snapshot.close()


def test_a_change_reads_only_the_lines_it_needs(small: Small) -> None:
    small.changes.set_many({f"n{number}": SecretValue(b"x") for number in range(50)})
    small.changes.delete("n4")
    snapshot = small.snapshot()
    entries = snapshot.directory().entries
    assert [each.name for each in entries.deleted()] == ["n4"]
    entries.get("n7")
    assert set(entries.touched()) == {"n4", "n7"}
    assert len(list(entries.values())) == len(entries) == 50
    snapshot.close()


def test_no_two_records_are_sealed_with_one_key(small: Small) -> None:
    """Each has a salt of its own, also where name, version and value are the same."""
    small.changes.set_many({f"n{number}": SecretValue(b"same") for number in range(50)})
    small.changes.delete("n1", purge=True)
    first = small.records()
    small.changes.set("n1", SecretValue(b"same"))
    salts = {sealed[:16] for sealed in [*first.values(), small.records()["n1", 1]]}
    assert len(salts) == 50
