"""Anthropic: Claude's API."""

from __future__ import annotations

from openclaw_cli.providers.provider import PERSON, Provider


class Anthropic(Provider):
    name = "anthropic"
    title = "Anthropic"
    variables = (
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_AUTH_TOKEN",
        "ANTHROPIC_ADMIN_KEY",
        "CLAUDE_API_KEY",
        "CLAUDE_CODE_OAUTH_TOKEN",
    )
    distinct = (rb"sk-ant-[a-z]+[0-9]{2}-[A-Za-z0-9_-]{80,}",)
    plausible = (rb"sk-ant-[A-Za-z0-9_-]{80,}",)
    looks = "sk-ant- and some hundred letters, digits, - and _"
    page = "https://platform.claude.com/settings/keys"
    rotation = PERSON
    how = "the Admin API lists and disables keys, but only the Console makes one"
