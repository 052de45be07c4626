"""Which secret a grant means, to the letter; when it holds."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_cli.agents.grants import (
    Grant,
    canonical,
    expanded,
    holding,
    matches,
    of_settings,
    stored,
)
from openclaw_cli.agents.spec import AgentSpec, SecretUse
from openclaw_cli.errors import OpenclawError, UsageError
from openclaw_cli.names import parse

NOON = 1_800_000_000_000

YES = [
    ("openai-api-key", "openai-api-key"),
    ("openai-api-key", "openclaw://openai-api-key"),
    ("db#user", "db#user"),
    ("team/*", "team/db"),
    ("team/*", "team/d.b:c-d_e"),
    ("team/*/key", "team/x/key"),
    ("team/**", "team/a/b"),
    ("*", "anything"),
    ("prod-*", "prod-db"),
    ("vault://team/db", "vault://team/db"),
    ("local://db", "local://db"),
    ("local://db", "vault://local/db"),
]
NO = [
    ("openai-api-key", "openai-api-key2"),
    ("openai-api-key", "openai-api-ke"),
    ("openai", "openai-api-key"),
    ("openai-api-key", "OpenAI-API-Key"),
    ("openai-api-key", "openai-api-key?version=1"),
    ("*", "openai-api-key?version=1"),
    ("db#user", "db"),
    ("db#user", "db#password"),
    ("db", "db#user"),
    ("team/*", "team/db#user"),
    ("db#user", "db#User"),
    ("team/*", "team/a/b"),
    ("team/*", "team"),
    ("team/*", "teams/a"),
    ("team/*", "Team/a"),
    ("*", "team/a"),
    ("team/*/key", "team/x/y/key"),
    ("db", "local://db"),
    ("db", "vault://db"),
    ("db", "vault://local/db"),
    ("local://db", "db"),
    ("vault://team/*", "vault://team/"),
    ("vault://team/**", "vault://team//sys"),
    ("vault://team/**", "vault://team/./sys"),
    ("vault://team/**", "vault://team/%2e%2e/sys"),
    ("vault://team/**", "vault://team/a\\..\\sys"),
    ("vault://team/**", "vault://team/\uff41"),
    ("vault://team/**", "vault://Team/a"),
    ("file:///etc/keys/*", "file:///etc/keys/a/../../shadow"),
    ("env://OPENAI_*", "env://openai_key"),
    ("a.b", "axb"),
    ("a*b", "a/b"),
]


@pytest.mark.parametrize(("pattern", "asked"), YES)
def test_what_a_grant_means(pattern: str, asked: str) -> None:
    assert matches(canonical(pattern), parse(asked))


def test_a_grant_without_a_field_covers_only_those_inside_what_the_name_gives() -> None:
    for pattern in ("db", "d*"):
        assert matches(pattern, parse("db#user"), inside=True)
        assert not matches(pattern, parse("db#user"), inside=False)
    assert not matches("db#user", parse("db#password"), inside=True)
    assert not matches("db#user", parse("db"), inside=True)


@pytest.mark.parametrize(("pattern", "asked"), NO)
def test_what_a_grant_does_not_mean(pattern: str, asked: str) -> None:
    try:
        reference = parse(asked)
    except OpenclawError:
        return  # refused before any grant is looked at
    assert not matches(pattern, reference)


@pytest.mark.parametrize(
    "pattern",
    ["", "../x", "a/../b", "a//b", "/a", "a?version=1", "*#f", "*/..", "op://x", "a b", "-a"],
)
def test_what_cannot_be_granted(pattern: str) -> None:
    with pytest.raises(UsageError):
        canonical(pattern)


names_ = st.from_regex(
    r"[A-Za-z0-9][A-Za-z0-9._:-]{0,8}(/[A-Za-z0-9][A-Za-z0-9._:-]{0,8}){0,2}", fullmatch=True
)


@given(names_, names_)
def test_an_exact_grant_means_its_name_alone(granted: str, asked: str) -> None:
    assert matches(granted, parse(asked)) == (granted == asked)


@given(st.text("ab/*", min_size=1, max_size=8), st.text("ab/", min_size=1, max_size=8))
def test_a_pattern_never_means_more_than_its_plain_parts(pattern: str, asked: str) -> None:
    try:
        canonical(pattern)
        reference = parse(asked)
    except OpenclawError:
        return
    if matches(pattern, reference):
        for part in pattern.split("*"):
            assert part in asked
        if "**" not in pattern:
            assert pattern.count("/") == asked.count("/")
        assert re.match(re.escape(pattern.partition("*")[0]), asked)


def test_a_grant_is_over_at_its_time() -> None:
    grant = Grant("a", "db", expires=NOON)
    assert holding([grant], parse("db"), NOON - 1) is grant
    assert holding([grant], parse("db"), NOON) == "its grant expired now"
    assert holding([grant], parse("db"), NOON + 7_200_000) == "its grant expired 2 hours ago"


def test_one_without_a_count_is_taken_first() -> None:
    counted, free = Grant("a", "db", uses=1), Grant("a", "d*")
    assert holding([counted, free], parse("db"), NOON) is free
    assert holding([counted], parse("db"), NOON) is counted
    assert holding([Grant("a", "db", uses=0)], parse("db"), NOON) == "its grant is used up"


def test_why_there_is_none_is_said() -> None:
    assert holding([], parse("db"), NOON) == "it was not granted"
    assert (
        holding([Grant("a", "db")], parse("db?version=1"), NOON)
        == "only current versions are granted"
    )


def test_the_settings_grant_an_agents_secrets_and_its_models_keys() -> None:
    spec = AgentSpec(
        "a",
        model="claude-x",
        fallback=("local/y", "gpt-5"),
        secrets=(SecretUse("db", "DB"), SecretUse("openai-api-key", "KEY")),
    )
    found = [(each.pattern, each.variable) for each in of_settings(spec, {})]
    assert found == [("db", "DB"), ("openai-api-key", "KEY"), ("anthropic-api-key", "")]


def test_a_handler_of_your_own_is_not_given_the_models_key() -> None:
    assert of_settings(AgentSpec("a", handler="m:f", model="claude-x"), {}) == []


def test_what_an_agent_has_without_asking() -> None:
    grants = [
        Grant("a", "team/*"),
        Grant("a", "db", variable="DB"),
        Grant("a", "vault://x/y"),
        Grant("a", "once", uses=1),
        Grant("a", "old", expires=1),
    ]
    known = ["team/a", "team/b", "team/b/c", "once", "old", "other", "db"]
    found = expanded(grants, known, NOON)
    assert sorted(found) == ["db", "team/a", "team/b", "vault://x/y"]
    assert found["db"].variable == "DB"


def test_stored_grants_are_read_by_agent() -> None:
    extra = {"grants": {"b": {"x": [1, 2, 3]}, "a": {"y": [4, 0, -1]}}}
    assert stored(extra) == [Grant("a", "y", 4), Grant("b", "x", 1, 2, 3)]
    assert stored(extra, "b") == [Grant("b", "x", 1, 2, 3)]
    assert stored({}) == []
