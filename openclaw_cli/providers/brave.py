"""Brave Search."""

from __future__ import annotations

from openclaw_cli.providers.provider import PERSON, Provider


class Brave(Provider):
    name = "brave"
    title = "Brave Search"
    variables = ("BRAVE_API_KEY", "BRAVE_SEARCH_API_KEY")
    plausible = (rb"BSA[A-Za-z0-9_-]{20,}",)
    looks = "BSA and some thirty letters, digits, - and _"
    page = "https://api-dashboard.search.brave.com/app/keys"
    rotation = PERSON
    how = "keys are made on its dashboard only"
