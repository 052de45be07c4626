"""Groq."""

from __future__ import annotations

from openclaw_cli.providers.provider import PERSON, Provider


class Groq(Provider):
    name = "groq"
    title = "Groq"
    variables = ("GROQ_API_KEY",)
    distinct = (rb"gsk_[A-Za-z0-9]{40,}",)
    looks = "gsk_ and 52 letters and digits"
    page = "https://console.groq.com/keys"
    rotation = PERSON
    how = "keys are made in its console only"
