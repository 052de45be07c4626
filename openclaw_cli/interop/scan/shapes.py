"""Keys of known services by their form, and likely secrets beside a word that means one.

A regular expression at each byte would take minutes a gibibyte. An automaton finds the places that
are worth a look: how a service's keys begin, and the words that stand before a secret.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from math import log2

from ahocorasick_rs import BytesAhoCorasick

from openclaw_cli import providers
from openclaw_cli.interop.scan.finding import KEY, LIKELY, Span

LONGEST = 4096
"""Bytes; nothing longer than this is recognised by its form."""

_FEWEST = 2  # bytes of a beginning that is worth looking for
_MOST_BEGINNINGS = 64
_INSIDE = re.compile(rb"[A-Za-z0-9_]")
_PIECE = re.compile(
    rb"(?P<group>\(\?:(?P<words>[A-Za-z0-9_|-]+)\)(?![?*+{]))|\[(?P<class>[A-Za-z0-9]{1,4})\]"
    rb"(?![?*+{])|(?:\\(?P<escaped>[^A-Za-z0-9])|(?P<plain>[A-Za-z0-9_:/@-]))(?![?*+{])"
)

_WORDS = (b"key", b"token", b"secret", b"passw", b"passphrase", b"credential", b"authorization")
_ASSIGNED = re.compile(
    rb"""[A-Za-z0-9_.-]{0,40}["'`]?\]?[ \t]{0,4}(?:[:=]|=>|:=|[ \t](?=[A-Za-z0-9]))[ \t]{0,4}"""
    rb"""(?:[Bb]earer[ \t]|[Bb]asic[ \t])?["'`]?(?P<value>[A-Za-z0-9+/=_.~:@-]{16,512})"""
)
_LEAST_RANDOM = 3.4  # bits a letter; words of a language have less, 20 random letters have 4
_LEAST_RANDOM_HEX = 3.0
_SHORTEST = 16
_BESIDE = 48  # bytes
_QUOTES = (b"'", b'"', b"`")
_NAMING = (b"key", b"token")
"""Words that stand before a name as often as before a secret: `sort_key: created-at-2`."""
_PART = rb"(?>\d{0,4}(?:[a-z]+|(?:[A-Z][a-z]+){1,3}|[A-Z]+)?\d{0,4})"
_NAMED = re.compile(rb"%b(?:[-_./]%b){2,}" % (_PART, _PART))
_TITLED = re.compile(rb"[A-Z][a-z]{3,}")
_MOSTLY = 0.6  # of a text, from where on it is made of words
_HEX = re.compile(rb"[0-9a-fA-F]+")
_DULL = re.compile(
    rb"(?i)example|placeholder|changeme|change-me|your[-_]|dummy|redacted|secretref|xxxx|0123456"
    rb"|1234567|abcdef|process\.|[a-z]\.[a-z]+\.[a-z]+|^(?:sha\d+-|https?:|file:|\d{4}-\d\d-\d\d)|/.*/"
    rb"|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|(?:[0-9a-f]{2}:){7}"
)
_EXAMPLE = b"EXAMPLE"  # how the keys end that services write in their own pages

# What a test vector of cryptography has beside its key, as no configuration has.
_VECTOR = re.compile(
    rb"""(?i)(?<![a-z0-9])(?:(iv|nonce|aad|adata|ct|pt|msg|mac|ciphertext|plaintext|okm|prk|ikm[re]?"""
    rb"""|salt|sharedinfo_length|dataunitseqnumber|unencrypted_[a-z]+)"""
    rb"""["']?[ \t]{0,4}[:=][ \t]{0,4}["']?[0-9a-f]*(?![0-9a-z])"""
    rb"""|(tag|digest|cipher|plain|input|output|result|enc|[sp]k[erms]{1,2}|hash|m)"""
    rb"""["']?[ \t]{0,4}[:=][ \t]{0,4}["']?[0-9a-f]{8})"""
)
_NEARBY = 1024  # bytes, before and after
_TELLING = 2  # words of a test vector that say it is one


