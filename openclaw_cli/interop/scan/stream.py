"""A stream looked at in windows, so that a file of any size takes the same memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from openclaw_cli.interop.scan.finding import OWN, Finding, Span, fingerprint, settled
from openclaw_cli.interop.scan.shapes import LONGEST, Shapes

if TYPE_CHECKING:
    from openclaw_cli.running.masking import Needles

WINDOW = 1024 * 1024  # bytes
_CODE = (
    *(".c", ".cc", ".cjs", ".cpp", ".cs", ".css", ".go", ".h", ".hpp", ".java", ".js", ".jsx"),
    *(".kt", ".map", ".mjs", ".php", ".py", ".pyi", ".pyx", ".rb", ".rs", ".swift", ".ts", ".tsx"),
)
"""What the names of files end with in which a secret stands in quotes, and a name does not."""
_MINIFIED = ".min"  # in a name: code whose every word is as random as a secret
_BEFORE = 256  # bytes of the window before, so that what stands in front of a key is seen


class Search:
    """What is searched for: our own values, known shapes, what looks like a secret.

    `key` makes the fingerprints.
    """

    def __init__(self, needles: Needles | None, key: bytes) -> None:
        self._needles = needles
        self._shapes = Shapes()
        self._overlap = max(LONGEST, needles.longest if needles else 0)
        self._key = key

    @property
    def knows_values(self) -> bool:
        """Whether values of ours are searched for, too."""
        return self._needles is not None

    def whole(
        self, data: bytes, path: str, blob: str = "", known: Iterable[Span] = ()
    ) -> Iterator[Finding]:
        """Yield what is found in a file's whole content, and what is `known` of it already."""
        counted, line = 0, 1
        for span in self.spans(data, known, path):
            line += data.count(b"\n", counted, span.start)
            counted = span.start
            yield self._finding(data, span, line, path, blob)

    def spans(self, text: bytes, known: Iterable[Span] = (), path: str = "") -> list[Span]:
        """Return what is found in a text, the surest kind for each stretch."""
        found = [*known, *self._shapes.found(text)]
        if _MINIFIED not in path:
            found += self._shapes.likely(text, quoted=path.endswith(_CODE))
        if self._needles is not None:
            for start, end, mask in self._needles.found(text):
                name = mask.decode().removeprefix("[openclaw").rstrip("]").removeprefix(":")
                what = f"the value of {name or 'a secret'}"
                found.append(Span(start, end, OWN, what, name.partition(" ")[0]))
        return settled(found)

    def findings(
        self, read: Callable[[int], bytes], path: str, blob: str = ""
    ) -> Iterator[Finding]:
        """Yield what is found in a stream, each once; `read` gives up to so many bytes, b"" last.

        A match belongs to the window that has all it may need after its start.
        """
        text = read(WINDOW)
        done = lines = 0  # what was answered for already, and the lines before this window
        while text:
            more = read(WINDOW)
            until = len(text) - self._overlap if more else len(text)
            counted, line = 0, lines + 1
            for span in self.spans(text, (), path):
                if done <= span.start < until:
                    line += text.count(b"\n", counted, span.start)
                    counted = span.start
                    yield self._finding(text, span, line, path, blob)
            if not more:
                return
            cut = max(0, until - _BEFORE)
            lines += text.count(b"\n", 0, cut)
            text, done = text[cut:] + more, until - cut

    def _finding(self, text: bytes, span: Span, line: int, path: str, blob: str) -> Finding:
        mark = fingerprint(self._key, text[span.start : span.end])
        return Finding(path, line, span.rule, span.what, mark, blob, span.name)
