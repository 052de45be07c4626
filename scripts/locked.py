"""What is locked in `requirements/`, and under which licence each of it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
US = "openclaw-cli"

_LINE = re.compile(r"^([\w.-]+)==([^\s;]+)(?: *; *([^\\]*?))? *\\?$")
_HASH = re.compile(r"^ +--hash=sha256:([0-9a-f]{64})")

# Ways of saying it that are no SPDX expressions, from metadata and its classifiers. "BSD" alone
# does not tell which: the text of the licence does.
_WORDS = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache 2.0": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD 2-Clause License": "BSD-2-Clause",
    "ISC License": "ISC",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "New BSD": "BSD-3-Clause",
    "Python Software Foundation License": "PSF-2.0",
}
_SPDX = re.compile(r"(?:[A-Za-z0-9.]+-[\w.-]+|MIT|ISC|0BSD|Zlib)(?: (?:AND|OR) [\w.-]+)*")

# Read by a person, where the metadata says nothing or the package is not installed everywhere.
_BY_HAND = {
    "agent-client-protocol": "Apache-2.0",
    "async-timeout": "Apache-2.0",
    "backports-tarfile": "MIT",
    "cffi": "MIT-0",
    "colorama": "BSD-3-Clause",
    "importlib-metadata": "Apache-2.0",
    "jeepney": "MIT",
    "lazy-importer": "Apache-2.0",
    "librt": "MIT",
    "psycopg-binary": "LGPL-3.0-only",
    "pycparser": "BSD-3-Clause",
    "python-dateutil": "Apache-2.0 OR BSD-3-Clause",
    "pywin32-ctypes": "BSD-3-Clause",
    "secretstorage": "BSD-3-Clause",
    "typing-extensions": "PSF-2.0",
    "tzdata": "Apache-2.0",
    "zipp": "MIT",
}


@dataclass(frozen=True)
class Locked:
    """One line of a locked file: a package at one version, where `marker` holds."""

    name: str
    version: str
    marker: str
    hashes: tuple[str, ...]


def read(file: str) -> list[Locked]:
    """Return what `requirements/FILE.txt` locks, in its order."""
    found: list[Locked] = []
    for line in (ROOT / "requirements" / f"{file}.txt").read_text(encoding="utf-8").splitlines():
        if head := _LINE.match(line):
            found.append(Locked(head[1], head[2], (head[3] or "").strip(), ()))
        elif digest := _HASH.match(line):
            last = found.pop()
            hashes = (*last.hashes, digest[1])
            found.append(Locked(last.name, last.version, last.marker, hashes))
        elif line and not line.startswith("#"):
            raise ValueError(f"requirements/{file}.txt has a line of another form: {line}")
    return found


def installed(name: str) -> Distribution | None:
    """Return what is installed here under a name."""
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None


def needed(name: str) -> Iterator[str]:
    """Yield the names of what an installed package needs here, its extras aside."""
    found = installed(name)
    for text in (found.requires or []) if found else []:
        each = Requirement(text)
        if each.marker is None or each.marker.evaluate({"extra": ""}):
            yield canonicalize_name(each.name)


def licence(name: str) -> str:
    """Return a package's licence as an SPDX expression; raises `LookupError` when none is known."""
    if name in _BY_HAND:
        return _BY_HAND[name]
    found = installed(name)
    if found is None:
        raise LookupError(f"{name} is not installed here: read its licence, and add it by hand")
    said = _said(found)
    for each in said:
        spdx = _WORDS.get(each, each)
        if _SPDX.fullmatch(spdx):
            return spdx
        if each in ("BSD", "BSD License"):
            return _which_bsd(found)
    raise LookupError(f"{name} says of its licence {said}: read it, and add it by hand")


def _said(found: Distribution) -> list[str]:
    given = found.metadata.json
    classifiers = [each.split(" :: ") for each in given.get("classifier", [])]
    return [
        str(given.get("license_expression", "")),
        str(given.get("license", "")).strip(),
        *(each[-1] for each in classifiers if each[0] == "License"),
    ]


def _which_bsd(found: Distribution) -> str:
    for file in found.files or []:
        if re.search("licen[cs]e", file.name, re.IGNORECASE):
            text = " ".join(file.read_text().lower().split())
            if "redistributions of source code" in text:
                return "BSD-3-Clause" if "neither the name" in text else "BSD-2-Clause"
    raise LookupError(f"{found.name} is BSD of some kind, and brings no text that says which")
