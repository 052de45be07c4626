"""What may be shown: the one sanitizer for text that is not our literal, and the test for values.

Lean: the hot road imports it.
"""

from __future__ import annotations

_LINE_BREAKING = ("\r\n", "\n", "\t")


def safe(text: str) -> str:
    r"""Give `text` with everything a terminal would act on, or not show, written as an escape.

    That is whatever `str.isprintable` refuses: C0, DEL and C1 controls, bidirectional and
    zero-width characters, line and paragraph separators, tags, lone surrogates, unusual spaces.
    They come out as `\xNN`, `\uNNNN` or `\UNNNNNNNN`. A newline is one of them, so the answer is
    always one line. Doing it twice changes nothing. Rich markup passes: `cli.render` never parses.
    """
    if text.isprintable():
        return text
    return "".join(
        [character if character.isprintable() else _escaped(character) for character in text]
    )


def safe_lines(text: str) -> str:
    """Give a text of several lines as `safe` gives one: tabs and line ends stay."""
    if printable(text.encode(errors="surrogatepass")):
        return text
    lines = text.replace("\r\n", "\n").split("\n")
    return "\n".join("\t".join(map(safe, line.split("\t"))) for line in lines)


def printable(value: bytes) -> bool:
    """Say whether `value` may be written to a terminal as it is: UTF-8 without hidden characters.

    Tabs and line ends (LF, CR LF) are allowed, since a PEM key has them. A carriage return alone
    is not: it would let the end of a value overwrite its beginning.
    """
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return False
    for allowed in _LINE_BREAKING:
        text = text.replace(allowed, "")
    return text.isprintable()


def _escaped(character: str) -> str:
    code = ord(character)
    if code <= 0xFF:  # noqa: PLR2004
        return f"\\x{code:02x}"
    if code <= 0xFFFF:  # noqa: PLR2004
        return f"\\u{code:04x}"
    return f"\\U{code:08x}"
