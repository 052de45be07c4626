"""OpenRouter."""

from __future__ import annotations

from openclaw_cli.providers.provider import MINTED, Provider


class Openrouter(Provider):
    name = "openrouter"
    title = "OpenRouter"
    variables = ("OPENROUTER_API_KEY",)
    distinct = (rb"sk-or-v[0-9]+-[A-Za-z0-9]{48,}",)
    looks = "sk-or-v1- and 64 digits and letters from a to f"
    page = "https://openrouter.ai/settings/keys"
    rotation = MINTED
    how = "its keys API makes and deletes keys, asked with a management key"
