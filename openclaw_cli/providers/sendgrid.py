"""SendGrid."""

from __future__ import annotations

from openclaw_cli.providers.provider import MINTED, Provider


class Sendgrid(Provider):
    name = "sendgrid"
    title = "SendGrid"
    variables = ("SENDGRID_API_KEY",)
    distinct = (rb"SG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{32,64}",)
    looks = "SG. and two rows of letters, digits, - and _ with a dot between them"
    page = "https://app.sendgrid.com/settings/api_keys"
    rotation = MINTED
    how = "its API keys API makes and deletes keys, asked with a key that may"
