"""TOML: one table of strings; a value that is not UTF-8 is a table with `base64`.

Integers are refused: the parser gives the number, and `0xff` or `1_000` would come out changed.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping

import tomli_w

from openclaw_cli.formats.rules import DEEPEST, flatten, malformed, text, tree

# The parser needs memory by the square of a dotted key's length: 100,000 parts take 40 GB.
_LONG_KEY = re.compile(
    r"""(?:^|[\[{,])[ \t]*(?:(?:[\w-]++|"[^"\n]*"|'[^'\n]*')[ \t]*\.[ \t]*){64}""",
    re.ASCII | re.MULTILINE,
)


def read(data: bytes) -> dict[str, bytes]:
    document = text(data, "TOML")
    if _LONG_KEY.search(document):
        raise malformed("TOML", f"nests deeper than {DEEPEST} tables")
    return flatten(_parsed(document), "TOML")


def _parsed(document: str) -> dict[str, object]:
    try:
        return tomllib.loads(document)
    except ValueError as bad:
        # The place exists only in the message (until 3.14); nothing else of it is repeated.
        place = re.search(r"\(at line (\d+), column \d+\)$", str(bad))
        line = int(place[1]) if place else 0
        raise malformed("TOML", "is not TOML, or repeats a name", line) from None
    except RecursionError:
        raise malformed("TOML", f"nests deeper than {DEEPEST} tables") from None


def write(values: Mapping[str, bytes]) -> bytes:
    return tomli_w.dumps(tree(values)).encode()
