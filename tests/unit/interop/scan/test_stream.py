"""What is found in text, wherever it stands, and that nothing is found twice or missed."""

from __future__ import annotations

import base64
import io
import time
import urllib.parse
from collections.abc import Callable
from pathlib import Path

import cryptography_vectors
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_cli import providers
from openclaw_cli.interop.scan import stream
from openclaw_cli.interop.scan.finding import KEY, LIKELY, OWN, Finding
from openclaw_cli.interop.scan.shapes import beginnings, entropy, is_name, is_random
from openclaw_cli.running.masking import Needles

VALUE = b"p@ss word/Zq8&7\xc3\xa4"
KEYS = {
    "OpenAI": b"sk-proj-Xq3yVtG8mWbD2nKfLrTz",
    "AWS": b"AKIA" + b"QW3E4R5T6Y7UZQWE",
    "GitHub": b"ghp_" + b"Xq3yVtG8mWbD2nKfLrTzXq3yVtG8mWbD2nKf",
    "Slack": b"xoxb-12345678901-Xq3yVtG8mWbD",
    "Telegram": b"token: 123456789:A" + b"Aq3yVtG8mWbD2nKfLrTzAq3yVtG8mWbD2n"[:34],
    "PostgreSQL": b"postgresql://app:hunter2@db/app",
}


def search(**values: bytes) -> stream.Search:
    return stream.Search(Needles(values) if values else None, b"key")


def found(text: bytes, **values: bytes) -> list[Finding]:
    return list(search(**values).findings(io.BytesIO(text).read, "f"))


@pytest.mark.parametrize(
    "spelt",
    [
        lambda value: value,
        base64.b64encode,
        lambda value: base64.b64encode(b"x" + value),
        lambda value: base64.b64encode(b"xy" + value + b"z"),
        lambda value: urllib.parse.quote(value, safe="").encode(),
        lambda value: value.hex().encode(),
    ],
    ids=["raw", "base64", "base64+1", "base64+2", "url", "hex"],
)
def test_a_value_of_ours_is_found_in_each_spelling(spelt: Callable[[bytes], bytes]) -> None:
    told = found(b"one\ntwo " + spelt(VALUE) + b" three\n", db=VALUE)
    assert [(each.line, each.rule) for each in told] == [(2, OWN)]
    assert told[0].what.startswith("the value of db")


@pytest.mark.parametrize("title", KEYS)
def test_the_key_of_a_service_is_found_by_its_form(title: str) -> None:
    told = found(b"x\ny = '" + KEYS[title] + b"';\n")
    assert [(each.line, each.rule, each.what) for each in told] == [(2, KEY, f"a key of {title}")]


def test_within_a_word_nothing_begins() -> None:
    assert not found(b"task-proj-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")


@pytest.mark.parametrize(
    "text",
    [
        b'api_key: "q8Xw3LmZ7pTr9VbN2kYd"',
        b"export CORP_TOKEN=q8Xw3LmZ7pTr9VbN2kYd",
        b'{"clientSecret":"q8Xw3LmZ7pTr9VbN2kYd"}',
        b"Authorization: Bearer q8Xw3LmZ7pTr9VbN2kYd",
        b"password = 9f86d081884c7d659a2feaa0c55ad015",
    ],
)
def test_what_is_random_beside_a_word_for_secrets_is_likely_one(text: bytes) -> None:
    assert [each.rule for each in found(text)] == [LIKELY]


@pytest.mark.parametrize(
    "text",
    [
        b"api_key = os.environ.get('SOME_API_KEY_1')",
        b'"token": "your-token-goes-here-1234"',
        b"key: /usr/share/keys/2026/production-1",
        b'"integrity": "sha512-q8Xw3LmZ7pTr9VbN2kYdq8Xw3LmZ7pTr9VbN2kYd"',
        b"tokens_per_second_1 = 12345678901234567890",
        b"token = aaaaaaaaaaaaaaaaaaaa1",
        b"secret_id: 6ba7b810-9dad-11d1-80b4-00c04fd430c8",
        b'"license_key": "bsd-original-uc-1986"',
        b'"Key": "access_logs.s3.enabled"',
        b'"result_key": "ServerlessV2PlatformVersions"',
        b'"spdx_license_key": "LicenseRef-scancode-agpl-2.0"',
        b"keyid:17:9D:CD:1E:8B:D6:39:2B:70:D3:5C:D4:A0:B8:1F:B0",
        b"aws_access_key_id = AKIAIOSFODNN7EXAMPLE",
    ],
)
def test_words_paths_numbers_and_placeholders_are_none(text: bytes) -> None:
    assert not found(text)


