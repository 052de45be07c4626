"""Kubernetes: a Secret manifest in YAML, whose base64 holds any bytes.

Of a stream of manifests, or of a List, the Secrets are read and the others passed over.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping

from openclaw_cli.errors import UsageError
from openclaw_cli.formats import yaml
from openclaw_cli.formats.rules import add, flatten, malformed, unbase64

_KEY = re.compile(r"(?!\.\Z|\.\.)[A-Za-z0-9._-]{1,253}")


def read(data: bytes) -> dict[str, bytes]:
    manifests = list(_secrets(yaml.documents(data, "Kubernetes")))
    if not manifests:
        raise malformed("Kubernetes", "has no manifest of kind Secret")
    found: dict[str, bytes] = {}
    for manifest in manifests:
        for name, encoded in _table(manifest, "data").items():
            add(found, name, unbase64(name, encoded, "Kubernetes"), "Kubernetes")
        for name, value in flatten(_table(manifest, "stringData"), "Kubernetes").items():
            add(found, name, value, "Kubernetes")
    return found


def _secrets(documents: Iterator[object]) -> Iterator[dict[str, object]]:
    for document in documents:
        if isinstance(document, dict) and document.get("kind") == "Secret":
            yield document
        elif isinstance(document, dict) and isinstance(document.get("items"), list):
            yield from _secrets(iter(document["items"]))


def _table(manifest: dict[str, object], part: str) -> dict[str, object]:
    table = manifest.get(part)
    if table is not None and not isinstance(table, dict):
        raise malformed("Kubernetes", f"has a Secret whose {part} is not a table")
    return table or {}


def write(values: Mapping[str, bytes]) -> bytes:
    for name in values:
        if not _KEY.fullmatch(name):
            raise UsageError(
                f"{name} cannot be a key of a Kubernetes Secret",
                hint="use letters, digits and . _ - only",
            )
    manifest: dict[str, object] = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "openclaw"},
        "type": "Opaque",
        "data": {name: base64.b64encode(value).decode() for name, value in values.items()},
    }
    return yaml.dump(manifest)
