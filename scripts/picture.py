"""A session of the terminal as a picture: the one that the README begins with, as a test runs it.

The page is held to what really happens by `tests/console`; this draws it, and `make docs` keeps it
as the page is.
"""

from __future__ import annotations

import re
from html import escape
from pathlib import Path

PAGE = Path(__file__).resolve().parent.parent / "README.md"

_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LETTER, _LINE, _EDGE = 8.4, 19, 20  # pixels of a letter of 14, and around the whole
_STYLE = (
    "text{font:14px ui-monospace,Menlo,Consolas,monospace;fill:#d6d6d6;white-space:pre}"
    ".typed{fill:#ffffff;font-weight:600}.hint{fill:#8f9aa8}"
)


def svg(text: str, title: str) -> str:
    """Draw a session: what is typed stands out, what is a hint steps back."""
    lines = text.rstrip("\n").split("\n")
    width = round(max(map(len, lines)) * _LETTER) + 2 * _EDGE
    height = len(lines) * _LINE + 2 * _EDGE
    drawn = [
        f'<text x="{_EDGE}" y="{_EDGE + 14 + number * _LINE}"{_look(line)}>{escape(line)}</text>'
        for number, line in enumerate(lines)
        if line
    ]
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">',
            f"<title>{escape(title)}</title>",
            f"<style>{_STYLE}</style>",
            f'<rect width="{width}" height="{height}" rx="8" fill="#16181d"/>',
            *drawn,
            "</svg>\n",
        ]
    )


def readme() -> str:
    """Return the picture of the README's first session."""
    first = _BLOCK.search(PAGE.read_text(encoding="utf-8"))
    if first is None:
        raise ValueError("the README has no session")
    return svg(first[1], "A session of openclaw: a key is kept, used, renewed, and asked about")


def _look(line: str) -> str:
    if line.startswith(("$ ", "> ")):
        return ' class="typed"'
    return ' class="hint"' if line.startswith("  ") else ""
