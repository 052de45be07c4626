"""Every key slot of the table keeps the contract, and each what only it promises.

The keyring's is run on a real one, in `tests/integration/test_keyring.py`.
"""

from __future__ import annotations

import os
import resource
import time
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openclaw_cli.errors import (
    ConfigError,
    DeniedError,
    IntegrityError,
    LockedError,
    OpenclawError,
    UsageError,
)
from openclaw_cli.home import Home
from openclaw_cli.store.header import Header
from openclaw_cli.store.keys import file, passphrase, recovery, slots, unlock_quietly
from openclaw_cli.testing.slots import DATA_KEY, SlotContract, new_header

GOOD = b"correct horse battery staple"


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make slots cost the least that is allowed, a tenth of what we write."""
    monkeypatch.setattr(passphrase, "MEMORY", 19 * 1024)
    monkeypatch.setattr(passphrase, "PASSES", 1)


class TestFile(SlotContract):
    kind = "file"


@pytest.mark.usefixtures("cheap")
class TestPassphrase(SlotContract):
    kind = "passphrase"
    numbers = count()

    def given(self) -> bytes:
        return f"a passphrase, number {next(self.numbers)}".encode()

    def wrong(self) -> bytes:
        return b"another passphrase"


class TestRecovery(SlotContract):
    kind = "recovery"

    def given(self) -> bytes:
        return recovery.fresh()

    wrong = given


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(str(tmp_path / "state"))


@pytest.fixture
def header() -> Header:
    return new_header()


def never(_label: str) -> bytes:
    raise AssertionError("nobody was to be asked")


def test_an_unknown_kind_names_those_there_are(home: Home, header: Header) -> None:
    with pytest.raises(ConfigError, match="no key slot is called yubikey") as refused:
        slots.add(home, header, DATA_KEY, "yubikey")
    assert refused.value.hint == "known: " + ", ".join(slots.KINDS)


def test_the_seventeenth_slot_is_refused(home: Home, header: Header) -> None:
    for _ in range(16):
        slots.add(home, header, DATA_KEY, "recovery", recovery.fresh())
    with pytest.raises(ConfigError, match="at most 16"):
        slots.add(home, header, DATA_KEY, "recovery", recovery.fresh())


def test_the_key_file_is_for_its_owner_alone_whatever_the_umask(home: Home) -> None:
    os.umask(0)
    file.create(home, b"", b"", b"")
    assert os.stat(file.path(home)).st_mode & 0o777 == 0o600
    assert os.stat(home.secrets).st_mode & 0o777 == 0o700


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o620, 0o604])
def test_a_key_file_that_others_can_open_is_not_used(mode: int, home: Home, header: Header) -> None:
    slots.add(home, header, DATA_KEY, "file")
    os.chmod(file.path(home), mode)
    with pytest.raises(DeniedError, match="others can open") as refused:
        unlock_quietly(home, header)
    assert refused.value.hint == f"chmod 600 {file.path(home)}"


@pytest.mark.parametrize("text", [b"", b"00", b"zz" * 32, b"00" * 33, b"\xff" * 64])
def test_a_key_file_without_a_key_is_damage(text: bytes, home: Home, header: Header) -> None:
    slots.add(home, header, DATA_KEY, "file")
    Path(file.path(home)).write_bytes(text)
    with pytest.raises(IntegrityError, match="does not hold a key"):
        unlock_quietly(home, header)


def test_a_lost_key_file_says_where_it_was_and_what_opens_the_store(
    home: Home, header: Header
) -> None:
    slots.add(home, header, DATA_KEY, "file")
    os.unlink(file.path(home))
    with pytest.raises(LockedError, match="opens with: file") as refused:
        unlock_quietly(home, header)
    assert file.path(home) in refused.value.hint
    slots.add(home, header, DATA_KEY, "recovery", recovery.fresh())
    with pytest.raises(LockedError) as refused:
        unlock_quietly(home, header)
    assert refused.value.hint == "openclaw store unlock --recovery"


def test_the_key_file_may_lie_elsewhere(
    home: Home, header: Header, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(file.VARIABLE, str(tmp_path / "home" / "elsewhere"))
    slots.add(home, header, DATA_KEY, "file")
    assert unlock_quietly(home, header) == (DATA_KEY, "file")
    assert (tmp_path / "home" / "elsewhere").exists()
    assert not os.path.exists(home.secrets)


def test_a_new_key_file_opens_although_an_older_slot_waits_for_a_lost_one(
    home: Home, header: Header
) -> None:
    slots.add(home, header, DATA_KEY, "file")
    os.unlink(file.path(home))
    slots.add(home, header, DATA_KEY, "file")
    assert unlock_quietly(home, header) == (DATA_KEY, "file")


@pytest.mark.usefixtures("cheap")
class TestAsking:
    def test_nobody_is_asked_while_a_key_file_opens(self, home: Home, header: Header) -> None:
        slots.add(home, header, DATA_KEY, "passphrase", GOOD)
        slots.add(home, header, DATA_KEY, "file")
        assert slots.unlock_asking(home, header, never) == (DATA_KEY, "file")

    def test_the_passphrase_is_asked_for_when_the_key_file_is_lost_or_damaged(
        self, home: Home, header: Header
    ) -> None:
        slots.add(home, header, DATA_KEY, "passphrase", GOOD)
        slots.add(home, header, DATA_KEY, "file")
        Path(file.path(home)).write_text("00" * 32, encoding="ascii")
        assert slots.unlock_asking(home, header, lambda _: GOOD) == (DATA_KEY, "passphrase")
        os.unlink(file.path(home))
        assert slots.unlock_asking(home, header, lambda _: GOOD) == (DATA_KEY, "passphrase")

    def test_a_person_may_mistype_twice(self, home: Home, header: Header) -> None:
        slots.add(home, header, DATA_KEY, "passphrase", GOOD)
        typed = iter([b"wrong once and for all", b"wrong again and again", GOOD])
        assert slots.unlock_asking(home, header, lambda _: next(typed)) == (DATA_KEY, "passphrase")

    def test_a_third_wrong_passphrase_is_the_last(self, home: Home, header: Header) -> None:
        slots.add(home, header, DATA_KEY, "passphrase", GOOD)
        labels: list[str] = []

        def ask(label: str) -> bytes:
            labels.append(label)
            return b"wrong once and for all"

        with pytest.raises(LockedError, match="wrong passphrase"):
            slots.unlock_asking(home, header, ask)
        assert len(labels) == 3

    def test_where_nobody_can_be_asked_the_store_is_locked(
        self, home: Home, header: Header
    ) -> None:
        slots.add(home, header, DATA_KEY, "passphrase", GOOD)

        def ask(_label: str) -> bytes:
            raise UsageError("a question needs a terminal and there is none")

        with pytest.raises(LockedError, match="locked: a question needs a terminal") as refused:
            slots.unlock_asking(home, header, ask)
        assert refused.value.hint == "openclaw store unlock, at a terminal"

    def test_one_run_asks_once_however_often_it_opens_the_store(
        self, home: Home, header: Header
    ) -> None:
        slots.add(home, header, DATA_KEY, "passphrase", GOOD)
        asked: list[str] = []

        def ask(label: str) -> bytes:
            asked.append(label)
            return GOOD

        unlock = slots.unlocker(home, ask)
        assert unlock(header) == unlock(header) == (DATA_KEY, "passphrase")
        assert len(asked) == 1

    def test_what_is_remembered_of_one_store_does_not_open_another(
        self, home: Home, header: Header
    ) -> None:
        slots.add(home, header, DATA_KEY, "passphrase", GOOD)
        unlock = slots.unlocker(home, lambda _: GOOD)
        unlock(header)
        other = new_header()
        other.commitment = bytes(32)
        other.slots = header.slots
        with pytest.raises(LockedError):
            unlock(other)

    @pytest.mark.parametrize("short", [b"", b"x" * 11, "\u00e9".encode() * 11])
    def test_a_passphrase_of_fewer_than_twelve_characters_is_refused(
        self, short: bytes, home: Home, header: Header
    ) -> None:
        with pytest.raises(UsageError, match="12 characters are the least"):
            slots.add(home, header, DATA_KEY, "passphrase", short)

    def test_twelve_characters_are_enough_however_many_bytes_they_are(
        self, home: Home, header: Header
    ) -> None:
        slots.add(home, header, DATA_KEY, "passphrase", "\u00e9".encode() * 12)

    def test_a_keyboard_that_composes_letters_otherwise_opens_it_too(
        self, home: Home, header: Header
    ) -> None:
        slots.add(
            home, header, DATA_KEY, "passphrase", "caf\u00e9 cr\u00e8me br\u00fbl\u00e9e".encode()
        )
        typed = "cafe\u0301 cre\u0300me bru\u0302le\u0301e".encode()
        assert slots.unlock_with(home, header, "passphrase", typed) == DATA_KEY

    def test_a_passphrase_that_is_not_utf_8_is_refused(self, home: Home, header: Header) -> None:
        with pytest.raises(UsageError, match="not UTF-8"):
            slots.add(home, header, DATA_KEY, "passphrase", b"\xff" * 20)


def test_what_we_write_costs_64_mib_and_three_passes(home: Home, header: Header) -> None:
    slot = slots.add(home, header, DATA_KEY, "passphrase", GOOD)
    assert {key: slot.parameters[key] for key in "tpm"} == {"t": 3, "p": 4, "m": 65536}
    assert len(bytes.fromhex(slot.parameters["salt"])) == 16


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("m", 8),
        ("m", 19 * 1024 - 1),
        ("m", 1024 * 1024 + 1),
        ("m", 2**32),
        ("m", -1),
        ("m", "65536"),
        ("m", True),
        ("t", 0),
        ("t", 11),
        ("t", 2.0),
        ("p", 0),
        ("p", 9),
        ("salt", ""),
        ("salt", "00" * 15),
        ("salt", "zz"),
        ("salt", None),
        ("x", 1),
    ],
)
@pytest.mark.usefixtures("cheap")
def test_costs_out_of_bounds_are_damage_before_anything_is_derived(
    field: str, value: object, home: Home, header: Header
) -> None:
    slot = slots.add(home, header, DATA_KEY, "passphrase", GOOD)
    slot.parameters = {**slot.parameters, field: value}
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.process_time()
    with pytest.raises(IntegrityError, match="asks for what no version of openclaw writes"):
        slots.unlock_with(home, header, "passphrase", GOOD)
    assert time.process_time() - began < 0.1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 16 * 1024


def test_a_recovery_key_is_groups_that_can_be_read_aloud() -> None:
    shown = recovery.fresh().decode()
    groups = shown.split("-")
    assert len(groups) == 14
    assert {len(group) for group in groups} == {4}
    assert not set(shown) & set("ILOU")


@settings(max_examples=50)
@given(key=st.binary(min_size=32, max_size=32), data=st.data())
def test_a_recovery_key_is_read_as_people_write(key: bytes, data: st.DataObject) -> None:
    shown = recovery._written(key)  # noqa: SLF001  the pure half of `fresh`
    typed = shown.replace("-", data.draw(st.sampled_from(["", " ", "-", " - ", "\n"])))
    typed = data.draw(st.sampled_from([typed, typed.lower(), f"  {typed}\r\n"]))
    typed = typed.replace("0", data.draw(st.sampled_from("0oO")))
    typed = typed.replace("1", data.draw(st.sampled_from("1iIlL")))
    assert recovery._read(typed.encode()) == key  # noqa: SLF001


@settings(max_examples=50)
@given(at=st.integers(0, 55), by=st.integers(1, 31))
def test_one_wrong_letter_of_a_recovery_key_is_called_a_slip(at: int, by: int) -> None:
    letters = list(recovery.fresh().decode().replace("-", ""))
    alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    letters[at] = alphabet[(alphabet.index(letters[at]) + by) % 32]
    with pytest.raises(LockedError, match="has a slip in it"):
        recovery._read("".join(letters).encode())  # noqa: SLF001


@given(typed=st.binary(max_size=80))
def test_whatever_is_typed_for_a_recovery_key_ends_in_our_own_error(typed: bytes) -> None:
    with pytest.raises(OpenclawError):
        recovery._read(typed)  # noqa: SLF001
