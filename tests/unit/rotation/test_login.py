"""Who signs in is read from any of three forms, and replaced in it; the rest stays."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_cli.errors import ConfigError
from openclaw_cli.model import SecretValue
from openclaw_cli.rotation import login

SCHEMES = ("postgresql",)

words = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=30
)


def read(text: str, user: str = "") -> login.Login:
    return login.read(SecretValue(text.encode()), "db", SCHEMES, user=user)


@given(words, words, words, words)
def test_a_url_is_the_same_but_for_who_signs_in(
    user: str, password: str, next_user: str, next_password: str
) -> None:
    rest = "h:5432,i:5433/d?sslmode=verify-full&options=-c%20x%3D@"
    url = f"postgresql+psycopg://{quote(user, safe='')}:{quote(password, safe='')}@{rest}"
    found = read(url)
    assert (found.form, found.user, found.password) == (login.URL, user, password)
    assert found.url == f"postgresql://{rest}"
    again = read(found.renewed(next_user, next_password).reveal().decode())
    assert (again.user, again.password) == (next_user, next_password)
    assert again.text.startswith("postgresql+psycopg://")
    assert again.text.endswith(f"@{rest}")


@given(words, words, st.sampled_from(["user", "username"]), st.sampled_from([None, 2]))
def test_the_other_fields_of_json_stay_and_a_url_among_them_follows(
    next_user: str, next_password: str, name: str, indent: int | None
) -> None:
    before = {"engine": "x", name: "u", "password": "p", "port": 5432, "n": None}
    uri = {"uri": "postgresql://u:p@h/d", "docs": "https://example.com"}
    found = read(json.dumps({**before, **uri}, indent=indent))
    after = json.loads(found.renewed(next_user, next_password).reveal())
    assert list(after) == [*before, *uri]
    url = read(after.pop("uri"))
    assert (url.user, url.password) == (next_user, next_password)
    assert after == {**before, name: next_user, "password": next_password, "docs": uri["docs"]}


@given(words.filter(lambda text: not text.lstrip().startswith("{")), words)
def test_anything_else_is_a_password(password: str, next_password: str) -> None:
    found = read(password, user="app")
    if found.form == login.PASSWORD:
        assert (found.user, found.password) == ("app", password)
        assert found.renewed("other", next_password).reveal().decode() == next_password


@pytest.mark.parametrize("value", [b"\xff", b"{", b"{}", b'{"password": 1}', b"a\0b"])
def test_what_is_nobody_s_is_said_without_showing_it(value: bytes) -> None:
    with pytest.raises(ConfigError) as refused:
        login.read(SecretValue(value), "db", SCHEMES, user="app")
    assert refused.value.message.startswith("db ")


def test_what_was_read_shows_neither_password_nor_text() -> None:
    assert "hunter2" not in repr(read("postgresql://u:hunter2@h/d"))
