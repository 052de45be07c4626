"""What a terminal shows is measured as the terminal does, and cut and broken without harm."""

from __future__ import annotations

import ctypes
import locale
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_cli.cli.layout import Column, cut, fit, wrapped
from openclaw_cli.cli.stdout import width

COLUMNS = [
    Column("name", weight=9, shortest=20),
    Column("provider", weight=4, shortest=8),
    Column("backend", weight=3, shortest=8),
    Column("version", weight=2, shortest=3, short="ver"),
    Column("age", weight=6),
    Column("next rotation", weight=5, short="next"),
    Column("state", weight=8, states=True),
]
ACCENT = "\u0301"


CELLS = st.text("abc-/日é" + ACCENT, min_size=1, max_size=60)


@given(st.lists(st.tuples(*[CELLS] * len(COLUMNS)), min_size=1, max_size=5), st.integers(20, 220))
def test_every_row_fits_every_terminal(rows: list[tuple[str, ...]], room: int) -> None:
    columns, lines = fit(COLUMNS, rows, room)
    assert columns[0].title == "name"
    for index, _ in enumerate(lines):
        cells = [*lines, [column.title for column in columns]]
        widths = [max(width(row[place]) for row in cells) for place in range(len(columns))]
        assert sum(widths) + 2 * (len(columns) - 1) <= room
        assert len(lines[index]) == len(columns)


@given(st.text("abcdefgh日é" + ACCENT), st.integers(4, 40))
def test_a_cut_name_keeps_its_beginning_and_its_end(text: str, wide: int) -> None:
    short = cut(text, wide)
    assert width(short) <= wide
    head, dots, tail = short.partition("…")
    assert text.startswith(head)
    assert text.endswith(tail)
    assert dots or short == text


@given(st.text("ab日本" + ACCENT, max_size=40), st.integers(0, 40))
def test_no_letter_is_parted_from_its_accent(text: str, wide: int) -> None:
    text = f"a{text}"
    short = cut(text, wide)
    assert width(short) <= wide
    _, dots, tail = short.partition("…")
    assert not (dots and tail.startswith(ACCENT))
    if dots:
        rest = text[len(short.partition("…")[0]) :]
        assert not rest.startswith(ACCENT)


def test_letters_are_as_wide_as_the_c_library_says() -> None:
    """What terminals follow; of letters that both know, as the two may have different years."""
    wcwidth = ctypes.CDLL(None).wcwidth
    before = locale.setlocale(locale.LC_CTYPE)
    locale.setlocale(locale.LC_CTYPE, "C.UTF-8")
    try:
        sample = "aé日本語가힣กำลังनमस्ते한שלוםمرحبا🦞👩🏽①─│●◌…àe\u0301\u20dd\ufe0f"
        for letter in sample:
            assert width(letter) == wcwidth(ord(letter)), unicodedata.name(letter)
    finally:
        locale.setlocale(locale.LC_CTYPE, before)


@pytest.mark.parametrize("room", [20, 40, 80])
@pytest.mark.parametrize(
    "text",
    [
        "only one key opens the store (file): without it all secrets are lost",
        "這是一把沒有人使用過的鑰匙而且說明很長沒有空格所以要在字與字之間斷開才行",
        "two  spaces and 鑰匙 cafe" + ACCENT,
    ],
)
def test_a_text_is_broken_between_its_words_and_nothing_of_it_is_lost(text: str, room: int) -> None:
    lines = wrapped(text, room, first="why: ", rest="  ")
    assert all(width(line) <= room for line in lines)
    assert lines[0].startswith("why: ")
    assert all(line.startswith("  ") for line in lines[1:])
    joined = lines[0].removeprefix("why: ") + "".join(line[2:] for line in lines[1:])
    assert joined.replace(" ", "") == text.replace(" ", "")


def test_what_may_be_copied_stays_whole() -> None:
    path = "/home/ada/.openclaw/secrets/a-very-long-folder-name/store.oc"
    assert path in wrapped(f"opens {path} here", 30)


def test_piped_text_is_one_line() -> None:
    assert wrapped("word " * 50, 0, first="- ") == ["- " + "word " * 50]
