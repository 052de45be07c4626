"""Azure OpenAI: the keys of a resource."""

from __future__ import annotations

from openclaw_cli.providers.provider import MINTED, Provider


class AzureOpenai(Provider):
    name = "azure-openai"
    title = "Azure OpenAI"
    variables = ("AZURE_OPENAI_API_KEY", "AZURE_OPENAI_KEY", "AZURE_API_KEY")
    plausible = (rb"[0-9a-f]{32}", rb"[A-Za-z0-9]{84}")
    looks = "84 letters and digits, or 32 digits and a to f for an older resource"
    page = "https://portal.azure.com"
    rotation = MINTED
    how = "a resource has two keys, and the management API makes either of them anew"
