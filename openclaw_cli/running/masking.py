"""Masking: the values in what a program prints become `[openclaw:NAME]`, however they are split.

A mask without a further word stands for exactly the value, so text that was written down masked can
be filled in again; `[openclaw:NAME (base64)]` and the like say which spelling stood there.
"""

from __future__ import annotations

from bisect import bisect_right

from ahocorasick_rs import BytesAhoCorasick

from openclaw_cli.running.spellings import LONG, SHORTEST, spellings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

# The automaton knows the first bytes of a needle and Python compares the rest, so that its size
# depends on how many values there are, not on how long they are.
_HEAD = 32
# The same for the search for a needle that has only begun; shorter beginnings are in a set.
_BEGINNING = 8
# The most that may be shown of a needle when nothing follows, and its part of the shortest one:
# the echo of a typed letter must not wait for the next because some value begins with it.
_EARLY = 3
_EARLY_PART = 4


class Needles:
    """What to search for, made once from the values and shared by the streams.

    `unmasked` names the values that are too short to be searched for.
    """

    __slots__ = (
        "_beginnings",
        "_by_head",
        "_heads",
        "_masks",
        "_several",
        "_short",
        "_sorted",
        "early",
        "longest",
        "unmasked",
    )

    def __init__(self, values: Mapping[str, bytes]) -> None:
        self.unmasked = [name for name, value in values.items() if len(value) < SHORTEST]
        plain = {name: value for name, value in values.items() if len(value) >= SHORTEST}
        longest_mask = max(map(len, values), default=0) + len("[openclaw: (several)]")
        said = BytesAhoCorasick({v for v in plain.values() if len(v) <= longest_mask})
        self._masks = _masks(plain, said)
        self._several = _mask("[openclaw (several)]", said)
        self._sorted = sorted(self._masks)
        by_head: dict[bytes, list[bytes]] = {}
        for needle in self._sorted:
            by_head.setdefault(needle[:_HEAD], []).insert(0, needle)
        self._by_head = list(by_head.values())
        self._heads = BytesAhoCorasick(by_head)
        self._beginnings = BytesAhoCorasick(
            {needle[:_BEGINNING] for needle in self._sorted if len(needle) > _BEGINNING}
        )
        self._short = {
            needle[:size]
            for needle in self._sorted
            for size in range(1, min(_BEGINNING, len(needle)))
        }
        self.longest = max(map(len, self._sorted), default=0)
        self.early = min(_EARLY, min(map(len, self._sorted), default=0) // _EARLY_PART)

    def found(self, text: bytes) -> list[tuple[int, int, bytes]]:
        """Return (start, end, mask) of each stretch that needles cover, in order.

        Needles that overlap are one stretch: nothing of the second may be left over.
        """
        spans = [
            (start, start + len(needle), needle)
            for head, start, _ in self._heads.find_matches_as_indexes(text, overlapping=True)
            for needle in self._by_head[head]
            if text.startswith(needle, start)
        ]
        return self._joined(spans) if spans else []

    def begun(self, text: bytes) -> int:
        """Return where the longest end of `text` starts that may be a needle not yet complete."""
        size = len(text)
        first = max(0, size - self.longest + 1)
        tail = text[first:]
        for _, start, _ in self._beginnings.find_matches_as_indexes(tail, overlapping=True):
            if self._begins(tail[start:]):
                return first + start
        for start in range(max(first, size - _BEGINNING + 1), size):
            if text[start:] in self._short:
                return start
        return size

    def _joined(self, spans: list[tuple[int, int, bytes]]) -> list[tuple[int, int, bytes]]:
        spans.sort(key=lambda span: (span[0], -span[1]))
        joined: list[tuple[int, int, bytes]] = []
        until = 0
        for start, end, needle in spans:
            if start >= until:
                joined.append((start, end, self._masks[needle]))
                until = end
            elif end > until:
                joined[-1] = (joined[-1][0], end, self._several)
                until = end
        return joined

    def _begins(self, end: bytes) -> bool:
        after = bisect_right(self._sorted, end)
        return after < len(self._sorted) and self._sorted[after].startswith(end)


class Masker:
    """One stream on its way through: give it what was written, print what it returns."""

    __slots__ = ("_done", "_held", "_needles")

    def __init__(self, needles: Needles) -> None:
        self._needles = needles
        self._held = b""
        self._done = 0  # how much of what is held has been answered for, by a mask or early

    def feed(self, chunk: bytes) -> bytes:
        """Return what can be said already; only what may be a needle's beginning is held back."""
        text = self._held + chunk
        return self._released(text, self._needles.begun(text))

    @property
    def waiting(self) -> bool:
        """Whether `idle` would return something."""
        return self._done < len(self._held) <= self._needles.early

    def idle(self) -> bytes:
        """Return a beginning of at most three bytes that is held back, since nothing follows it.

        Call it some hundredths of a second after the last `feed`. The rest is still masked.
        """
        if not self.waiting:
            return b""
        shown = self._held[self._done :]
        self._done = len(self._held)
        return shown

    def finish(self) -> bytes:
        """Return the rest; the stream is at its end."""
        return self._released(self._held, len(self._held))

    def _released(self, text: bytes, until: int) -> bytes:
        done = self._done
        pieces: list[bytes] = []
        for start, end, mask in self._needles.found(text):
            if start >= until:
                break
            if end > done:
                pieces += (text[done:start], mask)
                done = end
        if done < until:
            pieces.append(text[done:until])
            done = until
        self._held = text[until:]
        self._done = done - until
        return b"".join(pieces)


def _masks(values: Mapping[str, bytes], said: BytesAhoCorasick) -> dict[bytes, bytes]:
    """Return the mask of each needle; the first secret and the plainest spelling name it."""
    masks: dict[bytes, bytes] = {}
    for name, value in values.items():
        if len(value) <= LONG:
            masks.setdefault(value, _mask(f"[openclaw:{name}]", said))
    for name, value in values.items():
        by_word: dict[str, bytes] = {}
        for word, spelling in dict.fromkeys(spellings(value)):
            long = len(spelling) > LONG
            said_as = f"[openclaw:{name} ({'part' if long else word})]"
            if said_as not in by_word:
                by_word[said_as] = _mask(said_as, said)
            for piece in _pieces(spelling) if long else (spelling,):
                if len(piece) >= SHORTEST:
                    masks.setdefault(piece, by_word[said_as])
    return masks


def _mask(mask: str, said: BytesAhoCorasick) -> bytes:
    """Return the mask, or a shorter one where it would itself say a value."""
    for candidate in (mask.encode(), b"[openclaw]"):
        if not said.find_matches_as_indexes(candidate):
            return candidate
    return b"[*]"


def _pieces(spelling: bytes) -> list[bytes]:
    """Cut what is long, so that what may be held back stays small."""
    whole = [spelling[at : at + LONG] for at in range(0, len(spelling) - LONG, LONG)]
    return [*whole, spelling[-LONG:]]
