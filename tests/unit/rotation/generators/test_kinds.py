from __future__ import annotations

import base64
import sys
import uuid
from collections import Counter
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
    load_ssh_private_key,
    load_ssh_public_key,
)

from openclaw_cli.errors import ConfigError
from openclaw_cli.rotation import generators
from openclaw_cli.rotation.generators.passphrase import word_list


def value_of(spec: str) -> bytes:
    return generators.parse(spec).generate().value


def test_a_token_holds_as_many_random_bytes_as_it_says() -> None:
    assert len(bytes.fromhex(value_of("token:hex:20").decode())) == 20
    assert len(base64.b64decode(value_of("token:base64:20"), validate=True)) == 20
    assert len(base64.urlsafe_b64decode(value_of("token:urlsafe:20") + b"=")) == 20


def test_a_urlsafe_token_needs_no_escaping() -> None:
    assert not set(value_of("token:urlsafe:1024")) & set(b"+/=")


def test_every_byte_of_a_token_is_as_likely_as_any_other() -> None:
    drawn: Counter[int] = Counter()
    for _ in range(100):
        drawn.update(bytes.fromhex(value_of("token:hex:1024").decode()))
    expected = 100 * 1024 / 256
    chi_squared = sum((drawn[byte] - expected) ** 2 / expected for byte in range(256))
    assert chi_squared < 380  # 255 degrees of freedom: 1 run in 1,000,000 has more


def test_a_uuid_is_one_of_version_4() -> None:
    made = uuid.UUID(value_of("uuid").decode())
    assert made.version == 4
    assert made.variant == uuid.RFC_4122


@pytest.mark.parametrize("spec", ["token", "uuid", "passphrase"])
def test_a_hundred_thousand_values_hold_no_two_alike(spec: str) -> None:
    made = generators.parse(spec)
    assert len({made.generate().value for _ in range(100_000)}) == 100_000


def test_a_passphrase_is_of_listed_words_with_the_separator_asked_for() -> None:
    listed = set(word_list())
    for separator, character in (("dash", "-"), ("dot", "."), ("space", " "), ("underscore", "_")):
        words = value_of(f"passphrase:7,separator={separator}").decode().split(character)
        assert len(words) == 7
        assert set(words) <= listed


def test_the_words_are_distinct_and_bear_no_separator() -> None:
    words = word_list()
    assert len(words) == len(set(words)) == 2048
    assert len({word[:4] for word in words}) == 2048
    assert all(word.isascii() and word.isalpha() and word.islower() for word in words)


def test_every_word_is_as_likely_as_any_other() -> None:
    made = generators.parse("passphrase:64")
    drawn: Counter[str] = Counter()
    for _ in range(640):
        drawn.update(made.generate().value.decode().split("-"))
    expected = 640 * 64 / 2048
    chi_squared = sum((drawn[word] - expected) ** 2 / expected for word in word_list())
    assert chi_squared < 2360  # 2047 degrees of freedom: 1 run in 1,000,000 has more


@pytest.mark.parametrize("words", [None, "", "one one two"])
def test_a_damaged_word_list_is_refused(
    words: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "mnemonic"
    (package / "wordlist").mkdir(parents=True)
    (package / "__init__.py").touch()
    if words is not None:
        (package / "wordlist" / "english.txt").write_text(words)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ConfigError, match="the word list of the mnemonic package is damaged"):
        generators.parse("passphrase")


def test_a_missing_word_list_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.setattr(sys, "path_importer_cache", {})
    with pytest.raises(ConfigError, match="needs the mnemonic package"):
        generators.parse("passphrase")


def test_an_ed25519_key_loads_and_its_public_half_belongs_to_it() -> None:
    made = generators.parse("ed25519").generate()
    key = load_pem_private_key(made.value, password=None)
    assert isinstance(key, Ed25519PrivateKey)
    assert made.public is not None
    assert load_pem_public_key(made.public.encode()) == key.public_key()


def test_an_rsa_key_loads_with_the_size_asked_for() -> None:
    made = generators.parse("rsa:2048").generate()
    key = load_pem_private_key(made.value, password=None)
    assert isinstance(key, RSAPrivateKey)
    assert key.key_size == 2048
    assert key.private_numbers().public_numbers.e == 65537
    assert made.public is not None
    assert load_pem_public_key(made.public.encode()) == key.public_key()


def test_an_ssh_key_loads_and_its_public_line_belongs_to_it() -> None:
    made = generators.parse("ssh").generate()
    key = load_ssh_private_key(made.value, password=None)
    assert isinstance(key, Ed25519PrivateKey)
    assert made.public is not None
    assert made.public.startswith("ssh-ed25519 ")
    public = load_ssh_public_key(made.public.encode())
    line = public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    assert line == key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
