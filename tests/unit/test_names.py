"""Names and references: what is one, what is not, and nothing but a usage error in between."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from openclaw_cli.errors import OpenclawError, UsageError
from openclaw_cli.names import MAX_LENGTH, Reference, check, parse
from tests.conftest import NIGHTLY

many = settings(max_examples=20_000 if NIGHTLY else 300)

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
segments = st.text(f"{LETTERS}._-:", min_size=1, max_size=12).filter(
    lambda text: text not in (".", "..")
)
names = st.builds(
    lambda first, rest: first + "/".join(rest),
    st.sampled_from(LETTERS),
    st.lists(segments, min_size=1, max_size=4),
).filter(lambda name: name not in ("constructor", "toString", "valueOf"))
versions = st.none() | st.text(f"{LETTERS}-", min_size=1, max_size=36)
fields = st.text(f"{LETTERS}_.", max_size=10)


def refusal(read: Callable[[str], object], text: str) -> str:
    """Return what a text is refused with, nothing when it is accepted."""
    try:
        read(text)
    except UsageError as refused:
        return refused.message
    return ""


@many
@given(names)
def test_a_name_by_the_rules_is_a_name_and_a_reference_to_itself(name: str) -> None:
    assert check(name) == name
    if "://" not in name:
        assert parse(name) == Reference(name)


@many
@given(st.text(max_size=40))
@example("\0")
@example("a\u202eb")
@example("é")
@example("a" * (MAX_LENGTH + 1))
def test_any_text_is_a_name_or_a_usage_error_of_one_line(text: str) -> None:
    told = refusal(check, text)
    assert told == "" or (told.isascii() and told.isprintable())


@many
@given(st.text(max_size=60) | st.from_regex(r"[a-z+]{0,9}://[^\n]{0,20}(\?[^\n]*)?(#[^\n]*)?"))
@example("://")
@example("local://")
@example("vault://a/../b")
@example("vault://a/%2e%2e/b")
@example("a?version=")
@example("a?version=1&b")
@example("op://vault/item")
def test_any_text_is_a_reference_or_a_usage_error(text: str) -> None:
    told = refusal(parse, text)
    if told:
        assert told.isascii()
        assert told.isprintable()
        return
    reference = parse(text)
    assert parse(str(reference)) == reference
    assert ".." not in reference.path.split("/")
    assert reference.path.isprintable()


@many
@given(names, versions, fields, st.sampled_from(["", "local", "vault", "aws-secrets-manager"]))
def test_a_reference_survives_being_written_down(
    name: str, version: str | None, field: str, backend: str
) -> None:
    if "://" in name or (backend == "vault" and name.startswith("local/")):
        return
    reference = Reference(name, backend=backend, version=version, field=field)
    again = parse(str(reference))
    assert (again.backend, again.path, again.version, again.field) == (
        backend,
        name,
        version,
        field,
    )
    assert hash(again) == hash(reference)


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("", "it is empty"),
        ("a" * 257, "it is longer than 256 characters"),
        (".hidden", "it starts with '.'"),
        ("-x", "it starts with '-'"),
        ("/etc/passwd", "it starts with '/'"),
        ("a b", "it contains ' '"),
        ("a\nb", r"it contains '\n'"),
        ("a\x1b[2J", r"it contains '\x1b'"),
        ("ключ", r"it starts with '\u043a'"),
        ("a//b", "it has an empty, '.' or '..' segment"),
        ("a/../b", "it has an empty, '.' or '..' segment"),
        ("a/.", "it has an empty, '.' or '..' segment"),
        ("a/", "it has an empty, '.' or '..' segment"),
        ("constructor", "constructor is a reserved word"),
        ("toString", "toString is a reserved word"),
    ],
)
def test_a_refused_name_is_told_the_rule_it_breaks(name: str, rule: str) -> None:
    with pytest.raises(UsageError) as refused:
        check(name)
    assert refused.value.message == f"not a name for a secret: {rule}"


@pytest.mark.parametrize("name", ["a", "A1", "prod/db/password", "a.b-c_d:e/f", "a" * 256, "0"])
def test_usual_names_are_names(name: str) -> None:
    assert check(name) == name


def test_the_published_spellings_mean_what_they_say() -> None:
    assert str(parse("vault://local/x")) == "local://x"
    assert str(parse("openclaw://x?version=2#user")) == "x?version=2#user"
    assert parse("vault://team/db").backend == "vault"


@pytest.mark.parametrize("text", ["op://vault/item/field", "bw://x", "ref+vault://x"])
def test_another_tools_reference_is_told_as_such(text: str) -> None:
    with pytest.raises(OpenclawError, match="is a reference of"):
        parse(text)
