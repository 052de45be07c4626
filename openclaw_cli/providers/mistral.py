"""Mistral AI."""

from __future__ import annotations

from openclaw_cli.providers.provider import PERSON, Provider


class Mistral(Provider):
    name = "mistral"
    title = "Mistral AI"
    variables = ("MISTRAL_API_KEY",)
    plausible = (rb"[A-Za-z0-9]{32}",)
    looks = "32 letters and digits"
    page = "https://console.mistral.ai/api-keys"
    rotation = PERSON
    how = "keys are made in its console only"
