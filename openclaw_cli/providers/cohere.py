"""Cohere."""

from __future__ import annotations

from openclaw_cli.providers.provider import PERSON, Provider


class Cohere(Provider):
    name = "cohere"
    title = "Cohere"
    variables = ("COHERE_API_KEY", "CO_API_KEY")
    plausible = (rb"[A-Za-z0-9]{40}",)
    looks = "40 letters and digits"
    page = "https://dashboard.cohere.com/api-keys"
    rotation = PERSON
    how = "keys are made on its dashboard only"
