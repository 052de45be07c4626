"""What every format promises, tried on all of them."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_cli import formats
from openclaw_cli.errors import OpenclawError, UsageError

ALL = pytest.mark.parametrize("name", formats.FORMATS)
VARIABLES = ("dotenv", "shell", "github")
UTF8_ONLY = ("dotenv", "github")

names = st.text(string.ascii_uppercase + "_", min_size=1, max_size=9)
awkward = st.text(st.sampled_from("a1 \t\n\r'\"\\$`#={}:!%&~é\x85\u2028\ufeff😀\x7f\x0b\x1b")).map(
    str.encode
)
values = st.binary(max_size=40) | awkward | st.text(max_size=40).map(str.encode)
tables = st.dictionaries(names, values, max_size=4)


def is_utf8(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


def fits(name: str, value: bytes) -> bool:
    if name in VARIABLES and b"\0" in value:
        return False
    if name == "github" and value.endswith(b"\r"):
        return False
    return name not in UTF8_ONLY or is_utf8(value)


@ALL
@given(table=tables)
def test_what_is_written_is_read_back_exactly_or_refused(
    name: str, table: dict[str, bytes]
) -> None:
    chosen = formats.get(name)
    if all(fits(name, value) for value in table.values()):
        assert chosen.read(chosen.write(table)) == table
    else:
        with pytest.raises(UsageError):
            chosen.write(table)


@ALL
@given(data=st.binary() | awkward)
def test_any_bytes_are_read_or_refused(name: str, data: bytes) -> None:
    try:
        found = formats.get(name).read(data)
    except OpenclawError:
        return
    assert all(isinstance(value, bytes) for value in found.values())


@ALL
@given(place=st.integers(0, 300), cut=st.integers(0, 3), insert=st.binary(max_size=3))
def test_a_damaged_file_never_shows_a_value_in_the_refusal(
    name: str, place: int, cut: int, insert: bytes
) -> None:
    chosen = formats.get(name)
    whole = chosen.write({"ONE": b"hunter2 hunter2\nhunter2", "TWO": b"it's hunter2"})
    place %= len(whole)
    try:
        chosen.read(whole[:place] + insert + whole[place + cut :])
    except OpenclawError as refusal:
        assert "hunter" not in refusal.message + refusal.hint  # noqa: PT017 - it need not raise


TWICE = {
    "dotenv": b"A=1\nB=2\nexport A=3\n",
    "json": b'{"A": "1",\n"A": "3"}',
    "yaml": b"A: '1'\nB: '2'\nA: '3'\n",
    "toml": b"A = '1'\nB = '2'\nA = '3'\n",
    "shell": b"A=1\nB=2\nexport A=3\n",
    "github": b"A=1\nB=2\nA<<E\n3\nE\n",
    "kubernetes": b"kind: Secret\ndata: {A: MQ==}\nstringData: {A: '3'}\n",
}


@ALL
def test_a_name_given_twice_is_refused_since_one_value_would_be_lost(name: str) -> None:
    with pytest.raises(UsageError, match=r"A a second time|repeats a name") as refusal:
        formats.get(name).read(TWICE[name])
    if name not in ("json", "kubernetes"):
        assert "line 3" in refusal.value.message


@ALL
def test_input_past_eight_mebibytes_is_refused_before_it_is_parsed(name: str) -> None:
    with pytest.raises(UsageError, match="larger than 8 MiB"):
        formats.get(name).read(b"#" * (8 * 1024 * 1024 + 1))


@pytest.mark.parametrize("name", VARIABLES)
@pytest.mark.parametrize("wrong", ["team/db", "1A", "A-B", "", "A=B", "A\nB", "É"])
def test_a_name_that_no_variable_can_have_is_refused(name: str, wrong: str) -> None:
    with pytest.raises(UsageError, match="cannot be the name of a variable"):
        formats.get(name).write({wrong: b"x"})


@pytest.mark.parametrize("name", UTF8_ONLY)
def test_a_value_that_is_not_utf8_is_refused_by_its_name_and_json_is_offered(name: str) -> None:
    with pytest.raises(UsageError, match="the value of KEY is not UTF-8") as refusal:
        formats.get(name).write({"KEY": b"\xff"})
    assert "--format json" in refusal.value.hint


def test_an_unknown_format_is_refused_with_the_nearest_and_all_known() -> None:
    with pytest.raises(UsageError, match="no format is called jsn") as refusal:
        formats.get("jsn")
    assert refusal.value.hint == f"did you mean json? known: {', '.join(formats.FORMATS)}"


@pytest.mark.parametrize(
    ("filename", "data", "expected"),
    [
        (".env", b"", "dotenv"),
        ("/srv/app/.env.production", b"", "dotenv"),
        ("prod.ENV", b"", "dotenv"),
        ("keys.json", b"", "json"),
        ("keys.yml", b"A: b\n", "yaml"),
        ("keys.toml", b"", "toml"),
        ("keys.sh", b"", "shell"),
        (".envrc", b"", "shell"),
        ("secret.yaml", b"apiVersion: v1\nkind: Secret\n", "kubernetes"),
        ("secret.json", b'{\n  "kind": "Secret"\n}', "kubernetes"),
        ("-", b"kind: Secret\n", "kubernetes"),
        ("-", b'\n {"A": "b"}', "json"),
        ("-", b"A=b\n", None),
        ("notes.txt", b"A=b\n", None),
    ],
)
def test_a_format_is_known_by_the_files_name_or_by_an_unmistakable_look(
    filename: str, data: bytes, expected: str | None
) -> None:
    assert formats.guess(filename, data) == expected
