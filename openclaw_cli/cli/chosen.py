"""The settings that somebody chose, as they may be shown: a secret one is only said to be there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from openclaw_cli.settings import BACKENDS, Settings

if TYPE_CHECKING:
    from openclaw_cli.backends.protocols import Setting

HIDDEN = "(hidden)"


def of_backends(settings: Settings) -> Iterator[tuple[str, Setting, Any]]:
    """Give each setting of a backend: the table it stands in, what it is, what may be shown."""
    places = sorted(each for each in settings.values if each.startswith(BACKENDS))
    if not places:
        return
    from openclaw_cli.backends import BACKENDS as KINDS
    from openclaw_cli.backends.protocols import setting_of

    for place in places:
        name = place.removeprefix(BACKENDS)
        for written, value in settings.values[place].items():
            known = setting_of(KINDS.get(name).SETTINGS, written, name)
            yield place, known, HIDDEN if known.secret else value


def every(settings: Settings) -> dict[str, Any]:
    """Return all of them by their full name."""
    plain = {
        name: settings[name] for name in sorted(settings.origin) if not name.startswith(BACKENDS)
    }
    return plain | {f"{place}.{known.name}": value for place, known, value in of_backends(settings)}
