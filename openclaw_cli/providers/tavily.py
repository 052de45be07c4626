"""Tavily: search for agents."""

from __future__ import annotations

from openclaw_cli.providers.provider import PERSON, Provider


class Tavily(Provider):
    name = "tavily"
    title = "Tavily"
    variables = ("TAVILY_API_KEY",)
    distinct = (rb"tvly-[A-Za-z0-9_-]{16,}",)
    looks = "tvly- and some thirty letters, digits and -"
    page = "https://app.tavily.com/home"
    rotation = PERSON
    how = "keys are made on its page; an API for it is for enterprise customers"
