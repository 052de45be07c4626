"""Older spellings become the present ones; what the file means, and the rest of it, stays."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from openclaw_cli import source
from openclaw_cli.agents import building
from openclaw_cli.errors import ConfigError
from openclaw_cli.upgrade import upgraded
from tests.conftest import Result

Main = Callable[..., Result]

OLD = """// what a colleague pasted
{
  "agents": {
    "request-handler": {
      "runtime": "thread-bound", // one process a request
      "model": "claude-sonnet-4.2",
      "max-concurrent": 100,
      "max-duration": 60,
    },
    pool: {threadBound: true, threadId: "finance", maxThreads: 2, model: "gpt-5"},
  },
  "externalSecrets": {
    "anthropic": {"apiKey": {"source": "vault://aws-kms/anthropic/api-key",
                             "cacheDuration": "1h", "rotationPolicy": "daily", "envVar": "K"}}
  },
  "secrets": {
    "aws": {"provider": "external", "source": "hashiCorp-vault", "rotation": "daily"},
    "plain": "sk-something-secret"
  },
  "channels": {"telegram": {"max-concurrent": 4, "source": "hashiCorp-vault"}}
}
"""
NEW = """// what a colleague pasted
{
  "agents": {
    "request-handler": {
      "type": "thread-bound", // one process a request
      "model": "claude-sonnet-4.2",
      "max-concurrency": 100,
      "timeout": 60,
    },
    pool: {type: "thread-bound", threadId: "finance", "pool-size": 2, model: "gpt-5"},
  },
  "externalSecrets": {
    "anthropic": {"apiKey": {"source": "vault://aws-kms/anthropic/api-key",
                             "cache": "1h", "rotation": "daily", "variable": "K"}}
  },
  "secrets": {
    "aws": {"source": "vault", "rotation": "daily"},
    "plain": "sk-something-secret"
  },
  "channels": {"telegram": {"max-concurrent": 4, "source": "hashiCorp-vault"}}
}
"""


def agents(path: str, text: str) -> object:
    built = building.build([source.said(path, text).agents]).plain()
    built.pop("origin")
    return built


def test_each_older_spelling_is_taken_over_and_nothing_else_is_touched() -> None:
    after, changes = upgraded("/x/openclaw.json", OLD)
    assert after == NEW
    assert len(changes) == 10
    assert agents("/x/openclaw.json", after) == agents("/x/openclaw.json", OLD)
    assert upgraded("/x/openclaw.json", after) == (after, [])


@pytest.mark.parametrize(
    "text",
    [
        '{"agents": {"x": {"timeout": 100, "max-duration": 50, "model": "gpt-5"}}}',
        '{"agents": {"x": {"max-concurrency": 3, "max-concurrent": 4, "model": "gpt-5"}}}',
        '{"agents": {"list": [{"runtime": "thread"}]}}',
        '{"channels": {"x": {"runtime": "thread"}}}',
        '{"secrets": {"providers": {"x": {"source": "hashiCorp-vault"}}}}',
        "{}",
    ],
)
def test_what_would_mean_something_else_or_is_not_ours_stays(text: str) -> None:
    try:
        after, changes = upgraded("/x/openclaw.json", text)
    except ConfigError:
        return  # it had mistakes before
    assert (after, changes) == (text, [])


def test_two_words_for_one_thing_become_one() -> None:
    text = '{"agents": {"x": {"threadBound": true, "runtime": "thread", "model": "gpt-5"}}}'
    after, _ = upgraded("/x/openclaw.json", text)
    assert after == '{"agents": {"x": {"type": "thread-bound", "model": "gpt-5"}}}'


def test_the_command_shows_the_difference_without_the_values(main: Main, tmp_path: Path) -> None:
    path = tmp_path / "state" / "openclaw.json"
    path.parent.mkdir(mode=0o700)
    document = {
        "secrets": {"a": "sk-secret-text", "b": {"source": "secrets-manager"}},
        "channels": {"telegram": {"botToken": "123:the-gateways-own-token"}},
    }
    one_line = json.dumps(document)
    path.write_text(one_line)
    path.chmod(0o600)
    done = main("config", "upgrade", "--dry-run", check=0)
    assert b"aws-secrets-manager" in done.out
    for value in (b"sk-secret-text", b"the-gateways-own-token"):
        assert value not in done.out + done.err
    assert path.read_text() == one_line
    main("config", "upgrade", check=0)
    assert json.loads(path.read_text())["secrets"]["b"] == {"source": "aws-secrets-manager"}
    assert json.loads(path.read_text())["secrets"]["a"] == "sk-secret-text"
    assert [each.name for each in path.parent.iterdir() if "json" in each.name] == [path.name]
    assert main("config", "upgrade", "--json", check=0).json()["changes"] == []


def test_the_whole_directory_is_looked_at_and_each_format_told(main: Main, tmp_path: Path) -> None:
    assert b"nothing to upgrade" in main("config", "upgrade", check=0).err
    main("secrets", "set", "a", input=b"value", check=0)
    main("config", "set", "run.mask", "true", check=0)
    path = tmp_path / "state" / "openclaw.json"
    path.write_text('{"agents": {"x": {"runtime": "thread", "model": "gpt-5"}}}')
    dry = main("config", "upgrade", "--dry-run", "--json", check=0).json()
    (change,) = dry["changes"]
    assert (change["file"], change["line"], dry["written"]) == (str(path), 1, False)
    names = ["secrets/store.oc", "audit/head", "settings.toml"]
    assert dry["formats"] == {str(tmp_path / "state" / name): 1 for name in names}
    done = main("config", "upgrade", check=0)
    assert b"these have the newest format: secrets/store.oc, audit/head, settings.toml" in done.err
    assert '"type": "thread-bound"' in path.read_text()


def test_yaml_is_left_and_said_to_be(main: Main, tmp_path: Path) -> None:
    path = tmp_path / "state" / "openclaw.yaml"
    path.parent.mkdir(mode=0o700)
    path.write_text("agents:\n  a: {runtime: thread, model: gpt-5}\n")
    done = main("config", "upgrade", check=0)
    assert b"openclaw.yaml stays: only JSON is edited" in done.err
    assert b"openclaw config convert" in done.err


def test_the_copy_that_an_interruption_left_is_taken_away(main: Main, tmp_path: Path) -> None:
    path = tmp_path / "openclaw.json"
    path.write_text('{"agents": {"x": {"runtime": "thread", "model": "gpt-5"}}}')
    kept = tmp_path / "openclaw.json.before-upgrade"
    kept.write_text("{}")
    main("config", "upgrade", str(path), "--dry-run", check=0)
    assert kept.exists()
    main("config", "upgrade", str(path), check=0)
    assert not kept.exists()
    kept.write_text("{}")
    main("config", "upgrade", str(path), check=0)
    assert not kept.exists()


@pytest.mark.parametrize(
    ("name", "text", "status"),
    [
        ("bad.json", "{", 78),
        ("bad.json", "[]", 78),
        ("bad.json", '{"secrets": {"a": {"source": "nowhere"}}}', 78),
        ("bad.yaml", "a: 1", 2),
        ("yaml-as-articles-call-it.json", "agents:\n  a: {runtime: thread}\n", 2),
        ("absent.json", None, 3),
    ],
)
def test_what_cannot_be_upgraded_stays_as_it_is(
    main: Main, tmp_path: Path, name: str, text: str | None, status: int
) -> None:
    path = tmp_path / name
    if text is not None:
        path.write_text(text)
    main("config", "upgrade", str(path), check=status)
    assert text is None or path.read_text() == text
