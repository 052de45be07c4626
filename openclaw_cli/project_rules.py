"""What a project's own settings file may say.

It is somebody else's word: whoever clones a repository has it. So it may choose names and backends
and nothing else; what could turn off the trail, start a program or send a token anywhere is a
mistake in it. Whether it is used at all, `trusting.py` settles.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from openclaw_cli import source
from openclaw_cli.agents.config import Said
from openclaw_cli.document import line_of, without_comments
from openclaw_cli.project import NAMES
from openclaw_cli.published.words import canonical
from openclaw_cli.sanitize import safe
from openclaw_cli.settings import BACKENDS, EXPECTED, PROJECT
from openclaw_cli.source import Mistake, Source

KEYS = frozenset(("format", "backend", "backends", "secrets", "external-secrets"))
"""What a project's file may have at its top."""

PLACES = ("local", "vault", "aws-secrets-manager", "aws-parameter-store", "keyring", "env")
"""The backends it may choose: none that starts a program, or reads any file that we can."""

OF_BACKENDS = frozenset(("field", "kv", "mount", "namespace", "prefix", "region", "tier"))
"""What it may set of them: where to look in a place that the user's own settings lead to."""

_PLAINTEXT = "plaintext"
_OWN = "put it into settings.toml, which only you write"
_NOT_TAKEN = "is not taken from a project's file"


def is_project(path: str) -> bool:
    """Tell whether a file is a project's by its name."""
    return os.path.basename(path) == PROJECT


def said(path: str, text: str) -> Source:
    """Return what the text of a project's file says; what it may not say is a mistake."""
    found = source.ours(path, text)
    plain = without_comments(text, "TOML")
    for key in found.values.keys() - found.lines.keys():
        found.lines[key] = line_of(plain, (key,))
    allowed = [each for each in found.mistakes if not each.key or _top(each.key) in KEYS]
    forbidden = list(_forbidden(path, text, plain))
    beyond = _beyond(found, {canonical(each.key) for each in forbidden})
    found.mistakes = sorted([*allowed, *forbidden, *beyond], key=lambda each: each.line)
    found.agents, found.mistakes_of_agents = Said(), []
    found.understood = sorted({*found.understood, *_choices(found)})
    return found


def _choices(found: Source) -> Iterator[tuple[int, str]]:
    """Yield a sentence for each choice of backends: whoever trusts the file has read them all."""
    for key, value in found.values.items():
        line = found.lines[key]
        if key == "backend":
            yield line, f"a bare name is looked for in {safe(value)}"
        elif key.startswith(BACKENDS):
            for each in value:
                yield line, f"{key}: {safe(each)} is {safe(str(value[each]))}"


def _forbidden(path: str, text: str, plain: str) -> Iterator[Mistake]:
    import tomllib

    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError):
        return  # said already
    for key in document:
        if canonical(key) not in KEYS:
            shown = safe(key)
            yield Mistake(path, line_of(plain, (key,)), shown, f"{shown} {_NOT_TAKEN}", _OWN)


def _beyond(found: Source, forbidden: Collection[str]) -> Iterator[Mistake]:
    """Yield what is more than a choice of names and backends, and not below a forbidden key."""
    of_names = {NAMES: _of_name, _PLAINTEXT: _of_plaintext, EXPECTED: _of_expected}
    for key, value in found.values.items():
        line = found.lines[key]
        if _top(key) in forbidden:
            continue
        if key in of_names:
            for name, entry in value.items():
                origin = entry.get("origin") or found.values[NAMES][name]["origin"]
                here = int(origin.rpartition(":")[2])
                yield from of_names[key](Mistake(found.path, here, safe(name), "", _OWN), entry)
        elif key.startswith(BACKENDS):
            yield from _of_backend(Mistake(found.path, line, key, "", f"{_OWN}: [{key}]"), value)
        elif key == "backend":
            at = Mistake(found.path, line, key, "", "")
            yield from _of_places(at, [each.strip() for each in value.split(",") if each.strip()])
        else:
            yield Mistake(found.path, line, key, f"{key} {_NOT_TAKEN}", _OWN)


def _of_name(at: Mistake, entry: Mapping[str, Any]) -> Iterator[Mistake]:
    yield from _of_places(at, [entry.get("backend") or entry["reference"].partition("://")[0]])
    if "rotation" in entry:
        yield _with(at, f"when {at.key} is rotated {_NOT_TAKEN}")


def _of_plaintext(at: Mistake, _entry: Mapping[str, Any]) -> Iterator[Mistake]:
    what = f"{at.key} is a value in plain text, for everybody who has the project"
    yield _with(at, what, f"openclaw secrets set {at.key}, and take it out of the file")


def _of_expected(at: Mistake, _entry: Mapping[str, Any]) -> Iterator[Mistake]:
    yield _with(at, f"what is expected of {at.key} {_NOT_TAKEN}")


def _of_backend(at: Mistake, table: Mapping[str, Any]) -> Iterator[Mistake]:
    backend = at.key.removeprefix(BACKENDS)
    yield from _of_places(at, [backend])
    for key in sorted(table):
        if canonical(key) not in OF_BACKENDS:
            yield _with(at, f"{safe(key)} of the {safe(backend)} backend {_NOT_TAKEN}")


def _of_places(at: Mistake, backends: list[str]) -> Iterator[Mistake]:
    for each in backends:
        if each not in PLACES:
            what = f"a project's file cannot choose the {safe(each)} backend"
            yield _with(at, what, f"it can choose {', '.join(PLACES)}")


def _with(at: Mistake, what: str, fix: str = "") -> Mistake:
    return Mistake(at.path, at.line, at.key, what, fix or at.fix)


def _top(key: str) -> str:
    return canonical(key.partition(".")[0])
