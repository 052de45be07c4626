from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_cli.errors import NotFoundError, UsageError
from openclaw_cli.template import env_references, fill, references

VALUES = {"local://a": b"1", "openclaw://team/db?version=3#url": b"\xff\0{{ local://a }}\\1"}


def test_references_are_found_in_order_and_once() -> None:
    text = b"{{ vault://b }} {{local://a}} {{\tlocal://a?version=2\n}} {{ vault://b }}"
    assert references(text) == ["vault://b", "local://a", "local://a?version=2"]


def test_a_value_goes_in_byte_for_byte_and_is_not_looked_into_again() -> None:
    text = b"x={{ openclaw://team/db?version=3#url }};{{local://a}}\r\n"
    assert fill(text, VALUES.__getitem__) == b"x=\xff\0{{ local://a }}\\1;1\r\n"


@pytest.mark.parametrize(
    "text",
    [
        b"{{ name }}",
        b"{{ .Values.image }}",
        b"{{- if x -}}{% raw %}",
        b"{{ 'https://example.com' }}",
        b"{{! see https://example.com }}",
        b"local://a",
        b"{ { local://a } }",
        b"${local://a}",
        b"{{}}",
        b"\xff\0{{",
    ],
)
def test_everything_that_is_not_our_marker_stays_as_it_is(text: bytes) -> None:
    assert references(text) == []
    assert fill(text, VALUES.__getitem__) == text


def test_a_third_brace_belongs_to_the_text() -> None:
    assert fill(b"{{{ local://a }}}", VALUES.__getitem__) == b"{1}"


@pytest.mark.parametrize(
    "marker",
    [
        b"{{ local:// }}",
        b"{{ local://a b }}",
        b"{{ local://a",
        b"{{ local://a }",
        b"{{ local://{a} }}",
        b"{{ local://a | upper }}",
        b"{{ local://\xff }}",
        b"{{ local://a\0 }}",
    ],
)
def test_a_marker_that_cannot_be_read_is_refused_with_its_line_before_any_lookup(
    marker: bytes,
) -> None:
    asked: dict[str, bytes] = {}
    with pytest.raises(UsageError, match="line 3 of the template"):
        fill(b"{{ local://a }}\n\n" + marker, lambda name: asked.setdefault(name, b""))
    assert asked == {}


def test_each_reference_is_looked_up_once() -> None:
    left = {"local://a": b"1", "local://b": b"2"}
    assert fill(b"{{ local://a }}{{ local://b }}{{ local://a }}", left.pop) == b"121"


def test_what_the_lookup_raises_reaches_the_caller() -> None:
    def missing(reference: str) -> bytes:
        raise NotFoundError(f"no secret is called {reference}")

    with pytest.raises(NotFoundError, match="local://a"):
        fill(b"{{ local://a }}", missing)


@given(before=st.binary(), value=st.binary(), after=st.binary())
def test_the_text_around_a_marker_is_never_changed(
    before: bytes, value: bytes, after: bytes
) -> None:
    if b"{{" not in before + b" " + after:
        text = before + b"{{ local://a }}" + after
        assert fill(text, lambda _: value) == before + value + after


@given(st.binary() | st.text(st.sampled_from("{} \n:/ab?#\\")).map(str.encode))
def test_any_text_is_filled_or_refused(text: bytes) -> None:
    try:
        found = references(text)
    except UsageError:
        return
    assert all(reference.count("://") for reference in found)
    assert fill(text, str.encode).count(b"://") == text.count(b"://")


def test_variables_that_are_references_are_told_from_literal_values() -> None:
    pairs = {
        "KEY": b"openclaw://openai/key",
        "DB": b"local://team/db?version=3",
        "URL": b"postgres://user:word@host/db",
        "SITE": b"https://example.com",
        "FILE": b"file:///etc/passwd",
        "NOTE": b"see local://team/db",
        "RAW": b"\xff",
        "EMPTY": b"",
    }
    assert env_references(pairs) == {
        "KEY": "openclaw://openai/key",
        "DB": "local://team/db?version=3",
    }


def test_the_caller_may_name_the_schemes_of_its_backends() -> None:
    assert env_references({"A": b"corp://x", "B": b"local://y"}, ["corp"]) == {"A": "corp://x"}


@pytest.mark.parametrize("value", [b"local://", b"local://a b", b"openclaw://\xff", b"local://a\n"])
def test_a_value_that_begins_as_a_reference_and_is_none_is_refused(value: bytes) -> None:
    with pytest.raises(UsageError, match="the value of KEY begins as a reference"):
        env_references({"KEY": value})
