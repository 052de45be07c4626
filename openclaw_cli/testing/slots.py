"""What every kind of key slot promises. Needs pytest.

class TestAcme(SlotContract):
    kind = "acme"
"""

from __future__ import annotations

import json
import os
from typing import Any

import pytest

from openclaw_cli.errors import IntegrityError, LockedError
from openclaw_cli.home import Home
from openclaw_cli.store import header as head
from openclaw_cli.store.commit import founded
from openclaw_cli.store.header import Header, Slot
from openclaw_cli.store.keys import slots


class SlotContract:
    """`kind` is the word in the table; `given` and `wrong` return what a person gives."""

    kind: str

    @pytest.fixture
    def home(self, tmp_path: Any) -> Home:  # noqa: ANN401 - pytest's pathlib.Path
        return Home(str(tmp_path / "state"))

    @pytest.fixture
    def header(self) -> Header:
        """Return a header without slots, of a store with the data key `DATA_KEY`."""
        return new_header()

    def given(self) -> bytes:
        """Return what a new slot is made from."""
        return b""

    def wrong(self) -> bytes:
        """Return what a person gives by mistake, for a kind that asks."""
        return b""

    def test_its_slot_opens_to_the_data_key(self, home: Home, header: Header) -> None:
        given = self.given()
        slots.add(home, header, DATA_KEY, self.kind, given)
        assert slots.unlock_with(home, header, self.kind, given) == DATA_KEY

    def test_it_opens_after_the_header_was_written_and_read(
        self, home: Home, header: Header
    ) -> None:
        given = self.given()
        slots.add(home, header, DATA_KEY, self.kind, given)
        again, _ = head.decode(header.encode())
        assert slots.unlock_with(home, again, self.kind, given) == DATA_KEY

    def test_a_slot_tells_nothing_of_its_keys(self, home: Home, header: Header) -> None:
        given = self.given()
        slot, wrapping_key = slots.made(home, header.store, self.kind, given)
        slots.attach(header, slot, DATA_KEY, wrapping_key)
        written = header.encode()
        asked = given if slots.load(self.kind).ASKS else b""
        for secret in filter(None, (wrapping_key, DATA_KEY, asked)):
            assert secret not in written
            assert secret.hex().encode() not in written
            assert secret.hex() not in slots.load(self.kind).where(home, header.store, slot)

    def test_it_says_where_its_key_is(self, home: Home, header: Header) -> None:
        slot = slots.add(home, header, DATA_KEY, self.kind, self.given())
        assert slots.load(self.kind).where(home, header.store, slot)

    def test_two_wrappings_of_one_key_are_not_the_same(self, home: Home, header: Header) -> None:
        given = self.given()
        first = slots.add(home, header, DATA_KEY, self.kind, given)
        second = slots.add(home, header, DATA_KEY, self.kind, given)
        assert first.id != second.id
        assert first.wrapped != second.wrapped

    def test_any_of_several_slots_of_the_kind_opens(self, home: Home, header: Header) -> None:
        first, second = self.given(), self.given()
        slots.add(home, header, DATA_KEY, self.kind, first)
        slots.add(home, header, DATA_KEY, self.kind, second)
        assert slots.unlock_with(home, header, self.kind, first) == DATA_KEY
        assert slots.unlock_with(home, header, self.kind, second) == DATA_KEY

    def test_a_slot_of_another_store_is_refused(self, home: Home, header: Header) -> None:
        given = self.given()
        slots.add(home, header, DATA_KEY, self.kind, given)
        other = new_header()
        other.slots = header.slots
        with pytest.raises(LockedError):
            slots.unlock_with(home, other, self.kind, given)

    def test_a_slot_of_another_epoch_is_refused(self, home: Home, header: Header) -> None:
        given = self.given()
        slots.add(home, header, DATA_KEY, self.kind, given)
        header.epoch += 1
        header.commitment = head.commitment(DATA_KEY, header.store, header.epoch)
        with pytest.raises(LockedError):
            slots.unlock_with(home, header, self.kind, given)

    def test_a_data_key_that_the_store_does_not_commit_to_is_refused(
        self, home: Home, header: Header
    ) -> None:
        given = self.given()
        slots.add(home, header, bytes(32), self.kind, given)
        with pytest.raises(LockedError):
            slots.unlock_with(home, header, self.kind, given)

    def test_edited_parameters_are_refused(self, home: Home, header: Header) -> None:
        given = self.given()
        slot = slots.add(home, header, DATA_KEY, self.kind, given)
        slot.parameters = {**slot.parameters, "since": 1}
        with pytest.raises((LockedError, IntegrityError)):
            slots.unlock_with(home, header, self.kind, given)

    def test_every_damaged_byte_of_the_wrapped_key_is_refused(
        self, home: Home, header: Header
    ) -> None:
        slot, wrapping_key = slots.made(home, header.store, self.kind, self.given())
        slots.attach(header, slot, DATA_KEY, wrapping_key)
        assert head.unwrap(header, slot, wrapping_key) == DATA_KEY
        for at in range(len(slot.wrapped)):
            damaged = bytearray(slot.wrapped)
            damaged[at] ^= 1
            other = Slot(slot.id, slot.kind, slot.parameters, bytes(damaged))
            with pytest.raises(IntegrityError):
                head.unwrap(header, other, wrapping_key)

    def test_what_is_wrong_is_said_without_the_key(self, home: Home, header: Header) -> None:
        if not slots.load(self.kind).ASKS:
            return
        slots.add(home, header, DATA_KEY, self.kind, self.given())
        wrong = self.wrong()
        with pytest.raises(LockedError) as refused:
            slots.unlock_with(home, header, self.kind, wrong)
        assert wrong.decode() not in refused.value.message + refused.value.hint

    def test_what_was_forgotten_opens_nothing_or_was_never_kept(
        self, home: Home, header: Header
    ) -> None:
        slot = slots.add(home, header, DATA_KEY, self.kind, self.given())
        slots.load(self.kind).forget(header.store, slot)
        slots.load(self.kind).forget(header.store, slot)  # what is gone is as good

    def test_its_parameters_are_plain_and_dated(self, home: Home, header: Header) -> None:
        slot = slots.add(home, header, DATA_KEY, self.kind, self.given())
        assert json.loads(json.dumps(slot.parameters)) == slot.parameters
        assert isinstance(slot.parameters["since"], int)


DATA_KEY = bytes(range(32))


def new_header() -> Header:
    """Return the header of a new store without slots."""
    return founded(os.urandom(16), DATA_KEY).header
