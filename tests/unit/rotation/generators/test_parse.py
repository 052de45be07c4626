from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openclaw_cli.errors import OpenclawError, UsageError
from openclaw_cli.rotation import generators


@pytest.mark.parametrize(
    ("spec", "described"),
    [
        ("", "password, 24 characters, 144 bits"),
        ("password", "password, 24 characters, 144 bits"),
        ("password:32", "password, 32 characters, 193 bits"),
        ("password:length=40,symbols=no", "password, 40 characters, 238 bits"),
        ("password:40:symbols=no", "password, 40 characters, 238 bits"),
        ("token", "token, 32 bytes as urlsafe, 256 bits"),
        ("token:hex:16", "token, 16 bytes as hex, 128 bits"),
        ("token:16", "token, 16 bytes as urlsafe, 128 bits"),
        ("token:base64", "token, 32 bytes as base64, 256 bits"),
        ("token:bytes=16,format=hex", "token, 16 bytes as hex, 128 bits"),
        ("passphrase", "passphrase, 8 words, 88 bits"),
        ("passphrase:6", "passphrase, 6 words, 66 bits"),
        ("uuid", "uuid, version 4, 122 bits"),
        ("ed25519", "ed25519 key, 128 bits of strength"),
        ("rsa", "rsa key of 3072 bits, 128 bits of strength"),
        ("rsa:4096", "rsa key of 4096 bits, 128 bits of strength"),
        ("rsa:2048", "rsa key of 2048 bits, 112 bits of strength"),
        ("ssh", "ssh key (ed25519), 128 bits of strength"),
    ],
)
def test_a_spec_is_understood_and_says_what_it_gives(spec: str, described: str) -> None:
    assert generators.parse(spec).describe() == described


@pytest.mark.parametrize(
    ("spec", "message", "hint"),
    [
        ("pasword", "no generator is called pasword", "did you mean password?"),
        ("password:x", "length of password must be a whole number from 1 to 1024", "--generate="),
        ("password:length=0", "length of password must be", "--generate="),
        ("password:length=032", "length of password must be", "--generate="),
        ("password:length=³²", "length of password must be", "--generate="),
        ("password:24:24", "password cannot take 24", "--generate="),
        ("password:length=24,length=25", "length of password is given twice", "--generate="),
        ("password:size=24", "password has no option size", "known: length, lower"),
        ("password:digits=maybe", "digits of password must be yes, no or optional", ""),
        ("password:symbols=", "symbols of password must be", "--generate="),
        ("password:symbols=abc", "symbols of password must be", "--generate="),
        ("password:exclude=é", "exclude of password must be printable characters", ""),
        ("token:md5", "token cannot take md5", "--generate=token:hex:32"),
        ("token:hex:hex", "bytes of token must be a whole number", "--generate=token:hex:32"),
        ("rsa:1024", "bits of rsa must be a whole number from 2048 to 8192", "rsa:4096"),
        ("uuid:4", "uuid cannot take 4", "--generate=uuid"),
        ("uuid:version=4", "uuid has no option version", "known: none"),
    ],
)
def test_a_spec_that_is_not_understood_is_refused_with_an_example(
    spec: str, message: str, hint: str
) -> None:
    with pytest.raises(UsageError) as caught:
        generators.parse(spec)
    assert caught.value.message.startswith(message)
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("spec", "hint"),
    [
        ("password:8", "length=11 is enough"),
        ("password:1", "length=11 is enough"),
        ("password:10,lower=no,upper=no,symbols=no", "length=20 is enough"),
        ("password:1000,lower=no,upper=no,digits=no,symbols=!", "allow more characters"),
        ("passphrase:5", "words=6"),
        ("token:7", "bytes=8"),
    ],
)
def test_what_could_be_guessed_is_refused_and_the_hint_would_do(spec: str, hint: str) -> None:
    with pytest.raises(UsageError, match="64 are the least") as caught:
        generators.parse(spec)
    assert caught.value.hint == hint
    if "=" in hint:
        kind, option = spec.partition(":")[0], hint.partition(" ")[0]
        rest = spec.partition(",")[2]
        generators.parse(f"{kind}:{option},{rest}")


def test_excluded_characters_may_be_the_spec_s_own_separators() -> None:
    value = generators.parse("password:1000,symbols=-=,exclude=0:,=").generate().value
    assert not set(b"0:,=") & set(value)
    assert set(b"-") & set(value)


@settings(max_examples=500, deadline=None)
@given(
    kind=st.sampled_from(("", "password", "token", "passphrase", "rsa", "uuid")),
    rest=st.text(alphabet="lengthbywors=:,0129no-é", max_size=30) | st.text(max_size=30),
)
def test_no_spec_fails_otherwise_than_with_our_words(kind: str, rest: str) -> None:
    try:
        bits, hint = generators.parse(f"{kind}:{rest}").entropy_bits, "none needed"
    except OpenclawError as refused:
        bits, hint = float(generators.MINIMUM_BITS), refused.hint
    assert bits >= generators.MINIMUM_BITS
    assert hint
