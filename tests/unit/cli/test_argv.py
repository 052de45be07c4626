"""A bare option gets its default and never swallows a name."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_cli.cli import argv
from openclaw_cli.cli.argv import OPTIONAL, VALUED, normalised
from openclaw_cli.rotation import generators


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("secrets create db --generate", "secrets create db --generate=password"),
        ("secrets create --generate db", "secrets create --generate=password db"),
        ("secrets create --generate=token db", "secrets create --generate=token db"),
        ("secrets create db --generate token", "secrets create db --generate=token"),
        ("secrets create --generate token db", "secrets create --generate=token db"),
        ("secrets create db --generate rsa:4096", "secrets create db --generate=rsa:4096"),
        ("secrets create --generate token", "secrets create --generate=password token"),
        ("secrets create --name db --generate token", "secrets create --name db --generate=token"),
        ("secrets create --name=db --generate token", "secrets create --name=db --generate=token"),
        ("secrets create token --generate token", "secrets create token --generate=token"),
        ("secrets create db --generate --force", "secrets create db --generate=password --force"),
        (
            "secrets create --provider openai --generate token",
            "secrets create --provider openai --generate=password token",
        ),
        ("--json secrets set a --generate uuid", "--json secrets set a --generate=uuid"),
        (
            "--environment prod secrets set a --generate",
            "--environment prod secrets set a --generate=password",
        ),
        ("secrets create a --value --generate", "secrets create a --value --generate"),
        ("secrets run -- create --generate x", "secrets run -- create --generate x"),
        ("secrets create -- --generate", "secrets create -- --generate"),
        ("secrets list --generate", "secrets list --generate"),
        ("agents spawn --thread", "agents spawn --thread=auto"),
        ("agents spawn --thread worker", "agents spawn --thread=auto worker"),
        ("agents spawn --thread=acp-session-001", "agents spawn --thread=acp-session-001"),
        ("agents stop --thread T1", "agents stop --thread T1"),
        ("", ""),
        ("secrets", "secrets"),
        ("--generate", "--generate"),
    ],
)
def test_bare_options_are_completed(typed: str, meant: str) -> None:
    assert shlex.join(normalised(shlex.split(typed))) == meant


ARGUMENT = st.sampled_from(["secrets", "create", "--generate", "--", "token", "db", "--name", "-q"])


@given(st.lists(ARGUMENT | st.text(max_size=5)))
def test_no_line_loses_a_word_and_doing_it_twice_changes_nothing(line: list[str]) -> None:
    once = normalised(line)
    assert normalised(once) == once
    words = [word for argument in once for word in argument.split("=")]
    assert all(part in words for argument in line for part in argument.split("="))


@given(st.text("ab-", min_size=1).filter(lambda name: not name.startswith("-")))
def test_the_name_after_a_bare_generate_stays_the_name(name: str) -> None:
    assert normalised(["secrets", "create", "--generate", name])[-1] == name


def test_an_option_is_not_both_optional_and_valued() -> None:
    assert not VALUED & {option for table in OPTIONAL.values() for option in table}


def test_the_words_are_the_kinds_that_there_are() -> None:
    assert set(argv.GENERATORS) == set(generators.GENERATORS.ours)
