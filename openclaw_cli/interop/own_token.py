"""Telling a gateway of a new token of its own: its program must know the one that still holds.

`openclaw secrets reload` signs in with the token that the configuration refers to, which is the new
one already, so the running gateway refuses it. A configuration made for this one call has our
resolver hand out the version before: no value stands in it, nor in an argument or the environment.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from openclaw_cli.document import parsed
from openclaw_cli.errors import OpenclawError
from openclaw_cli.files import private_directory
from openclaw_cli.interop import config_file, wiring

if TYPE_CHECKING:
    from collections.abc import Collection

    from openclaw_cli.home import Home

_KEPT = ("mode", "port", "bind", "customBindHost", "tls")  # how the gateway is reached
_FILE = "reload.json"


@contextmanager
def sign_ins(home: Home, config: str, names: Collection[str], folder: str) -> Iterator[list[str]]:
    """Give the configurations to sign in with, in the order to be tried; "" is the gateway's own.

    The one with the version before comes first where `names` has the gateway's own secret.
    """
    made = configuration(_read(config))
    if made is None:
        yield [""]
        return
    name, before = made
    place = private_directory(f"{home.root}/{folder}")
    try:
        place.replace(_FILE, [json.dumps(before).encode()])
        path = place.where(_FILE)
        yield [path, ""] if name in names else ["", path]
    finally:
        place.unlink(_FILE)
        place.close()


def configuration(whole: Mapping[str, Any]) -> tuple[str, dict[str, Any]] | None:
    """Return the gateway's own secret and what signs in with its version before, None without."""
    gateway = whole.get("gateway", {})
    auth = gateway.get("auth", {}) if isinstance(gateway, dict) else {}
    for member in ("token", "password"):
        reference = auth.get(member) if isinstance(auth, dict) else None
        if not isinstance(reference, dict):
            continue
        named = str(reference.get("provider", ""))
        provider = whole.get("secrets", {}).get("providers", {}).get(named)
        command = provider.get("command", "") if isinstance(provider, dict) else ""
        if os.path.basename(str(command)) == wiring.RESOLVER:
            args = [*provider.get("args", ()), "--previous"]
            kept = {key: gateway[key] for key in _KEPT if key in gateway}
            return str(reference.get("id", "")), {
                "gateway": {**kept, "auth": {"mode": member, member: reference}},
                "secrets": {"providers": {named: {**provider, "args": args}}},
            }
    return None


def _read(config: str) -> dict[str, Any]:
    with suppress(OpenclawError, ValueError, RecursionError):
        file = config_file.read(os.path.realpath(config))
        found = parsed("openclaw.json", file.text) if file else None
        if isinstance(found, dict):
            return found
    return {}
