"""References inside text: templates with `{{ local://team/db }}`, and `.env` values that are one.

The marker is `{{ backend://path?version=N#field }}`, with or without white space inside. Nothing
else between braces is ours: `{{ name }}`, `{{ .Values.x }}` and `{% if %}` stay as they are, so a
template of Jinja, Helm or Mustache can be filled by us first and by its own tool afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping

from openclaw_cli.errors import UsageError

# Where a value of a `.env` file may point. A URL is a usual value there, so not every scheme can
# be a reference, and neither `file` nor `exec`: whoever writes the file would read files with it.
SCHEMES = ("openclaw", "local", "vault", "aws-secrets-manager", "aws-parameter-store", "keyring")

_REFERENCE = rb"[A-Za-z][A-Za-z0-9+.-]*://[^\s\0-\x1f\x7f{}]+"
_MARKER = re.compile(
    rb"\{\{\s*(?=[A-Za-z][A-Za-z0-9+.-]*://)(?:(" + _REFERENCE + rb")\s*\}\})?",
)
_WHOLE = re.compile(_REFERENCE)


def references(text: bytes) -> list[str]:
    """List the references in a template, each once, in order of appearance.

    A marker that starts as a reference and is not one raises `UsageError` with its line.
    """
    found: dict[str, None] = {}
    for marker in _MARKER.finditer(text):
        reference = _decoded(marker[1])
        if not reference:
            line = text.count(b"\n", 0, marker.start()) + 1
            raise UsageError(
                f"line {line} of the template has a reference that cannot be read",
                hint="write it as {{ backend://path }}",
            )
        found[reference] = None
    return list(found)


def fill(text: bytes, lookup: Callable[[str], bytes]) -> bytes:
    """Put each value in its marker's place, byte for byte; a value is not looked into again.

    `lookup` is asked once for each reference, and only after the whole template was understood.
    """
    values = {reference.encode(): lookup(reference) for reference in references(text)}
    return _MARKER.sub(lambda marker: values[marker[1]], text)


def env_references(
    pairs: Mapping[str, bytes], schemes: Collection[str] = SCHEMES
) -> dict[str, str]:
    """Pick the variables whose whole value is a reference to one of `schemes`.

    The others are literal values. One that begins as a reference and is not one raises
    `UsageError`, since the program would be given the reference's text for its secret.
    """
    found = {}
    for name, value in pairs.items():
        if value.startswith(tuple(f"{scheme}://".encode() for scheme in schemes)):
            whole = _WHOLE.fullmatch(value)
            found[name] = _decoded(whole and whole[0])
            if not found[name]:
                raise UsageError(
                    f"the value of {name} begins as a reference and is not one",
                    hint="for example openclaw://openai-api-key, or vault://team/db#password",
                )
    return found


def _decoded(reference: bytes | None) -> str:
    try:
        return (reference or b"").decode()
    except UnicodeDecodeError:
        return ""
