"""C11, C18: a key in plain text in the configuration works, is told on, and goes into the store."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Openclaw, Result

Main = Callable[..., Result]

C11 = '{"secrets": {"openai": {"api-key": "sk-xxx", "model": "gpt"}}}'
C18 = """{"anthropic": {"apiKey": "sk-ant-xxx"},
  "secrets": {"database": {"db-user": "ada", "db-password": "s3cret"}}}"""


@pytest.fixture
def state(tmp_path: Path) -> Path:
    made = tmp_path / "state"
    made.mkdir(mode=0o700)
    return made


def test_c11_works_for_a_first_try_and_says_so(openclaw: Openclaw, state: Path) -> None:
    (state / "openclaw.json").write_text(C11)
    for _ in range(2):
        done = openclaw("secrets", "get", "openai/api-key", check=0)
        assert done.out == b"sk-xxx"
        assert b"openai/api-key stands in plain text" in done.err
    last = json.loads((state / "audit" / "trail.jsonl").read_text().splitlines()[-1])
    assert (last["kind"], last["name"], last["backend"]) == (
        "secret_reveal",
        "openai/api-key",
        "config",
    )


def test_c11_the_value_is_kept_nowhere_else(openclaw: Openclaw, state: Path) -> None:
    (state / "openclaw.json").write_text(C11)
    openclaw("secrets", "get", "openai/api-key", check=0)
    others = [path for path in state.rglob("*") if path.is_file() and path.name != "openclaw.json"]
    assert others
    assert not [path for path in others if b"sk-xxx" in path.read_bytes()]


def test_c11_the_model_is_no_secret(main: Main, state: Path) -> None:
    (state / "openclaw.json").write_text(C11)
    main("secrets", "get", "openai/model", check=3)
    assert b"openai/model" not in main("secrets", "list", check=0).out


def test_c11_status_doctor_and_list_tell_on_it(main: Main, state: Path) -> None:
    (state / "openclaw.json").write_text(C11)
    listed = main("secrets", "list", "--json", check=0).json()["secrets"]
    assert listed == [{"name": "openai/api-key", "backend": "config", "state": "plain text"}]
    found = [each for each in main("status", "--json").json()["findings"] if "plain" in each["why"]]
    assert [each["where"] for each in found] == [str(state / "openclaw.json")]
    assert "openai/api-key" in found[0]["why"]
    told = main("doctor", check=10).out
    assert b"1 secret stands in plain text" in told
    assert b"sk-xxx" not in told


def test_c11_a_file_that_others_can_read_is_worse(main: Main, state: Path) -> None:
    (state / "openclaw.json").write_text(C11)
    (state / "openclaw.json").chmod(0o644)
    findings = main("status", "--json").json()["findings"]
    found = [each for each in findings if each["what"] == "plaintext"]
    assert [each["severity"] for each in found] == ["bad"]
    assert "which others can read" in found[0]["why"]


def test_c11_the_hint_moves_it_into_the_store_which_then_answers(
    openclaw: Openclaw, state: Path
) -> None:
    path = state / "openclaw.json"
    path.write_text(C11)
    value = openclaw("secrets", "get", "openai/api-key", check=0).out
    openclaw("secrets", "set", "openai/api-key", input=value, check=0)
    for text in (C11.replace("sk-xxx", "sk-other"), "{}"):
        path.write_text(text)
        done = openclaw("secrets", "get", "openai/api-key", check=0)
        assert (done.out, done.err) == (b"sk-xxx", b"")


def test_c10_an_encryption_that_the_store_does_not_have_is_told(main: Main, state: Path) -> None:
    text = """{"secrets": {"encryption": {"provider": "external", "source": "aws-kms",
      "key-id": "alias/openclaw"}}}"""
    (state / "openclaw.json").write_text(text)
    main("secrets", "set", "a", input=b"value", check=0)
    findings = main("status", "--json", check=0).json()["findings"]
    found = [each for each in findings if each["what"] == "not-wrapped"]
    assert [each["hint"] for each in found] == [
        "openclaw store slots add aws-kms --key-id alias/openclaw"
    ]
    assert b"names aws-kms for encryption" in main("doctor", check=10).out


def test_c18_each_of_them_is_a_secret(main: Main, state: Path) -> None:
    (state / "openclaw.json").write_text(C18)
    for name, value in [
        ("anthropic/apiKey", b"sk-ant-xxx"),
        ("database/db-user", b"ada"),
        ("database/db-password", b"s3cret"),
    ]:
        assert main("secrets", "get", name, check=0).out == value


@pytest.mark.parametrize("road", [{}, {"OPENCLAW_NO_HOT": "1"}], ids=["fast", "slow"])
def test_c18_is_refused_in_production(
    openclaw: Openclaw, state: Path, road: dict[str, str]
) -> None:
    (state / "openclaw.json").write_text(C18)
    openclaw("secrets", "get", "anthropic/apiKey", check=0)
    for environment in ("production", "prod"):
        there = {"OPENCLAW_ENVIRONMENT": environment, **road}
        done = openclaw("secrets", "get", "anthropic/apiKey", env=there, check=78)
        assert b"openclaw.json, line 1: anthropic.apiKey is plain text" in done.err
        assert b"sk-ant" not in done.err + done.out


@pytest.mark.parametrize("text", [C11, C18], ids=["c11", "c18"])
def test_migrate_moves_it_into_the_store(
    main: Main, state: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")  # no gateway is needed for what is ours
    (state / "openclaw.json").write_text(text)
    named = [each["name"] for each in main("secrets", "list", "--json").json()["secrets"]]
    before = {name: main("secrets", "get", name, check=0).out for name in named}
    main("secrets", "migrate", "--yes", check=0)
    left = (state / "openclaw.json").read_bytes()
    assert not [value for value in before.values() if value in left]
    assert ("model" in text) == (b'"model": "gpt"' in left)
    for name, value in before.items():
        done = main("secrets", "get", name, check=0)
        assert (done.out, done.err) == (value, b"")
    assert not [
        each for each in main("status", "--json").json()["findings"] if each["what"] == "plaintext"
    ]