VECTORS = {
    "NIST": b"[Keylen = 128]\nCount = 0\nKey = %b\nIV = f5a2b27c74355872\nCT = 12\nTag = aa\n",
    "KeySbox": b"KEY = %b\nIV = 00000000000000000000000000000000\nPLAINTEXT = 0\nCIPHERTEXT = 1\n",
    "Wycheproof": b'{"tcId": 1, "key": "%b", "iv": "f5a2", "aad": "", "msg": "", "ct": ""}',
    "CMAC": b"Key = %b\nMsg = \nMac = bb1d6929e95937287fa37d129b756746\n",
}


@pytest.mark.parametrize("kind", VECTORS)
def test_the_key_of_a_test_vector_is_none(kind: str) -> None:
    value = b"aa3e408afe1ab3e966afaa9c35fd25c0"
    assert not found(VECTORS[kind] % value)
    assert [each.rule for each in found(VECTORS[kind] % value, db=value)] == [OWN]
    assert [each.rule for each in found(b"Key = %b\nIV = f5\nregion = eu\n" % value)] == [LIKELY]


@pytest.mark.slow
def test_in_all_the_test_vectors_of_a_library_few_look_like_secrets() -> None:
    folder = Path(cryptography_vectors.__file__).parent / "ciphers" / "AES"
    files = [*(folder / "CBC").iterdir(), *(folder / "CFB").iterdir()]
    files += [folder / "GCM" / "gcmDecrypt128.rsp"]
    told = [finding for each in files for finding in found(each.read_bytes())]
    assert sum(each.stat().st_size for each in files) > 2_000_000
    assert len(told) < 10


def test_a_passphrase_of_words_is_likely_one() -> None:
    assert [each.rule for each in found(b"password: correct-horse-battery-42")] == [LIKELY]


def test_a_name_is_told_apart_however_long_it_is() -> None:
    began = time.process_time()
    assert not is_name(b"-".join([b"1"] * 250) + b"!")
    assert time.process_time() - began < 1


@given(st.integers(0, 3 * 4096), st.integers(0, 40))
def test_a_match_is_found_once_wherever_the_windows_end(before: int, after: int) -> None:
    text = b"\n" * before + VALUE + b" " * after
    pieces = io.BytesIO(text)
    looked = search(db=VALUE)
    told = list(looked.findings(lambda _size: pieces.read(4096 + 13), "f"))
    assert [(each.line, each.rule) for each in told] == [(before + 1, OWN)]


def test_a_line_without_end_takes_no_more_memory_than_any_other() -> None:
    left = [64]
    longest = 0

    def read(size: int) -> bytes:
        left[0] -= 1
        return b"a" * size if left[0] >= 0 else b""

    looked = search(db=VALUE)
    spans = looked.spans

    def measured(text: bytes, *_rest: object) -> list[object]:
        nonlocal longest
        longest = max(longest, len(text))
        return list(spans(text))

    looked.spans = measured  # type: ignore[method-assign,assignment]
    assert not list(looked.findings(read, "f"))
    assert longest < 2 * stream.WINDOW


def test_a_fingerprint_is_the_same_for_a_value_and_says_nothing_without_the_key() -> None:
    here, there = found(VALUE, db=VALUE)[0], found(b"x " + VALUE, db=VALUE)[0]
    other = next(iter(stream.Search(Needles({"db": VALUE}), b"2").findings(_once(VALUE), "f")))
    assert here.fingerprint == there.fingerprint != other.fingerprint


def _once(text: bytes) -> Callable[[int], bytes]:
    pieces = iter((text, b""))
    return lambda _size: next(pieces)


def test_each_services_keys_have_a_beginning_or_are_found_beside_a_word() -> None:
    without = {
        provider.name
        for provider in map(providers.get, providers.names())
        for pattern in provider.distinct
        if not beginnings(pattern)
    }
    assert without == {"discord", "telegram"}


def test_beginnings_are_what_the_pattern_says() -> None:
    assert beginnings(rb"(?:AK|AS)IA[0-9]{2}") == {b"AKIA", b"ASIA"}
    assert beginnings(rb"[sr]k_(?:org_)?x") == {b"sk_", b"rk_"}
    assert beginnings(rb"SG\.[a-z]+") == {b"SG."}
    assert beginnings(rb"ab+c") == set()


def test_entropy_is_in_bits_a_letter() -> None:
    assert entropy(b"abab") == 1
    assert entropy(b"abcdefgh") == 3
    assert not is_random(b"short1")


def test_in_code_a_secret_stands_in_quotes_and_a_name_does_not() -> None:
    text = b"token:q8Xw3LmZ7pTr9VbN2kYd, key='z8Xw3LmZ7pTr9VbN2kYd'"
    for path, count in (("a.js", 1), ("a.yaml", 2), ("a.min.js", 0)):
        assert len(list(search().findings(io.BytesIO(text).read, path))) == count, path
