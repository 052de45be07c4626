"""A file of settings: its text and language, what it holds, and on which line each key stands."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Mapping
from typing import Any

from openclaw_cli.errors import DeniedError
from openclaw_cli.files import failure, read_all
from openclaw_cli.settings import LIMIT

# A string is kept, a comment becomes as many spaces.
_COMMENTS = {
    "TOML": re.compile(r"""("(?:\\.|[^"\\\n])*"|'[^'\n]*')|#[^\n]*"""),
    "JSON": re.compile(r"""("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|//[^\n]*|/\*.*?\*/""", re.DOTALL),
    "YAML": re.compile(r"""("(?:\\.|[^"\\\n])*"|'[^'\n]*')|(?:(?<=\s)|^)#[^\n]*""", re.MULTILINE),
}


def content(path: str, limit: int = LIMIT) -> tuple[bytes, os.stat_result] | None:
    """Return a file's bytes and what it is, None where there is none; a link is followed."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as refused:
        raise failure("read", path, refused) from None
    try:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode):
            raise DeniedError(f"{path} is not a plain file", hint=f"ls -ld {path}")
        return read_all(fd, path, limit), found
    finally:
        os.close(fd)


def is_toml(path: str) -> bool:
    """Tell whether a file is ours by its name."""
    return plain_name(path).endswith(".toml")


def plain_name(path: str) -> str:
    """Take off what a copy's name ends with."""
    return path.removesuffix(".new").removesuffix(".bak").removesuffix(".backup")


def language(path: str, text: str) -> str:
    """Tell JSON from YAML: articles give YAML and call it openclaw.json."""
    if is_toml(path):
        return "TOML"
    if plain_name(path).endswith((".yaml", ".yml")):
        return "YAML"
    first = without_comments(text, "JSON").lstrip()[:1]
    return "JSON" if first in "{[" else "YAML"


def parsed(path: str, text: str) -> Any:  # noqa: ANN401  whatever the file holds
    """Return what the text holds; raises as its language's parser does."""
    spoken = language(path, text)
    if spoken == "TOML":
        import tomllib

        return tomllib.loads(text)
    if spoken == "YAML":
        from openclaw_cli.formats import yaml

        return yaml.whole(text)
    import json

    try:
        return json.loads(text)
    except ValueError:
        import json5  # fifty times slower, and needed for comments and trailing commas alone

        return json5.loads(text)


def flat(
    table: Mapping[str, Any], above: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield each key with its value, those of the first tables one by one."""
    for key, value in table.items():
        if isinstance(value, dict) and not above:
            yield from flat(value, (key,))
        else:
            yield (*above, key), value


def without_comments(text: str, spoken: str) -> str:
    """Blank the comments of a text in this language; every line keeps its number."""
    return _COMMENTS[spoken].sub(_blank, text)


def line_of(plain: str, path: tuple[str, ...]) -> int:
    """Return the line of a key, in a text without comments."""
    return plain.count("\n", 0, place_of(plain, path)[0]) + 1


def place_of(plain: str, path: tuple[str, ...]) -> tuple[int, int]:
    """Find where a key begins and ends, in a text without comments: good enough for a message."""
    begin = end = 0
    for part in path:
        found = re.compile(rf"(?<![\w-]){re.escape(part)}[\"']?(?=\s*[\].:=])").search(plain, end)
        if found:
            begin, end = found.span()
    return begin, end


def _blank(found: re.Match[str]) -> str:
    return found[1] or re.sub(r"[^\n]", " ", found[0])
