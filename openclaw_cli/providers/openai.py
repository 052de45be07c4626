"""OpenAI."""

from __future__ import annotations

from openclaw_cli.providers.provider import MINTED, Provider


class Openai(Provider):
    name = "openai"
    title = "OpenAI"
    variables = ("OPENAI_API_KEY", "OPENAI_ADMIN_KEY", "OPENAI_KEY")
    distinct = (
        rb"sk-(?:proj|svcacct|service|admin)-[A-Za-z0-9_-]{20,}",
        # The mark in the middle is "OpenAI" in base64: all but the oldest keys bear it.
        rb"sk-[A-Za-z0-9_-]{20,}T3BlbkFJ[A-Za-z0-9_-]{20,}",
    )
    plausible = (rb"sk-[A-Za-z0-9]{20,}",)
    looks = "sk- and 48 or more letters, digits, - and _"
    page = "https://platform.openai.com/api-keys"
    rotation = MINTED
    rotator = "openai"
    how = "the Admin API makes and deletes the keys of a project's service account"
