"""JSON: one object of strings; a value that is not UTF-8 is `{"base64": "..."}`."""

from __future__ import annotations

import json
from collections.abc import Mapping

from openclaw_cli.formats.rules import DEEPEST, flatten, malformed, text, tree


def read(data: bytes) -> dict[str, bytes]:
    try:
        document = json.loads(
            text(data, "JSON"),
            object_pairs_hook=_table,
            parse_int=str,  # an integer keeps the text it has in the file
        )
    except json.JSONDecodeError as bad:
        raise malformed("JSON", "is not JSON", bad.lineno) from None
    except RecursionError:
        raise malformed("JSON", f"nests deeper than {DEEPEST} tables") from None
    return flatten(document, "JSON")


def _table(pairs: list[tuple[str, object]]) -> dict[str, object]:
    table: dict[str, object] = {}
    for name, value in pairs:
        if name in table:
            raise malformed("JSON", f"gives {name} a second time")
        table[name] = value
    return table


def write(values: Mapping[str, bytes]) -> bytes:
    return json.dumps(tree(values), indent=2, ensure_ascii=False).encode() + b"\n"
