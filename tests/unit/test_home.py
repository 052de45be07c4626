"""Where everything lies."""

from __future__ import annotations

import os
import pwd

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openclaw_cli.errors import ConfigError, OpenclawError
from openclaw_cli.home import Home, find
from tests.conftest import NIGHTLY

many = settings(max_examples=20_000 if NIGHTLY else 300)


def test_the_state_directory_is_the_one_that_is_named() -> None:
    assert find({"OPENCLAW_STATE_DIR": "/x/y/", "HOME": "/home/ada"}).root == "/x/y"


def test_it_is_in_the_home_directory_otherwise() -> None:
    assert find({"HOME": "/home/ada/"}).root == "/home/ada/.openclaw"


@pytest.mark.parametrize("home", [{}, {"HOME": ""}, {"HOME": "relative"}])
def test_without_a_home_the_password_database_knows_it(home: dict[str, str]) -> None:
    assert find(home).root == f"{pwd.getpwuid(os.getuid()).pw_dir}/.openclaw"


def test_a_relative_state_directory_is_taken_from_the_working_directory() -> None:
    assert find({"OPENCLAW_STATE_DIR": "here"}).root == os.path.abspath("here")


def test_an_environment_has_a_part_of_its_own() -> None:
    home = find({"OPENCLAW_STATE_DIR": "/x", "OPENCLAW_ENVIRONMENT": "prod"})
    assert home.secrets == "/x/environments/prod/secrets"
    assert home.audit == "/x/environments/prod/audit"
    assert Home("/x").secrets == "/x/secrets"


@pytest.mark.parametrize("name", ["../etc", "a/b", "..", "/x", "a\nb"])
def test_an_environment_cannot_lead_elsewhere(name: str) -> None:
    with pytest.raises(OpenclawError):
        find({"OPENCLAW_STATE_DIR": "/x", "OPENCLAW_ENVIRONMENT": name})


def test_an_environment_with_a_slash_is_told() -> None:
    with pytest.raises(ConfigError, match="has no '/'"):
        find({"OPENCLAW_STATE_DIR": "/x", "OPENCLAW_ENVIRONMENT": "a/b"})


@many
@given(
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
    st.text(max_size=20),
)
def test_any_environment_gives_an_absolute_place_or_an_error_of_ours(
    root: str, environment: str
) -> None:
    try:
        home = find(
            {"OPENCLAW_STATE_DIR": root, "OPENCLAW_ENVIRONMENT": environment, "HOME": "/home/ada"}
        )
    except OpenclawError:
        return
    assert home.base.startswith("/")
    assert home.secrets.startswith(home.base)
