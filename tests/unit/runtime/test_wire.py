"""Messages come whole, however they are cut, and nothing but messages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_cli.runtime.wire import FRAME, HEAD, FrameError, Frames, frame, whole

PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(st.lists(st.dictionaries(st.text(), PLAIN), max_size=4), st.integers(1, 20))
def test_messages_come_whole_however_they_are_cut(
    messages: list[dict[str, object]], size: int
) -> None:
    data = b"".join(map(frame, messages))
    frames, found = Frames(), []
    for at in range(0, len(data), size):
        found += list(frames.feed(data[at : at + size]))
    assert found == messages


@given(st.dictionaries(st.text(), PLAIN), st.integers(0, 40))
def test_a_message_is_read_at_once_where_it_is_alone_and_whole(
    message: dict[str, object], size: int
) -> None:
    data = frame(message)
    assert whole(bytearray(data) + bytes(100), len(data)) == message
    assert whole(bytearray(data * 2), 2 * len(data)) is None
    assert whole(bytearray(data), min(size, len(data) - 1)) is None


def test_text_that_is_not_unicode_comes_through() -> None:
    text = b"\xff\x00value".decode(errors="surrogateescape")
    assert next(Frames().feed(frame({"x": text}))) == {"x": text}


@pytest.mark.parametrize("value", [float("nan"), {1, 2}, b"x", object()])
def test_what_json_has_not_is_refused(value: object) -> None:
    with pytest.raises(FrameError):
        frame({"x": value})


def test_what_is_too_long_is_refused_at_both_ends() -> None:
    with pytest.raises(FrameError):
        frame({"x": "x" * FRAME})
    with pytest.raises(FrameError):
        list(Frames().feed(HEAD.pack(FRAME + 1)))


@pytest.mark.parametrize("data", [b"[]", b"no", b"\xff", b"[" * 200_000])
def test_what_is_no_message_is_refused(data: bytes) -> None:
    with pytest.raises(FrameError):
        list(Frames().feed(HEAD.pack(len(data)) + data))
