"""Nothing that a terminal acts on, or does not show, gets through."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_cli.sanitize import printable, safe, safe_lines

ANY_TEXT = st.text(st.characters(exclude_categories=()))  # lone surrogates included


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("openai/api-key", "openai/api-key"),
        ("café 鍵 🔑", "café 鍵 🔑"),
        ("\x1b[2J", "\\x1b[2J"),
        ("\x1b]52;c;QQ==\x07", "\\x1b]52;c;QQ==\\x07"),
        ("a\x9b31mb", "a\\x9b31mb"),
        ("a\x7fb\x00", "a\\x7fb\\x00"),
        ("two\nlines\r\t", "two\\x0alines\\x0d\\x09"),
        ("exe\u202etxt.\u2066x\u2069", "exe\\u202etxt.\\u2066x\\u2069"),
        ("a\u2028b\u2029c\x85d", "a\\u2028b\\u2029c\\x85d"),
        ("key\u200bname\ufeff\u00ad", "key\\u200bname\\ufeff\\xad"),
        ("\udc80\ud800", "\\udc80\\ud800"),
        ("hidden\U000e0041", "hidden\\U000e0041"),
        ("[/red][link=https://evil]x", "[/red][link=https://evil]x"),
    ],
)
def test_what_a_terminal_would_act_on_is_written_out(text: str, shown: str) -> None:
    assert safe(text) == shown


@given(ANY_TEXT)
def test_what_is_safe_is_one_printable_line_that_can_be_encoded(text: str) -> None:
    shown = safe(text)
    assert shown.isprintable()
    assert shown.splitlines() in ([shown], [])
    assert safe(shown) == shown
    assert shown.encode().decode() == shown


def test_lines_and_tabs_of_a_longer_text_stay() -> None:
    assert safe_lines("a\tb\r\nc\x1b[2J\n\rd\ud800") == "a\tb\nc\\x1b[2J\n\\x0dd\\ud800"
    assert safe_lines("plain\r\n\t鍵\n") == "plain\r\n\t鍵\n"


def test_every_control_of_unicode_is_caught() -> None:
    dangerous = [*range(0x20), *range(0x7F, 0xA0), 0x61C, 0x200E, 0x200F]
    dangerous += [*range(0x200B, 0x200E), *range(0x2028, 0x202F), *range(0x2060, 0x2070)]
    dangerous += [*range(0xD800, 0xE000), 0xFEFF, *range(0xFFF9, 0xFFFC), *range(0xE0001, 0xE0080)]
    for code in dangerous:
        assert safe(chr(code)).startswith("\\"), hex(code)
    assert sum(safe(chr(code)) == chr(code) for code in range(sys.maxunicode + 1)) > 100_000


@pytest.mark.parametrize(
    "value", [b"sk-abc", b"", b"-----BEGIN KEY-----\nMIIB\n", b"a\r\nb\r\n", "pä$$wörd\t".encode()]
)
def test_text_may_go_to_a_terminal(value: bytes) -> None:
    assert printable(value)


@pytest.mark.parametrize(
    "value",
    [
        *(b"\x00", b"a\x1b[31m", b"\xff\xfe", b"\x9b31m", b"over\rwritten", b"\x7f", b"bell\x07"),
        *("\x9b31m".encode(), "\u202eevil".encode(), "zero\u200bwidth".encode(), b"\xed\xa0\x80"),
    ],
)
def test_what_a_terminal_would_act_on_may_not(value: bytes) -> None:
    assert not printable(value)


@given(st.binary())
def test_a_printable_value_is_text_whose_lines_are_safe(value: bytes) -> None:
    if printable(value):
        lines = value.decode().replace("\r\n", "\n").replace("\t", " ").split("\n")
        assert [safe(line) for line in lines] == lines
