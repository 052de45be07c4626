"""Slack: the tokens of apps, bots and users, and webhooks."""

from __future__ import annotations

from openclaw_cli.providers.provider import PERSON, Provider


class Slack(Provider):
    name = "slack"
    title = "Slack"
    variables = (
        "SLACK_BOT_TOKEN",
        "SLACK_APP_TOKEN",
        "SLACK_USER_TOKEN",
        "SLACK_TOKEN",
        "SLACK_SIGNING_SECRET",
        "SLACK_WEBHOOK_URL",
    )
    distinct = (
        rb"xox[a-z](?:\.xox[a-z])?-[A-Za-z0-9-]{10,}",
        rb"(?:xapp|xwfp)-[A-Za-z0-9-]{10,}",
        rb"https://hooks\.slack\.com/[a-z]+/[A-Za-z0-9/_-]+",
    )
    plausible = (rb"[0-9a-f]{32}",)  # a signing secret
    looks = "xoxb-, xoxp- or xapp- and digits, letters and -"
    page = "https://api.slack.com/apps"
    rotation = PERSON
    how = "a token changes when the app is installed again; only apps that opted in refresh by API"
