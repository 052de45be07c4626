"""Backends that need no server keep the contract; the others do in `tests/integration/`."""

from __future__ import annotations

import pytest

from openclaw_cli.backends import BACKENDS
from openclaw_cli.backends.protocols import (
    Setting,
    checked_path,
    checked_settings,
)
from openclaw_cli.errors import ConfigError, UsageError
from openclaw_cli.testing.backends import (
    STRANGE_PATHS,
    BatchedContract,
    CheckableContract,
    DeletableContract,
    ListableContract,
    VersionedContract,
)
from openclaw_cli.testing.memory import MemoryBackend

TABLE = (
    Setting("address", "", "Where it is."),
    Setting("timeout", 10.0, "Seconds."),
    Setting("insecure", False, "Whether."),
)


class TestMemory(
    BatchedContract, DeletableContract, ListableContract, VersionedContract, CheckableContract
):
    @pytest.fixture
    def backend(self) -> MemoryBackend:
        return MemoryBackend({})


def test_no_backend_has_the_name_of_a_provider() -> None:
    from openclaw_cli import providers

    assert not set(BACKENDS.ours) & set(providers.names())


def test_what_was_not_set_has_its_default() -> None:
    assert checked_settings({"address": "here"}, TABLE, "acme") == {
        "address": "here",
        "timeout": 10.0,
        "insecure": False,
    }


def test_every_spelling_of_a_setting_is_the_same() -> None:
    table = (Setting("role-id", "", "Who."),)
    for written in ("role-id", "role_id", "roleId"):
        assert checked_settings({written: "x"}, table, "acme") == {"role-id": "x"}


def test_a_setting_of_another_type_is_refused_without_its_value() -> None:
    for name, value in (("address", 5), ("timeout", "hunter2"), ("insecure", 1)):
        with pytest.raises(ConfigError) as refused:
            checked_settings({name: value}, TABLE, "acme")
        assert name in refused.value.message
        assert str(value) not in refused.value.message + refused.value.hint


def test_a_whole_number_does_where_a_fraction_may_be_and_a_truth_does_not() -> None:
    assert checked_settings({"timeout": 3}, TABLE, "acme")["timeout"] == 3
    with pytest.raises(ConfigError):
        checked_settings({"timeout": True}, TABLE, "acme")


def test_a_strange_path_is_said_by_its_rule() -> None:
    for path in STRANGE_PATHS:
        with pytest.raises(UsageError) as refused:
            checked_path(path)
        assert refused.value.message.isprintable()
    assert checked_path("aws-kms/anthropic/api-key") == "aws-kms/anthropic/api-key"
