"""The key slot of AWS KMS, on moto over HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from openclaw_cli.errors import (
    DeniedError,
    IntegrityError,
    LockedError,
    NotFoundError,
    OpenclawError,
    TemporaryError,
    UsageError,
)
from openclaw_cli.home import Home
from openclaw_cli.store.header import Header, Slot
from openclaw_cli.store.keys import aws_kms, slots
from openclaw_cli.testing.slots import DATA_KEY, SlotContract, new_header
from tests.hostile_http import HostileServer
from tests.integration.moto_server import REGION, Moto, policy, variables

pytestmark = pytest.mark.integration


@pytest.fixture
def moto(moto: Moto, monkeypatch: pytest.MonkeyPatch) -> Moto:
    """Give moto, empty, and let Amazon's variables lead to it."""
    moto.reset()
    for name, value in variables(moto.address).items():
        monkeypatch.setenv(name, value)
    return moto


@pytest.fixture
def key(moto: Moto) -> str:
    """Return the ARN of a KMS key."""
    made: str = moto.client("kms").create_key()["KeyMetadata"]["Arn"]
    return made


@pytest.fixture
def home(tmp_path: object) -> Home:
    return Home(f"{tmp_path}/state")


@pytest.fixture
def header() -> Header:
    return new_header()


class TestAwsKms(SlotContract):
    kind = "aws-kms"

    @pytest.fixture(autouse=True)
    def _key(self, key: str) -> None:
        self.key = key

    def given(self) -> bytes:
        return self.key.encode()


def test_the_key_is_bound_to_the_store_and_the_slot(
    moto: Moto, key: str, home: Home, header: Header
) -> None:
    slot, wrapping_key = slots.made(home, header.store, "aws-kms", key.encode())
    client = moto.client("kms")
    encrypted = bytes.fromhex(slot.parameters["encrypted"])
    context = {"store": header.store.hex(), "slot": slot.id.hex()}
    answer = client.decrypt(CiphertextBlob=encrypted, KeyId=key, EncryptionContext=context)
    assert answer["Plaintext"] == wrapping_key
    for other in ({}, {**context, "slot": "00" * 8}, {**context, "store": "00" * 16}):
        with pytest.raises(client.exceptions.InvalidCiphertextException):
            client.decrypt(CiphertextBlob=encrypted, KeyId=key, EncryptionContext=other)


def test_a_slot_moved_into_another_place_does_not_open(
    key: str, home: Home, header: Header
) -> None:
    slot = slots.add(home, header, DATA_KEY, "aws-kms", key.encode())
    header.slots = [Slot(bytes(8), slot.kind, slot.parameters, slot.wrapped)]
    with pytest.raises(LockedError, match="does not open this store"):
        slots.unlock_with(home, header, "aws-kms")


def test_an_alias_or_an_id_is_kept_as_the_key_it_means(
    moto: Moto, key: str, home: Home, header: Header
) -> None:
    client = moto.client("kms")
    client.create_alias(AliasName="alias/openclaw", TargetKeyId=key)
    for given in ("alias/openclaw", key.rpartition("/")[2]):
        slot = slots.add(home, header, DATA_KEY, "aws-kms", given.encode())
        assert slot.parameters["key"] == key
        assert aws_kms.where(home, header.store, slot) == key
    other = client.create_key()["KeyMetadata"]["KeyId"]
    client.update_alias(AliasName="alias/openclaw", TargetKeyId=other)
    assert slots.unlock_with(home, header, "aws-kms") == DATA_KEY


