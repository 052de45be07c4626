"""Any other service."""

from __future__ import annotations

from openclaw_cli.providers.provider import PERSON, Provider


class Generic(Provider):
    name = "generic"
    title = "another service"
    rotation = PERSON
    how = "nothing is known of the service"
