"""JSON5 by its places: where each value stands in a text, so that an edit leaves the rest alone.

A library would give the values without their places, and write the file anew without comments.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from openclaw_cli.errors import ConfigError

Edit: TypeAlias = tuple[int, int, str]
"""Where a stretch of the text begins and ends, and what takes its place."""

DEEPEST = 200

_SPACE = re.compile(r"(?:[\s\ufeff]|//[^\n\r\u2028\u2029]*|/\*.*?\*/)*", re.DOTALL)
_WORD = re.compile(r"[^\s,:\[\]{}\"'/]+")
_STRING = re.compile(
    r'"(?:\\(?:\r\n|.)|[^"\\\n\r])*"|' r"'(?:\\(?:\r\n|.)|[^'\\\n\r])*'", re.DOTALL
)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(\r\n|.))", re.DOTALL)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "v": "\v", "0": "\0"}
_LINE_ENDS = frozenset(("\n", "\r\n", "\r", "\u2028", "\u2029"))
_NAME = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")

OBJECT = "object"
ARRAY = "array"
STRING = "string"
OTHER = "other"


@dataclass(slots=True)
class Node:
    """A value: what it is, where it begins and ends in the text, and what is in it.

    `text` is that of a string; `members` those of an object by key, of an array by number.
    """

    kind: str
    start: int
    end: int
    text: str = ""
    members: dict[str, Node] = field(default_factory=dict)
    keys: dict[str, int] = field(default_factory=dict)

    def at(self, *path: str) -> Node | None:
        """Return what stands below these keys."""
        found: Node | None = self
        for key in path:
            found = found.members.get(key) if found else None
        return found

    def strings(self, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Node]]:
        """Yield every text below, with the keys that lead there."""
        if self.kind == STRING:
            yield above, self
        for key, member in self.members.items():
            yield from member.strings((*above, key))


def parse(text: str, name: str) -> Node:
    """Return a document's value; raises `ConfigError`, which names the file and the line.

    A key that is written twice is refused: which of the two counts is easily mistaken.
    """
    reader = _Reader(text, name)
    node = reader.value(_skipped(text, 0), 0)
    if _skipped(text, node.end) != len(text):
        raise reader.wrong(node.end)
    return node


class _Reader:
    def __init__(self, text: str, name: str) -> None:
        self._text = text
        self._name = name

    def value(self, at: int, depth: int) -> Node:
        text = self._text
        if depth > DEEPEST:
            raise self.wrong(at)
        first = text[at : at + 1]
        if first == "{":
            return self._object(at, depth)
        if first == "[":
            return self._array(at, depth)
        if first and first in "\"'":
            return self._string(at)
        word = _WORD.match(text, at)
        if word is None:
            raise self.wrong(at)
        return Node(OTHER, at, word.end())

    def _object(self, start: int, depth: int) -> Node:
        node = Node(OBJECT, start, start)
        at = _skipped(self._text, start + 1)
        while not self._text.startswith("}", at):
            begin, (key, at) = at, self._key(at)
            at = _skipped(self._text, at)
            if key in node.members or not self._text.startswith(":", at):
                raise self.wrong(begin)
            member = self.value(_skipped(self._text, at + 1), depth + 1)
            node.members[key], node.keys[key] = member, begin
            at = self._next(member.end, "}")
        node.end = at + 1
        return node

    def _array(self, start: int, depth: int) -> Node:
        node = Node(ARRAY, start, start)
        at = _skipped(self._text, start + 1)
        while not self._text.startswith("]", at):
            member = self.value(at, depth + 1)
            node.members[str(len(node.members))] = member
            at = self._next(member.end, "]")
        node.end = at + 1
        return node

    def _next(self, at: int, closing: str) -> int:
        at = _skipped(self._text, at)
        if self._text.startswith(",", at):
            return _skipped(self._text, at + 1)
        if not self._text.startswith(closing, at):
            raise self.wrong(at)
        return at

    def _key(self, at: int) -> tuple[str, int]:
        if self._text[at : at + 1] in ('"', "'"):
            node = self._string(at)
            return node.text, node.end
        word = _WORD.match(self._text, at)
        if word is None or "\\" in word[0]:
            raise self.wrong(at)
        return word[0], word.end()

    def _string(self, at: int) -> Node:
        found = _STRING.match(self._text, at)
        if found is None:
            raise self.wrong(at)
        return Node(STRING, at, found.end(), _whole(_ESCAPE.sub(_unescaped, found[0][1:-1])))

    def wrong(self, at: int) -> ConfigError:
        line = self._text.count("\n", 0, at) + 1
        return ConfigError(
            f"{self._name}, line {line}: this is not JSON5",
            hint="mend this line, or the one before",
        )


def replaced(text: str, edits: Iterable[Edit]) -> str:
    """Return the text with each stretch replaced; none may overlap another."""
    pieces: list[str] = []
    done = 0
    for start, end, new in sorted(edits):
        pieces += (text[done:start], new)
        done = end
    return "".join([*pieces, text[done:]])


def added(text: str, within: Node, key: str, literal: str) -> Edit:
    """Return the edit that adds a member to an object, last, laid out as its neighbours are."""
    quoted = _key_as(text, within, key)
    last = max(within.members.values(), key=lambda each: each.end, default=None)
    if last is None:
        return within.start + 1, within.start + 1, f" {quoted}: {literal} "
    begin = text.rfind("\n", 0, min(within.keys.values())) + 1
    indent = text[begin : min(within.keys.values())]
    own_line = begin > within.start and not indent.strip()
    gap = f"\n{indent}" if own_line else " "
    comma = _skipped(text, last.end)
    if text.startswith(",", comma):
        return comma + 1, comma + 1, f"{gap}{quoted}: {literal},"
    return last.end, last.end, f",{gap}{quoted}: {literal}"


def removed(text: str, within: Node, key: str) -> Edit:
    """Return the edit that takes a member away, with its comma and its line."""
    start, end = within.keys[key], within.members[key].end
    comma = _skipped(text, end)
    if text.startswith(",", comma):
        end = comma + 1
        rest = re.compile(r"[ \t]*\n[ \t]*").match(text, end)
        end = rest.end() if rest else end
    else:  # the last one: the comma before it goes, too
        before = [node.end for node in within.members.values() if node.end <= start]
        if before:
            start = max(before)
    return start, end, ""


def _key_as(text: str, within: Node, key: str) -> str:
    bare = any(text[at] not in "\"'" for at in within.keys.values())
    return key if bare and _NAME.fullmatch(key) else json.dumps(key)


def _skipped(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _whole(text: str) -> str:
    r"""Join the halves of letters that were written as `\ud83d\ude00`."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


def _unescaped(found: re.Match[str]) -> str:
    code = found[1] or found[2]
    if code:
        return chr(int(code, 16))
    letter = found[3]
    return "" if letter in _LINE_ENDS else _ESCAPES.get(letter, letter)
