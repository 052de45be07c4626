"""Notion: an integration's token."""

from __future__ import annotations

from openclaw_cli.providers.provider import PERSON, Provider


class Notion(Provider):
    name = "notion"
    title = "Notion"
    variables = ("NOTION_TOKEN", "NOTION_API_KEY", "NOTION_API_TOKEN")
    distinct = (rb"ntn_[A-Za-z0-9]{40,}",)
    plausible = (rb"secret_[A-Za-z0-9]{40,}",)
    looks = "ntn_ (secret_ before 2024) and more than 40 letters and digits"
    page = "https://www.notion.so/profile/integrations"
    rotation = PERSON
    how = "an integration's token is made anew on its page only"
