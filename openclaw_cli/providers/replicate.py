"""Replicate."""

from __future__ import annotations

from openclaw_cli.providers.provider import PERSON, Provider


class Replicate(Provider):
    name = "replicate"
    title = "Replicate"
    variables = ("REPLICATE_API_TOKEN", "REPLICATE_API_KEY")
    distinct = (rb"r8_[A-Za-z0-9]{32,}",)
    looks = "r8_ and 37 letters and digits"
    page = "https://replicate.com/account/api-tokens"
    rotation = PERSON
    how = "tokens are made on its account page only"
