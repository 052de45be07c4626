"""Discord: bot tokens and webhooks."""

from __future__ import annotations

from openclaw_cli.providers.provider import PERSON, Provider


class Discord(Provider):
    name = "discord"
    title = "Discord"
    variables = ("DISCORD_BOT_TOKEN", "DISCORD_TOKEN", "DISCORD_WEBHOOK_URL")
    distinct = (
        # The first part is the bot's number in base64, so its first letter hardly varies.
        rb"[MNO][A-Za-z0-9_-]{22,}\.[A-Za-z0-9_-]{6,7}\.[A-Za-z0-9_-]{27,}",
        rb"https://(?:[a-z]+\.)?discord(?:app)?\.com/api/webhooks/[0-9]+/[A-Za-z0-9_-]+",
    )
    looks = "three parts of letters, digits, - and _ with a dot between them"
    page = "https://discord.com/developers/applications"
    rotation = PERSON
    how = "a bot's token is reset in the Developer Portal only"
