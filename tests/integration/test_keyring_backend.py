"""The keyring backend on a real gnome-keyring; `secret-tool` is the independent look at it."""

from __future__ import annotations

import base64
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_cli.backends import keyring as module
from openclaw_cli.backends.keyring import KeyringBackend
from openclaw_cli.errors import (
    ConfigError,
    DeniedError,
    OpenclawError,
    RefusedError,
    TemporaryError,
)
from openclaw_cli.model import Secret, SecretValue
from openclaw_cli.testing.backends import (
    BatchedContract,
    CheckableContract,
    DeletableContract,
    Keep,
    ListableContract,
)
from tests.conftest import Openclaw
from tests.integration.test_keyring import (
    Desktop,
    desktop,  # noqa: F401 - a fixture
    off,  # noqa: F401 - a fixture
    plant,
)

pytestmark = pytest.mark.integration

SERVICE = "openclaw/secrets"
CANARY = b"sk-canary-7f3a"
MOST_OF_SECRET_TOOL = 4096  # bytes
PATIENCE = 8.0  # seconds that a busy machine may take over what alone takes well under one


@pytest.fixture
def backend(desktop: Desktop) -> KeyringBackend:  # noqa: F811
    del desktop
    return KeyringBackend({})


def store(user: str, value: bytes, service: str = SERVICE) -> None:
    """Let `secret-tool` keep a value."""
    command = ["secret-tool", "store", "--label=made by a test", "service", service]
    subprocess.run([*command, "username", user], input=value, check=True, timeout=20)


class TestKeyring(BatchedContract, DeletableContract, ListableContract, CheckableContract):
    @pytest.fixture
    def backend(self, desktop: Desktop) -> KeyringBackend:  # noqa: F811
        del desktop
        return KeyringBackend({})

    @pytest.fixture
    def keep(self, backend: KeyringBackend) -> Keep:
        def kept(path: str, value: bytes) -> None:
            if len(value) > MOST_OF_SECRET_TOOL:
                backend.put(path, SecretValue(value))
                return
            try:
                text = value if b"\0" not in value and value.decode() else None
            except UnicodeDecodeError:
                text = None
            store(path, text or b"base64 by openclaw: " + base64.b64encode(value))

        return kept


def test_another_program_sees_what_was_put(desktop: Desktop, backend: KeyringBackend) -> None:  # noqa: F811
    backend.put("openai/key", SecretValue(CANARY))
    assert desktop.lookup(SERVICE, "openai/key") == CANARY.decode()
    backend.put("bytes", SecretValue(b"\xff\x00"))
    assert desktop.lookup(SERVICE, "bytes") == "base64 by openclaw: /wA="
    backend.delete("openai/key")
    assert desktop.lookup(SERVICE, "openai/key") == ""


def test_the_commands_keep_and_read_a_secret_there(desktop: Desktop, openclaw: Openclaw) -> None:  # noqa: F811
    openclaw("secrets", "set", "keyring://openai/key", input=CANARY, check=0)
    assert openclaw("secrets", "get", "keyring://openai/key", check=0).out == CANARY
    assert desktop.lookup(SERVICE, "openai/key") == CANARY.decode()
    assert openclaw("secrets", "get", "keyring://none", check=3).out == b""
    openclaw("secrets", "delete", "keyring://openai/key", "--yes", check=0)
    assert desktop.lookup(SERVICE, "openai/key") == ""


def test_the_items_of_another_program_can_be_read(backend: KeyringBackend) -> None:
    del backend
    store("ada", CANARY, service="mail.example.org")
    mail = KeyringBackend({"service": "mail.example.org"})
    assert mail.get("ada").value.reveal() == CANARY
    assert mail.names() == ["ada"]
    assert KeyringBackend({}).names() == []


def test_what_another_program_marked_or_kept_as_bytes_is_refused(backend: KeyringBackend) -> None:
    store("marked", b"base64 by openclaw: no base64")
    store("bytes", b"\xff\xfe")
    store("good", CANARY)
    found = backend.get_many(["marked", "bytes", "good"])
    assert [type(each) for each in found.values()] == [RefusedError, RefusedError, Secret]
    with pytest.raises(RefusedError):
        backend.get("bytes")


