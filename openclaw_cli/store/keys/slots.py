"""The table of key slots, and how one is added to a store. A new kind is one file and one line."""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

from openclaw_cli.errors import ConfigError, LockedError
from openclaw_cli.store.header import MAX_SLOTS, Header, Slot, bound_to_slot
from openclaw_cli.store.keys import unlock_quietly
from openclaw_cli.store.seal import nonce, seal

if TYPE_CHECKING:
    from collections.abc import Callable

    from openclaw_cli.home import Home

KINDS = {
    "file": "openclaw_cli.store.keys.file",
    "passphrase": "openclaw_cli.store.keys.passphrase",
    "keyring": "openclaw_cli.store.keys.keyring",
    "recovery": "openclaw_cli.store.keys.recovery",
}


def load(kind: str) -> Any:
    """Return the module of a kind; raises `ConfigError` naming those there are."""
    if kind not in KINDS:
        raise ConfigError(f"no key slot is called {kind}", hint=f"known: {', '.join(KINDS)}")
    return import_module(KINDS[kind])


def add(
    header: Header, data_key: bytes, kind: str, parameters: dict[str, Any], wrapping_key: bytes
) -> Slot:
    """Wrap the data key in a new slot of the header; raises `ConfigError` when there is no room."""
    if len(header.slots) >= MAX_SLOTS:
        raise ConfigError(f"a store has at most {MAX_SLOTS} key slots")
    slot = Slot(os.urandom(8), kind, parameters, b"")
    once = nonce()
    slot.wrapped = once + seal(wrapping_key, once, data_key, bound_to_slot(header, slot))
    header.slots.append(slot)
    return slot


def unlock_asking(home: Home, header: Header, ask: Callable[[str], bytes]) -> tuple[bytes, str]:
    """Return the data key and the kind of slot that gave it, asking a person last."""
    try:
        return unlock_quietly(home, header)
    except LockedError:
        raise
