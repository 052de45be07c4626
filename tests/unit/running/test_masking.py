"""What the masker promises, for any value, any spelling and any split."""

from __future__ import annotations

import base64
import itertools
import json
import random
import shlex
import string
import urllib.parse
from typing import TYPE_CHECKING

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from openclaw_cli.running.masking import Masker, Needles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

KEY = b"sk-proj-0123456789abcdefghij"
PEM = (
    b"-----BEGIN PRIVATE KEY-----\n"
    b"MC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF\n"
    b"QeP7o+bJ1Uu8lM3z0Z5kq2cXyW4tRr6NsVdHgTfYbKa\n"
    b"-----END PRIVATE KEY-----\n"
)

UNRESERVED = (string.ascii_letters + string.digits + "-_.~").encode()
MASKS = (b"[openclaw:KEY]", b"[openclaw (several)]", b"[openclaw]", b"[*]")


def _encode_uri_component(value: bytes) -> bytes:
    return urllib.parse.quote(value, safe="!'()*").encode()


def _text(write: Callable[[str], str]) -> Callable[[bytes], bytes]:
    def spelled(value: bytes) -> bytes:
        try:
            return write(value.decode()).encode()
        except UnicodeDecodeError:
            return value

    return spelled


def _go_json(text: str) -> str:
    escaped = json.dumps(text, ensure_ascii=False)[1:-1]
    return escaped.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _upper_json(text: str) -> str:
    letters = (json.dumps(letter)[1:-1] for letter in text)
    return "".join(
        letter.upper().replace("U", "u") if letter.startswith("\\u") else letter
        for letter in letters
    )


ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "raw": bytes,
    "base64 at 0": base64.b64encode,
    "base64 at 1": lambda value: base64.b64encode(b"u" + value + b"tail"),
    "base64 at 2": lambda value: base64.b64encode(b"u:" + value + b"tail"),
    "base64url at 0": base64.urlsafe_b64encode,
    "base64url at 1": lambda value: base64.urlsafe_b64encode(b"\xff" + value + b"\xff"),
    "base64url unpadded": lambda value: base64.urlsafe_b64encode(b"\xff\xfe" + value).rstrip(b"="),
    "hex": lambda value: value.hex().encode(),
    "HEX": lambda value: value.hex().upper().encode(),
    "url": lambda value: urllib.parse.quote(value).encode(),
    "url, no slash": lambda value: urllib.parse.quote(value, safe="").encode(),
    "url, lower": lambda value: b"".join(
        bytes((byte,)) if byte in UNRESERVED else b"%%%02x" % byte for byte in value
    ),
    "url, plus": lambda value: urllib.parse.quote_plus(value).encode(),
    "encodeURIComponent": _encode_uri_component,
    "json": _text(lambda text: json.dumps(text)[1:-1]),
    "json, utf-8": _text(lambda text: json.dumps(text, ensure_ascii=False)[1:-1]),
    "json, slashes": _text(lambda text: json.dumps(text)[1:-1].replace("/", "\\/")),
    "json, Go": _text(_go_json),
    "json, upper": _text(_upper_json),
    "quoted": lambda value: shlex.quote(value.decode("latin-1")).encode("latin-1"),
    "single quotes": lambda value: value.replace(b"'", b"'\\''"),
    "repr of bytes": lambda value: repr(value).encode(),
}

values = st.one_of(
    st.binary(min_size=4, max_size=60),
    st.text(min_size=4, max_size=40).map(str.encode),
    st.text(alphabet="ab", min_size=4, max_size=12).map(str.encode),
    st.text(alphabet="az09-_/+'\"\\ $&<é\n", min_size=4, max_size=40).map(str.encode),
)


def masked(needles: Needles, chunks: Iterable[bytes], *, idle: bool = False) -> bytes:
    masker = Masker(needles)
    written = []
    for chunk in chunks:
        written.append(masker.feed(chunk))
        if idle:
            written.append(masker.idle())
    return b"".join([*written, masker.finish()])


