"""What is wrong with a home, and the command that mends it: for `status` and `doctor`.

`look` gathers what can be known without a value and without asking anybody; the rest are pure
questions about that, a module for each thing that they are about.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from openclaw_cli.health.finding import ADVICE, ATTENTION, BAD, Finding, needs_a_hand
from openclaw_cli.health.lately import (
    RECENT_BYTES,
    LastRead,
    last_backup,
    last_of,
    last_read,
    last_reads,
    of_unexpected,
    when,
)
from openclaw_cli.health.looking import BUNDLE, Look, look
from openclaw_cli.health.of_secrets import of_age, of_deletion, of_rotation
from openclaw_cli.health.on_disk import (
    PLAINTEXT_BYTES,
    of_encryption,
    of_keys,
    of_one_key,
    of_permissions,
    of_plaintext,
)

if TYPE_CHECKING:
    from openclaw_cli.home import Home
    from openclaw_cli.settings import Settings

__all__ = [
    "ADVICE",
    "ATTENTION",
    "BAD",
    "BUNDLE",
    "PLAINTEXT_BYTES",
    "RECENT_BYTES",
    "Finding",
    "LastRead",
    "Look",
    "findings",
    "last_backup",
    "last_of",
    "last_read",
    "last_reads",
    "look",
    "needs_a_hand",
    "of_age",
    "of_deletion",
    "of_encryption",
    "of_keys",
    "of_one_key",
    "of_permissions",
    "of_plaintext",
    "of_rotation",
    "of_unexpected",
    "when",
]


def findings(seen: Look, home: Home, settings: Settings, now: float) -> list[Finding]:
    """Return all that needs a hand, the worst first; `now` in seconds since 1970."""
    found = [
        *of_permissions(home),
        *of_keys(seen, home),
        *of_encryption(seen, settings.encryption),
        *of_plaintext(home, settings.plaintext, {each.name for each in seen.alive}),
        *of_age(seen.alive, now, settings["status.old-days"]),
        *of_rotation(seen.directory, now),
        *of_deletion(seen.deleted, now, settings["store.deleted-days"]),
        *of_unexpected(seen.trail, now),
    ]
    order = (BAD, ATTENTION, ADVICE)
    return sorted(found, key=lambda each: order.index(each.severity))
