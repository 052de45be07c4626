"""The key slot of Vault's transit engine, on a real server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from openclaw_cli.errors import ConfigError, DeniedError, LockedError, RefusedError, TemporaryError
from openclaw_cli.home import Home
from openclaw_cli.store.header import Header
from openclaw_cli.store.keys import slots, vault_transit
from openclaw_cli.testing.slots import DATA_KEY, SlotContract
from tests.hostile_http import HostileServer
from tests.integration.vault_server import VaultServer

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VaultServer]:
    with VaultServer(tmp_path_factory.mktemp("vault")) as running:
        running.call("POST", "sys/mounts/transit", {"type": "transit"})
        running.call("POST", "transit/keys/openclaw", {})
        yield running


@pytest.fixture(autouse=True)
def _signed_in(server: VaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAULT_ADDR", server.address)
    monkeypatch.setenv("VAULT_TOKEN", server.token)
    monkeypatch.setitem(slots.KINDS, "vault-transit", vault_transit.__name__)


class TestVaultTransit(SlotContract):
    kind = "vault-transit"

    def test_two_lines_of_policy_are_enough(
        self,
        home: Home,
        header: Header,
        server: VaultServer,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        policy: list[str] = []
        for _ in range(2):
            monkeypatch.setenv("VAULT_TOKEN", server.token_for(*policy))
            with pytest.raises(DeniedError) as denied:
                slots.add(home, header, DATA_KEY, self.kind)
            policy.append(denied.value.hint.partition("policy: ")[2])
        monkeypatch.setenv("VAULT_TOKEN", server.token_for(*policy))
        slots.add(home, header, DATA_KEY, self.kind)
        assert slots.unlock_with(home, header, self.kind) == DATA_KEY

    def test_it_opens_after_vault_rotated_its_key(
        self, home: Home, header: Header, server: VaultServer
    ) -> None:
        slots.add(home, header, DATA_KEY, self.kind)
        server.call("POST", "transit/keys/openclaw/rotate")
        assert slots.unlock_with(home, header, self.kind) == DATA_KEY

    def test_another_key_can_be_named(
        self, home: Home, header: Header, server: VaultServer
    ) -> None:
        server.call("POST", "transit/keys/another", {})
        slot = slots.add(home, header, DATA_KEY, self.kind, b"transit/another")
        assert vault_transit.where(home, header.store, slot) == "vault, transit/another"
        assert slots.unlock_with(home, header, self.kind) == DATA_KEY

    def test_a_wrapped_key_opens_in_no_other_slot(self, home: Home, header: Header) -> None:
        first = slots.add(home, header, DATA_KEY, self.kind)
        second = slots.add(home, header, DATA_KEY, self.kind)
        second.parameters = first.parameters
        with pytest.raises(LockedError):
            vault_transit.wrapping_key(home, header.store, second, b"")

    def test_a_key_that_cannot_bind_is_refused(
        self, home: Home, header: Header, server: VaultServer
    ) -> None:
        server.call("POST", "transit/keys/asymmetric", {"type": "rsa-2048"})
        with pytest.raises(RefusedError):
            slots.add(home, header, DATA_KEY, self.kind, b"transit/asymmetric")

    def test_a_vault_too_old_to_bind_is_refused(
        self, home: Home, header: Header, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It unwraps for any place, since it does not know the parameter."""
        with HostileServer("said") as old:
            old.answer = b'{"data": {"ciphertext": "vault:v1:x", "plaintext": "eA=="}}'
            monkeypatch.setenv("VAULT_ADDR", old.address)
            with pytest.raises(ConfigError, match="does not bind"):
                slots.add(home, header, DATA_KEY, self.kind)
        assert not header.slots

    def test_no_engine_and_a_strange_name_are_wrong_settings(
        self, home: Home, header: Header
    ) -> None:
        for given in (b"nowhere/openclaw", b"transit/../../sys", b"\xff"):
            with pytest.raises(ConfigError):
                slots.add(home, header, DATA_KEY, self.kind, given)

    def test_a_slot_cannot_choose_where_the_token_goes(
        self, home: Home, header: Header, server: VaultServer
    ) -> None:
        slot = slots.add(home, header, DATA_KEY, self.kind)
        with HostileServer("html") as elsewhere:
            slot.parameters = {**slot.parameters, "address": elsewhere.address}
            with pytest.raises(LockedError):
                slots.unlock_with(home, header, self.kind)
            assert not elsewhere.requests
        assert server.address

    def test_a_vault_that_is_away_is_temporary(
        self, home: Home, header: Header, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        slots.add(home, header, DATA_KEY, self.kind)
        monkeypatch.setenv("VAULT_ADDR", "http://127.0.0.1:1")
        with pytest.raises(TemporaryError):
            slots.unlock_with(home, header, self.kind)
