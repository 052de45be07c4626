"""Parts of an answer that come from more than one attempt."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from openclaw_cli.engines.parts import Parts

TEXTS = st.lists(st.text(alphabet="ab", min_size=1, max_size=3), max_size=8)


class Reader:
    """What somebody has who reads the parts; None where it was told that they begin again."""

    def __init__(self, *, repeats: bool = True) -> None:
        self.had: list[str | None] = []
        self.parts = Parts(self.had.append, lambda: self.had.append(None), repeats=repeats)

    def hear(self, attempt: str, texts: Sequence[str]) -> None:
        self.parts.begun(attempt)
        for number, text in enumerate(texts, 1):
            self.parts.take(attempt, number, text)

    @property
    def text(self) -> str:
        """What holds: all since the last time that it began again."""
        since = [index for index, each in enumerate(self.had) if each is None]
        return "".join(each or "" for each in self.had[since[-1] + 1 if since else 0 :])


def test_a_part_that_comes_twice_is_passed_on_once() -> None:
    reader = Reader(repeats=False)
    for number, text in ((1, "one "), (2, "two "), (2, "two "), (1, "one "), (3, "three")):
        reader.parts.take("a", number, text)
    reader.parts.end()
    assert reader.had == ["one ", "two ", "three"]


def test_a_second_attempt_that_says_the_same_goes_on_where_the_first_one_was() -> None:
    reader = Reader()
    reader.hear("a", ["one ", "two "])
    reader.hear("b", ["one", " two three", " four"])
    reader.parts.end()
    assert reader.had == ["one ", "two ", "three", " four"]


def test_a_second_attempt_that_differs_is_told_and_heard_from_its_beginning() -> None:
    reader = Reader()
    reader.hear("a", ["one ", "two ", "three "])
    reader.hear("b", ["one ", "two ", "four "])
    reader.parts.end()
    assert reader.had == ["one ", "two ", "three ", None, "one two four "]


def test_what_an_attempt_says_after_another_one_began_is_dropped() -> None:
    reader = Reader()
    reader.hear("a", ["one "])
    reader.parts.begun("b")
    reader.parts.take("a", 2, "stale ")
    reader.parts.begun("a")
    reader.parts.take("a", 3, "stale ")
    reader.hear("b", ["one ", "two "])
    assert reader.had == ["one ", "two "]


def test_an_answer_that_says_less_than_was_passed_on_takes_it_back() -> None:
    reader = Reader()
    reader.hear("a", ["one ", "two "])
    reader.hear("b", ["one "])
    reader.parts.end()
    assert reader.text == "one "
    assert reader.had[2:] == [None, "one "]


@given(st.lists(TEXTS, min_size=1, max_size=4))
def test_whoever_reads_has_at_the_end_what_the_last_attempt_said(said: list[list[str]]) -> None:
    reader = Reader()
    for number, texts in enumerate(said):
        reader.hear(str(number), texts)
    reader.parts.end()
    assert reader.text == "".join(said[-1])


@given(st.text(max_size=20), st.lists(st.integers(0, 20), max_size=6), st.integers(0, 20))
def test_the_same_text_cut_otherwise_is_never_begun_again(
    text: str, cuts: list[int], ended: int
) -> None:
    reader = Reader()
    places = sorted({*cuts, len(text)})
    pieces = [text[start:end] for start, end in zip([0, *places], places, strict=False)]
    reader.hear("a", list(text[:ended]))
    reader.hear("b", [each for each in pieces if each])
    reader.parts.end()
    assert None not in reader.had
    assert reader.text == text
