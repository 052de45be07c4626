"""What is said of a secret that is not there, and what may have been meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openclaw_cli.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from openclaw_cli.errors import OpenclawError
    from openclaw_cli.model import Secret
    from openclaw_cli.names import Reference
    from openclaw_cli.store.directory import Directory

_CLOSE = 0.75  # of 1, of difflib's likeness; with its usual 0.6 names of one provider are all alike


def absent(directory: Directory, name: str) -> NotFoundError:
    """Return the error for a name that the store does not have."""
    entries = directory.entries
    if name in entries:
        return NotFoundError(f"{name} was deleted", hint=f"openclaw secrets restore {name}")
    alive = [each.name for each in entries.values() if not each.deleted]
    close = _nearest(name, alive, 3)
    hint = f"did you mean {' or '.join(close)}?" if close else f"openclaw secrets create {name}"
    return NotFoundError(f"no secret is called {name}", hint=hint)


def without_store(name: str, environment: str) -> NotFoundError:
    """Return the error for a name where there is no store; `environment` is "" or one's name."""
    where = f" in the environment {environment}" if environment else ""
    return NotFoundError(
        f"no secret is called {name}: there is no store yet{where}",
        hint=f"openclaw secrets create {name}",
    )


def suggest(
    references: Sequence[Reference], found: Sequence[Secret | OpenclawError], known: Collection[str]
) -> None:
    """Let each error for a bare name that is not there hint at one that the settings have."""
    for reference, answer in zip(references, found, strict=True):
        if not isinstance(answer, NotFoundError) or reference.backend or reference.path in known:
            continue
        close = _nearest(reference.path, known, 1)
        if close:
            answer.hint = f"did you mean {close[0]}?"


def _nearest(name: str, known: Collection[str], most: int) -> list[str]:
    from difflib import get_close_matches  # only where something is missing: it takes a while

    small = {each.lower(): each for each in known}
    return [small[each] for each in get_close_matches(name.lower(), small, n=most, cutoff=_CLOSE)]
