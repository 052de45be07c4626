"""The gateway's own configuration: read, edited byte by byte, and put in place once it is proved.

Its own commands would write the file anew without its comments, and leave the old one beside it
with every value in plain text. So we edit it, and let the gateway judge the result beforehand.
"""

from __future__ import annotations

import glob
import json
import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from openclaw_cli import newfile
from openclaw_cli.document import content
from openclaw_cli.errors import ConfigError, ConflictError, RefusedError
from openclaw_cli.files import failure
from openclaw_cli.interop import json5

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openclaw_cli.interop.gateway import Gateway

LIMIT = 16 * 1024 * 1024  # bytes


@dataclass(frozen=True, slots=True)
class File:
    """A file as it was read: its true path, text and mode."""

    path: str
    data: bytes
    mode: int

    @property
    def text(self) -> str:
        """The content; raises `ConfigError` where it is no text."""
        try:
            return self.data.decode()
        except UnicodeDecodeError:
            raise ConfigError(f"{self.path} is not UTF-8", hint="save it as UTF-8") from None

    def root(self) -> json5.Node:
        """Return what it holds, an object; raises `ConfigError` where it does not."""
        node = json5.parse(self.text, self.path)
        if node.kind != json5.OBJECT:
            raise ConfigError(f"{self.path} is not an object", hint="begin with { and end with }")
        return node


def read(path: str) -> File | None:
    """Return a file, None where there is none; a link is followed."""
    path = os.path.realpath(path)
    found = content(path, LIMIT)
    return File(path, found[0], stat.S_IMODE(found[1].st_mode)) if found else None


def put(file: File, data: bytes, gateway: Gateway | None = None) -> None:
    """Put new content in a file's place, durably, with its mode.

    `gateway` is asked whether it would start with it; raises `RefusedError` where not, and
    `ConflictError` where the file was changed since it was read. Then nothing is changed.
    """
    try:
        if gateway is not None:
            _judge(gateway, file, data)
        now = read(file.path)
        if (now.data if now else b"") != file.data:
            raise ConflictError(f"{file.path} was changed meanwhile", hint="try again")
        newfile.replace(file.path, data, mode=file.mode)
    except OSError as refused:
        raise failure("replace", file.path, refused) from None


def _judge(gateway: Gateway, file: File, data: bytes) -> None:
    candidate = f"{file.path}.candidate"
    for left in glob.glob(f"{glob.escape(candidate)}*"):  # by an interrupted run, perhaps
        with suppress(FileNotFoundError):
            os.unlink(left)
    newfile.write(candidate, [data])
    try:
        trouble = gateway.accepts(candidate)
    finally:
        with suppress(OSError):
            os.unlink(candidate)
    if trouble and not gateway.accepts(file.path):
        raise RefusedError(
            f"the gateway would not start with the changed {file.path}: {trouble}",
            hint="openclaw secrets scan",
        )


def with_provider(
    text: str, root: json5.Node, name: str, table: dict[str, Any]
) -> list[json5.Edit]:
    """Return the edits that set `secrets.providers.NAME`; none where it stands so already."""
    return setting(text, root, ("secrets", "providers", name), table)


def setting(text: str, root: json5.Node, path: Sequence[str], value: object) -> list[json5.Edit]:
    """Return the edits that set what stands at these keys, with the objects on the way."""
    within = root
    for depth, key in enumerate(path):
        found = within.members.get(key)
        rest = path[depth + 1 :]
        if found is None:
            return [json5.added(text, within, key, literal(value, rest))]
        if not rest:
            return [] if _same(text, found, value) else [(found.start, found.end, literal(value))]
        if found.kind != json5.OBJECT:
            return [(found.start, found.end, literal(value, rest))]
        within = found
    return []


def literal(value: object, path: Sequence[str] = ()) -> str:
    """Write a value, within objects for the keys of `path`."""
    for key in reversed(path):
        value = {key: value}
    return json.dumps(value)


def _same(text: str, node: json5.Node, value: object) -> bool:
    with suppress(ValueError):
        return bool(json.loads(text[node.start : node.end]) == value)
    return False
