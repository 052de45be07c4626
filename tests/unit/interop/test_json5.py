"""Edits of JSON5 that leave every other byte alone."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import json5 as library
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_cli.errors import ConfigError
from openclaw_cli.interop import json5

TEXT = r"""// mine
{
  gateway: { port: 0x1f, auth: { token: 'it\'s \u0041\
b' } }, /* { not: "this" } */
  "a//b": ["x", {y: "z",},],   // "also": not
  n: -.5, t: true,
}
"""


def plain(node: json5.Node, text: str) -> Any:  # noqa: ANN401
    if node.kind == json5.OBJECT:
        return {key: plain(each, text) for key, each in node.members.items()}
    if node.kind == json5.ARRAY:
        return [plain(each, text) for each in node.members.values()]
    return node.text if node.kind == json5.STRING else library.loads(text[node.start : node.end])


def test_it_reads_what_the_library_reads() -> None:
    assert plain(json5.parse(TEXT, "x"), TEXT) == library.loads(TEXT)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)


@given(values, st.sampled_from([None, 2, "\t"]))
def test_it_reads_what_json_writes(value: object, indent: int | str | None) -> None:
    text = json.dumps(value, indent=indent)
    assert plain(json5.parse(text, "x"), text) == value


@given(st.text("{}[]:,\"'/*\\ \nab1", max_size=30))
def test_it_reads_all_or_refuses(text: str) -> None:
    with suppress(ConfigError):
        node = json5.parse(text, "x")
        assert 0 <= node.start < node.end <= len(text)


@pytest.mark.parametrize("text", ['{a: 1, "a": 2}', "[" * 300, "{a: 1} b", "{a 1}", "", "{,}"])
def test_what_is_not_plainly_one_document_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="this is not JSON5"):
        json5.parse(text, "x")


def test_a_replaced_text_leaves_every_other_byte_alone() -> None:
    token = json5.parse(TEXT, "x").at("gateway", "auth", "token")
    assert token is not None
    after = json5.replaced(TEXT, [(token.start, token.end, "{}")])
    assert after == TEXT[: token.start] + "{}" + TEXT[token.end :]
    assert library.loads(after)["gateway"]["auth"] == {"token": {}}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("{}", '{ "k": 1 }'),
        ('{"a": 2}', '{"a": 2, "k": 1}'),
        ("{a: 2}", "{a: 2, k: 1}"),
        ("{\n  a: 2, // two\n}", "{\n  a: 2,\n  k: 1, // two\n}"),
        ('{\n\t"a": 2\n}\n', '{\n\t"a": 2,\n\t"k": 1\n}\n'),
    ],
)
def test_a_member_is_added_as_its_neighbours_are_laid_out(before: str, after: str) -> None:
    node = json5.parse(before, "x")
    edited = json5.replaced(before, [json5.added(before, node, "k", "1")])
    assert edited == after
    assert library.loads(edited)["k"] == 1


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("{a: 1}", "{}"),
        ("{a: 1, b: 2}", "{ b: 2}"),
        ("{b: 2, a: 1}", "{b: 2}"),
        ("{\n  a: 1,\n  b: 2\n}", "{\n  b: 2\n}"),
        ("{\n  b: 2,\n  a: 1,\n}", "{\n  b: 2,\n  }"),
    ],
)
def test_a_member_is_taken_away_with_its_comma(before: str, after: str) -> None:
    node = json5.parse(before, "x")
    edited = json5.replaced(before, [json5.removed(before, node, "a")])
    assert edited == after
    assert "a" not in library.loads(edited)