def split(text: bytes, points: Iterable[int]) -> list[bytes]:
    cuts = [0, *sorted(point % (len(text) + 1) for point in points), len(text)]
    return [text[a:b] for a, b in itertools.pairwise(cuts)]


def plain_parts(output: bytes) -> list[bytes]:
    """Return what the program itself wrote, without the masks that we wrote between."""
    for word in ("several", "lines", "line", "base64", "hex", "url", "json", "shell", "repr"):
        output = output.replace(f"[openclaw:KEY ({word})]".encode(), b"\xff\0SPLIT\0\xff")
    for mask in MASKS:
        output = output.replace(mask, b"\xff\0SPLIT\0\xff")
    return output.split(b"\xff\0SPLIT\0\xff")


@pytest.mark.parametrize("encoder", ENCODERS)
@given(
    value=values,
    before=st.binary(max_size=8),
    after=st.binary(max_size=8),
    points=st.lists(st.integers(0, 400), max_size=8),
    idle=st.booleans(),
)
@example(value=KEY, before=b"key=", after=b"\n", points=list(range(60)), idle=False)
@example(value=PEM, before=b"", after=b"", points=list(range(0, 260, 7)), idle=False)
def test_no_spelling_of_a_value_survives_any_split(
    encoder: str, *, value: bytes, before: bytes, after: bytes, points: list[int], idle: bool
) -> None:
    spelled = ENCODERS[encoder](value)
    needles = Needles({"KEY": value})
    output = masked(needles, split(before + spelled + after, points), idle=idle)
    assert b"[" in output
    assert not any(value in part or spelled in part for part in plain_parts(output))


@given(text=st.binary(max_size=300), points=st.lists(st.integers(0, 300)), idle=st.booleans())
def test_text_without_values_is_unchanged_byte_for_byte(
    text: bytes, points: list[int], idle: bool
) -> None:
    needles = Needles({"KEY": KEY, "PEM": PEM, "ab": b"abab"})
    assume(not needles.found(text))
    assert masked(needles, split(text, points), idle=idle) == text


@given(
    text=st.text(alphabet="ab \n", max_size=60).map(str.encode),
    secrets=st.lists(
        st.text(alphabet="ab", min_size=4, max_size=9).map(str.encode), min_size=1, max_size=4
    ),
    points=st.lists(st.integers(0, 60), max_size=20),
    idle=st.booleans(),
)
def test_overlapping_and_adjacent_values_leave_nothing_and_take_nothing_else(
    *, text: bytes, secrets: list[bytes], points: list[int], idle: bool
) -> None:
    """Compared with the plainest way to say it: mark every byte that some value covers."""
    covered = bytearray(len(text))
    for secret in secrets:
        for at in range(len(text)):
            if text.startswith(secret, at):
                covered[at : at + len(secret)] = b"\1" * len(secret)
    needles = Needles({f"S{number}": secret for number, secret in enumerate(secrets)})
    output = masked(needles, split(text, points), idle=False)
    left = bytes(byte for byte, hidden in zip(text, covered, strict=True) if not hidden)
    for number in range(len(secrets)):
        output = output.replace(b"[openclaw:S%d]" % number, b"")
    assert output.replace(b"[openclaw (several)]", b"") == left
    if idle:
        early = masked(needles, split(text, points), idle=True)
        assert not any(secret in part for secret in secrets for part in early.split(b"["))


@given(text=st.binary(max_size=200))
def test_text_that_ends_in_no_beginning_of_a_value_is_out_at_once(text: bytes) -> None:
    needles = Needles({"KEY": KEY})
    prompt = text + b"Password: "
    assume(not needles.found(prompt))
    assert Masker(needles).feed(prompt) == prompt


@given(text=st.binary(max_size=60), size=st.integers(1, len(KEY) - 1))
def test_only_the_beginning_of_a_value_is_held_back(text: bytes, size: int) -> None:
    needles = Needles({"KEY": KEY})
    assume(not needles.found(text + KEY[:size]))
    assume(needles.begun(text) == len(text))
    masker = Masker(needles)
    assert masker.feed(text + KEY[:size]) == text
    assert masker.finish() == KEY[:size]