def test_the_item_of_another_program_is_replaced_and_not_doubled(
    desktop: Desktop,  # noqa: F811
    backend: KeyringBackend,
) -> None:
    for number in range(4):  # which of two would be found is a matter of chance
        user = f"key{number}"
        command = ["secret-tool", "store", "--label=x", "service", SERVICE, "username", user]
        subprocess.run([*command, "more", "of it"], input=b"theirs", check=True, timeout=20)
        assert backend.get(user).value.reveal() == b"theirs"
        backend.put(user, SecretValue(CANARY))
        assert desktop.lookup(SERVICE, user) == CANARY.decode()
        assert backend.delete(user) is True
        assert desktop.lookup(SERVICE, user) == ""


def test_many_cost_little_more_than_one(backend: KeyringBackend) -> None:
    names = [f"key{number}" for number in range(50)]
    for name in names[:3]:
        backend.put(name, SecretValue(CANARY))
    one = took(lambda: backend.get(names[0]))
    many = took(lambda: backend.get_many(names))
    assert many < one * 4 + 1


def test_without_a_session_bus_the_answer_is_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    backend = KeyringBackend({})
    for ask in (
        lambda: backend.get("key"),
        lambda: backend.put("key", SecretValue(CANARY)),
        backend.names,
        lambda: backend.delete("key"),
    ):
        began = time.monotonic()
        with pytest.raises(TemporaryError, match="no keyring answers here"):
            ask()
        assert time.monotonic() - began < PATIENCE / 2
    assert type(backend.get_many(["key"])["key"]) is TemporaryError
    assert backend.check().reachable is False


def test_a_locked_keyring_is_a_denial(desktop: Desktop, backend: KeyringBackend) -> None:  # noqa: F811
    backend.put("key", SecretValue(CANARY))
    desktop.stop()
    desktop.start(password=None)
    for ask in (
        lambda: backend.get("key"),
        lambda: backend.put("key", SecretValue(CANARY)),
        backend.names,
        lambda: backend.delete("key"),
    ):
        with pytest.raises(OpenclawError) as refused:
            ask()
        assert isinstance(refused.value, DeniedError | RefusedError)
        assert CANARY.decode() not in refused.value.message + refused.value.hint
    health = backend.check()
    assert health.problems


def test_a_hung_keyring_is_given_up_at_the_limit(desktop: Desktop) -> None:  # noqa: F811
    backend = KeyringBackend({"timeout": 1.0})
    desktop.hang()
    for ask in (
        lambda: backend.get("key"),
        lambda: backend.put("key", SecretValue(CANARY)),
        backend.names,
        lambda: backend.delete("key"),
    ):
        began = time.monotonic()
        with pytest.raises(TemporaryError, match="did not answer within 1 seconds"):
            ask()
        assert time.monotonic() - began < PATIENCE
    assert backend.check().reachable is False


def test_no_setting_of_the_library_makes_it_load_code(
    desktop: Desktop,  # noqa: F811
    backend: KeyringBackend,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trace = plant(desktop, tmp_path, monkeypatch)
    backend.put("key", SecretValue(CANARY))
    assert backend.get("key").value.reveal() == CANARY
    assert not trace.exists()
    assert desktop.lookup(SERVICE, "key") == CANARY.decode()


def test_a_value_is_no_argument_and_the_library_is_not_in_this_process(
    backend: KeyringBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    real = subprocess.run

    def watched(*arguments: object, **options: object) -> object:
        seen.append(repr(arguments) + repr(options.get("env")))
        return real(*arguments, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(subprocess, "run", watched)
    before = set(sys.modules)
    backend.put("key", SecretValue(CANARY))
    backend.get("key")
    assert len(seen) == 2
    assert CANARY.decode() not in "".join(seen)
    assert not {name for name in set(sys.modules) - before if name.startswith("keyring")}


def test_a_missing_library_is_said_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hidden = [each for each in sys.path if "site-packages" not in each]
    monkeypatch.setattr(sys, "path", hidden)
    monkeypatch.setattr(sys, "path_importer_cache", {})
    with pytest.raises(ConfigError, match="needs the keyring package") as missing:
        KeyringBackend({}).get("key")
    assert missing.value.hint.startswith("pip install")


@given(value=st.binary(min_size=1) | st.text(min_size=1).map(lambda text: text.encode()))
def test_every_value_becomes_text_and_comes_back(value: bytes) -> None:
    text = module._text(value)  # noqa: SLF001
    assert "\0" not in text
    assert module._bytes(text, "key") == value  # noqa: SLF001


def test_a_value_that_begins_like_a_marked_one_comes_back() -> None:
    value = b"base64 by openclaw: AAAA"
    assert module._bytes(module._text(value), "key") == value  # noqa: SLF001


def took(act: object) -> float:
    began = time.monotonic()
    act()  # type: ignore[operator]
    return time.monotonic() - began
