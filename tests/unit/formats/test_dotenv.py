from __future__ import annotations

import io
import tempfile
from pathlib import Path

import pytest
from dotenv import dotenv_values
from hypothesis import given
from hypothesis import strategies as st

from openclaw_cli.errors import UsageError
from openclaw_cli.formats import dotenv

letters = st.characters(exclude_characters="\0", exclude_categories=["Cs"])
awkward = st.text(st.sampled_from("ab \t\n\r'\"\\$`#={}:\x85\u2028\ufeff"))
texts = awkward | st.text(letters)


@given(texts=st.lists(texts, max_size=4))
def test_the_library_finds_the_same_values_in_the_file(texts: list[str]) -> None:
    table = {f"KEY{number}": value for number, value in enumerate(texts)}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, ".env")
        file.write_bytes(dotenv.write({name: value.encode() for name, value in table.items()}))
        assert dotenv_values(file, interpolate=False) == table


@given(text=st.text(st.sampled_from("AB= \t\n'\"\\#$xer:")) | st.text())
def test_what_is_read_is_what_the_library_reads_and_no_line_is_skipped(text: str) -> None:
    try:
        found = dotenv.read(text.encode())
    except UsageError:
        return
    theirs = dotenv_values(stream=io.StringIO(text, newline=None), interpolate=False)
    assert {name: value.decode() for name, value in found.items()} == theirs


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ("sk-proj_1/2+3=", "KEY=sk-proj_1/2+3="),
        ("C:\\keys\\", "KEY=C:\\keys\\"),
        ("a b", "KEY='a b'"),
        ("$HOME `id` #1", "KEY='$HOME `id` #1'"),
        ("one\ntwo\n", "KEY='one\ntwo\n'"),
        ("", "KEY=''"),
        ("it's", 'KEY="it\'s"'),
        ('it\'s "\\"\r', 'KEY="it\'s \\"\\\\\\"\\r"'),
    ],
)
def test_the_plainest_quotes_that_hold_a_value_are_taken(value: str, line: str) -> None:
    assert dotenv.write({"KEY": value.encode()}) == f"{line}\n".encode()


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"A=1\nB='open\nC=3\n", 2),
        (b"A=1\n\n\n  oops here\n", 4),
        (b"A=1\nB\n", 2),
        (b"export A\n", 1),
        (b"A='x' y\n", 1),
        (b"A=1\r\nB: 2\r\n", 2),
        (b"A=1\n\xff=2\n", 2),
        (b"A=1\nab/c+d==\n", 2),
        (b"-----BEGIN PRIVATE KEY-----\n", 1),
    ],
)
def test_a_line_that_the_library_would_skip_is_refused_with_its_number(
    data: bytes, line: int
) -> None:
    with pytest.raises(UsageError, match=f"line {line} of the dotenv input"):
        dotenv.read(data)


def test_comments_exports_and_windows_line_ends_are_understood() -> None:
    data = b'\xef\xbb\xbf# keys\r\nexport A=1 # one\r\nB="x\\ny\r\nz"\r\nC=\r\n'
    assert dotenv.read(data) == {"A": b"1", "B": b"x\ny\nz", "C": b""}


def test_nothing_is_expanded() -> None:
    assert dotenv.read(b'A=${HOME}\nB="$(id)"\n') == {"A": b"${HOME}", "B": b"$(id)"}
