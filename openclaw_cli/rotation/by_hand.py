"""What a person does to a secret that is rotated: a new value, an older one, deletion, return."""

from __future__ import annotations

import uuid

from msgspec.structs import replace

from openclaw_cli.model import PREVIOUS
from openclaw_cli.rotation import agenda, policy, reloading, steps
from openclaw_cli.store.commit import Draft
from openclaw_cli.store.directory import Entry

GENERATE = "generate"
TAKES_AWAY = ("anthropic",)
"""Rotators that revoke what they cannot make: `chosen.BY_PERSON` without the first."""


def renewed(draft: Draft, entry: Entry, now: int, kind: str) -> None:
    """Note a new value in the state; `now` in milliseconds since 1970.

    `kind` is what a generator was asked for, "" for a value that came from elsewhere: a secret
    without a schedule is made again by the same generator, unless somebody brought its value.
    """
    found = policy.read(entry.policy)
    kind = "" if entry.provider else kind  # its service would not know the next one
    if not found.schedule and not found.run and found.rotator in ("", GENERATE):
        found = replace(found, rotator=GENERATE, settings={"kind": kind}) if kind else policy.NONE
    after = steps.renewed(found, entry.name, draft.header.store, now / 1000)
    before = next((row.number for row in entry.rows if row.stage == PREVIOUS), 0)
    if found.rotator in TAKES_AWAY and before and not found.old:
        after = steps.replaced(after, before, uuid.uuid4().hex, now / 1000)
    after = replace(after, telling=list(after.tell))  # by the next run: nobody waits for them here
    entry.policy = policy.write(after)
    agenda.note(draft.directory, entry.name, steps.attention(after))


def rolled_back(draft: Draft, entry: Entry, *, serves: bool) -> list[str]:
    """Have those who are told of a rotation told of the older value; return them.

    With `serves` the OpenClaw gateway is to take it up, too. The next run tells them, as after
    `renewed`.
    """
    if serves:
        reloading.owe(draft, [entry.name])
    found = policy.read(entry.policy)
    if found.tell:
        after = replace(found, telling=list(found.tell))
        entry.policy = policy.write(after)
        agenda.note(draft.directory, entry.name, steps.attention(after))
    return [*found.tell, *([reloading.GATEWAY] if serves else [])]


def gone(draft: Draft, name: str) -> None:
    """Take a deleted secret off the agenda."""
    agenda.note(draft.directory, name, None)


def back(draft: Draft, entry: Entry) -> None:
    """Put a restored secret on the agenda again."""
    agenda.note(draft.directory, entry.name, steps.attention(policy.read(entry.policy)))
