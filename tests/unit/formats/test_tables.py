"""JSON, YAML and TOML: tables of text."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from openclaw_cli import formats
from openclaw_cli.errors import OpenclawError, UsageError

TABLES = pytest.mark.parametrize("name", ["json", "yaml", "toml"])
OTHERS: dict[str, Callable[[bytes], object]] = {
    "json": json.loads,
    "yaml": yaml.safe_load,
    "toml": lambda data: tomllib.loads(data.decode()),
}


@TABLES
@given(
    table=st.dictionaries(
        st.from_regex(r"[a-z0-9][A-Za-z0-9._:/-]{0,9}", fullmatch=True), st.text()
    )
)
def test_other_readers_find_the_same_text(name: str, table: dict[str, str]) -> None:
    encoded = {key: value.encode() for key, value in table.items()}
    assert OTHERS[name](formats.get(name).write(encoded)) == table
    assert formats.get(name).read(formats.get(name).write(encoded)) == encoded


@TABLES
def test_bytes_that_are_no_text_are_written_as_base64_under_their_name(name: str) -> None:
    written = formats.get(name).write({"team/key": b"\xff\0"})
    assert OTHERS[name](written) == {"team/key": {"base64": "/wA="}}
    assert formats.get(name).read(written) == {"team/key": b"\xff\0"}


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("json", b'{"team": {"db": {"url": "x"}, "k": "y"}}'),
        ("yaml", b"team:\n  db:\n    url: x\n  k: y\n"),
        ("toml", b"[team]\nk = 'y'\n[team.db]\nurl = 'x'\n"),
    ],
)
def test_tables_in_tables_become_names_with_slashes(name: str, data: bytes) -> None:
    assert formats.get(name).read(data) == {"team/db/url": b"x", "team/k": b"y"}


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("json", b'{"a/b": "1", "a": {"b": "2"}}'),
        ("yaml", b"a/b: x\na: {b: y}\n"),
        ("toml", b"'a/b' = 'x'\na.b = 'y'\n"),
    ],
)
def test_two_ways_to_the_same_name_are_refused(name: str, data: bytes) -> None:
    with pytest.raises(UsageError, match="gives a/b a second time"):
        formats.get(name).read(data)


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("json", "12345678901234567890123"),
        ("json", "-0"),
        ("yaml", "0x1F"),
        ("yaml", "007"),
        ("yaml", "1_000"),
        ("yaml", "12:30:45"),
    ],
)
def test_an_integer_keeps_the_text_it_has_in_the_file(name: str, number: str) -> None:
    data = f'{{"pin": {number}}}'.encode()
    assert formats.get(name).read(data) == {"pin": number.encode()}


def test_an_integer_in_toml_is_refused_since_its_text_is_lost() -> None:
    with pytest.raises(
        UsageError, match="the value of pin in the TOML input is a number"
    ) as refusal:
        formats.get("toml").read(b"pin = 0xff")
    assert refusal.value.hint == "put it in quotes"


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [
        ("json", "null", "null"),
        ("json", "true", "a boolean"),
        ("json", "1.0", "a number with a fraction"),
        ("json", "1e3", "a number with a fraction"),
        ("json", "NaN", "a number with a fraction"),
        ("json", '["a"]', "a list"),
        ("yaml", "~", "null"),
        ("yaml", "no", "a boolean"),
        ("yaml", "1.10", "a number with a fraction"),
        ("yaml", "2024-01-01", "not text"),
        ("yaml", "!!python/name:os.system x", "not text"),
        ("yaml", "! 12", "not text"),
        ("yaml", "[a]", "a list"),
        ("toml", "true", "a boolean"),
        ("toml", "1.0", "a number with a fraction"),
        ("toml", "2024-01-01", "not text"),
        ("toml", "['a']", "a list"),
    ],
)
def test_what_is_no_text_is_refused_by_name_with_what_to_do(
    name: str, value: str, word: str
) -> None:
    frame = "[team]\nkey = {}\n" if name == "toml" else '{{"team": {{"key": {} }} }}'
    with pytest.raises(
        UsageError, match=f"the value of team/key in the .* input is {word}"
    ) as refusal:
        formats.get(name).read(frame.format(value).encode())
    assert refusal.value.hint


@TABLES
@pytest.mark.parametrize("deep", [40, 100_000])
@pytest.mark.parametrize("kind", ["tables", "lists"])
def test_deep_nesting_is_refused_and_not_a_crash(name: str, deep: int, kind: str) -> None:
    data = {"tables": '{"a": ' * deep, "lists": '{"a": ' + "[" * deep}[kind]
    if name == "toml":
        data = {"tables": "a" + ".a" * deep + " = 'x'", "lists": "a = " + "[" * deep}[kind]
    with pytest.raises(UsageError):
        formats.get(name).read(data.encode())


@pytest.mark.parametrize("key", ["a.a", "[a.a", "x = {y = 1, 'a' . \"a\""])
def test_a_toml_key_of_very_many_parts_is_refused_before_it_fills_the_memory(key: str) -> None:
    with pytest.raises(UsageError, match="nests deeper"):
        formats.get("toml").read(key.encode() + b".a" * 1_000_000 + b" = 1")


def test_a_toml_text_of_very_many_dots_is_only_text() -> None:
    table = {"a": b"1.2" * 1000, "b": b"x\ny" + b".z" * 1000}
    assert formats.get("toml").read(formats.get("toml").write(table)) == table


@pytest.mark.parametrize(
    ("name", "data", "line"),
    [
        ("json", b'{"a": "x",\n oops}', 2),
        ("json", b'{"a":\n\n"\xff"}', 3),
        ("yaml", b"a: x\nb: [\n}", 3),
        ("yaml", b"a: x\n? {b: c}\n: d\n", 2),
        ("toml", b"a = 'x'\nb = oops\n", 2),
    ],
)
def test_a_refusal_names_the_line(name: str, data: bytes, line: int) -> None:
    with pytest.raises(UsageError, match=f"line {line} of the"):
        formats.get(name).read(data)


@pytest.mark.parametrize("data", [b'{"a": "\\ud800"}', b'{"\\udfff": "x"}'])
def test_half_a_character_is_refused(data: bytes) -> None:
    with pytest.raises(UsageError, match="not Unicode") as refusal:
        formats.get("json").read(data)
    refusal.value.message.encode()


@pytest.mark.parametrize("encoded", ['"?"', '"YQ"', "null", '["YQ=="]', '{"base64": "YQ=="}'])
def test_base64_that_is_none_is_refused(encoded: str) -> None:
    with pytest.raises(UsageError, match="a value for key that is not base64"):
        formats.get("json").read(f'{{"key": {{"base64": {encoded}}}}}'.encode())


@TABLES
@pytest.mark.parametrize("data", [b'["a", "b"]', b'"a"', b"null", b"[[a]]\nb='c'", b"- a"])
def test_a_document_that_is_no_table_is_refused(name: str, data: bytes) -> None:
    with pytest.raises(UsageError):
        formats.get(name).read(data)


def test_a_byte_order_mark_is_no_part_of_the_first_name() -> None:
    assert formats.get("yaml").read("\ufeffa: x".encode()) == {"a": b"x"}
    assert formats.get("json").read('\ufeff{"a": "x"}'.encode()) == {"a": b"x"}


def test_yaml_aliases_are_refused_at_their_line_so_none_can_expand() -> None:
    bomb = b"a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"
    with pytest.raises(UsageError, match="line 2 of the YAML input has an alias"):
        formats.get("yaml").read(bomb)


def test_a_yaml_merge_key_is_refused() -> None:
    with pytest.raises(UsageError, match="line 1 of the YAML input has a name that is not text"):
        formats.get("yaml").read(b"<<: {a: b}\n")


def test_a_second_yaml_document_is_refused_and_not_left_out() -> None:
    with pytest.raises(UsageError, match="more than one document"):
        formats.get("yaml").read(b"a: x\n---\nb: y\n")


def test_an_empty_yaml_file_holds_nothing() -> None:
    assert formats.get("yaml").read(b"# later\n") == {}


documents = st.binary(max_size=60) | st.text(
    st.sampled_from("ab:-?[]{}&*!|>'\"%@# \n\t\\uUxd80<,~0."), max_size=40
).map(str.encode)


@given(data=documents)
def test_without_libyaml_bad_yaml_is_refused_just_the_same(data: bytes) -> None:
    with pytest.MonkeyPatch.context() as library:
        library.delattr(yaml, "CSafeLoader")
        try:
            formats.get("yaml").read(data)
        except OpenclawError:
            return


@given(table=st.dictionaries(st.from_regex(r"[a-z][a-z/]{0,5}", fullmatch=True), st.binary()))
def test_without_libyaml_the_same_file_gives_the_same_values(table: dict[str, bytes]) -> None:
    written = formats.get("yaml").write(table)
    with pytest.MonkeyPatch.context() as library:
        library.delattr(yaml, "CSafeLoader")
        assert formats.get("yaml").read(written) == table


def test_without_libyaml_an_escape_beyond_unicode_is_refused() -> None:
    with pytest.MonkeyPatch.context() as library:
        library.delattr(yaml, "CSafeLoader")
        with pytest.raises(UsageError, match="is not YAML"):
            formats.get("yaml").read(b'a: "\\UFFFFFFFF"\n')
