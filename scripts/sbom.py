"""Print the bill of materials of an install, as CycloneDX JSON: what is locked, and its licences.

    .venv/bin/python scripts/sbom.py > openclaw-cli.cdx.json

It is made of `requirements/runtime.txt` and of the metadata of what is installed here, and two runs
write the same bytes: there is no time and no random number in it. What needs what is as it is on
this system and with this Python; a component that is locked for another system says so.
"""

from __future__ import annotations

import json
import sys
import uuid
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from openclaw_cli import __version__  # noqa: E402
from scripts import locked  # noqa: E402
from scripts.locked import US, Locked  # noqa: E402


def bill() -> dict[str, Any]:
    """Return the document."""
    packages = locked.read("runtime")
    there = {each.name: _purl(each.name, each.version) for each in packages}
    us = _purl(US, __version__)
    document: dict[str, Any] = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": us,
                "name": US,
                "version": __version__,
                "licenses": [{"license": {"id": "MIT"}}],
                "purl": us,
            },
        },
        "components": [_component(each) for each in packages],
        "dependencies": [
            {"ref": ref, "dependsOn": sorted(there[n] for n in locked.needed(name) if n in there)}
            for name, ref in [(US, us), *there.items()]
        ],
    }
    # The same content is the same document.
    serial = uuid.uuid5(uuid.NAMESPACE_OID, json.dumps(document, sort_keys=True))
    return {**document, "serialNumber": serial.urn}


def _component(package: Locked) -> dict[str, Any]:
    purl = _purl(package.name, package.version)
    found: dict[str, Any] = {
        "type": "library",
        "bom-ref": purl,
        "name": package.name,
        "version": package.version,
        "scope": "required",
        # Of each file that may be installed: the wheel of every system, and the source archive.
        "hashes": [{"alg": "SHA-256", "content": each} for each in package.hashes],
        "licenses": _licences(locked.licence(package.name)),
        "purl": purl,
    }
    if package.marker:
        found["scope"] = "optional"
        found["properties"] = [{"name": "openclaw:marker", "value": package.marker}]
    return found


def _licences(expression: str) -> list[dict[str, Any]]:
    if " " in expression:
        return [{"expression": expression}]
    return [{"license": {"id": expression}}]


def _purl(name: str, version: str) -> str:
    return f"pkg:pypi/{name}@{version}"


if __name__ == "__main__":
    print(json.dumps(bill(), indent=1, sort_keys=True))
