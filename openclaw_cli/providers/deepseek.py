"""DeepSeek."""

from __future__ import annotations

from openclaw_cli.providers.provider import PERSON, Provider


class Deepseek(Provider):
    name = "deepseek"
    title = "DeepSeek"
    variables = ("DEEPSEEK_API_KEY",)
    plausible = (rb"sk-[A-Za-z0-9]{32,}",)
    looks = "sk- and 32 letters and digits"
    page = "https://platform.deepseek.com/api_keys"
    rotation = PERSON
    how = "keys are made on its platform's page only"
