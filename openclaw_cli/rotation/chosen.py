"""Which rotator a secret has: the one it was given, its provider's, or a person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from openclaw_cli import providers
from openclaw_cli.rotation.rotator import Rotator
from openclaw_cli.rotation.rotators import ROTATORS

if TYPE_CHECKING:
    from openclaw_cli.store.directory import Entry

GENERATE = "generate"
PERSON = "person"
BY_PERSON = (PERSON, "anthropic")
"""Those whose new values a person makes; but for the first they can take the old ones away."""
ALONE = (GENERATE, PERSON)
"""Those that need not know the values that there are."""


def rotator(name: str) -> Rotator:
    """Return a rotator; raises `ConfigError` for a name that there is none of."""
    made: Rotator = ROTATORS.get(name)()
    return made


def meant(entry: Entry, given: Mapping[str, str]) -> str:
    """Return the rotator of a secret that was never given one; `given` are its settings.

    What nobody can renew but a person is a person's: a value that its service does not know would
    be worse than an old one.
    """
    own = of_provider(entry.provider)
    if own and all(given.get(each.name) for each in rotator(own).SETTINGS if each.required):
        return own
    current = entry.current()
    if not entry.provider and current is not None and current.origin in (GENERATE, "rotate"):
        return GENERATE
    return PERSON


def of_provider(provider: str) -> str:
    """Return the rotator for a provider's secrets, "" where there is none."""
    return providers.get(provider).rotator if provider in providers.names() else ""


def advice(entry: Entry) -> str:
    """Return how a secret that a person must renew could be rotated without one, or ""."""
    own = of_provider(entry.provider)
    if not own:
        return ""
    words = [
        f" --setting {each.name}={'SECRET' if each.secret else '...'}"
        for each in rotator(own).SETTINGS
        if each.required
    ]
    return f"openclaw secrets rotate {entry.name} --with {own}{''.join(words)}"


def page(entry: Entry) -> str:
    """Return where a person gets a new value, or ""."""
    if entry.provider not in providers.names():
        return ""
    return providers.get(entry.provider).page
