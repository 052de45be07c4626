"""YAML: one mapping of strings; a value that is not UTF-8 is `{base64: "..."}`.

The document is built here from the parser's events: nothing is constructed from tags, aliases are
refused (a few lines of them expand to gigabytes), and each scalar keeps the text it has in the
file, so that an integer is what was typed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

import yaml

from openclaw_cli.formats.rules import DEEPEST, flatten, malformed, text, tree

_Loader: TypeAlias = Any  # the library's types leave out the methods used here

_TAG = "tag:yaml.org,2002:"
_TEXT = (_TAG + "str", _TAG + "int")
# What is no text is refused if it is a value of ours, so one of its kind stands for it.
_OTHERS: dict[str, object] = {_TAG + "null": None, _TAG + "bool": False, _TAG + "float": 0.0}


def read(data: bytes) -> dict[str, bytes]:
    found = list(documents(data, "YAML"))
    if len(found) > 1:
        raise malformed("YAML", "has more than one document")
    return flatten(found[0] if found else {}, "YAML")


def documents(data: bytes, kind: str) -> Iterator[object]:
    """Give each document as dicts, lists and strings; other scalars are not kept."""
    document = text(data, kind)
    try:
        loader: _Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(document)
        while not loader.check_event(yaml.StreamEndEvent):
            if isinstance(loader.get_event(), yaml.DocumentStartEvent):
                yield _node(loader, kind, 0)
    except yaml.MarkedYAMLError as bad:
        mark = bad.problem_mark
        line = mark.line + 1 if mark is not None else 0
        raise malformed(kind, "is not YAML", line) from None
    except (yaml.YAMLError, ValueError, OverflowError):
        # Without libyaml, an escape beyond Unicode reaches `chr`.
        raise malformed(kind, "is not YAML") from None


def whole(document: str) -> object:
    """Return what the one document of a text is, numbers and truths included, by the safe loader.

    Raises `UsageError` for what is not YAML, and for an alias or nesting that could grow.
    """
    loader: _Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    depth = 0
    try:
        for event in yaml.parse(document, Loader=loader):
            line = event.start_mark.line + 1 if event.start_mark is not None else 0
            if isinstance(event, yaml.AliasEvent):
                raise malformed("YAML", "has an alias; write the value out", line)
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth > DEEPEST:
                raise malformed("YAML", f"nests deeper than {DEEPEST} tables", line)
        found: object = yaml.load(document, Loader=loader)  # noqa: S506 - the safe loader
    except yaml.MarkedYAMLError as bad:
        mark = bad.problem_mark
        line = mark.line + 1 if mark is not None else 0
        raise malformed("YAML", "is not YAML", line) from None
    except (yaml.YAMLError, ValueError, OverflowError, TypeError):
        raise malformed("YAML", "is not YAML") from None
    return _with_text_keys(found)


def _with_text_keys(node: object) -> object:
    """Let every key be a text: YAML also knows numbers and dates as keys."""
    if isinstance(node, dict):
        return {str(key): _with_text_keys(inner) for key, inner in node.items()}
    return [_with_text_keys(inner) for inner in node] if isinstance(node, list) else node


def _node(loader: _Loader, kind: str, depth: int) -> object:
    event = loader.get_event()
    line = event.start_mark.line + 1
    if depth > DEEPEST:
        raise malformed(kind, f"nests deeper than {DEEPEST} tables", line)
    if isinstance(event, yaml.MappingStartEvent):
        return _mapping(loader, kind, depth)
    if isinstance(event, yaml.SequenceStartEvent):
        items = []
        while not loader.check_event(yaml.SequenceEndEvent):
            items.append(_node(loader, kind, depth + 1))
        loader.get_event()
        return items
    if not isinstance(event, yaml.ScalarEvent):
        raise malformed(kind, "has an alias; write the value out", line)
    return _scalar(loader, event)


def _mapping(loader: _Loader, kind: str, depth: int) -> dict[str, object]:
    table: dict[str, object] = {}
    while not loader.check_event(yaml.MappingEndEvent):
        line = loader.peek_event().start_mark.line + 1
        key = _node(loader, kind, depth + 1)
        if not isinstance(key, str):
            raise malformed(kind, "has a name that is not text; put it in quotes", line)
        if key in table:
            raise malformed(kind, f"gives {key} a second time", line)
        table[key] = _node(loader, kind, depth + 1)
    loader.get_event()
    return table


def _scalar(loader: _Loader, event: yaml.ScalarEvent) -> object:
    tag = event.tag or loader.resolve(yaml.ScalarNode, event.value, event.implicit)
    return event.value if tag in _TEXT else _OTHERS.get(tag, ...)


def write(values: Mapping[str, bytes]) -> bytes:
    return dump(tree(values))


def dump(document: Mapping[str, object]) -> bytes:
    """Write everything in quotes: readers of YAML 1.1 and 1.2 disagree on what else is text."""
    written: bytes = yaml.safe_dump(
        dict(document),
        default_style='"',
        default_flow_style=False,
        allow_unicode=True,
        sort_keys=False,
        width=float("inf"),
        encoding="utf-8",
    )
    return written