def test_the_region_is_that_of_the_key(
    key: str, home: Home, header: Header, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_REGION", "us-east-2")
    slots.add(home, header, DATA_KEY, "aws-kms", key.encode())
    monkeypatch.delenv("AWS_REGION")
    assert slots.unlock_with(home, header, "aws-kms") == DATA_KEY


def test_the_store_opens_with_it_without_asking(key: str, home: Home, header: Header) -> None:
    slots.add(home, header, DATA_KEY, "aws-kms", key.encode())

    def never(_label: str) -> bytes:
        raise AssertionError("nobody was to be asked")

    assert slots.unlock_asking(home, header, never) == (DATA_KEY, "aws-kms")


@pytest.mark.parametrize("given", [b"", b"a b", b"\xff", b"https://x", b"arn:aws:s3:::x"])
def test_what_is_not_a_key_of_kms_is_refused_before_anything_is_sent(
    given: bytes, home: Home, header: Header
) -> None:
    with pytest.raises(UsageError) as refused:
        slots.add(home, header, DATA_KEY, "aws-kms", given)
    assert "--key-id" in refused.value.hint


def test_a_key_that_is_not_there_is_not_found(moto: Moto, home: Home, header: Header) -> None:
    del moto
    with pytest.raises(NotFoundError):
        slots.add(home, header, DATA_KEY, "aws-kms", b"alias/nobody")
    assert not header.slots


def allowed(*actions: str) -> dict[str, object]:
    return policy(
        *(f'{{"Effect": "Allow", "Action": "{each}", "Resource": "*"}}' for each in actions)
    )


def test_one_who_may_encrypt_but_not_decrypt_makes_no_slot(
    moto: Moto, key: str, home: Home, header: Header, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables(moto.address, *moto.user(allowed("kms:Encrypt"))).items():
        monkeypatch.setenv(name, value)
    with moto.strict(), pytest.raises(DeniedError) as denied:
        slots.add(home, header, DATA_KEY, "aws-kms", key.encode())
    assert json.loads("{" + denied.value.hint.partition("{")[2]) == {
        "Effect": "Allow",
        "Action": "kms:Decrypt",
        "Resource": key,
    }
    assert not header.slots


def test_one_who_may_not_decrypt_is_told_the_policy_that_would_open_the_store(
    moto: Moto, key: str, home: Home, header: Header, monkeypatch: pytest.MonkeyPatch
) -> None:
    slots.add(home, header, DATA_KEY, "aws-kms", key.encode())
    for name, value in variables(moto.address, *moto.user(allowed("kms:Encrypt"))).items():
        monkeypatch.setenv(name, value)
    with moto.strict(), pytest.raises(DeniedError) as locked:
        slots.unlock_with(home, header, "aws-kms")
    assert f'"Action": "kms:Decrypt", "Resource": "{key}"' in locked.value.hint


@pytest.mark.parametrize(
    ("behaviour", "error"),
    [
        ("html", LockedError),
        ("json-empty", LockedError),
        ("json-deep", TemporaryError),
        ("redirect", LockedError),
        ("400-echo", LockedError),
        ("nothing", TemporaryError),
        ("503", TemporaryError),
        ("hang", TemporaryError),
    ],
)
def test_a_server_in_the_place_of_kms_leaves_the_store_closed(
    behaviour: str,
    error: type[OpenclawError],
    key: str,
    home: Home,
    header: Header,
    monkeypatch: pytest.MonkeyPatch,
    short: Callable[[], None],
) -> None:
    slots.add(home, header, DATA_KEY, "aws-kms", key.encode())
    short()
    with HostileServer("html") as other, HostileServer(behaviour, to=other.address) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.address)
        with pytest.raises(error):
            slots.unlock_with(home, header, "aws-kms")
        assert not other.requests
        slots.add(home, header, DATA_KEY, "passphrase", b"correct horse battery staple")
        asked = slots.unlock_asking(home, header, lambda _: b"correct horse battery staple")
        assert asked == (DATA_KEY, "passphrase")


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Return what makes KMS be waited for no longer than it takes."""
    return lambda: monkeypatch.setattr(aws_kms, "SECONDS", 3.0)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("key", None),
        ("key", "arn:aws:kms:eu-west-1.evil.example:123456789012:key/x"),
        ("key", "arn:aws:kms:eu-west-1/x:123456789012:key/x"),
        ("encrypted", ""),
        ("encrypted", "zz"),
        ("encrypted", 7),
        ("encrypted", "00" * 1025),
        ("endpoint", "http://evil.example"),
    ],
)
def test_parameters_that_nobody_writes_are_damage_before_anything_is_sent(
    field: str, value: object, home: Home, header: Header
) -> None:
    arn = f"arn:aws:kms:{REGION}:123456789012:key/x"
    parameters = {"key": arn, "encrypted": "00", "since": 1, field: value}
    header.slots = [Slot(bytes(8), "aws-kms", parameters, bytes(60))]
    with pytest.raises(IntegrityError):
        slots.unlock_with(home, header, "aws-kms")