def test_a_typed_letter_with_which_a_value_begins_is_shown_when_nothing_follows() -> None:
    masker = Masker(Needles({"KEY": KEY}))
    shown = b""
    for letter in (b"s", b"k", b" ", b"s"):
        shown += masker.feed(letter) + masker.idle()
    assert shown == b"sk s"
    assert masker.feed(KEY[1:]) == b"[openclaw:KEY]"


def test_at_most_three_bytes_of_a_value_written_slowly_are_shown() -> None:
    masker = Masker(Needles({"KEY": KEY}))
    shown = b"".join(masker.feed(bytes((byte,))) + masker.idle() for byte in KEY)
    assert shown + masker.finish() == KEY[:3] + b"[openclaw:KEY]"


def test_a_short_value_is_not_searched_for_and_is_named() -> None:
    needles = Needles({"PIN": b"123", "KEY": KEY})
    assert needles.unmasked == ["PIN"]
    assert masked(needles, [b"123 " + KEY]) == b"123 [openclaw:KEY]"


def test_without_values_everything_passes() -> None:
    masker = Masker(Needles({}))
    assert masker.feed(b"anything") + masker.finish() == b"anything"


def test_a_mask_says_which_secret_and_which_spelling() -> None:
    needles = Needles({"team/openai": KEY, "pem": PEM})
    text = b" ".join([KEY, base64.b64encode(KEY), KEY.hex().encode(), PEM])
    assert masked(needles, [text]) == (
        b"[openclaw:team/openai] [openclaw:team/openai (base64)] [openclaw:team/openai (hex)] "
        b"[openclaw:pem]"
    )


def test_the_lines_of_a_key_are_masked_one_by_one_but_not_the_header_all_keys_share() -> None:
    lines = PEM.splitlines()
    output = masked(Needles({"pem": PEM}), [b"> %s\n" % line for line in lines])
    assert output == (
        b"> -----BEGIN PRIVATE KEY-----\n> [openclaw:pem (line)]\n> [openclaw:pem (line)]\n"
        b"> -----END PRIVATE KEY-----\n"
    )


@pytest.mark.parametrize("width", [64, 76])
def test_base64_in_lines_is_masked(width: int) -> None:
    whole = base64.b64encode(PEM)
    lines = [whole[at : at + width] for at in range(0, len(whole), width)]
    output = masked(Needles({"pem": PEM}), [b"\n".join(lines)])
    assert output == b"\n".join([b"[openclaw:pem (base64)]"] * len(lines))


def test_a_mask_never_says_a_value() -> None:
    needles = Needles({"password": b"password", "tool": b"openclaw"})
    output = masked(needles, [b"the password is password, the tool openclaw"])
    assert output == b"the [*] is [*], the tool [*]"


def test_a_value_of_the_greatest_size_is_masked_with_little_held_back() -> None:
    value = random.Random(2).randbytes(65536)
    masker = Masker(Needles({"big": value}))
    output = b"".join(masker.feed(value[at : at + 1000]) for at in range(0, len(value), 1000))
    assert len(masker.feed(b"x" * 9000)) >= 8990
    assert not any(value[at : at + 8] in output for at in range(len(value) - 8))
    assert output.count(b"[openclaw") >= 15


def test_two_values_that_overlap_are_hidden_entirely() -> None:
    needles = Needles({"one": b"abcdX", "two": b"Xefgh"})
    assert masked(needles, [b"<abcdXefgh>"]) == b"<[openclaw (several)]>"
    assert masked(needles, [b"<abcdX", b"efgh>"]) == b"<[openclaw:one][openclaw:two]>"


def test_the_longer_of_two_values_that_begin_alike_names_the_mask() -> None:
    needles = Needles({"short": b"token", "long": b"token-with-more"})
    assert masked(needles, [b"tok", b"en-with", b"-more token-without"]) == (
        b"[openclaw:long] [openclaw:short]-without"
    )
