"""A new data key: every version sealed again, every slot wrapped again, in one commit."""

from __future__ import annotations

from openclaw_cli.errors import ConfigError
from openclaw_cli.store import header as head
from openclaw_cli.store.commit import Draft
from openclaw_cli.store.header import Slot
from openclaw_cli.store.keys import slots

_LAST_EPOCH = 2**32 - 1


def rekey(draft: Draft, data_key: bytes, wrapping_keys: dict[bytes, bytes]) -> None:
    """Reseal a draft with another data key.

    `wrapping_keys` has the key of each slot that stays, by the slot's id. The keys of the trail and
    of names stay too, so that the chain goes on. Raises `IntegrityError` when a version cannot be
    opened: damage is not carried into a new epoch.
    """
    header = draft.header
    if header.epoch == _LAST_EPOCH:
        raise ConfigError("this store has had all the data keys it can have")
    versions = [
        (entry.name, row, draft.value(entry.name, row))
        for entry in draft.directory.entries.values()
        for row in entry.rows
    ]
    header.epoch += 1
    header.commitment = head.commitment(data_key, header.store, header.epoch)
    draft.data_key = data_key
    for name, row, value in versions:
        draft.seal(name, row, value)
    kept = [slot for slot in header.slots if slot.id in wrapping_keys]
    header.slots = []
    for slot in kept:
        again = Slot(slot.id, slot.kind, slot.parameters, b"")
        slots.wrap(header, again, data_key, wrapping_keys[slot.id])
        header.slots.append(again)
