"""The new content of each file of a plan. Pure: text in, text out, every other byte as it was."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from openclaw_cli.errors import ConfigError
from openclaw_cli.interop import config_file, json5, places, wiring

Reference = Mapping[str, str]


def configuration(
    text: str,
    path: str,
    provider: str,
    table: dict[str, Any],
    references: Mapping[tuple[str, ...], Reference],
    added: Mapping[tuple[str, ...], Reference],
) -> str:
    """Put references in the places of values, add those that are new, and the provider."""
    text = referred(text, path, references)
    for keys, value in (*added.items(), (("secrets", "providers", provider), table)):
        root = json5.parse(text, path)
        text = json5.replaced(text, config_file.setting(text, root, keys, dict(value)))
    return text


def referred(text: str, path: str, references: Mapping[tuple[str, ...], Reference | str]) -> str:
    """Put each reference in the place of the text at its keys."""
    root = json5.parse(text, path)
    edits = []
    for keys, value in references.items():
        node = _text_at(root, keys, path)
        edits.append((node.start, node.end, json.dumps(value)))
    return json5.replaced(text, edits)


def profiled(text: str, path: str, references: Mapping[tuple[str, ...], Reference]) -> str:
    """Put `keyRef` with a reference in the place of a profile's `key`, `tokenRef` for `token`."""
    root = json5.parse(text, path)
    edits = []
    for keys, value in references.items():
        profile = root.at(*keys[:-1])
        node = _text_at(root, keys, path)
        start = profile.keys[keys[-1]] if profile else node.start
        edits.append((start, node.end, f'"{keys[-1]}Ref": {json.dumps(value)}'))
    return json5.replaced(text, edits)


def without_lines(text: str, names: Iterable[str]) -> str:
    """Take assignments out of a `.env` file."""
    gone = set(names)
    lines = [each for each in places.in_dotenv(text) if each.name in gone]
    return json5.replaced(text, [(each.start, each.end, "") for each in lines])


def without_member(text: str, path: str, keys: Sequence[str]) -> str:
    """Take a value out of a file of our own settings: JSON, or a line of TOML or YAML."""
    from openclaw_cli.document import language, line_of, parsed, without_comments

    if language(path, text) == "JSON":
        root = json5.parse(text, path)
        above = root.at(*keys[:-1])
        if above is None:
            raise _elsewhere(path, keys)
        return json5.replaced(text, [json5.removed(text, above, keys[-1])])
    wanted = parsed(path, text)
    holder = wanted
    for key in keys[:-1]:
        holder = holder[key]
    del holder[keys[-1]]
    number = line_of(without_comments(text, language(path, text)), tuple(keys))
    lines = text.splitlines(keepends=True)
    edited = "".join([*lines[: number - 1], *lines[number:]])
    try:
        same = _pruned(parsed(path, edited)) == _pruned(wanted)
    except ValueError:
        same = False
    if not same:
        raise ConfigError(
            f"{path} has {'.'.join(keys)} in a way that cannot be taken out",
            hint="take it out by hand",
        )
    return edited


def restored(text: str, path: str, literals: Mapping[tuple[str, ...], str], provider: str) -> str:
    """Put the values back where our references still stand; `literals` are as the file had them."""
    root = json5.parse(text, path)
    edits = []
    for keys, literal in literals.items():
        node = root.at(*keys)
        profile = root.at(*keys[:-1])
        sibling = profile.members.get(f"{keys[-1]}Ref") if profile else None
        if profile and sibling and _ours(sibling, provider):
            start = profile.keys[f"{keys[-1]}Ref"]
            edits.append((start, sibling.end, f'"{keys[-1]}": {literal}'))
        elif node and (_ours(node, provider) or node.text == places.MANAGED):
            edits.append((node.start, node.end, literal))
    return json5.replaced(text, edits)


def literals(text: str, path: str, keys: Iterable[tuple[str, ...]]) -> dict[tuple[str, ...], str]:
    """Return what is written at each of these keys, quotes and all."""
    root = json5.parse(text, path)
    nodes = {each: root.at(*each) for each in keys}
    return {each: text[node.start : node.end] for each, node in nodes.items() if node is not None}


def reference(provider: str, name: str) -> dict[str, str]:
    """Return what stands for a secret."""
    return wiring.reference(provider, name)


def _ours(node: json5.Node, provider: str) -> bool:
    named = node.members.get("provider")
    return named is not None and named.text == provider


def _text_at(root: json5.Node, keys: Sequence[str], path: str) -> json5.Node:
    node = root.at(*keys)
    if node is None or node.kind != json5.STRING:
        raise _elsewhere(path, keys)
    return node


def _elsewhere(path: str, keys: Sequence[str]) -> ConfigError:
    return ConfigError(f"{path} has no text at {'.'.join(keys)} any more", hint="try again")


def _pruned(value: Any) -> Any:  # noqa: ANN401  whatever the file holds
    """Leave out tables that are empty: their last line took their key along."""
    if not isinstance(value, dict):
        return value
    inner = {key: _pruned(each) for key, each in value.items()}
    return {key: each for key, each in inner.items() if each not in ({}, None)}
