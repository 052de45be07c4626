"""Amazon Web Services: access keys, session tokens and Bedrock's API keys."""

from __future__ import annotations

from openclaw_cli.providers.provider import MINTED, Provider


class Aws(Provider):
    name = "aws"
    title = "AWS"
    variables = (
        "AWS_SECRET_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_SESSION_TOKEN",
        "AWS_BEARER_TOKEN_BEDROCK",
    )
    distinct = (
        rb"(?:AKIA|ASIA)[A-Z2-7]{16}",
        rb"ABSK[A-Za-z0-9+/]{80,}={0,2}",
    )
    plausible = (
        rb"[A-Za-z0-9+/]{40}",
        # Both halves of an access key, as JSON or otherwise: what can be rotated.
        rb"(?s:.{0,200}AKIA[A-Z2-7]{16}[^A-Za-z0-9+/].{0,200}[A-Za-z0-9+/]{40}.{0,200})",
        rb"[A-Za-z0-9+/]{100,}={0,2}",
        rb"bedrock-api-key-[A-Za-z0-9+/_.-]{40,}={0,2}",
    )
    looks = "AKIA and 16 capitals and digits, or 40 letters, digits, + and /"
    page = "https://console.aws.amazon.com/iam/home#/security_credentials"
    rotation = MINTED
    rotator = "aws-iam"
    how = "IAM makes a second access key for a user (it may have two), then deletes the first"
