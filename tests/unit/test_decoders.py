"""Whatever bytes lie there, the decoders give an answer or an error that they declare."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from openclaw_cli.audit import chain
from openclaw_cli.audit import head as heads
from openclaw_cli.errors import ConfigError, IntegrityError
from openclaw_cli.leanjson import dumps
from openclaw_cli.store import directory, index
from openclaw_cli.store import header as headers
from openclaw_cli.store.header import Header, Slot
from openclaw_cli.store.index import Index, Place
from openclaw_cli.store.record import RANDOM, open_record, seal_record
from tests.conftest import NIGHTLY

many = settings(max_examples=20_000 if NIGHTLY else 300)

KEY = bytes(range(32))


def header() -> Header:
    made = Header()
    made.store, made.epoch, made.generation = bytes(16), 1, 7
    made.commitment = headers.commitment(KEY, made.store, 1)
    made.floor_seq, made.floor_mac = 3, bytes(32)
    made.index_salt, made.index_length = bytes(32), 0
    made.slots = [
        Slot(bytes(8), "file", {}, bytes(60)),
        Slot(bytes(8), "passphrase", {"salt": "00", "memory": 65536}, bytes(60)),
    ]
    return made


def damaged(whole: bytes) -> st.SearchStrategy[bytes]:
    """Give bytes near these: a few changed, some inserted, some cut off; or any bytes at all."""
    places = st.integers(0, len(whole))

    def changed(at: int, size: int, put: bytes, end: int) -> bytes:
        return (whole[:at] + put + whole[at + size :])[:end]

    near = st.builds(changed, places, st.integers(0, 12), st.binary(max_size=12), places)
    return near | st.binary(max_size=300) | near.map(lambda data: whole[:8] + data[8:])


def only(decode: Callable[[], object], *declared: type[Exception]) -> None:
    """Call it; what it declares is fine, anything else fails the test."""
    with suppress(*declared):
        decode()


@many
@given(damaged(header().encode()))
def test_a_header(data: bytes) -> None:
    only(lambda: headers.decode(data), IntegrityError, ConfigError)


@many
@given(st.binary(max_size=4096), st.integers(0, 5))
def test_a_header_of_the_right_shape_with_any_slots(slots: bytes, count: int) -> None:
    whole = bytearray(header().encode())
    fixed = whole[12:129]
    fixed[-1] = count
    body = bytes(fixed) + slots
    data = b"OCSTORE1" + len(body).to_bytes(4, "big") + body
    only(lambda: headers.decode(data), IntegrityError, ConfigError)


@many
@given(damaged(header().encode()))
def test_a_header_that_is_read_is_written_the_same(data: bytes) -> None:
    try:
        found, end = headers.decode(data)
    except (IntegrityError, ConfigError):
        return
    assert len(found.encode()) == end or found.encode() != data[:end]


def sealed() -> tuple[Header, bytes]:
    made = header()
    place = Place(500, 40, bytes(16))
    entry = index.entry(KEY, "kept", 1, place)
    made.index_length = index.sealed_length(entry)
    return made, index.seal_index(KEY, made, Index(KEY, KEY, place, 900, entry))


@many
@given(damaged(sealed()[1]))
def test_an_index(data: bytes) -> None:
    made, whole = sealed()
    if data != whole:
        only(lambda: index.open_index(KEY, made, made.encode(), data), IntegrityError)
        return
    found = index.open_index(KEY, made, made.encode(), data)
    assert found.find("kept") is not None
    assert found.find("other") is None


def read_all(data: bytes) -> None:
    """Read a directory in every way."""
    found = directory.decode(data)
    for read in (
        lambda: found.entries.get("kept"),
        found.entries.deleted,
        found.entries.glances,
        found.entries.values,
        lambda: directory.encode(found),
    ):
        only(read, IntegrityError)


@many
@given(damaged(directory.encode(directory.Directory()) + b'\n["kept",0,"",1,{},{},[]]' * 2))
def test_a_directory_even_with_the_key(data: bytes) -> None:
    only(lambda: read_all(data), IntegrityError, ConfigError)


anything: st.SearchStrategy[object] = st.sampled_from(
    [None, True, 0, -1, 10**30, "", "x", [], [[]], [1, "current", 2, 3, "set", 4, 5, "00"], {}]
)


@many
@given(st.lists(st.lists(anything, min_size=7, max_size=7) | anything, max_size=3), anything)
def test_a_directory_of_the_right_shape_with_anything_in_it(
    lines: list[object], extra: object
) -> None:
    data = "\n".join(map(dumps, [{"v": 1, "extra": extra}, *lines])).encode()
    only(lambda: read_all(data), IntegrityError, ConfigError)


RECORD = seal_record(KEY, b"bound", b"hunter2", bytes(RANDOM))


@many
@given(damaged(RECORD))
def test_a_record(data: bytes) -> None:
    if data == RECORD:
        assert open_record(KEY, b"bound", data, RECORD[-16:], "x") == b"hunter2"
    else:
        only(lambda: open_record(KEY, b"bound", data, data[-16:], "x"), IntegrityError)


HEAD = heads.Head().encode(KEY, bytes(16))


@many
@given(damaged(HEAD))
def test_a_head_of_the_trail(data: bytes) -> None:
    if data == HEAD:
        assert heads.decode(data, KEY, bytes(16)).seq == 0
    else:
        only(lambda: heads.decode(data, KEY, bytes(16)), ValueError)


LINE, MAC = chain.line(KEY, chain.START, {"seq": 1, "at": "2026-11-20", "kind": "x"})


@many
@given(damaged(LINE))
def test_a_line_of_the_trail(data: bytes) -> None:
    only(lambda: chain.parse(data), ValueError)
    if data == LINE:
        assert chain.verified(KEY, chain.START, data) == MAC
    else:
        only(lambda: chain.verified(KEY, chain.START, data), ValueError)
