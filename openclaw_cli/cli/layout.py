"""How text is laid out on a terminal: cut, broken into lines, columns chosen.

All texts here must be safe already, and every length is one of display columns (`stdout.width`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from unicodedata import bidirectional

from openclaw_cli.cli.stdout import LEFT_TO_RIGHT_MARK, width

GAP = "  "  # between two columns
_FEWEST = 6  # a cell cut shorter than this says nothing
_LINE = 20  # columns; on less, lines are not broken


class Column(NamedTuple):
    """One column of a table, and what becomes of it where the terminal is narrow.

    First `short` takes the title's place, then cells are cut in their middle, never below
    `shortest` (0: never cut), then the column with the lowest `weight` is left out.
    """

    title: str
    weight: int = 1
    shortest: int = 0
    short: str = ""
    states: bool = False


def fit(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], room: int, *, dots: str = "…"
) -> tuple[list[Column], list[list[str]]]:
    """Choose and cut columns so that every row takes one line of `room` columns.

    Short titles are tried first; then cells are cut in the columns that allow it, the widest
    first; then the column that matters least is left out, and so on.
    """
    kept = list(range(len(columns)))
    for shortened in (False, True):
        titled = [_titled(column, short=shortened) for column in columns]
        natural = [_widest(titled[index], index, rows) for index in kept]
        if _total(natural) <= room:
            return titled, [list(row) for row in rows]
    titled = [_titled(column, short=True) for column in columns]
    while True:
        natural = [_widest(titled[index], index, rows) for index in kept]
        least = [
            min(wide, max(titled[index].shortest or wide, width(titled[index].title)))
            for index, wide in zip(kept, natural, strict=True)
        ]
        if _total(least) <= room or len(kept) == 1:
            break
        kept.remove(min(kept, key=lambda index: (titled[index].weight, -index)))
    widths = _shared(natural, least, room)
    lines = [
        [cut(row[index], wide, dots) for index, wide in zip(kept, widths, strict=True)]
        for row in rows
    ]
    return [titled[index] for index in kept], lines


def cut(text: str, wide: int, dots: str = "…") -> str:
    """Shorten `text` in its middle: the beginning and the end tell names apart.

    No wide letter is halved, and no accent parted from its letter.
    """
    if width(text) <= wide:
        return text
    room = wide - len(dots)
    if room <= 0:
        return dots[: max(wide, 0)]
    letters = _letters(text)
    head = _fitting(letters, (room + 1) // 2)
    tail = _fitting(letters[::-1], room - width(head))
    return head + dots + text[len(text) - len(tail) :] if tail else head + dots


def kept_in_place(text: str) -> str:
    """Return a cell that a terminal with right-to-left writing leaves in its column.

    After Hebrew or Arabic letters it would draw the blanks and the next column's digits from right
    to left as well: "1    NAME" where NAME and 1 were meant. A left-to-right mark ends that. It
    has no width; piped cells stay without, as programs read them.
    """
    if text.isascii() or not any(bidirectional(letter) in ("R", "AL") for letter in text):
        return text
    return text + LEFT_TO_RIGHT_MARK


def wrapped(text: str, room: int, *, first: str = "", rest: str = "") -> list[str]:
    """Break a text between its words, so that each line has `room` columns.

    The first line begins with `first`, the others with `rest`. A word that is longer than a line
    stays whole, so that a path or a command can be copied, unless it is of wide letters, which
    are written without spaces. Piped (`room` is 0), or on very few columns, it stays one line.
    """
    if room < _LINE:
        return [first + text]
    lines, begun = [first], False
    for word in text.split(" "):
        space = " " if begun else ""
        for piece in [word] if width(word) == len(word) else _pieces(word, room - width(rest)):
            if begun and width(lines[-1]) + len(space) + width(piece) > room:
                lines.append(rest + piece)
            else:
                lines[-1] += space + piece
            begun, space = True, ""
    return lines


def _letters(text: str) -> list[str]:
    """Part a text into letters, each with the accents that belong to it."""
    found: list[str] = []
    for letter in text:
        if found and not width(letter):
            found[-1] += letter
        else:
            found.append(letter)
    return found


def _fitting(letters: Sequence[str], room: int) -> str:
    """Join as many letters from the beginning as have room; the order of joining is no matter."""
    taken = 0
    for count, letter in enumerate(letters):
        taken += width(letter)
        if taken > room:
            return "".join(letters[:count])
    return "".join(letters)


def _pieces(word: str, room: int) -> list[str]:
    """Part a word of wide letters between them; one that fits on a line stays whole."""
    return [word] if width(word) <= room // 2 else _letters(word)


def _shared(natural: Sequence[int], least: Sequence[int], room: int) -> list[int]:
    """Take columns away from the widest that may give some, one by one, until all fit."""
    widths = list(natural)
    while _total(widths) > room:
        givers = [index for index, wide in enumerate(widths) if wide > least[index]]
        if not givers:  # one column left, and wider than the terminal
            return [max(room, _FEWEST)]
        widths[max(givers, key=lambda index: widths[index] - least[index])] -= 1
    return widths


def _titled(column: Column, *, short: bool) -> Column:
    if not short or not column.short:
        return column
    return Column(column.short, column.weight, column.shortest, states=column.states)


def _widest(column: Column, index: int, rows: Sequence[Sequence[str]]) -> int:
    return max([width(column.title), *(width(row[index]) for row in rows)])


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + len(GAP) * (len(widths) - 1)
