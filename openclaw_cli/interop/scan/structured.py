"""What a file's own structure says is a credential, however little random it is."""

from __future__ import annotations

import os
from collections.abc import Iterator

from openclaw_cli.errors import OpenclawError
from openclaw_cli.interop import auth_store, json5, places
from openclaw_cli.interop.scan.finding import CREDENTIAL, Finding, Span, fingerprint

MOST = 16 * 1024 * 1024  # bytes; a larger file is no configuration

_CONFIGS = ("openclaw.json", "clawdbot.json", "moltbot.json", "moldbot.json", "models.json")
_PROFILES, _OLDER = "auth-profiles.json", "auth.json"

_PIECE = 16 * 1024
"""Letters of a `.env` that are read at once: a quote that nothing ends is looked for to the end."""

_REFERENCES = ("openclaw://", "local://", "vault://", "$")


def is_structured(path: str) -> bool:
    """Tell by its name whether a file is a configuration, auth profiles, or a `.env`."""
    name = os.path.basename(path)
    return name.startswith((*_CONFIGS, _PROFILES, _OLDER, ".env")) or name.endswith(".env")


def spans(path: str, data: bytes) -> list[Span]:
    """Return the credentials of such a file; none where it is not what its name says."""
    # One letter a byte, so that places in the text are places in the data.
    text, name = data.decode("latin-1"), os.path.basename(path)
    try:
        return list(_spans(name, text))
    except OpenclawError:
        return []


def of_auth_store(path: str, key: bytes) -> Iterator[Finding]:
    """Yield the credentials of a gateway's SQLite auth store; none where it is no such thing."""
    for row in auth_store.rows(path, foreign=True):
        try:
            root = json5.parse(row.text, path)
        except OpenclawError:
            continue
        for place in places.in_profiles(root):
            mark = fingerprint(key, place.value)
            yield Finding(path, 0, CREDENTIAL, f"the auth profile {place.keys[1]}", mark)


def _spans(name: str, text: str) -> Iterator[Span]:
    if name.startswith((*_CONFIGS, _PROFILES, _OLDER)):
        root = json5.parse(text, name)
        for each in _in_json(name, root):
            if not each.variable:
                yield Span(each.start + 1, each.end - 1, CREDENTIAL, "a credential")
        return
    for line in _lines(text):
        value = line.value.decode()
        if places.is_secret_variable(line.name) and not value.startswith(_REFERENCES):
            at = text.find(value, line.start, line.end)
            start, end = (at, at + len(value)) if at >= 0 else (line.start, line.end)
            yield Span(start, end, CREDENTIAL, "a credential")


def _in_json(name: str, root: json5.Node) -> Iterator[places.Place]:
    if name.startswith(_PROFILES):
        return places.in_profiles(root)
    if name.startswith(_OLDER):
        return places.in_older_profiles(root)
    return places.in_config(root)


def _lines(text: str) -> Iterator[places.Line]:
    at = 0
    while at < len(text):
        end = at + _PIECE
        end = text.rfind("\n", at, end) + 1 or text.find("\n", end) + 1 if end < len(text) else 0
        for line in places.in_dotenv(text[at : end or len(text)]):
            line.start, line.end = line.start + at, line.end + at
            yield line
        at = end or len(text)
