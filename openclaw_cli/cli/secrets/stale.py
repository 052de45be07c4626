"""What is said when a copy stands in for a backend that is away; both roads say it."""

from __future__ import annotations

from collections.abc import Iterable

from openclaw_cli import duration
from openclaw_cli.cli.render import Output
from openclaw_cli.errors import OpenclawError
from openclaw_cli.model import Secret
from openclaw_cli.names import Reference


def tell(output: Output, answers: Iterable[tuple[Reference, Secret | OpenclawError]]) -> None:
    """Say of each such answer how old it is."""
    for reference, secret in answers:
        if isinstance(secret, Secret) and secret.stale and secret.age is not None:
            old = duration.relative(-secret.age)
            output.warn(
                f"{secret.backend} is away: {reference.path} is a copy made {old}",
                hint="openclaw doctor",
            )
