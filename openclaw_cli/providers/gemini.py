"""Gemini: Google's models by way of AI Studio."""

from __future__ import annotations

from openclaw_cli.providers.provider import PERSON, Provider


class Gemini(Provider):
    name = "gemini"
    title = "Gemini"
    variables = ("GEMINI_API_KEY", "GOOGLE_GENERATIVE_AI_API_KEY", "GOOGLE_AI_API_KEY")
    # AI Studio has made "authorization keys" of this form since 2026; AIza is the form before.
    distinct = (rb"AQ\.[A-Za-z0-9_-]{20,}",)
    plausible = (rb"AIza[A-Za-z0-9_-]{35}",)
    looks = "AQ. and a row of letters, digits, - and _; or an older key, AIza and 35 of them"
    page = "https://aistudio.google.com/apikey"
    rotation = PERSON
    how = "keys are made in AI Studio; Google's API Keys API makes the older form only"
