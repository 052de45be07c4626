"""Telegram: a bot's token."""

from __future__ import annotations

from openclaw_cli.providers.provider import PERSON, Provider


class Telegram(Provider):
    name = "telegram"
    title = "Telegram"
    variables = ("TELEGRAM_BOT_TOKEN", "TELEGRAM_TOKEN")
    distinct = (rb"[0-9]{6,16}:A[A-Za-z0-9_-]{34}",)
    looks = "a number, a colon and 35 letters, digits, - and _"
    page = "https://t.me/BotFather"
    rotation = PERSON
    how = "a person asks @BotFather for a new token, which ends the old one at once"
