"""Parts of an answer that may come from more than one attempt, put together for who reads them.

A request that is delivered again is answered from the beginning. What its second attempt says is
swallowed as long as it is, letter for letter, what the first one had said; the rest is passed on.
Where it differs, the reader is told that the answer begins again.
"""

from __future__ import annotations

from collections.abc import Callable


class Parts:
    """The parts of one answer. `again` is called where those before no longer hold."""

    def __init__(
        self, emit: Callable[[str], object], again: Callable[[], object], *, repeats: bool
    ) -> None:
        """Pass parts on to `emit`; `repeats` says whether there may be a second attempt."""
        self._emit = emit
        self._again = again
        self._repeats = repeats
        self._attempt = ""
        self._before: set[str] = set()
        self._number = 0
        self._given = ""  # what the reader has, since it was told last that it begins again
        self._same = 0  # as much of that the present attempt has said, too

    def begun(self, attempt: str) -> None:
        """Take note of an attempt; what one before it may still say is not passed on."""
        if attempt != self._attempt and attempt not in self._before:
            self._before.add(self._attempt)
            self._attempt, self._number, self._same = attempt, 0, 0

    def take(self, attempt: str, number: int, text: str) -> None:
        """Take a part, the attempt's `number`th; one that was there already is dropped."""
        self.begun(attempt)
        if attempt != self._attempt or number <= self._number:
            return
        self._number = number
        if not self._repeats:
            self._emit(text)
            return
        ahead = self._given[self._same : self._same + len(text)]
        if text.startswith(ahead):
            self._same += len(ahead)
            text = text[len(ahead) :]
        else:
            text = self._begin_again() + text
        if text:
            self._emit(text)
            self._given += text
            self._same = len(self._given)

    def end(self) -> None:
        """Say that the answer is whole: the reader has no part that is not in it."""
        if self._same < len(self._given):
            text = self._begin_again()
            if text:
                self._emit(text)

    def _begin_again(self) -> str:
        """Tell the reader, and return what the present attempt had said by now."""
        text = self._given[: self._same]
        self._given, self._same = "", 0
        self._again()
        return text
