from __future__ import annotations

import pytest

from openclaw_cli.errors import UsageError
from openclaw_cli.formats import github


def test_a_value_stands_between_delimiters_that_differ_each_time() -> None:
    first, second = (github.write({"KEY": b"a\nb=c\nEOF"}).split(b"\n") for _ in range(2))
    delimiter = first[0].removeprefix(b"KEY<<")
    assert first == [b"KEY<<" + delimiter, b"a", b"b=c", b"EOF", delimiter, b""]
    assert second[0] != first[0]


def test_a_value_cannot_close_itself_and_set_another_variable() -> None:
    value = b"x\nend_0\nPATH=/evil\nKEY<<end_0"
    assert github.read(github.write({"KEY": value})) == {"KEY": value}


def test_each_line_is_masked_and_nothing_else_is_in_the_commands() -> None:
    masks = github.masks({"PEM": b"one\r\n\ntwo\n", "KEY": b"50%0A", "BLANK": b" \n"})
    assert masks == b"::add-mask::one\n::add-mask::two\n::add-mask::50%250A\n"


def test_the_file_holds_no_commands_since_the_runner_would_fail_on_them() -> None:
    assert b"::" not in github.write({"KEY": b"x"})


def test_plain_and_delimited_entries_are_read_as_the_runner_does() -> None:
    data = b"A=x<<y\n\nB<<EOF\n1\n\nA=2\nEOF\nC=\nD<<E\nE\n"
    assert github.read(data) == {"A": b"x<<y", "B": b"1\n\nA=2", "C": b"", "D": b""}


@pytest.mark.parametrize(
    ("data", "line"), [(b"A=1\n::add-mask::x\n", 2), (b"A=1\nB<<EOF\nx\n", 2), (b"oops\n", 1)]
)
def test_what_the_runner_would_refuse_is_refused_with_its_line(data: bytes, line: int) -> None:
    with pytest.raises(UsageError, match=f"line {line} of the GITHUB_ENV input"):
        github.read(data)


def test_a_last_carriage_return_is_refused_since_windows_would_drop_it() -> None:
    with pytest.raises(UsageError, match="the value of KEY ends in CR"):
        github.write({"KEY": b"x\r"})
