"""A state directory taken to the present: its formats, and the spellings in its configuration.

An edit is only kept where the file means the same with it: what it says of secrets, agents and the
gateway is read before and after. Comments, order and whatever is not ours stay byte for byte.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from openclaw_cli import fileformat, newfile, source
from openclaw_cli.agents import building
from openclaw_cli.agents import config as agents
from openclaw_cli.audit import head
from openclaw_cli.audit.head import FILE as HEAD
from openclaw_cli.document import content
from openclaw_cli.errors import (
    ConfigError,
    DeniedError,
    IntegrityError,
    OpenclawError,
    StorageError,
)
from openclaw_cli.fileformat import in_magic
from openclaw_cli.files import failure
from openclaw_cli.interop import config_file, json5
from openclaw_cli.interop.json5 import OBJECT, STRING, Edit, Node
from openclaw_cli.published import reading as published
from openclaw_cli.published.words import backend_called, canonical
from openclaw_cli.store import header
from openclaw_cli.store.reader import FILE as STORE

if TYPE_CHECKING:
    from openclaw_cli.home import Home
    from openclaw_cli.interop.config_file import File

_OF_AGENT = {
    "default-model": "model",
    "fallbacks": "fallback",
    "instructions": "system",
    "max-concurrent": "max-concurrency",
    "max-duration": "timeout",
    "max-threads": "max-concurrency",
    "system-prompt": "system",
}
_OF_SECRET = {
    "cache-duration": "cache",
    "cache-ttl": "cache",
    "env-var": "variable",
    "rotation-policy": "rotation",
    "ttl": "cache",
}
_THREAD_WORDS = ("thread", "thread-bound")
_BACKEND_KEYS = ("source", "provider", "backend")


@dataclass(frozen=True, slots=True)
class Change:
    """One step: in which line, what stood there, what stands there now."""

    line: int
    old: str
    new: str
    edits: tuple[Edit, ...]

    def plain(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {"line": self.line, "old": self.old, "new": self.new}


def upgraded(path: str, text: str) -> tuple[str, list[Change]]:
    """Return the text in the present spellings, and what was changed.

    Raises `ConfigError` for what is not JSON, or has mistakes.
    """
    root = json5.parse(text, path)
    if root.kind != OBJECT:
        raise ConfigError(f"{path} is not an object", hint="begin with { and end with }")
    before = _meaning(path, text)
    kept: list[Change] = []
    for change in _changes(text, root):
        after = json5.replaced(text, _edits([*kept, change]))
        if _same(path, after, before):
            kept.append(change)
    return json5.replaced(text, _edits(kept)), kept


def put(file: File, after: str) -> None:
    """Put upgraded text in a file's place; the old one stays beside it until that was read back.

    What an interruption leaves is the old file or the new one, and the next upgrade takes the copy
    of the old one away. Raises `DeniedError` and `StorageError`, which say whether it was changed.
    """
    kept = _kept(file.path)
    try:
        newfile.replace(kept, file.data, mode=file.mode)
    except (OSError, StorageError):
        raise StorageError(
            f"{file.path} was not changed: no copy of it can be kept beside it",
            hint=f"df -h {os.path.dirname(kept)}",
        ) from None
    config_file.put(file, after.encode())
    try:
        good = _same(file.path, _text(file.path), _meaning(file.path, file.text))
        if good:
            discard(file.path)
    except (DeniedError, StorageError) as refused:
        raise StorageError(
            f"the change was made, but {refused.message}", hint="openclaw config upgrade"
        ) from None
    if not good:
        os.replace(kept, file.path)
        raise IntegrityError(f"{file.path} was not what was written: the old one is back")


def discard(path: str) -> None:
    """Take away the copy of an old file, whose upgraded one can be read."""
    kept = _kept(path)
    try:
        os.unlink(kept)
    except FileNotFoundError:
        return
    except OSError as refused:
        raise failure("remove", kept, refused) from None


def formats(home: Home) -> dict[str, int]:
    """Return the format of each of our files that says it, by path; all of them are the newest.

    Raises `ConfigError` for one that a later version of this program keeps.
    """
    found = {}
    magics = ((f"{home.secrets}/{STORE}", header.MAGIC, 1), (f"{home.audit}/{HEAD}", head.MAGIC, 2))
    for path, magic, digits in magics:
        number = in_magic(_beginning(path), magic, digits)
        if number:
            fileformat.check(number, path)
            found[path] = number
    for name in ("settings.toml", "state.toml", "gateway/tokens.toml"):
        path = f"{home.base}/{name}"
        text = _text(path)
        with suppress(ValueError):
            if text:
                found[path] = tomllib.loads(text).get("format", fileformat.FIRST)
                fileformat.check(found[path], path)
    return found


def _kept(path: str) -> str:
    return f"{path}.before-upgrade"


def _beginning(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(16)
    except OSError:
        return b""


def _text(path: str) -> str:
    opened = content(path)
    return opened[0].decode(errors="replace") if opened else ""


def _edits(changes: list[Change]) -> list[Edit]:
    return [edit for each in changes for edit in each.edits]


def _meaning(path: str, text: str) -> dict[str, Any]:
    """Return what a file says, without the lines that it says it in."""
    found = source.said(path, text)
    found.believed()
    if found.mistakes_of_agents:
        raise found.mistakes_of_agents[0].error(len(found.mistakes_of_agents) - 1)
    values = {name: _unplaced(value) for name, value in found.values.items()}
    built = building.build([found.agents]).plain()
    built.pop("origin", None)
    return {"values": values, "agents": built}


def _same(path: str, text: str, before: dict[str, Any]) -> bool:
    try:
        return _meaning(path, text) == before
    except OpenclawError:
        return False


def _unplaced(value: Any) -> Any:  # noqa: ANN401  whatever a setting holds
    if isinstance(value, dict):
        return {key: _unplaced(each) for key, each in value.items() if key not in _PLACES}
    return value


_PLACES = ("origin", "keys")


def _changes(text: str, root: Node) -> Iterator[Change]:
    """Find what may be written otherwise; whether it means the same is judged later."""
    for top in (root, root.members.get(published.WRAPPER)):
        for key, node in top.members.items() if top is not None and top.kind == OBJECT else ():
            word = canonical(key)
            if word == agents.AGENTS and node.kind == OBJECT:
                for each in node.members.values():
                    yield from _of_agent(text, each)
            elif word in agents.THREAD_BOUND_AGENTS:
                yield from _of_agent(text, node)
            elif published.is_ours(key):
                yield from _of_secrets(text, node, published.THE_GATEWAYS)


def _of_agent(text: str, node: Node) -> Iterator[Change]:
    if node.kind != OBJECT:
        return
    words = {canonical(key) for key in node.members}
    for key, member in node.members.items():
        word = canonical(key)
        new = _OF_AGENT.get(word, "")
        if word == "max-threads" and "thread-id" in words:
            new = "pool-size"
        is_thread = word in _THREAD_WORDS and text[member.start : member.end] == "true"
        is_runtime = word == "runtime" and canonical(member.text) in _THREAD_WORDS
        if new and new not in words:
            yield _renamed(text, node, key, new)
            words.add(new)
        elif is_thread or is_runtime:
            yield _typed(text, node, key, words)
            words.add("type")


def _typed(text: str, node: Node, key: str, words: set[str]) -> Change:
    """Say `"type": "thread-bound"` in place of what says the same."""
    start, end = node.keys[key], node.members[key].end
    old, new = text[start:end], _as_key(text, node, key, "type") + ': "thread-bound"'
    line = text.count("\n", 0, start) + 1
    if "type" in words:
        return Change(line, old, "", (_removal(text, node, key),))
    return Change(line, old, new, ((start, end, new),))


def _of_secrets(text: str, node: Node, theirs: tuple[str, ...] = ()) -> Iterator[Change]:
    words = {canonical(key) for key in node.members} if node.kind == OBJECT else set()
    for key, member in node.members.items() if words else ():
        word = canonical(key)
        if word in theirs:
            continue
        new = _OF_SECRET.get(word, "")
        if member.kind == OBJECT:
            yield from _of_secrets(text, member)
        elif new and new not in words:
            yield _renamed(text, node, key, new)
            words.add(new)
        elif word in _BACKEND_KEYS and member.kind == STRING:
            yield from _of_backend(text, node, key, words)


def _of_backend(text: str, node: Node, key: str, words: set[str]) -> Iterator[Change]:
    member = node.members[key]
    line = text.count("\n", 0, member.start) + 1
    start = node.keys[key]
    if canonical(key) == "provider" and member.text == "external" and "source" in words:
        yield Change(line, text[start : member.end], "", (_removal(text, node, key),))
        return
    usual = backend_called(member.text)
    if usual and usual != member.text:
        new = f'"{usual}"'
        change = (member.start, member.end, new)
        yield Change(line, text[member.start : member.end], new, (change,))


def _removal(text: str, node: Node, key: str) -> Edit:
    """Take a member away, with the blank behind it where it shares its line with another."""
    start, end, nothing = json5.removed(text, node, key)
    return start, end + (text[end : end + 1] == " "), nothing


def _renamed(text: str, node: Node, key: str, new: str) -> Change:
    start = node.keys[key]
    end = start + len(_written(text, start, key))
    name = _as_key(text, node, key, new)
    return Change(text.count("\n", 0, start) + 1, text[start:end], name, ((start, end, name),))


def _written(text: str, start: int, key: str) -> str:
    """Return a key as it stands: in quotes, or bare."""
    quote = text[start]
    return f"{quote}{key}{quote}" if quote in "\"'" else key


def _as_key(text: str, node: Node, key: str, new: str) -> str:
    """Write a key as the one in its place is written; one with a dash needs quotes."""
    bare = text[node.keys[key]] not in "\"'"
    return new if bare and new.isidentifier() else f'"{new}"'
