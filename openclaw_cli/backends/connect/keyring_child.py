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
_MOST_OF_A_NAME = 8  # items of one service and user, which other programs can make


def main() -> None:
    """Read a request from standard input, write the answer to standard output."""
    request = json.load(sys.stdin)
    try:
        answer = _answered(request)
    except Exception as refused:  # noqa: BLE001  theirs can be anything, and its text is not for us
        answer = {"trouble": _trouble(refused)}
    json.dump(answer, sys.stdout)


def _answered(request: dict[str, Any]) -> dict[str, Any]:
    verb, service, users = request["verb"], request["service"], request["users"]
    backend = _backend()
    if backend is None:
        return {"trouble": "none"}
    if verb == "set":
        return _set(backend, service, users[0], request["secret"])
    if verb == "delete":
        return _delete(backend, service, users[0])
    if verb == "get":
        return {"found": {user: _get(backend, service, user) for user in users}}
    if verb == "names":
        return _names(backend, service)
    return {}


def _get(backend: Any, service: str, user: str) -> dict[str, str]:  # noqa: ANN401
    try:
        found = backend.get_password(service, user)
    except Exception as refused:  # noqa: BLE001  one that cannot be read does not spoil the others
        return {"trouble": _trouble(refused)}
    return {"trouble": "absent"} if found is None else {"secret": found}


def _set(backend: Any, service: str, user: str, secret: str) -> dict[str, str]:  # noqa: ANN401
    _write(backend, service, user, secret)
    found = backend.get_password(service, user)
    if found is None:
        return {"trouble": "lost"}
    return {} if found == secret else {"trouble": "other"}


def _write(backend: Any, service: str, user: str, secret: str) -> None:  # noqa: ANN401
    """Write into the item that reading would find, whoever made it, or into a new one.

    The secret service keeps an item for each set of attributes. With another program's beside
    ours, by more attributes than these two, reading would find now the one, now the other.
    """
    there = []
    if hasattr(backend, "get_preferred_collection"):
        collection = backend.get_preferred_collection()
        there = list(collection.search_items({"service": service, "username": user}))
    for item in there:
        item.set_secret(secret.encode())
    if not there:
        backend.set_password(service, user, secret)


def _delete(backend: Any, service: str, user: str) -> dict[str, str]:  # noqa: ANN401
    for count in range(_MOST_OF_A_NAME):
        if backend.get_password(service, user) is None:
            return {} if count else {"trouble": "absent"}
        backend.delete_password(service, user)
    return {"trouble": "refused"}


def _names(backend: Any, service: str) -> dict[str, Any]:  # noqa: ANN401
    """List the users of a service; only the secret service of a Linux desktop can."""
    if not hasattr(backend, "get_preferred_collection"):
        return {"trouble": "unlisted"}
    collection = backend.get_preferred_collection()
    found = [item.get_attributes() for item in collection.search_items({"service": service})]
    return {"names": sorted({each["username"] for each in found if "username" in each})}


def _trouble(refused: Exception) -> str:
    return "locked" if type(refused).__name__ == "KeyringLocked" else "refused"


def _backend() -> Any:  # noqa: ANN401  the library's class has no type of its own
    for module, name in _TRUSTED.get(sys.platform, ()):
        try:
            kind = getattr(import_module(module), name)
            kind.priority  # noqa: B018  raises where it cannot work
        except Exception:  # noqa: BLE001, S112  each raises what its service does; then the next one
            continue
        return kind()
    return None
