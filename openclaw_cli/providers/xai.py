"""xAI: Grok's API."""

from __future__ import annotations

from openclaw_cli.providers.provider import MINTED, Provider


class Xai(Provider):
    name = "xai"
    title = "xAI"
    variables = ("XAI_API_KEY", "GROK_API_KEY")
    distinct = (rb"xai-[A-Za-z0-9_-]{64,}",)
    looks = "xai- and 80 letters and digits"
    page = "https://console.x.ai"
    rotation = MINTED
    how = "its Management API makes and deletes keys, asked with a management key"
