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


def masked(values: dict[str, bytes]) -> list[bytes]:
    """Return what the runner is told to hide: it undoes %25, and takes a line for a command."""
    lines = github.masks(values).splitlines()
    assert all(line.startswith(b"::add-mask::") for line in lines)
    return [line.removeprefix(b"::add-mask::").replace(b"%25", b"%") for line in lines]


def test_each_line_is_masked_and_each_spelling_of_it() -> None:
    found = masked({"PEM": b"first line\r\n\nsecond/line\n{\n", "KEY": b"50%0A", "BLANK": b" \n"})
    assert {b"first line", b"second/line", b"50%0A"} <= set(found)
    assert {b"NTAlMEE=", b"NTAlMEE", b"3530253041", b"50%250A"} <= set(found)
    assert b"second%2Fline" in b" ".join(found)
    assert not [line for line in found if len(line) < 4]


def test_a_short_value_is_masked_nevertheless_and_a_short_line_of_a_long_one_is_not() -> None:
    assert masked({"PIN": b"12\n"})[0] == b"12"
    assert masked({"PINS": b"12\n34"})[:2] == [b"12", b"34"]
    assert b"{" not in masked({"JSON": b'{\n"key": "value"\n}'})


def test_nothing_is_masked_twice_and_a_blank_value_not_at_all() -> None:
    found = masked({"A": b"same-value", "B": b"same-value"})
    assert len(found) == len(set(found))
    assert masked({"BLANK": b" \n\n"}) == []


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
