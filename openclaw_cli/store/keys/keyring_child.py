"""Asks the system's keyring one thing, in a process of its own, and ends.

Only the classes in `_TRUSTED` are used, each by its exact name. The library's own choice is never
asked for: it runs whatever `PYTHON_KEYRING_BACKEND`, `keyringrc.cfg` or an installed package name,
and may pick one that keeps keys in plain text.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from typing import Any

_TRUSTED = {
    "darwin": (("keyring.backends.macOS", "Keyring"),),
    "linux": (
        ("keyring.backends.SecretService", "Keyring"),
        ("keyring.backends.libsecret", "Keyring"),
        ("keyring.backends.kwallet", "DBusKeyring"),
    ),
}


def main() -> None:
    """Read a request from standard input, write the answer to standard output."""
    request = json.load(sys.stdin)
    try:
        answer = _answered(request)
    except Exception as refused:  # noqa: BLE001  theirs can be anything, and its text is not for us
        answer = {"trouble": "locked" if type(refused).__name__ == "KeyringLocked" else "refused"}
    json.dump(answer, sys.stdout)


def _answered(request: dict[str, str]) -> dict[str, str]:
    service, user = request["service"], request["user"]
    backend = _backend()
    if backend is None:
        return {"trouble": "none"}
    if request["verb"] == "set":
        backend.set_password(service, user, request["secret"])
    elif request["verb"] == "delete":
        backend.delete_password(service, user)
    elif request["verb"] == "get":
        found = backend.get_password(service, user)
        return {"trouble": "absent"} if found is None else {"secret": found}
    return {}


def _backend() -> Any:  # noqa: ANN401  the library's class has no type of its own
    for module, name in _TRUSTED.get(sys.platform, ()):
        try:
            kind = getattr(import_module(module), name)
            kind.priority  # noqa: B018  raises where it cannot work
        except Exception:  # noqa: BLE001, S112  each raises what its service does; then the next one
            continue
        return kind()
    return None
