"""What is particular to the environment: prefixes, and that it is not spilled."""

from __future__ import annotations

import pytest

from openclaw_cli.backends.env import EnvBackend
from openclaw_cli.errors import NotFoundError, RefusedError
from openclaw_cli.model import MAX_VALUE


def test_a_variable_is_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-123")
    assert EnvBackend({}).get("OPENAI_API_KEY").value.reveal() == b"sk-123"


def test_a_prefix_is_left_out_of_paths(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORP_KEY", "a")
    backend = EnvBackend({"prefix": "CORP_"})
    assert backend.get("KEY").value.reveal() == b"a"
    with pytest.raises(NotFoundError, match="environment variable CORP_CORP_KEY is not set"):
        backend.get("CORP_KEY")


def test_a_variable_set_to_nothing_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEPT_EMPTY", "")
    backend = EnvBackend({"prefix": "KEPT_"})
    with pytest.raises(NotFoundError):
        backend.get("EMPTY")
    assert backend.names() == []


def test_without_a_prefix_nothing_is_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-123")
    backend = EnvBackend({})
    assert backend.names() == []
    assert backend.names("OPENAI") == []
    assert "OPENAI" not in backend.check().detail


def test_only_names_with_the_prefix_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CORP_B", "CORP_A", "CORPORATE", "CORP_", "X_CORP_C", "CORP_bad\nname"):
        monkeypatch.setenv(name, "x")
    assert EnvBackend({"prefix": "CORP_"}).names() == ["A", "B"]


def test_a_variable_of_more_than_64_kib_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIG", "x" * (MAX_VALUE + 1))
    with pytest.raises(RefusedError, match="BIG is larger than 64 KiB"):
        EnvBackend({}).get("BIG")