class Shapes:
    """The services' patterns, compiled once."""

    def __init__(self) -> None:
        patterns: dict[bytes, list[tuple[re.Pattern[bytes], str]]] = {}
        for provider in map(providers.get, providers.names()):
            for pattern in provider.distinct:
                for beginning in beginnings(pattern):
                    compiled = re.compile(pattern)
                    patterns.setdefault(beginning, []).append((compiled, provider.title))
        self._patterns = list(patterns.values())
        self._beginnings = BytesAhoCorasick(patterns)
        self._words = BytesAhoCorasick(_WORDS)

    def found(self, text: bytes) -> Iterator[Span]:
        """Yield what is by its form a key of a known service."""
        for number, start, _ in self._beginnings.find_matches_as_indexes(text, overlapping=True):
            if start and _INSIDE.match(text, start - 1):
                continue
            for pattern, title in self._patterns[number]:
                key = pattern.match(text, start, min(len(text), start + LONGEST))
                if key and not key[0].endswith(_EXAMPLE):
                    yield Span(start, key.end(), KEY, f"a key of {title}")
                    break

    def likely(self, text: bytes, *, quoted: bool = False) -> Iterator[Span]:
        """Yield what is random and stands beside a word that means a secret, perhaps in quotes."""
        done = 0
        for number, _, end in self._words.find_matches_as_indexes(text.lower()):
            assigned = _ASSIGNED.match(text, end) if end >= done else None
            if assigned is None or b"\0" in text[max(0, end - _BESIDE) : assigned.start("value")]:
                continue  # a database or a program: what stands side by side means nothing
            start, done = assigned.span("value")
            if quoted and text[start - 1 : start] not in _QUOTES:
                continue
            value = assigned["value"].rstrip(b".=:")
            ends = start + len(value)
            issuer = providers.recognise(value) if len(value) >= _SHORTEST else None
            if value.endswith(_EXAMPLE):
                continue
            if issuer:
                yield Span(start, ends, KEY, f"a key of {issuer.title}")
            elif (
                is_random(value)
                and not (_WORDS[number] in _NAMING and is_name(value))
                and not (_HEX.fullmatch(value) and in_vector(text, start, ends))
            ):
                yield Span(start, ends, LIKELY, "what looks like a secret")


def beginnings(pattern: bytes) -> set[bytes]:
    """Return the texts of which one begins whatever a pattern fits; nothing where none is known.

    Understood are letters, `[ab]` and `(?:one|other)`; what comes after them is not needed.
    """
    found = {b""}
    at = 0
    while piece := _PIECE.match(pattern, at):
        if piece["words"]:
            choices = piece["words"].split(b"|")
        elif piece["class"]:
            choices = [bytes((each,)) for each in piece["class"]]
        else:
            choices = [piece["escaped"] or piece["plain"]]
        longer = {before + each for before in found for each in choices}
        if len(longer) > _MOST_BEGINNINGS:
            break
        found, at = longer, piece.end()
    return found if min(map(len, found)) >= _FEWEST else set()


def is_random(value: bytes) -> bool:
    """Tell a random text from words, paths, numbers and placeholders."""
    if len(value) < _SHORTEST or _DULL.search(value):
        return False
    if not (re.search(rb"[0-9]", value) and re.search(rb"[A-Za-z]", value)):
        return False
    least = _LEAST_RANDOM_HEX if _HEX.fullmatch(value) else _LEAST_RANDOM
    return entropy(value) >= least


def is_name(value: bytes) -> bool:
    """Tell a text that is made of words and short numbers, as a person names things."""
    titled = sum(len(each) for each in _TITLED.findall(value))
    return bool(_NAMED.fullmatch(value)) or titled >= _MOSTLY * len(value)


def in_vector(text: bytes, start: int, end: int) -> bool:
    """Tell whether what stands around is a test vector: a nonce, what is enciphered and so on."""
    around = _VECTOR.findall(text, max(0, start - _NEARBY), end + _NEARBY)
    return len({b"".join(each).lower() for each in around}) >= _TELLING


def entropy(value: bytes) -> float:
    """Return the bits a letter by how often each occurs."""
    size = len(value)
    return -sum(count / size * log2(count / size) for count in Counter(value).values())
