"""The table of key slots, and how they are added and opened.

A new kind is one file and one line.
"""

from __future__ import annotations

import os
import time
from importlib import import_module
from typing import TYPE_CHECKING, Any

from openclaw_cli.errors import (
    ConfigError,
    DeniedError,
    IntegrityError,
    LockedError,
    OpenclawError,
    TemporaryError,
    UsageError,
)
from openclaw_cli.store.header import MAX_SLOTS, Header, Slot, bound_to_slot, commits, unwrap
from openclaw_cli.store.keys import unlock_quietly
from openclaw_cli.store.seal import nonce, seal

if TYPE_CHECKING:
    from collections.abc import Callable

    from openclaw_cli.home import Home

    Unlock = Callable[[Header], tuple[bytes, str]]

KINDS = {
    "file": "openclaw_cli.store.keys.file",
    "passphrase": "openclaw_cli.store.keys.passphrase",
    "keyring": "openclaw_cli.store.keys.keyring",
    "recovery": "openclaw_cli.store.keys.recovery",
    "aws-kms": "openclaw_cli.store.keys.aws_kms",
    "vault-transit": "openclaw_cli.store.keys.vault_transit",
}
_ELSEWHERE = ("keyring", "aws-kms", "vault-transit")  # the key is, and nobody need be asked for it
_CLOSED = (LockedError, DeniedError, TemporaryError)  # so another key may still open

_TRIES = 3


def second(kind: str) -> str:
    """Return the kind to advise where a slot of this kind is the only one."""
    return "passphrase" if kind == "recovery" else "recovery"


def load(kind: str) -> Any:
    """Return the module of a kind; raises `ConfigError` naming those there are."""
    if kind not in KINDS:
        raise ConfigError(f"no key slot is called {kind}", hint=f"known: {', '.join(KINDS)}")
    return import_module(KINDS[kind])


def add(home: Home, header: Header, data_key: bytes, kind: str, given: bytes = b"") -> Slot:
    """Add a slot of this kind to the header; `given` is what a person gave for it."""
    slot, wrapping_key = made(home, header.store, kind, given)
    attach(header, slot, data_key, wrapping_key)
    return slot


def made(home: Home, store: bytes, kind: str, given: bytes = b"") -> tuple[Slot, bytes]:
    """Return a new slot, still without the data key, and its wrapping key.

    Raises what the kind's `create` does.
    """
    slot = Slot(os.urandom(8), kind, {}, b"")
    parameters, wrapping_key = load(kind).create(home, store, slot.id, given)
    slot.parameters = {**parameters, "since": int(time.time())}
    return slot, wrapping_key


def attach(header: Header, slot: Slot, data_key: bytes, wrapping_key: bytes) -> None:
    """Put a slot into the header; raises `ConfigError` when there is no room."""
    if len(header.slots) >= MAX_SLOTS:
        raise ConfigError(
            f"a store has at most {MAX_SLOTS} key slots", hint="openclaw store slots remove ID"
        )
    wrap(header, slot, data_key, wrapping_key)
    header.slots.append(slot)


def wrap(header: Header, slot: Slot, data_key: bytes, wrapping_key: bytes) -> None:
    """Seal the data key into a slot of this header."""
    once = nonce()
    slot.wrapped = once + seal(wrapping_key, once, data_key, bound_to_slot(header, slot))


def wrapping_key(home: Home, header: Header, slot: Slot, given: bytes) -> bytes:
    """Return the key that opens this very slot; raises `LockedError` when there is none."""
    module = load(slot.kind)
    key: bytes = module.wrapping_key(home, header.store, slot, given)
    try:
        unwrap(header, slot, key)
    except IntegrityError:
        raise LockedError(module.WRONG, hint=f"add --drop {slot.id.hex()}") from None
    return key


def unlocker(home: Home, ask: Callable[[str], bytes]) -> Unlock:
    """Return an `unlock_asking` that asks once, however often the store is opened."""
    return remembering(lambda header: unlock_asking(home, header, ask))


def remembering(unlock: Unlock) -> Unlock:
    """Return an `unlock` that does its work once for each data key."""
    known: list[tuple[bytes, str]] = []

    def remembered(header: Header) -> tuple[bytes, str]:
        for each in known:
            if commits(header, each[0]):
                return each
        known.append(unlock(header))
        return known[-1]

    return remembered


def unlock_asking(home: Home, header: Header, ask: Callable[[str], bytes]) -> tuple[bytes, str]:
    """Return the data key and the kind of slot that gave it, asking a person last.

    First what `unlock_quietly` finds, then the keys that are elsewhere, then a passphrase, which
    `ask` is called for. When none opens the store it raises what was wrong with the last one tried:
    `LockedError`, or `DeniedError` or `TemporaryError` of a service that has the key.
    """
    kinds = {slot.kind for slot in header.slots}
    try:
        return unlock_quietly(home, header)
    except (LockedError, IntegrityError) as refused:
        reason: OpenclawError = refused
    for kind in _ELSEWHERE:
        if kind in kinds:
            try:
                return unlock_with(home, header, kind), kind
            except _CLOSED as refused:
                reason = refused
    if "passphrase" in kinds:
        return _passphrase_asked(home, header, ask), "passphrase"
    unknown = sorted(kinds - KINDS.keys())
    if unknown:
        raise IntegrityError(
            f"a key slot of the store is of a kind this program does not know: {unknown[0]}",
            hint="it is damaged, or a newer openclaw-cli made it",
        )
    raise reason


def unlock_with(home: Home, header: Header, kind: str, given: bytes = b"") -> bytes:
    """Return the data key from a slot of this kind.

    Raises `LockedError` when there is none or none opens, `DeniedError` or `TemporaryError` when
    the service that has the key says so, and `IntegrityError` for a slot that no version of this
    program wrote. A damaged slot cannot be told from a wrong key.
    """
    module = load(kind)
    reason: OpenclawError | None = None
    for slot in header.slots:
        if slot.kind == kind:
            try:
                key = module.wrapping_key(home, header.store, slot, given)
            except _CLOSED as refused:
                reason = refused
                continue
            try:
                return unwrap(header, slot, key)
            except IntegrityError:
                reason = LockedError(module.WRONG)
    raise reason or LockedError(
        f"the store has no {kind} key slot", hint=f"openclaw store slots add {kind}"
    )


def _passphrase_asked(home: Home, header: Header, ask: Callable[[str], bytes]) -> bytes:
    label = "passphrase of the store"
    for left in reversed(range(_TRIES)):
        try:
            given = ask(label)
        except UsageError as refused:
            raise LockedError(
                f"the store is locked: {refused.message}", hint=_how(header)
            ) from None
        try:
            return unlock_with(home, header, "passphrase", given)
        except LockedError:
            if not left:
                raise
        label = "wrong; passphrase of the store"
    raise AssertionError("unreachable")


def _how(header: Header) -> str:
    if any(slot.kind == "recovery" for slot in header.slots):
        return "openclaw store unlock, at a terminal; or openclaw store unlock --recovery"
    return "openclaw store unlock, at a terminal"
