"""Twilio: auth tokens and API keys."""

from __future__ import annotations

from openclaw_cli.providers.provider import MINTED, Provider


class Twilio(Provider):
    name = "twilio"
    title = "Twilio"
    variables = ("TWILIO_AUTH_TOKEN", "TWILIO_API_SECRET", "TWILIO_API_KEY")
    distinct = (rb"SK[0-9a-f]{32}",)
    plausible = (rb"[A-Za-z0-9]{32}",)
    looks = "32 letters and digits, or SK and 32 of them for an API key's name"
    page = "https://console.twilio.com"
    rotation = MINTED
    how = "its API makes a secondary auth token and promotes it; API keys are made by API too"
